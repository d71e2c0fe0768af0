import Platform

/// Why a module file cannot be used: what is the matter, and what to do.
struct ModuleError: Error, Equatable {
  let id: String
  let message: String
  let notes: [String]
  let cause: Cause

  /// What would have to be another for it to work.
  enum Cause {
    case module
    case system
  }

  private init(id: String, _ message: String, _ notes: [String] = [], cause: Cause = .module) {
    self.id = id
    self.message = message
    self.notes = notes
    self.cause = cause
  }
}

private let again = "build it again: utrace build -o NAME script.stp"

extension ModuleError {
  /// A probed binary that is another one now, or none.
  static func changedProgram(_ path: String, was: String, now: String) -> Self {
    Self(
      id: "changed-program",
      "'\(path)' changed since the module was built",
      ["it was \(was), it is \(now)", again]
    )
  }

  /// Bytes that no utrace wrote like this.
  static func damaged(_ path: String, _ what: String) -> Self {
    Self(id: "damaged-module", "the module '\(path)' is damaged: \(what)", [again])
  }

  /// A process that is gone, or runs something else.
  static func lostProcess(_ pid: Int32, _ what: String) -> Self {
    Self(
      id: "no-such-process",
      "the module is for process \(pid), \(what)",
      ["name another process with '-p PID'"]
    )
  }

  /// No module at all; `what` says why it is not even an object file.
  static func noModule(_ path: String, _ what: String?) -> Self {
    Self(id: "no-module", "'\(path)' is no module of utrace", [what].compactMap { $0 })
  }

  /// Code for another kernel.
  static func otherKernel(_ path: String, _ differences: [String]) -> Self {
    Self(
      id: "other-kernel",
      "the module '\(path)' is for another kernel",
      differences + [again],
      cause: .system
    )
  }

  /// Values coded by another utrace.
  static func otherWriter(_ path: String, _ writer: ModuleSeal) -> Self {
    let here = ModuleSeal.current
    let message = "the module '\(path)' was built by utrace \(writer.version), this is \(here.version)"
    guard writer.version == here.version else { return Self(id: "other-version", message, [again]) }
    let builds = "it was build \(writer.build), this is \(here.build)"
    return Self(
      id: "other-version",
      "the module '\(path)' was built by another build of utrace",
      [builds, again]
    )
  }

  /// A file that cannot be read.
  static func unreadable(_ error: SystemError) -> Self {
    Self(id: "unreadable-module", "cannot read the module: \(error)")
  }

  /// A file that cannot be written.
  static func unwritable(_ error: SystemError) -> Self {
    Self(id: "unwritable-module", "cannot write the module: \(error)", cause: .system)
  }
}
