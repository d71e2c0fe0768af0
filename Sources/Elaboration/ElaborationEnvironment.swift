package import Tapset
package import TargetModel

/// Everything that elaboration may ask besides the script; made by the pipeline, which also caches.
package struct ElaborationEnvironment: Sendable {
  package var tapset: TapsetLibrary

  /// The process of `-p` or `-c`.
  package var target: TargetProcess?
  /// `--children`: probes of the target run in the processes that it starts, too.
  package var followsChildren = false
  /// What is known of the running kernel; nil without BTF.
  package var kernel: (any KernelCatalog)?
  /// Opens the binaries that probe points name.
  package var programs: any ProgramCatalog
  /// MAXSTRINGLEN.
  package var maxStringLength = 512
  /// `-g`.
  package var isGuru = false
  /// `-u`.
  package var isUnoptimized = false
  /// `--skip-badvars`.
  package var skipsBadVariables = false
  /// `--no-global-var-display`.
  package var hidesUnreadGlobals = false
  /// Whether somebody sees where in the source sites are without a script that shows it.
  package var showsPlaces = false
  /// Globals that `-G` gives a value.
  package var assignedGlobals: Set<String> = []
  package var registers = RegisterFile.x86_64

  package init(
    tapset: TapsetLibrary,

    programs: any ProgramCatalog,
    target: TargetProcess? = nil,
    kernel: (any KernelCatalog)? = nil
  ) {
    self.tapset = tapset

    self.programs = programs
    self.target = target
    self.kernel = kernel
  }
}

/// The process that `-p` or `-c` names.
package struct TargetProcess: Hashable, Sendable {
  /// Nil for a command that does not run yet.
  package var pid: Int32?
  /// The executable, as it can be opened here.
  package var path: String

  package init(pid: Int32?, path: String) {
    self.pid = pid
    self.path = path
  }
}

/// What the running kernel says about itself.
package protocol KernelCatalog: Sendable {
  /// Its types, by BTF.
  var types: any TypeSource { get }
  /// Names of all tracepoints, without their systems.
  var tracepointNames: [String] { get }
  /// The tracepoints whose names `pattern` covers; the system is empty where nobody tells it.
  func tracepoints(named pattern: String) -> [KernelTracepoint]
  /// The arguments of a tracepoint: names and types; nil when BTF does not know it.
  func arguments(ofTracepoint name: String) -> [(name: String, type: TypeReference)]?
  /// Whether BTF knows a function of that name.
  func hasFunction(_ name: String) -> Bool
}

/// One tracepoint.
package struct KernelTracepoint: Hashable, Sendable {
  package var system: String
  package var name: String

  package init(system: String, name: String) {
    self.system = system
    self.name = name
  }
}
