import Diagnostics
import StapSyntax
import TargetModel

/// `process….begin`, `.end`, `.thread.begin`, `.thread.end`, `.syscall`, `.syscall.return`: what happens to a process
/// (stapprobes(3stap), "USER-SPACE").
///
/// The kernel's tracepoints tell, each in the context of the process that it is about:
///
/// - a program begins when it is executed (`sched_process_exec`), and, in a new process, when that returns from the system
///   call that made it, which is the first that it does (`sys_exit`; `sched_process_fork` runs in the parent);
/// - a process ends with its last thread (`sched_process_exit`; where that comes too late to tell the program, the kernel's
///   `do_exit` of its first thread).
enum ProcessEvent: String, CaseIterable, Sendable {
  case begin
  case end
  case threadBegin = "thread.begin"
  case threadEnd = "thread.end"
  case systemCall = "syscall"
  case systemCallReturn = "syscall.return"

  /// Reads the components after the process; nil when they are something else.
  init?(_ components: ArraySlice<ProbePoint.Component>) {
    guard components.allSatisfy({ $0.argument == nil }) else { return nil }
    self.init(rawValue: components.map(\.name.text).joined(separator: "."))
  }

  /// Where the event is seen for processes that `filter` describes.
  func resolve(
    _ filter: ProcessFilter,
    _ name: String,
    _ point: ProbePoint,
    _ environment: ElaborationEnvironment
  ) -> ProbeResolution {
    guard let kernel = environment.kernel, let facts = KernelEventFacts(kernel, point.range) else {
      return .failed(.noKernelTypes(point.components[point.components.count - 1]))
    }
    let exit = facts.exit(namingProgram: filter.executable != nil)
    if exit == nil, self == .end || self == .threadEnd { return .failed(.endsWithoutProgram(point)) }
    let site = EventSite(event: self, filter: filter, name: name, facts: facts, environment: environment)
    switch self {
    case .begin:
      var found = [site.tracepoint("sched_process_exec", 3), site.alreadyRunning]
      if facesNewProcesses(filter, environment) {
        found.append(site.tracepoint("sys_exit", 2, if: facts.isNewProcess))
      }
      return .found(found)
    case .threadBegin: return .found([site.tracepoint("sys_exit", 2, if: facts.isNewThread)])
    case .end:
      return .found(exit.map { [site.tracepoint($0.hook, $0.argumentCount, if: facts.isProcessEnd)] } ?? [])
    case .threadEnd:
      return .found(exit.map { [site.tracepoint($0.hook, $0.argumentCount, if: facts.isNotLeader)] } ?? [])
    case .systemCall: return .found([site.tracepoint("sys_enter", 2)])
    case .systemCallReturn: return .found([site.tracepoint("sys_exit", 2)])
    }
  }

  /// Whether a process can begin by fork(2) that `filter` describes; one that has an ID is there already.
  private func facesNewProcesses(_ filter: ProcessFilter, _ environment: ElaborationEnvironment) -> Bool {
    switch filter.scope {
    case .process: false
    case .family: true
    case .target: filter.executable != nil || environment.target == nil
    }
  }
}

/// What is the same at all sites of an event.
private struct EventSite {
  let event: ProcessEvent
  let filter: ProcessFilter
  /// `process("/bin/x").begin`.
  let name: String
  let facts: KernelEventFacts
  let environment: ElaborationEnvironment

  private var description: SiteDescription {
    SiteDescription(
      probePoint: name,
      scriptPoint: "",
      name: event.rawValue,
      provider: filter.executable ?? "",
      probeType: "process"
    )
  }

  func tracepoint(
    _ hook: KernelHook,
    _ count: Int,
    if condition: ElaboratedExpression? = nil
  ) -> ProbeCandidate {
    let variables = facts.variables(of: event)
    let scope = ProcessEventScope(
      name: "process.\(event.rawValue)",
      variables: variables,
      kernel: facts.types,
      environment: environment
    )
    return ProbeCandidate(
      trigger: .tracepoint(hook, argumentCount: count, description, in: filter),
      scope: scope,
      condition: condition,
      variables: { variables.map { ListedVariable(name: "$" + $0.name, type: "long") } }
    )
  }

