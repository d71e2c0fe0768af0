/// One file of a cache directory whose contents count as long as a key is the same.
package struct KeptBytes: Sendable {
  private let cache: CacheDirectory
  private let name: String
  private let key: [UInt8]

  /// Keeps bytes as `name` in `cache`; `key` tells what they were made from.
  package init(_ cache: CacheDirectory, _ name: String, key: [UInt8]) {
    self.cache = cache
    self.name = name
    self.key = key
  }

  /// What was kept for this key; nothing is copied.
  package func load() -> SharedBytes? {
    guard let file = cache.read(name), let kept = try? file.slice(offset: 0, count: key.count),
      kept.span.equals(key.rawSpan)
    else { return nil }
    return try? file.slice(offset: key.count, count: file.count - key.count)
  }

  /// Keeps `bytes`, and forgets those of any other key.
  package func store(_ bytes: SharedBytes) {
    var file = key
    file.append(copying: bytes.span)
    cache.write(name, file)
  }
}
