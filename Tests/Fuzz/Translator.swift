import Diagnostics
import Elaboration
import StapSyntax
import Tapset

/// Reads and elaborates texts with utrace's own tapset, which is read once.
struct Translator {
  private let preprocessor: PreprocessorEnvironment
  private let library: TapsetLibrary
  private let sources: SourceSet

  /// `tapset` is a directory.
  init(tapset: String) {
    var preprocessor = PreprocessorEnvironment(
      kernelRelease: "6.1.0",
      arch: "x86_64",
      arguments: ["one", "2"],
      kernelConfiguration: { _ in nil }
    )
    preprocessor.guruMode = true
    var sources = SourceSet()
    var library = TapsetLibrary(directories: [tapset], environment: preprocessor, sources: &sources)
    preprocessor.macros = library.macros(for: [], in: &sources)
    self.library = library
    self.preprocessor = preprocessor
    self.sources = sources
  }

  /// The tree of a text; nil when it has mistakes.
  func script(_ text: [UInt8]) -> (script: Script, sources: SourceSet)? {
    var sources = sources
    let file = sources.add(SourceFile(name: "fuzz.stp", text: text))
    return parse(file, in: sources, environment: preprocessor).product.map { ($0, sources) }
  }

  /// Elaborates what has no mistakes; the sources are then those of the library's parts too.
  func program(
    _ script: Script,
    _ sources: inout SourceSet,
    _ programs: any ProgramCatalog
  ) -> ElaboratedProgram? {
    checked(script, &sources, programs).product
  }

  /// Elaborates, and shows what comes of it: the program, or the messages.
  func elaborated(_ script: Script, _ sources: SourceSet, _ programs: any ProgramCatalog) -> String {
    var sources = sources
    let checked = checked(script, &sources, programs)
    let messages = DiagnosticRenderer(sources: sources).text(checked.diagnostics)
    guard let program = checked.product else {
      // Without a message nobody would know why nothing runs.
      guard checked.diagnostics.contains(where: { $0.severity == .error }) else {
        fatalError("refused without an error")
      }
      return messages
    }
    return messages + program.text
  }

  private func checked(
    _ script: Script,
    _ sources: inout SourceSet,
    _ programs: any ProgramCatalog
  ) -> Checked<ElaboratedProgram> {
    let target = programs.target
    var environment = ElaborationEnvironment(tapset: library, programs: programs, target: target)
    environment.isGuru = true
    return elaborate(script, sources: &sources, environment: environment)
  }
}

extension ProgramCatalog {
  /// The program of `-c`.
  fileprivate var target: TargetProcess? {
    guard case .success(let path) = executable(of: 1) else { return nil }
    return TargetProcess(pid: nil, path: path)
  }
}
