import DwarfIndex
import ELF
import Elaboration
import Synchronization
import TargetModel
import USDT

/// One binary as elaboration sees it: functions, variables and types by ``ProgramImage``, marks by ``USDTCatalog``.
final class Binary: Program {
  let path: String
  private let image: ProgramImage
  private let file: ELFFile
  private let knownMarks = Mutex<[ProgramMark]?>(nil)

  private init(path: String, image: ProgramImage, file: ELFFile) {
    self.path = path
    self.image = image
    self.file = file
  }

  static func open(_ path: String) -> Result<Binary, ProgramProblem> {
    do {
      let file = try ELFFile(path: path)
      return .success(Binary(path: path, image: try ProgramImage(path: path), file: file))
    } catch let error as ELFError {
      return .failure(ProgramProblem("cannot use '\(path)': \(error)"))
    } catch {
      return .failure(ProgramProblem("cannot use '\(path)': \(error)"))
    }
  }

  var buildID: BuildID? { image.buildID }
  var hasDebugInfo: Bool { image.hasDebugInfo }
  var searchReport: [String] { image.searchReport }
  var types: any TypeSource { image.types }

  var marks: [ProgramMark] {
    if let marks = knownMarks.withLock({ $0 }) { return marks }
    let marks = USDTCatalog(file).probes.flatMap { probe in probe.sites.map { ProgramMark(probe, $0) } }
    knownMarks.withLock { $0 = marks }
    return marks
  }

  func functions(named pattern: String, file: String?) -> [ProgramFunction] {
    image.functions(matching: FunctionPattern(name: pattern, file: file)).map { match in
      ProgramFunction(
        name: match.name,
        entry: match.entry,
        probeAddress: match.probeAddress,
        file: match.file ?? "",
        line: match.line,
        isInlineInstance: match.isInlineInstance,
        isExported: match.isExported,
        variables: match.die == nil ? nil : MatchVariables(image: image, match: match)
      )
    }
  }

  func nearestFunctions(to name: String) -> [String] { image.nearestFunctions(to: name, limit: 3) }

  func global(named name: String, unit: String?) -> ProgramVariable? {
    guard let global = image.global(named: name, unit: unit) else { return nil }
    return ProgramVariable(name: name, type: global.type, isParameter: false) { global.place }
  }

  func fileOffset(of address: LinkAddress) -> FileOffset? { image.fileOffset(of: address) }
}

/// The variables of one function match.
private struct MatchVariables: FunctionVariables {
  let image: ProgramImage
  let match: FunctionMatch

  func variables(at address: LinkAddress) -> [ProgramVariable] {
    image.variables(of: match, at: address).map { variable in
      ProgramVariable(name: variable.name, type: variable.type, isParameter: variable.isParameter) {
        switch image.location(of: variable, in: match, at: address) {
        case .found(let location): .success(location)
        case .unavailable(let reason): .failure(ProgramProblem(reason))
        }
      }
    }
  }

  func returnValue() -> ProgramVariable? {
    let value = image.returnValue(of: match)
    guard let type = value.type else { return nil }
    return ProgramVariable(name: "$return", type: type, isParameter: false) {
      value.location.map { .success($0) } ?? .failure(ProgramProblem("it is returned in a vector register"))
    }
  }
}

extension ProgramMark {
  fileprivate init(_ probe: USDTProbe, _ site: USDTSite) {
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
