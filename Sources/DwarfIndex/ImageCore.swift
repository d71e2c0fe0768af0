import ELF
import Platform
import Synchronization
import TargetModel

/// What the parts of ``ProgramImage`` share: the files, the index and libdw's session.
final class ImageCore: Sendable {
  let path: String
  let binary: ELFFile
  let info: DebugInfo
  let source: DwarfSource
  let session: DwarfSession
  private let options: DebugInfoOptions
  var threads: Int { options.threads }
  private let built = Mutex<IndexFile?>(nil)
  /// ``ThreadBlock/find(in:)``, asked for every variable.
  private let threadBlock = Mutex<ThreadBlock??>(nil)
  let callTables = CallTables()
  /// Types already described: thousands of functions have parameters of a few hundred types.
  let layouts = Mutex<[TypeReference: TypeLayout]>([:])

  init(path: String, root: String, options: DebugInfoOptions) throws(DwarfIndexError) {
    do throws(ELFError) {
      binary = try ELFFile(path: root + path)
    } catch {
      switch error {
      case .system(let error): throw .cannotOpen(error)
      case .notELF, .malformed, .unsupported: throw .unreadable(path: path, reason: error.description)
      }
    }
    self.path = path
    self.options = options
    info = DebugInfoFinder.find(
      for: binary,
      path: path,
      root: root,
      directories: options.debugDirectories,
      client: options.asksServers
        ? DebuginfodClient(
          timeLimitSeconds: options.downloadTimeLimitSeconds,
          onProgress: options.onDownload
        ) : nil
    )
    let source = DwarfSource(info.main, path: path, root: root)
    self.source = source
    session = DwarfSession(binary: binary.path, main: { source.input }, alternate: info.alternate?.path)
  }

  /// The index: from the cache, or built now.
  var index: IndexFile? {
    built.withLock { built in
      if let built { return built }
      let index = loadOrBuild()
      built = index
      return index
    }
  }

  private func loadOrBuild() -> IndexFile? {
    let stamp = IndexStamp.compute([binary, info.main, info.alternate])
    var cache: IndexCache?
    if isWorthStoring, let directory = options.cacheDirectory, let buildID = binary.buildID {
      cache = IndexCache(directory: directory, buildID: buildID)
    }
    if let index = cache?.load(stamp: stamp) { return index }
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
    let code = binary.segments.filter { $0.isLoad && $0.isExecutable }.map {
      (low: $0.address.raw, byteCount: $0.memoryByteCount)
    }
    let isCode: (UInt64) -> Bool = { address in
      code.contains { address != 0 && address >= $0.low && address - $0.low < $0.byteCount }
    }
    var outputs: [ScanOutput] = []
    var sections: DwarfSections?
    let main = source.file
    if let main {
      let found = ParallelScan.run(main: main, alternate: info.alternate, threads: options.threads)
      outputs = found.outputs
      sections = found.sections
    }
    let bytes = IndexBuilder.build(
      outputs,
      sections,
      symbols: self.functionSymbols,
      stamp: stamp,
      isCode: isCode
    )
    main?.dropUnpackedSections()
    info.main?.dropUnpackedSections()
    info.alternate?.dropUnpackedSections()
    return bytes
  }

  /// Functions of the binary's symbol tables and, where those were stripped, of the debug file's.
  private var functionSymbols: [ELFSymbol] {
    // An indirect function's symbol is its resolver: a probe there would see one call in a process's life.
    var symbols = binary.symbols.filter { $0.isDefined && $0.kind == .function }
    if !binary.symbols.hasSymtab, let main = info.main, main.path != binary.path {
      symbols += main.symbols.filter { $0.isDefined && $0.kind == .function && $0.source == .symtab }
    } else if !binary.symbols.hasSymtab, let mini = binary.miniDebugInfo {
      symbols += mini.symbols.filter { $0.isDefined && $0.kind == .function && $0.source == .symtab }
    }
    return symbols
  }

  /// The best name of the symbols at `address`: the debug file has what was stripped.
  func symbol(at address: LinkAddress) -> String? {
    let tables = [info.main?.symbols, binary.symbols].compactMap { $0 }
    return tables.lazy.flatMap { $0.symbols(at: address) }.first { $0.isFunction && $0.isDefined }?.name
  }

  /// How the binary's code calls functions.
  var abi: CallingABI { binary.header.machine == ELFConstant.machineI386 ? .i386 : .x86_64 }

  /// What expressions at `address` may refer to, but for the frame.
  func context(at address: LinkAddress, entry: LinkAddress?) -> LocationPlanner.Context {
    LocationPlanner.Context(
      abi: abi,
      address: address.raw,
      isPositionIndependent: binary.header.isPositionIndependent,
      isAtEntry: entry.map { isAtEntry(address, $0) } ?? false,
      threadBlock: abi == .i386
        ? nil
        : threadBlock.withLock { known in
          if let known { return known }
          let block = ThreadBlock.find(in: binary)
          known = .some(block)
          return block
        }
    )
  }

  /// Whether arguments are still where the caller put them: at the entry, or behind its `endbr64` or `endbr32`.
  private func isAtEntry(_ address: LinkAddress, _ entry: LinkAddress) -> Bool {
    if address == entry { return true }
    guard address == entry.advanced(by: 4), let bytes = binary.bytes(at: entry, upTo: 4) else { return false }
    return [0xfa1e_0ff3, 0xfb1e_0ff3].contains(bytes.span.load(at: 0, as: UInt32.self))
  }
}
