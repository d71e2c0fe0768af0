import Platform

/// `/etc/ld.so.cache`: library names to paths, as ldconfig(8) writes it.
///
/// Format `glibc-ld.so.cache1.1`: a header of 48 bytes (magic of 20, count, size of strings, flags…), then
/// entries of 24 bytes: flags, name, path, 4 bytes unused, hardware capabilities. Names and paths are offsets
/// from the header's start. An older table may come first and is skipped.
struct LoaderCache: Sendable {
  /// One line of the cache.
  struct Entry: Hashable, Sendable {
    let name: String
    let path: String
    /// Kind of library and ABI: 0x0303 for x86-64.
    let flags: UInt32
  }

  /// In the file's order; variants for certain processors (glibc-hwcaps) are left out.
  let entries: [Entry]

  /// Decodes a cache file; a damaged one gives the entries before the damage.
  init(_ bytes: RawSpan) {
    var found: [Entry] = []
    try? LoaderCache.read(bytes, into: &found)
    entries = found
  }

  /// The paths of libraries called `name`.
  func paths(of name: String) -> [String] { entries.filter { $0.name == name }.map(\.path) }

  private static func read(_ bytes: RawSpan, into found: inout [Entry]) throws(ByteError) {
    let start = try headerOffset(bytes)
    var reader = ByteReader(bytes)
    try reader.seek(to: start)
    try reader.skip(20)
    let count = Int(try reader.read(UInt32.self))
    try reader.skip(24)
    for _ in 0..<count {
      let flags = try reader.read(UInt32.self)
      let name = Int(try reader.read(UInt32.self))
      let path = Int(try reader.read(UInt32.self))
      try reader.skip(4)
      let capabilities = try reader.read(UInt64.self)
      guard capabilities == 0, let name = bytes.string(at: start + name),
        let path = bytes.string(at: start + path)
      else { continue }
      found.append(Entry(name: name, path: path, flags: flags))
    }
  }

  /// Where the new format's header is: at the start, or after the table of libc5 times.
  private static func headerOffset(_ bytes: RawSpan) throws(ByteError) -> Int {
    guard bytes.string(at: 0, byteCount: 11) == "ld.so-1.7.0" else {
      guard bytes.string(at: 0, byteCount: 20) == "glibc-ld.so.cache1.1" else { throw .endOfData(offset: 0) }
      return 0
    }
    let count = Int(bytes.load(at: 12, as: UInt32.self) ?? 0)
    let offset = (16 + count * 12 + 7) & ~7
    guard bytes.string(at: offset, byteCount: 20) == "glibc-ld.so.cache1.1" else {
      throw .endOfData(offset: offset)
    }
    return offset
  }
}
