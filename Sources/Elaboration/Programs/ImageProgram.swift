import DwarfIndex
import ELF
import MachineCode
import Platform
import Synchronization
import TargetModel
import USDT

/// A binary as its debug information, symbols and notes show it.
struct ImageProgram: Program {
  private let image: ProgramImage
  private let file: ELFFile
  let marks: [ProgramMark]
  let hasGo: Bool

  init(_ image: ProgramImage, _ file: ELFFile) {
    self.image = image
    self.file = file
    hasGo =
      file.section(named: ".gopclntab") != nil || file.section(named: ".data.rel.ro.gopclntab") != nil
    marks = USDTCatalog(file).probes.flatMap { probe in
      probe.sites.map { ProgramMark(probe, $0) }
    }
  }

  var path: String { image.path }
  var buildID: BuildID? { image.buildID }
  var abi: CallingABI { image.abi }
  var hasDebugInfo: Bool { image.hasDebugInfo }
  var searchReport: [String] { image.searchReport }
  var types: any TypeSource { image.types }
  var entry: LinkAddress { file.header.entry }

  func functions(matching pattern: FunctionPattern) -> [ProgramFunction] {
    guard pattern.isPlaceEnough, let found = image.functionsBySymbols(matching: pattern) else {
      return image.functions(matching: pattern).map { ProgramFunction($0, of: image) }
    }
    let details = FunctionDetails(image, pattern)
    return found.map { match in
      var function = ProgramFunction(match, of: image)
      function.details = { details.function(at: match.entry) }
      return function
    }
  }

  func nearestFunctions(to name: String) -> [String] { image.nearestFunctions(to: name, limit: 3) }

  func function(containing address: LinkAddress) -> ProgramFunction? {
    image.function(containing: address).map { ProgramFunction($0, of: image) }
  }

  func statements(
    matching pattern: StatementPattern
  ) -> (statements: [ProgramStatement], nearestLines: [Int]) {
    let found = image.statements(matching: pattern)
    return (found.statements.map { ProgramStatement($0, of: image) }, found.nearestLines)
  }

  func statement(at address: LinkAddress) -> (statement: ProgramStatement, isStart: Bool)? {
    image.statement(at: address).map { (ProgramStatement($0.statement, of: image), $0.isStart) }
  }

  var stubs: [ProgramStub] { file.stubs }

  func canonicalFrameAddress(at address: LinkAddress) -> LocationPlan? {
    image.canonicalFrameAddress(at: address)
  }

  func linkAddress(of offset: FileOffset) -> LinkAddress? { file.linkAddress(of: offset) }

  func symbol(at address: LinkAddress) -> String? { image.symbol(at: address) }

  func global(named name: String, unit: String?) -> ProgramVariable? {
    image.global(named: name, unit: unit).map { variable in
      ProgramVariable(name: variable.name, type: variable.type, isParameter: false) { variable.location }
    }
  }

  var codeStart: LinkAddress? {
    guard file.isProgram else { return nil }
    return file.segments.filter { $0.isLoad && $0.isExecutable }.map(\.address).min()
  }

  func code(at address: LinkAddress, upTo byteCount: Int) -> [UInt8] {
    let bytes = file.bytes(at: address, upTo: byteCount)
    return bytes?.span.copied() ?? []
  }

  /// Parts of functions that are looked through for a way back are no longer than this.
  private static let longestPart: UInt64 = 64 << 10

  func continuation(at address: LinkAddress) -> CodeContinuation {
    if let symbol = image.symbol(at: address), !ProgramFunction.isRarePart(symbol) { return .function }
    if file.isLinkage(address) { return .function }
    guard let count = file.codeByteCount(at: address), count <= Self.longestPart else { return .unknown }
    let code = code(at: address, upTo: Int(count))
    return code.count == Int(count) ? .code(code) : .unknown
  }

  /// Assembly that shares code lies in one section of one object file.
  private static let nearby: UInt64 = 8 << 10

