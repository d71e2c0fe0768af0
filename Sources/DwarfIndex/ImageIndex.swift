import ELF
import Platform
import Synchronization
import TargetModel

/// The index of one image: kept between runs, and made when it is asked for.
final class ImageIndex: Sendable {
  private let binary: ELFFile
  private let info: DebugInfo
  private let source: DwarfSource
  private let options: DebugInfoOptions
  private let found = Mutex<IndexFile?>(nil)

  init(_ binary: ELFFile, _ info: DebugInfo, _ source: DwarfSource, _ options: DebugInfoOptions) {
    self.binary = binary
    self.info = info
    self.source = source
    self.options = options
  }

  /// The index: from the cache, or built now.
  var index: IndexFile? {
    found.withLock { found in
      if let found { return found }
      found = load() ?? build()
      return found
    }
  }

  /// The index where it takes no building.
  var known: IndexFile? {
    found.withLock { found in
      if found == nil { found = load() }
      return found
    }
  }

  private var cache: IndexCache? {
    guard isWorthStoring, let directory = options.cacheDirectory, let buildID = binary.buildID else {
      return nil
    }
    return IndexCache(directory: directory, buildID: buildID)
  }

  private var stamp: UInt64 { IndexStamp.compute([binary, info.main, info.alternate]) }

  private func load() -> IndexFile? { cache?.load(stamp: stamp) }

  private func build() -> IndexFile? {
    let bytes = build(stamp: stamp)
    // The rest of a split program may be found the next time.
    if source.isComplete { cache?.store(bytes) }
    return IndexFile(SharedBytes(bytes))
  }

  /// A small program is scanned faster than a cache of every build of it could be kept clean.
  private var isWorthStoring: Bool {
    let debug = info.main?.section(named: ".debug_info")?.byteCount ?? 0
    return debug >= options.smallestCachedByteCount || binary.symbols.count >= 4096
  }

  private func build(stamp: UInt64) -> [UInt8] {
    let isCode = self.isCode
    var outputs: [ScanOutput] = []
    var sections: DwarfSections?
    var access: UnitAccess?
    let main = source.file
    if let main {
      let found = ParallelScan.run(main: main, alternate: info.alternate, threads: options.threads)
      outputs = found.outputs
      (sections, access) = (found.sections, found.access)
    }
    let bytes = IndexBuilder.build(
      outputs,
      sections,
      symbols: self.functionSymbols,
      access: access,
      stamp: stamp,
      isCode: isCode
    )
    main?.dropUnpackedSections()
    info.main?.dropUnpackedSections()
    info.alternate?.dropUnpackedSections()
    return bytes
  }

  /// Whether an address is in an executable segment.
  private var isCode: (UInt64) -> Bool {
    let code = binary.segments.filter { $0.isLoad && $0.isExecutable }.map {
      (low: $0.address.raw, byteCount: $0.memoryByteCount)
    }
    return { address in
      code.contains { address != 0 && address >= $0.low && address - $0.low < $0.byteCount }
    }
  }

  /// Functions of the binary's symbol tables and, where those were stripped, of the debug file's or of what Go's runtime
  /// needs.
  private var functionSymbols: [ELFSymbol] {
    // An indirect function's symbol is its resolver: a probe there would see one call in a process's life.
    let symbols = symbolSources.flatMap { source in source.functions { $0.byteCount > 0 } }
    guard symbolSources.count < 2, !binary.symbols.hasSymtab, let go = binary.goFunctions else {
      return symbols
    }
    return symbols + go.symbols
  }

  private var symbolSources: [SymbolSource] {
    let own = SymbolSource(table: binary.symbols, part: nil)
    guard !binary.symbols.hasSymtab else { return [own] }
    if let main = info.main, main.path != binary.path {
      return [own, SymbolSource(table: main.symbols, part: .symtab)]
    }
    return [own] + (binary.miniDebugInfo.map { [SymbolSource(table: $0.symbols, part: .symtab)] } ?? [])
  }
}

// MARK: - Without an index

extension ImageIndex {
  /// Functions with code of their own by symbols alone, where no index is there and making it takes long; nil where
  /// it takes one to tell.
  func functionsBySymbols(matching pattern: FunctionPattern) -> [FunctionMatch]? {
    guard let main = info.main, let query = SymbolQuery(pattern),
      main.unpackedByteCount(ofSectionNamed: ".debug_info") >= options.smallestSkippedByteCount,
      known == nil, binary.goFunctions == nil,
      let found = query.functions(in: symbolSources, isCode: isCode), !found.isEmpty
    else { return nil }
    // A probe of unoptimised code stands behind its prologue, which is for debug information to tell.
    guard found.contains(where: { setsUpFrame($0.entry) }) else { return found }
    return Producers.areOptimising(main) ? found : nil
  }

  /// Whether code begins as that of unoptimised functions does, with `mov rbp, rsp` among the first instructions.
  private func setsUpFrame(_ entry: LinkAddress) -> Bool {
    guard let code = binary.bytes(at: entry, upTo: 48) else { return true }
    return Self.frameSetups.contains { code.span.firstOccurrence(of: $0.rawSpan, from: 0) != nil }
  }

  /// Both ways to encode it, as in 32-bit code.
  private static let frameSetups: [[UInt8]] = [[0x89, 0xe5], [0x8b, 0xec]]
}
