import Diagnostics
import DwarfIndex
import Platform
import StapSyntax
import Tapset
import TargetModel

@testable import Elaboration

/// What came of elaborating one text with utrace's own tapset.
struct Elaborated {
  let sources: SourceSet
  let checked: Checked<ElaboratedProgram>

  init(
    _ text: String,
    programs: any ProgramCatalog = NoPrograms(),
    target: TargetProcess? = nil,
    kernel: (any KernelCatalog)? = nil,
    tapset: [String] = [tapsetDirectory],
    adjust: (inout ElaborationEnvironment) -> Void = { _ in }
  ) {
    var sources = SourceSet()
    let preprocessor = PreprocessorEnvironment(kernelRelease: "6.1.0-18-amd64", arch: "x86_64")
    let library = TapsetLibrary(directories: tapset, environment: preprocessor, sources: &sources)
    let file = sources.add(SourceFile(name: "test.stp", text: Array(text.utf8)))
    let parsed = parse(file, in: sources, environment: preprocessor)
    guard let script = parsed.product else {
      self.sources = sources
      checked = Checked(nil, parsed.diagnostics)
      return
    }
    var environment = ElaborationEnvironment(
      tapset: library,
      programs: programs,
      target: target,
      kernel: kernel
    )
    adjust(&environment)
    checked = elaborate(script, sources: &sources, environment: environment)
    self.sources = sources
  }

  /// The text form; the messages after an error.
  var text: String { checked.product?.text ?? messages }

  var messages: String { DiagnosticRenderer(sources: sources).text(checked.diagnostics) }

  var ids: [String] { checked.diagnostics.map(\.id) }
}

/// `Tapset` at the root of the package.
let tapsetDirectory =
  #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
  + "/Tapset"

/// There are no binaries.
struct NoPrograms: ProgramCatalog {
  func files(named name: String) -> Result<[String], ProgramProblem> {
    .failure(ProgramProblem("no file '\(name)'"))
  }

  func executable(of pid: Int32) -> Result<String, ProgramProblem> {
    .failure(ProgramProblem("no process \(pid)"))
  }

  func libraries(
    matching pattern: String,
    of path: String,
    in process: Int32?
  ) -> Result<[String], ProgramProblem> {
    .success([])
  }

  func placement(of program: any Program, in process: Int32) -> ModulePlacement? { nil }

  func program(at path: String) -> Result<any Program, ProgramProblem> {
    .failure(ProgramProblem("no file '\(path)'"))
  }
}

/// The lines of `-L` for a pattern.
func listedPoints(_ pattern: String, kernel: (any KernelCatalog)? = nil) -> [String] {
  var sources = SourceSet()
  let preprocessor = PreprocessorEnvironment(kernelRelease: "6.1.0-18-amd64", arch: "x86_64")
  let library = TapsetLibrary(directories: [tapsetDirectory], environment: preprocessor, sources: &sources)
  let file = sources.add(SourceFile(name: "list", text: Array(pattern.utf8)))
  let points = parseProbePoints(file, in: sources, environment: preprocessor).product ?? []
  let programs = SystemPrograms(environment: .current(), options: .init(cacheDirectory: nil))
  let environment = ElaborationEnvironment(tapset: library, programs: programs, kernel: kernel)
  return listProbes(points, sources: &sources, environment: environment).product?.map(\.text) ?? []
}
