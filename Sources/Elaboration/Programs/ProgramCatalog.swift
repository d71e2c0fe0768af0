package import DwarfIndex
package import ELF
package import MachineCode
package import TargetModel

/// Finds and opens the binaries that probe points name; made by the pipeline, which caches what it opens.
package protocol ProgramCatalog: Sendable {
  /// The files that `process("name")` means: a path, a glob, or a name to look for in `$PATH`; links resolved.
  ///
  /// `<header.h>` is a library with the types of that header.
  func files(named name: String) -> Result<[String], ProgramProblem>

  /// The executable of a running process, as it can be opened from here.
  func executable(of pid: Int32) -> Result<String, ProgramProblem>

  /// The shared libraries of the program at `path` whose names match `pattern`.
  ///
  /// With `process`, which runs it, what that process has loaded counts: also what it loaded later, and its own copy of
  /// a library that was replaced since.
  func libraries(
    matching pattern: String,
    of path: String,
    in process: Int32?
  ) -> Result<[String], ProgramProblem>

  /// Where the process has the file of `program`; nil when it has not mapped it.
  func placement(of program: any Program, in process: Int32) -> ModulePlacement?

  /// What is known of the file at `path`.
  func program(at path: String) -> Result<any Program, ProgramProblem>
}

/// Where a process has a file.
package struct ModulePlacement: Hashable, Sendable {
  /// Of the byte at link address 0.
  package var start: LoadAddress
  /// Where the code of the program begins that the process runs: another one after exec(2).
  package var codeStart: LoadAddress

  package init(start: LoadAddress, codeStart: LoadAddress) {
    self.start = start
    self.codeStart = codeStart
  }
}

/// Why a binary cannot be had: one line, and facts to add to it.
package struct ProgramProblem: Error, Hashable, Sendable {
  package var message: String
  package var notes: [String]
  /// The system refused it to this user: a matter of privilege and not of the script.
  package var isRefused: Bool

  package init(_ message: String, notes: [String] = [], isRefused: Bool = false) {
    self.message = message
    self.notes = notes
    self.isRefused = isRefused
  }
}

/// One binary: its functions by DWARF and symbols, its USDT probes, its types.
package protocol Program: Sendable {
  /// As the kernel is to open it.
  var path: String { get }
  var buildID: BuildID? { get }
  /// How its code calls functions.
  var abi: CallingABI { get }
  /// Without it there are symbols only, and no target variables.
  var hasDebugInfo: Bool { get }
  /// Where debug information was looked for, and what was found.
  var searchReport: [String] { get }
  /// The program's types; empty without debug information.
  var types: any TypeSource { get }
  /// Where a program starts to run; 0 for a library that cannot be started.
  var entry: LinkAddress { get }
  /// Whether code of Go's compiler is in it.
  var hasGo: Bool { get }
  /// USDT probes, in the order of the notes.
  var marks: [ProgramMark] { get }

  /// Functions by name, file and line, of debug information and symbols; inlined instances when asked.
  func functions(matching pattern: FunctionPattern) -> [ProgramFunction]

  /// Function names like `name`.
  func nearestFunctions(to name: String) -> [String]

  /// The function with code of its own that holds an address.
  func function(containing address: LinkAddress) -> ProgramFunction?

  /// Instructions where matching source lines begin; the closest lines when there is none.
  func statements(matching pattern: StatementPattern) -> (statements: [ProgramStatement], nearestLines: [Int])

  /// The statement that holds `address`, and whether it begins there; nil without line numbers for it.
  func statement(at address: LinkAddress) -> (statement: ProgramStatement, isStart: Bool)?

  /// Where calls into other files go through; by address.
  var stubs: [ProgramStub] { get }

  /// The CFA when the instruction at `address` is about to run, over the registers that it has then.
  func canonicalFrameAddress(at address: LinkAddress) -> LocationPlan?

  /// Which code is at that place of the file; nil when it is none of the program's memory.
  func linkAddress(of offset: FileOffset) -> LinkAddress?

  /// The name of the symbol at exactly that address.
  func symbol(at address: LinkAddress) -> String?

  /// A global or static variable, with its link address as its place.
  func global(named name: String, unit: String?) -> ProgramVariable?

  /// The lowest address of code; nil for a library.
  var codeStart: LinkAddress? { get }

  /// The code at `address`, at most `byteCount` bytes; empty when the file has none there.
  func code(at address: LinkAddress, upTo byteCount: Int) -> [UInt8]

  /// What begins at an address that code jumps to.
  func continuation(at address: LinkAddress) -> CodeContinuation

  /// Whether other code jumps into a function, at most `byteCount` bytes behind its `entry`; as far as that code is near.
  func isEntered(behind entry: LinkAddress, by byteCount: Int) -> Bool

  /// Why a return probe of a function that begins at `address` would harm the program; nil when it would not.
  func returnObstacle(at address: LinkAddress) -> String?

  /// Where in the file the code at `address` is.
  func fileOffset(of address: LinkAddress) -> FileOffset?
}

