import Diagnostics
import ELF
import Platform
import TargetModel
import USDT

/// A binary as its symbols and notes show it.
struct ELFProgram: Program {
  private let file: ELFFile
  let marks: [ProgramMark]

  init(_ file: ELFFile) {
    self.file = file
    marks = USDTCatalog(file).probes.flatMap { probe in
      probe.sites.map { ProgramMark(probe, $0) }
    }
  }

  var path: String { file.path }
  var buildID: BuildID? { file.buildID }
  var hasDebugInfo: Bool { false }
  var searchReport: [String] { [] }
  var types: any TypeSource { NoTypes() }

  func functions(named pattern: String, file source: String?) -> [ProgramFunction] {
    guard source == nil else { return [] }
    var seen: Set<LinkAddress> = []
    let exported = Set(file.symbols.filter(\.isExported).map(\.address))
    return file.symbols.functions(matching: GlobPattern(pattern)).compactMap { symbol in
      guard symbol.isDefined, seen.insert(symbol.address).inserted else { return nil }
      return ProgramFunction(
        name: symbol.name,
        entry: symbol.address,
        probeAddress: symbol.address,
        isExported: exported.contains(symbol.address)
      )
    }
  }

  func nearestFunctions(to name: String) -> [String] {
    nearestNames(to: name, among: file.symbols.filter { $0.isFunction && $0.isDefined }.map(\.name))
  }

  func global(named name: String, unit: String?) -> ProgramVariable? { nil }

  func fileOffset(of address: LinkAddress) -> FileOffset? { file.fileOffset(of: address) }
}

/// A program without debug information has none.
struct NoTypes: TypeSource {
  func layout(of type: TypeReference) -> TypeLayout { .opaque("unknown") }

  func spelling(of type: TypeReference?) -> String { "unknown" }

  func type(named name: String) -> TypeReference? { nil }

  func enumerator(named name: String) -> Int64? { nil }
}

extension ProgramMark {
  /// One site of `probe`.
  init(_ probe: USDTProbe, _ site: USDTSite) {
    self.init(
      provider: probe.provider,
      name: probe.name,
      address: site.linkAddress,
      fileOffset: site.fileOffset,
      semaphore: site.semaphore,
      arguments: site.arguments.map { argument in
        argument.result.mapError { ProgramProblem("operand '\(argument.text)': \($0)") }
      }
    )
  }
}