  func isEntered(behind entry: LinkAddress, by byteCount: Int) -> Bool {
    file.codeStarts(near: entry, within: Self.nearby).contains { start in
      guard start != entry, let count = file.codeByteCount(at: start), count <= Self.longestPart else {
        return false
      }
      let distance = Int64(bitPattern: start.raw &- entry.raw)
      return EntrySlide.leads(code(at: start, upTo: Int(count)), at: distance, behindEntryBy: byteCount)
    }
  }

  func returnObstacle(at address: LinkAddress) -> String? { image.returnObstacle(at: address) }

  func fileOffset(of address: LinkAddress) -> FileOffset? { image.fileOffset(of: address) }
}

/// What debug information says of functions that symbols told of, found out by the first one that is asked for.
private final class FunctionDetails: Sendable {
  private let image: ProgramImage
  private let pattern: FunctionPattern
  private let found = Mutex<[LinkAddress: FunctionMatch]?>(nil)

  init(_ image: ProgramImage, _ pattern: FunctionPattern) {
    self.image = image
    self.pattern = pattern
  }

  func function(at entry: LinkAddress) -> ProgramFunction? {
    let match = found.withLock { found in
      if let found { return found[entry] }
      let matches = image.functions(matching: pattern).map { ($0.entry, $0) }
      let byEntry = Dictionary(matches) { first, _ in first }
      found = byEntry
      return byEntry[entry]
    }
    return (match ?? image.function(containing: entry)).map { ProgramFunction($0, of: image) }
  }
}

/// The variables of one function of an image.
private struct ImageVariables: FunctionVariables {
  let image: ProgramImage
  let function: FunctionMatch

  func variables(at address: LinkAddress) -> [ProgramVariable] {
    image.variables(of: function, at: address).map { variable in
      ProgramVariable(name: variable.name, type: variable.type, isParameter: variable.isParameter) {
        switch image.location(of: variable, in: function, at: address) {
        case .found(let location): .success(location)
        case .unavailable(let reason): .failure(ProgramProblem(reason))
        }
      }
    }
  }

  func labels() -> [ProgramLabel] {
    image.labels(of: function).map { ProgramLabel(name: $0.name, address: $0.address, line: $0.line) }
  }

  func callees() -> [ProgramCallee] {
    image.callees(of: function).map { callee in
      ProgramCallee(
        function: ProgramFunction(callee.function, of: image),
        calls: callee.calls,
        hasTailCall: callee.hasTailCall
      )
    }
  }

  func returnValue() -> ProgramVariable? {
    let (type, location) = image.returnValue(of: function)
    guard let type else { return nil }
    return ProgramVariable(name: "return", type: type, isParameter: false) {
      location.map { .success($0) }
        ?? .failure(ProgramProblem("it is in a register that probes cannot read"))
    }
  }
}

extension ProgramStatement {
  fileprivate init(_ match: StatementMatch, of image: ProgramImage) {
    self.init(
      address: match.address,
      file: match.file,
      line: match.line,
      function: ProgramFunction(match.function, of: image)
    )
  }
}

extension ProgramFunction {
  fileprivate init(_ match: FunctionMatch, of image: ProgramImage) {
    self.init(
      name: match.name,
      scope: match.scope,
      linkageName: match.linkageName,
      entry: match.entry,
      end: match.end,
      probeAddress: match.probeAddress,
      file: match.file ?? "",
      line: match.line,
      isInlineInstance: match.isInlineInstance,
      isExported: match.isExported,
      variables: match.die == nil ? nil : ImageVariables(image: image, function: match)
    )
  }
}

extension GlobalVariable {
  /// Its place in the words of plans; addresses are the file's.
  fileprivate var location: Result<ValueLocation, ProgramProblem> {
    switch place {
    case .address(let address): .success(.memory(.user, address: .constant(Int64(bitPattern: address.raw))))
    case .threadLocal(let plan): .success(.memory(.user, address: plan))
    case .constant(let location): .success(location)
    case .unavailable(let reason): .failure(ProgramProblem(reason))
    }
  }
}

extension ProgramMark {
  /// One site of `probe`.
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
