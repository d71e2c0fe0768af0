import MachineCode
import TargetModel

/// A type, and who knows it.
struct TargetType: Sendable {
  var source: any TypeSource
  var type: TypeReference
  /// Where pointers of this type lead.
  var memory: PlanMemory
}

/// An object of the traced program as one site sees it.
struct TargetObject: Sendable {
  var location: ValueLocation
  /// Nil: a number of 64 bits about which nothing else is known.
  var type: TypeReference?
  var source: any TypeSource
  var memory: PlanMemory
  /// It is a function's argument as it was on entry.
  var isEntry = false
}

/// Why a target variable cannot be had, in words.
struct TargetProblem: Error, Hashable, Sendable {
  /// The ID of the diagnostic.
  var id: String
  var message: String
  var notes: [String] = []
  /// The name that is not there, and those that are.
  var asked: String?
  var candidates: [String] = []
}

/// The groups of variables that have a name of their own.
enum TargetListing: String, Sendable {
  case variables = "$$vars"
  case parameters = "$$parms"
  case locals = "$$locals"
  case result = "$$return"
}

/// A variable in a listing; the problem shows as `=?`.
struct ListedTarget: Sendable {
  var name: String
  var object: Result<TargetObject, TargetProblem>
}

/// What one kind of site knows about the program around it.
protocol TargetScope: Sendable {
  /// `$name`; `isEntry` inside `@entry(…)`.
  func variable(_ name: String, isEntry: Bool) -> Result<TargetObject, TargetProblem>
  /// `$$vars` and its kin; nil where they mean nothing.
  func listing(_ listing: TargetListing) -> [ListedTarget]?
  /// `$$name`, `$$provider`; nil where there is no such text.
  func text(_ name: String) -> SiteText?
  /// `@var("name")`.
  func global(named name: String, unit: String?, module: String?) -> Result<TargetObject, TargetProblem>
  /// Who knows the types that `@cast` names, nearest first, each with the memory its pointers lead to.
  func typeSources(module: String?) -> [(source: any TypeSource, memory: PlanMemory)]
  /// Whether registers can be read, so that `int_arg(n)` means something.
  var hasRegisters: Bool { get }
  /// How the code around the site calls functions.
  var abi: CallingABI { get }
  /// Where the arguments begin that its function got on the stack.
  var stackArguments: LocationPlan { get }
  /// Where the kernel keeps the registers of the system call that is meant; nil where there is none.
  var systemCallRegisters: LocationPlan? { get }
  /// Where these registers can be kept for the site when its function is called; nil where nobody can.
  func entryPoint(keeping registers: X86Registers) -> EntryPoint?
  /// Where a return probe's parameters are kept that are in place only behind the function's prologue; nil: at the entry.
  var entryBehindPrologue: EntryPoint? { get }
  /// Whether `$value` is a text that the probe and whoever caused it exchange.
  var hasEventText: Bool { get }
}

extension TargetScope {
  var hasEventText: Bool { false }

  func entryPoint(keeping registers: X86Registers) -> EntryPoint? { nil }

  var entryBehindPrologue: EntryPoint? { nil }

  var systemCallRegisters: LocationPlan? { nil }

  var abi: CallingABI { .x86_64 }

  /// Above the return address, when nothing has been pushed yet.
  var stackArguments: LocationPlan {
    .register(RegisterFile.x86_64.stackPointer).offset(by: Int64(abi.addressByteCount))
  }
}

/// Probes without a site: no target variables, only casts to kernel types.
struct EmptyScope: TargetScope {
  /// What the probe is called in messages: `begin`.
  var family: String
  var kernel: (any TypeSource)?
  var hasRegisters = false
  var hasEventText = false

  func variable(_ name: String, isEntry: Bool) -> Result<TargetObject, TargetProblem> {
    .failure(problem("$" + name))
  }

  func listing(_ listing: TargetListing) -> [ListedTarget]? { nil }

  func text(_ name: String) -> SiteText? { nil }

  func global(named name: String, unit: String?, module: String?) -> Result<TargetObject, TargetProblem> {
    .failure(problem("@var(\"\(name)\")"))
  }

  func typeSources(module: String?) -> [(source: any TypeSource, memory: PlanMemory)] {
    kernel.map { [($0, .kernel)] } ?? []
  }

  private func problem(_ name: String) -> TargetProblem {
    TargetProblem(
      id: "no-target-variables",
      message: "'\(name)': a '\(family)' probe has no target variables"
        + (hasEventText ? " besides '$value'" : "")
    )
  }
}
