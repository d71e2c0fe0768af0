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
  let threads: Int
  let kept: ImageIndex
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
    threads = options.threads
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
    let kept = ImageIndex(binary, info, source, options)
    self.kept = kept
    session = DwarfSession(
      binary: binary.path,
      main: { source.input { kept.known?.access } },
      alternate: info.alternate?.path,
      hasDebugFrames: info.main?.section(named: ".debug_frame") != nil
    )
  }

  /// The index: from the cache, or built now.
  var index: IndexFile? { kept.index }

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
