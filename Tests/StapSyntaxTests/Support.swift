import Diagnostics

@testable import StapSyntax

/// An environment with fixed facts.
func environment(
  arguments: [String] = [],
  guru: Bool = true,
  configuration: [String: String] = [:]
) -> PreprocessorEnvironment {
  var result = PreprocessorEnvironment(
    kernelRelease: "6.1.0-18-amd64",
    arch: "x86_64",
    arguments: arguments,
    kernelConfiguration: { configuration[$0] }
  )
  result.guruMode = guru
  return result
}

/// What came of parsing one text, with the text at hand for messages.
struct Parsed: CustomStringConvertible {
  let sources: SourceSet
  let checked: Checked<Script>

  init(
    _ text: String,
    _ environment: PreprocessorEnvironment = environment(),
    macros: String = "",
    origin: ScriptOrigin = .user
  ) {
    self.init(bytes: Array(text.utf8), environment, macros: macros, origin: origin)
  }

  init(
    bytes: [UInt8],
    _ environment: PreprocessorEnvironment = environment(),
    macros: String = "",
    origin: ScriptOrigin = .user
  ) {
    var sources = SourceSet()
    var environment = environment
    let file = sources.add(SourceFile(name: "test.stp", text: bytes))
    if !macros.isEmpty {
      let library = sources.add(SourceFile(name: "test.stpm", text: Array(macros.utf8)))
      let macros = parseMacroLibrary(library, in: sources, environment: environment)
      environment.macros = macros.product ?? MacroLibrary()
    }
    self.sources = sources
    checked = parse(file, in: sources, environment: environment, origin: origin)
  }

  var description: String { messages }

  var product: Script? { checked.product }

  /// The canonical text; nil after an error.
  var printed: String? { checked.product.map { ASTPrinter.text($0) } }

  var ids: [String] { checked.diagnostics.map(\.id) }

  var messages: String { DiagnosticRenderer(sources: sources).text(checked.diagnostics) }

  /// What the ranges of the diagnostics cover.
  var marked: [String] {
    checked.diagnostics.map { diagnostic in
      guard let range = diagnostic.range else { return "" }
      return String(decoding: sources[range.source].text[range.bytes], as: UTF8.self)
    }
  }
}

/// The canonical text of the statements of `probe begin { … }`, one string a line; nil after an error.
func statements(_ text: String) -> [String]? {
  let lines = Parsed("probe begin { \(text) }").printed?.split(separator: "\n")
  return lines?.dropFirst().dropLast().map { $0.trimmingPrefix { $0 == " " } }.map(String.init)
}

/// A tree as text that leaves nothing out but where it stands.
func structure(_ value: Any) -> String {
  var result = ""
  describe(value, into: &result)
  return result
}

private func describe(_ value: Any, into result: inout String) {
  if value is SourceRange { return }
  let mirror = Mirror(reflecting: value)
  guard !mirror.children.isEmpty else {
    result += "\(value is String ? String(reflecting: value) : "\(value)") "
    return
  }
  result += "("
  if mirror.displayStyle != .optional, mirror.displayStyle != .collection, mirror.displayStyle != .tuple {
    result += "\(mirror.subjectType) "
  }
  for child in mirror.children {
    if let label = child.label, !label.hasPrefix(".") { result += label + ":" }
    describe(child.value, into: &result)
  }
  result += ")"
}
