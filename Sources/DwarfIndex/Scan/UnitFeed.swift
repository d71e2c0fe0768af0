import ELF
import Platform
import Synchronization

/// Hands out the units of an image, some at a time, to the threads of a scan.
///
/// A packed `.debug_info` is unpacked in pieces by whoever comes for more, and is gone when its units were scanned:
/// the last piece is still in the processor's caches then, and memory for all of it is not needed.
final class UnitFeed: Sendable {
  /// Units, and the sections with the bytes that hold them.
  struct Batch: Sendable {
    var headers: ArraySlice<UnitHeader>
    var files: DwarfSections

    /// As if these were all units that there are.
    var catalog: UnitCatalog { UnitCatalog(files, Array(headers)) }
  }

  /// What is known about the units of the image: all of them, or none when they come in pieces.
  let catalog: UnitCatalog
  /// Those of ``catalog`` that were not handed out.
  private let nextUnit = Mutex(0)
  private let ready = Mutex<[Batch]>([])
  private let pieces: Pieces?
  private let stopped = Atomic(false)

  private final class Pieces: Sendable {
    let source: Mutex<UnitPieces>

    init(_ packed: PackedSection) { source = Mutex(UnitPieces(packed)) }
  }

  /// Units are handed out in batches of about this size.
  private static let batchByteCount = 1 << 17
  /// So many pieces may wait for a thread.
  private static let mostReady = 8

  /// All units of `catalog`.
  init(_ catalog: UnitCatalog) {
    self.catalog = catalog
    pieces = nil
  }

  /// The units of `packed`, the `.debug_info` that `files` lacks.
  init(_ packed: PackedSection, _ files: DwarfSections) {
    catalog = UnitCatalog(files)
    pieces = Pieces(packed)
  }

  /// Below this all of a section is unpacked at once.
  static let byteCountWorthPieces = 8 << 20

  /// The units of a file whose `.debug_info` can be had in pieces; nil for any other.
  static func inPieces(
    main: ELFFile,
    alternate: ELFFile?,
    worthPieces: Int = byteCountWorthPieces
  ) -> UnitFeed? {
    guard alternate == nil, main.section(named: ".debug_types") == nil,
      let packed = main.zlibStream(ofSectionNamed: ".debug_info"), packed.byteCount >= worthPieces
    else { return nil }
    return UnitFeed(packed, DwarfSections(withoutInfoOf: main))
  }

  /// Only the units that begin at `starts`, of an unpacked file.
  static func only(_ starts: [UInt64], of file: ELFFile) -> UnitFeed {
    let files = DwarfSections(main: file, alternate: nil)
    let headers = starts.sorted().compactMap { start in
      Int(exactly: start).flatMap {
        UnitHeader(files.bytes(.info, isAlternate: false), at: $0, in: UnitSection())
      }
    }
    return UnitFeed(UnitCatalog(files, headers))
  }

  /// Bytes of DIEs, to judge whether threads pay.
  var byteCount: Int { pieces?.source.withLock { $0.byteCount } ?? catalog.byteCount }

  /// Whether units come in pieces, so that none can refer to another.
  var isInPieces: Bool { pieces != nil }

  /// Whether a packed section turned out to be damaged.
  var isBroken: Bool { pieces?.source.withLock { $0.isBroken } ?? false }

  /// How parts of the section can be unpacked later; nil when it was not in pieces, or cannot be.
  var access: UnitAccess? { pieces?.source.withLock { $0.access } }

  /// Ends the scan early.
  func stop() { stopped.store(true, ordering: .relaxed) }

  /// The next units; nil when there are no more.
  func next() -> Batch? {
    guard let pieces else { return nextOfCatalog() }
    while !stopped.load(ordering: .relaxed) {
      // Unpacking is what everyone waits for in the end, so it goes first.
      let isBehind = ready.withLock { $0.count < Self.mostReady }
      if isBehind, pieces.source.withLockIfAvailable({ unpack(&$0) }) == true { continue }
      if let batch = takeReady() { return batch }
      // Another thread unpacks: wait for what it finds.
      let isEnd = pieces.source.withLock { pieces in
        ready.withLock { $0.isEmpty } && !unpack(&pieces)
      }
      if isEnd { return nil }
    }
    return nil
  }