  /// Processes that are there when the session starts.
  var alreadyRunning: ProbeCandidate {
    ProbeCandidate(
      trigger: .session(.running(filter, description: description)),
      scope: EmptyScope(family: "process.\(event.rawValue)", kernel: facts.types)
    )
  }
}

/// What the running kernel's types say about these events.
private struct KernelEventFacts: Sendable {
  let types: any TypeSource
  private let exitArgumentCount: Int
  private let hasExitFunction: Bool
  private let registers: TypeReference
  private let range: SourceRange

  /// System calls of x86-64 that make tasks: clone, fork, vfork, clone3 (arch/x86/entry/syscalls/syscall_64.tbl).
  private static let forking: [Int64] = [56, 57, 58, 435]

  /// Nil when the kernel does not describe its registers.
  init?(_ kernel: any KernelCatalog, _ range: SourceRange) {
    types = kernel.types
    self.range = range
    exitArgumentCount = kernel.arguments(ofTracepoint: "sched_process_exit")?.count ?? 1
    hasExitFunction = kernel.hasFunction("do_exit")
    guard let registers = types.type(named: "struct pt_regs") else { return nil }
    self.registers = registers
  }

  /// Since Linux 6.16 the tracepoint comes before the process's memory is given back, which names its program, and says
  /// whether it was the last thread; tried by its second argument.
  private var tellsProgramAtExit: Bool { exitArgumentCount > 1 }

  /// Where a thread's end is seen; nil: nowhere that its program is still known.
  func exit(namingProgram: Bool) -> (hook: KernelHook, argumentCount: Int)? {
    if !namingProgram || tellsProgramAtExit { return ("sched_process_exit", exitArgumentCount) }
    return hasExitFunction ? (.functionEntry("do_exit"), 1) : nil
  }

  func variables(of event: ProcessEvent) -> [(name: String, plan: LocationPlan)] {
    switch event {
    case .begin, .end, .threadBegin, .threadEnd: return []
    case .systemCall:
      let arguments = ["di", "si", "dx", "r10", "r8", "r9"].enumerated().compactMap { index, register in
        self.register(register).map { (name: "arg\(index + 1)", plan: $0) }
      }
      return [("syscall", .tracepointArgument(1))] + arguments
    case .systemCallReturn:
      return (register("orig_ax").map { [("syscall", $0)] } ?? []) + [("return", .tracepointArgument(1))]
    }
  }

  var isNewProcess: ElaboratedExpression? { both(isNewTask, threadIsLeader(.equal)) }

  var isNewThread: ElaboratedExpression? { both(isNewTask, threadIsLeader(.notEqual)) }

  /// The last thread's end; on kernels that do not say so the first thread's, which exit(3) ends as one of all.
  var isProcessEnd: ElaboratedExpression {
    guard tellsProgramAtExit else { return threadIsLeader(.equal) }
    return binary(
      .notEqual,
      read(.bits(.tracepointArgument(1), offset: 0, count: 8, isSigned: false)),
      number(0)
    )
  }

  var isNotLeader: ElaboratedExpression { threadIsLeader(.notEqual) }

  /// At `sys_exit`: in the new task such a call returns 0.
  private var isNewTask: ElaboratedExpression? {
    guard let call = register("orig_ax") else { return nil }
    let calls = Self.forking.map { binary(.equal, read(call), number($0)) }
    let isForking = calls.dropFirst().reduce(calls[0]) { binary(.logicalOr, $0, $1) }
    return binary(.logicalAnd, binary(.equal, read(.tracepointArgument(1)), number(0)), isForking)
  }

