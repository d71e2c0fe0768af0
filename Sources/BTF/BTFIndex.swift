package import Platform

/// Where each type of an image starts, which types have a name, and which are tracepoints.
///
/// Made by one walk over the records, which takes some milliseconds for a kernel's; ``bytes`` can be kept for the next
/// time. Words of 32 bits, little endian: six of header, a start for each type, the heads of a chained hash table, the
/// next type in the chain for each type, the types of tracepoints. (A `Dictionary` keyed by strings took twenty times
/// as long to fill.)
package struct BTFIndex: Sendable {
  /// What a later run hands to ``init(kept:types:strings:)``.
  package let bytes: SharedBytes
  /// Whether an earlier run made it.
  package let isKept: Bool
  /// Types, `void` included.
  let typeCount: Int
  private let bucketCount: Int
  private let tracepointCount: Int

  private static let magic: UInt32 = 0x3149_5442
  private static let headerWordCount = 6
  /// The typedef that each tracepoint has (include/trace/bpf_probe.h).
  static let tracepointPrefix = "btf_trace_"

  /// Walks over the sections of an image.
  /// - Throws: ``BTFError`` for records that do not fit, or strings that do not end.
  init(types: RawSpan, strings: RawSpan) throws(BTFError) {
    guard strings.byte(at: 0) == 0, strings.byte(at: strings.byteCount - 1) == 0 else {
      throw .unterminatedStrings
    }
    let starts = try Self.starts(types)
    let names = Names(types, starts, strings)
    isKept = false
    typeCount = starts.count
    bucketCount = names.heads.count
    tracepointCount = names.tracepoints.count
    let header = [
      Self.magic, UInt32(truncatingIfNeeded: types.byteCount), UInt32(truncatingIfNeeded: strings.byteCount),
      UInt32(typeCount), UInt32(bucketCount), UInt32(tracepointCount),
    ]
    bytes = SharedBytes(words: header + starts + names.heads + names.next + names.tracepoints)
  }

  /// Takes what an earlier run kept; nil when it is not of an image with these sections.
  ///
  /// It is not trusted: wrong numbers in it lead to types that are not there, or to none.
  init?(kept bytes: SharedBytes, types: RawSpan, strings: RawSpan) {
    func word(_ index: Int) -> Int? { bytes.span.load(at: index * 4, as: UInt32.self).map { Int($0) } }
    guard word(0) == Int(Self.magic), word(1) == types.byteCount, word(2) == strings.byteCount,
      let typeCount = word(3), let bucketCount = word(4), let tracepointCount = word(5),
      bucketCount > 0, bucketCount & (bucketCount - 1) == 0,
      bytes.count == 4 * (Self.headerWordCount + 2 * typeCount + bucketCount + tracepointCount)
    else { return nil }
    self.bytes = bytes
    isKept = true
    self.typeCount = typeCount
    self.bucketCount = bucketCount
    self.tracepointCount = tracepointCount
  }

  /// The word of the type section where type `number` starts.
  func start(_ number: Int) -> Int { word(number) }

  /// Numbers of types whose name may be `name`.
  func candidates(for name: String) -> [UInt32] {
    let hash = name.withRawSpan { finish($0.hashedString(at: 0, terminator: 0).hash) }
    var found: [UInt32] = []
    var number = word(typeCount + Int(hash) & (bucketCount - 1))
    // A chain of a damaged index may never end.
    while number > 0, number < typeCount, found.count < typeCount {
      found.append(UInt32(number))
      number = word(typeCount + bucketCount + number)
    }
    return found
  }

  /// Numbers of the typedefs of tracepoints, in the order of the image.
  var tracepoints: [UInt32] {
    (0..<tracepointCount).map { UInt32(word(2 * typeCount + bucketCount + $0)) }
  }

  /// A word behind the header; 0 outside.
  private func word(_ index: Int) -> Int {
    Int(bytes.span.load(at: 4 * (Self.headerWordCount + index), as: UInt32.self) ?? 0)
  }

  private static func starts(_ types: RawSpan) throws(BTFError) -> [UInt32] {
    let wordCount = types.byteCount / 4
    var starts: [UInt32] = [0]
    starts.reserveCapacity(wordCount / 8)
    var place = 0
    while place < wordCount {
      guard place + 3 <= wordCount, let info = types.load(at: 4 * (place + 1), as: UInt32.self) else {
        throw .truncatedType(starts.count)
      }
      let number = UInt8(truncatingIfNeeded: info >> 24) & 0x1f
      guard let kind = BTFKind(rawValue: number) else { throw .unknownKind(number, type: starts.count) }
      let end = place + 3 + kind.trailingWordCount(Int(info & 0xffff))
      guard end <= wordCount else { throw .truncatedType(starts.count) }
      starts.append(UInt32(place))
      place = end
    }
    return starts
  }

  /// Type numbers by a hash of their names, and those of tracepoints.
  private struct Names {
    var heads: [UInt32]
    var next: [UInt32]
    var tracepoints: [UInt32] = []

    init(_ types: RawSpan, _ starts: [UInt32], _ strings: RawSpan) {
      var size = 16
      while size < starts.count { size *= 2 }
      heads = [UInt32](repeating: 0, count: size)
      next = [UInt32](repeating: 0, count: starts.count)
      let prefix = Array(tracepointPrefix.utf8)
      for number in starts.indices.dropFirst() {
        let start = 4 * Int(starts[number])
        guard let offset = types.load(at: start, as: UInt32.self), offset > 0, offset < strings.byteCount
        else {
          continue
        }
        let bucket = Int(finish(strings.hashedString(at: Int(offset), terminator: 0).hash)) & (size - 1)
        next[number] = heads[bucket]
        heads[bucket] = UInt32(number)
        let info = types.load(at: start + 4, as: UInt32.self) ?? 0
        guard info >> 24 & 0x1f == UInt32(BTFKind.typedef.rawValue) else { continue }
        let beginning = try? strings.slice(offset: Int(offset), count: prefix.count)
        if beginning?.equals(prefix.rawSpan) == true { tracepoints.append(UInt32(number)) }
      }
    }
  }
}

/// What the lower bits of a hash leave out.
private func finish(_ hash: UInt32) -> UInt32 { hash ^ (hash >> 15) }