extension Program {
  /// Where debug information was looked for and, when there is none, how to get it.
  var debugInfoNotes: [String] {
    let advice =
      "to have it: build with -g, install the package's debug symbols (NAME-dbgsym, NAME-debuginfo), or name servers in "
      + "DEBUGINFOD_URLS"
    return searchReport + (hasDebugInfo ? [] : [advice])
  }
}

/// A function, or an inlined instance of one.
package struct ProgramFunction: Sendable {
  /// With the scopes around it: `shop::Item::total`.
  package var name: String
  /// Without them.
  package var baseName: String
  /// The symbol, where that is another name.
  package var linkageName: String?
  /// The first instruction.
  package var entry: LinkAddress
  /// One past the last instruction; nil when unknown.
  package var end: LinkAddress?
  /// Where parameters can be read: behind the prologue of code that was not optimised.
  package var probeAddress: LinkAddress
  package var file: String
  package var line: Int?
  package var isInlineInstance: Bool
  package var isExported: Bool
  /// Nil without debug information.
  package var variables: (any FunctionVariables)?
  /// All that debug information says, where only symbols were asked.
  package var details: (@Sendable () -> ProgramFunction?)?

  package init(
    name: String,
    scope: String? = nil,
    linkageName: String? = nil,
    entry: LinkAddress,
    end: LinkAddress? = nil,
    probeAddress: LinkAddress,
    file: String = "",
    line: Int? = nil,
    isInlineInstance: Bool = false,
    isExported: Bool = false,
    variables: (any FunctionVariables)? = nil
  ) {
    self.name = scope.map { "\($0)::\(name)" } ?? name
    baseName = name
    self.linkageName = linkageName
    self.entry = entry
    self.end = end
    self.probeAddress = probeAddress
    self.file = file
    self.line = line
    self.isInlineInstance = isInlineInstance
    self.isExported = isExported
    self.variables = variables
  }
}

/// A stub of the procedure linkage table.
package typealias ProgramStub = LinkageStub

/// An instruction where a source line begins.
package struct ProgramStatement: Sendable {
  package var address: LinkAddress
  package var file: String
  package var line: Int
  /// The function or inlined instance that it is in.
  package var function: ProgramFunction
}

/// A label of the source.
package struct ProgramLabel: Sendable {
  package var name: String
  package var address: LinkAddress
  package var line: Int?
}

/// A function that another one calls.
package struct ProgramCallee: Sendable {
  package var function: ProgramFunction
  /// Where the calls return to; empty for what was inlined.
  package var calls: [LinkAddress]
  /// Some call is a jump, which leaves no trace of the caller.
  package var hasTailCall: Bool
}

/// What debug information says of one function.
package protocol FunctionVariables: Sendable {
  /// Those visible at an address, innermost scope first.
  func variables(at address: LinkAddress) -> [ProgramVariable]

  /// The labels in it, by address.
  func labels() -> [ProgramLabel]

  /// What it calls directly, and what was inlined into it.
  func callees() -> [ProgramCallee]

  /// What the function returns, and where that is when it has returned; nil for nothing.
  func returnValue() -> ProgramVariable?
}

/// A variable at one address.
package struct ProgramVariable: Sendable {
  package var name: String
  package var type: TypeReference?
  package var isParameter: Bool
  /// Where it is, or why it is nowhere.
  ///
  /// Asked for late: finding it costs more than listing the name.
  package var location: @Sendable () -> Result<ValueLocation, ProgramProblem>

  package init(
    name: String,
    type: TypeReference?,
    isParameter: Bool,
    location: @escaping @Sendable () -> Result<ValueLocation, ProgramProblem>
  ) {
    self.name = name
    self.type = type
    self.isParameter = isParameter
    self.location = location
  }
}

/// One site of a USDT probe.
package struct ProgramMark: Sendable {
  package var provider: String
  package var name: String
  package var address: LinkAddress
  package var fileOffset: FileOffset
  package var semaphore: FileOffset?
  /// The arguments, first to last; a failure is an operand that nobody understands.
  package var arguments: [Result<LocationPlan, ProgramProblem>]

  package init(
    provider: String,
    name: String,
    address: LinkAddress,
    fileOffset: FileOffset,
    semaphore: FileOffset?,
    arguments: [Result<LocationPlan, ProgramProblem>]
  ) {
    self.provider = provider
    self.name = name
    self.address = address
    self.fileOffset = fileOffset
    self.semaphore = semaphore
    self.arguments = arguments
  }
}
