package import Diagnostics

/// What a script may ask while it is being read: `%( kernel_v >= "6.1" %? … %)`, `$1`, library macros.
package struct PreprocessorEnvironment: Sendable {
  /// Who runs the script (`systemtap_privilege`).
  package enum Privilege: String, Sendable { case stapusr, stapsys, stapdev }

  /// `kernel_v`: the release without its suffix, `6.1.0`.
  package var kernelVersion: String
  /// `kernel_vr`: the whole release, `6.1.0-18-amd64`.
  package var kernelRelease: String
  /// `arch`, by the kernel's own name (`x86_64`, `arm64`).
  package var arch: String
  /// `systemtap_v`: the version of SystemTap whose language we speak.
  package var systemtapVersion = "5.6"
  /// What `runtime` is compared with.
  ///
  /// Tapset code for `bpf` works around limits that we do not have, so we answer `kernel`.
  package var runtime = "kernel"
  package var privilege = Privilege.stapdev
  /// `guru_mode`, and whether a script may hold embedded C.
  package var guruMode = false
  /// `CONFIG_…` of the kernel; nil when it is not set.
  package var kernelConfiguration: @Sendable (String) -> String?
  /// What follows the script's name on the command line.
  package var arguments: [String] = []
  /// Macros from `.stpm` files.
  package var macros = MacroLibrary()

  /// An environment for one kernel; `kernelVersion` is what stands before the first `-` of `kernelRelease`.
  package init(
    kernelRelease: String,
    arch: String,
    arguments: [String] = [],
    kernelConfiguration: @escaping @Sendable (String) -> String? = { _ in nil }
  ) {
    self.kernelRelease = kernelRelease
    kernelVersion = String(kernelRelease.prefix { $0 != "-" })
    self.arch = arch
    self.arguments = arguments
    self.kernelConfiguration = kernelConfiguration
  }
}

/// The macros of `.stpm` files.
package struct MacroLibrary: Sendable {
  private(set) var macros: [String: Macro] = [:]

  /// No macros.
  package init() {}

  /// The names of all macros, without `@`.
  package var names: some Sequence<String> { macros.keys }

  /// Adds the macros of `other`; a name that both define is an error at the second place.
  package mutating func merge(_ other: MacroLibrary) -> [Diagnostic] {
    var problems: [Diagnostic] = []
    for (name, macro) in other.macros {
      if let first = macros[name] {
        problems.append(.redefinedMacro(macro.name, first: first.name.range))
      } else {
        macros[name] = macro
      }
    }
    return problems.sorted { ($0.range?.bytes.lowerBound ?? 0) < ($1.range?.bytes.lowerBound ?? 0) }
  }

  init(_ macros: [String: Macro]) { self.macros = macros }
}

/// `@define name(parameters) %( body %)`.
struct Macro: Sendable {
  let name: Name
  let parameters: [String]?
  let body: [Token]
  /// A library macro sees only library macros.
  let isLibrary: Bool
}

extension Diagnostic {
  static func redefinedMacro(_ name: Name, first: SourceRange) -> Diagnostic {
    Diagnostic(
      .error,
      "redefined-macro",
      "macro '@\(name.text)' is defined twice",
      at: name.range,
      notes: [.note("first defined here", at: first)]
    )
  }
}