  private func takeReady() -> Batch? { ready.withLock { $0.isEmpty ? nil : $0.removeFirst() } }

  /// - Returns: false at the end.
  private func unpack(_ pieces: inout UnitPieces) -> Bool {
    guard let piece = pieces.next() else { return false }
    let files = catalog.files.with(piece.bytes, at: piece.origin)
    ready.withLock { $0.append(Batch(headers: piece.headers[...], files: files)) }
    return true
  }

  private func nextOfCatalog() -> Batch? {
    let range = nextUnit.withLock { next in
      let start = next
      var byteCount = 0
      while next < catalog.headers.count && byteCount < Self.batchByteCount {
        byteCount += catalog.headers[next].end - catalog.headers[next].start
        next += 1
      }
      return start..<next
    }
    return range.isEmpty ? nil : Batch(headers: catalog.headers[range], files: catalog.files)
  }
}

/// Unpacks `.debug_info` in pieces that hold whole units.
struct UnitPieces: ~Copyable {
  /// A piece of the section from `origin` on.
  struct Piece {
    var bytes: SharedBytes
    var origin: Int
    var headers: [UnitHeader]
  }

  private var stream: InflateStream
  /// Of the whole section.
  let byteCount: Int
  /// The beginning of a unit that the last piece broke off in, and where it is.
  private var carry = SharedBytes([])
  private var origin = 0
  private var wanted = Self.usualByteCount
  private var isOver = false
  private(set) var isBroken = false
  private var fronts: [UnitFront] = []

  private static let usualByteCount = 1 << 20

  init(_ packed: PackedSection) {
    stream = InflateStream(packed.bytes, stretchesEvery: UnitAccess.spacing)
    // Deflate packs at most 1032 to 1; a header that promises more is wrong.
    byteCount = min(packed.byteCount, packed.bytes.count.multipliedReportingOverflow(by: 1032).partialValue)
  }

  /// How parts of the section can be unpacked later; nil before its end.
  var access: UnitAccess? {
    // A section in which units break off early is read by libdw as it is.
    guard stream.isFinished, carry.isEmpty, !isBroken else { return nil }
    return UnitAccess(stretches: stream.foundStretches, fronts: fronts)
  }

  /// The next piece; nil at the end of the section or where it stops making sense.
  mutating func next() -> Piece? {
    while !isOver {
      guard let bytes = try? stream.next(after: carry, byteCount: wanted) else {
        isBroken = true
        break
      }
      let piece = cut(bytes)
      if stream.isFinished { isOver = true }
      if !piece.headers.isEmpty { return piece }
    }
    isOver = true
    return nil
  }

  /// Finds the whole units in `bytes` and keeps what is left for the next piece.
  private mutating func cut(_ bytes: SharedBytes) -> Piece {
    var piece = Piece(bytes: bytes, origin: origin, headers: [])
    var offset = 0
    wanted = Self.usualByteCount
    while let unitByteCount = UnitHeader.byteCount(bytes.span, at: offset) {
      guard unitByteCount <= byteCount - origin - offset else {
        isOver = true
        break
      }
      guard unitByteCount <= bytes.count - offset else {
        wanted = max(wanted, unitByteCount)
        break
      }
      guard let header = UnitHeader(bytes.span, at: offset, in: UnitSection(), from: origin) else {
        isOver = true
        break
      }
      piece.headers.append(header)
      fronts.append(UnitFront(bytes.span, at: offset, origin: origin, unitByteCount))
      offset += unitByteCount
    }
    carry = (try? bytes.slice(offset: offset, count: bytes.count - offset)) ?? SharedBytes([])
    origin += offset
    return piece
  }
}