  private func threadIsLeader(_ relation: BinaryOperator) -> ElaboratedExpression {
    binary(relation, context(.tid), context(.pid))
  }

  /// A register of the system call; the tracepoint's first argument points to them all.
  private func register(_ name: String) -> LocationPlan? {
    let object = TargetObject(
      location: .memory(.kernel, address: .tracepointArgument(0)),
      type: registers,
      source: types,
      memory: .kernel
    )
    var walk = TargetWalk(object, name: "regs")
    do throws(TargetProblem) {
      try walk.take(.member(name))
      return try walk.value()
    } catch {
      return nil
    }
  }

  private func both(_ left: ElaboratedExpression?, _ right: ElaboratedExpression) -> ElaboratedExpression? {
    left.map { binary(.logicalAnd, $0, right) }
  }

  private func binary(
    _ operation: BinaryOperator,
    _ left: ElaboratedExpression,
    _ right: ElaboratedExpression
  ) -> ElaboratedExpression {
    ElaboratedExpression(.binary(operation, left, right), type: .long, range)
  }

  private func read(_ plan: LocationPlan) -> ElaboratedExpression {
    ElaboratedExpression(.read(plan, inputs: []), type: .long, range)
  }

  private func number(_ value: Int64) -> ElaboratedExpression {
    ElaboratedExpression(.long(value), type: .long, range)
  }

  private func context(_ field: ContextField) -> ElaboratedExpression {
    ElaboratedExpression(.context(field, kernelPlan: nil), type: .long, range)
  }
}

/// `$syscall`, `$arg1`, `$return`: plain numbers.
private struct ProcessEventScope: TargetScope {
  let name: String
  let variables: [(name: String, plan: LocationPlan)]
  let kernel: any TypeSource
  let environment: ElaborationEnvironment

  var hasRegisters: Bool { false }

  func variable(_ name: String, isEntry: Bool) -> Result<TargetObject, TargetProblem> {
    if let found = variables.first(where: { $0.name == name }) { return .success(object(found.plan)) }
    let names = variables.map { "$" + $0.name }
    return .failure(
      TargetProblem(
        id: names.isEmpty ? "no-target-variables" : "no-such-variable",
        message: names.isEmpty
          ? "'$\(name)': a '\(self.name)' probe has no target variables"
          : "a '\(self.name)' probe has no '$\(name)'",
        notes: names.isEmpty ? [] : ["there are \(names.joined(separator: ", "))"],
        asked: name,
        candidates: variables.map(\.name)
      )
    )
  }

  func listing(_ listing: TargetListing) -> [ListedTarget]? {
    switch listing {
    case .parameters, .variables:
      variables.isEmpty
        ? nil : variables.map { ListedTarget(name: $0.name, object: .success(object($0.plan))) }
    case .locals, .result: nil
    }
  }

  func text(_ name: String) -> SiteText? { nil }

  func global(named name: String, unit: String?, module: String?) -> Result<TargetObject, TargetProblem> {
    .failure(
      TargetProblem(
        id: "no-target-variables",
        message: "'@var(\"\(name)\")': a '\(self.name)' probe has none"
      )
    )
  }

  func typeSources(module: String?) -> [(source: any TypeSource, memory: PlanMemory)] {
    ProgramTypes.sources(module: module, own: nil, environment)
  }

  /// Pointers among them lead into the process.
  private func object(_ plan: LocationPlan) -> TargetObject {
    TargetObject(location: .value(plan), type: nil, source: kernel, memory: .user)
  }
}

extension Diagnostic {
  fileprivate static func endsWithoutProgram(_ point: ProbePoint) -> Diagnostic {
    Diagnostic(
      .error,
      "unsupported-probe",
      "'\(point.text)': this kernel tells of a process's end when its program is no longer known",
      at: point.range,
      notes: [
        .note("since Linux 6.16 it does earlier, before where 'do_exit' can be probed"),
        .note("'process(PID)' and a target of -p or -c work here too"),
      ]
    )
  }
}
