import BPFObject
import CLibbpf
import Glibc

extension BPFMap {
  /// Calls `body` with each key and value that is there at some time during the call.
  ///
  /// Hash maps and arrays are read some thousand elements a call (`BPF_MAP_LOOKUP_BATCH`, Linux 5.6), others key
  /// by key. With `removing`, a hash map's elements are taken out as they are read: what is added meanwhile is
  /// either in this round or stays for the next, never lost.
  package func forEach(
    removing: Bool = false,
    _ body: (_ key: RawSpan, _ value: RawSpan) throws -> Void
  ) throws {
    guard spec.maxEntries > 0, spec.keyByteCount > 0 else { return }
    if try !readBatches(removing: removing, body) { try readOneByOne(removing: removing, body) }
  }

  /// False when the kernel does not have batches for this kind of map.
  private func readBatches(removing: Bool, _ body: (RawSpan, RawSpan) throws -> Void) throws -> Bool {
    let elementByteCount = spec.keyByteCount + wholeValueByteCount
    var capacity = min(max(64, (1 << 20) / elementByteCount), spec.maxEntries)
    // The position is a bucket number or a key.
    var position = [UInt8](repeating: 0, count: max(8, spec.keyByteCount))
    var isFirst = true
    while true {
      var keys = [UInt8](repeating: 0, count: capacity * spec.keyByteCount)
      var values = [UInt8](repeating: 0, count: capacity * wholeValueByteCount)
      var count = UInt32(capacity)
      let code = readBatch(removing, isFirst, &position, &keys, &values, &count)
      switch code {
      case 0, ENOENT: break
      case ENOSPC:
        // A bucket holds more elements than fit: ask again from the same position.
        capacity *= 2
        continue
      case EINVAL where isFirst, 524 where isFirst: return false
      default: throw KernelError.failed("bpf(BPF_MAP_LOOKUP_BATCH)", on: "map \(spec.name)", code: code)
      }
      try visit(Int(count), keys, values, body)
      if code == ENOENT { return true }
      isFirst = false
    }
  }

  private func readBatch(
    _ removing: Bool,
    _ isFirst: Bool,
    _ position: inout [UInt8],
    _ keys: inout [UInt8],
    _ values: inout [UInt8],
    _ count: inout UInt32
  ) -> CInt {
    var options = bpf_map_batch_opts()
    options.sz = MemoryLayout<bpf_map_batch_opts>.size
    var start = position
    let result = unsafe start.withUnsafeMutableBytes { start in
      let from = isFirst ? nil : start.baseAddress
      let raw = descriptor.raw
      return removing
        ? unsafe bpf_map_lookup_and_delete_batch(raw, from, &position, &keys, &values, &count, &options)
        : unsafe bpf_map_lookup_batch(raw, from, &position, &keys, &values, &count, &options)
    }
    return result == 0 ? 0 : errno
  }

  private func visit(
    _ count: Int,
    _ keys: [UInt8],
    _ values: [UInt8],
    _ body: (RawSpan, RawSpan) throws -> Void
  ) throws {
    try unsafe keys.withUnsafeBytes { keys in
      try unsafe values.withUnsafeBytes { values in
        let keys = unsafe keys.bytes
        let values = unsafe values.bytes
        for index in 0..<count {
          let key = index * spec.keyByteCount
          let value = index * wholeValueByteCount
          try body(
            keys.extracting(key..<key + spec.keyByteCount),
            values.extracting(value..<value + wholeValueByteCount)
          )
        }
      }
    }
  }

  private func readOneByOne(removing: Bool, _ body: (RawSpan, RawSpan) throws -> Void) throws {
    var key = try key(after: nil)
    var remaining = spec.maxEntries
    while let current = key, remaining > 0 {
      key = try self.key(after: current)
      remaining -= 1
      guard let value = try lookUp(current) else { continue }
      if removing { try delete(current) }
      try visit(1, current, value, body)
    }
  }

  /// Gives the first elements of an array their values in one call (`BPF_MAP_UPDATE_BATCH`, Linux 5.6).
  ///
  /// False when the kernel does not do that; some of the elements may have their values then.
  func writeBatch(_ values: [UInt8]) -> Bool {
    var count = UInt32(values.count / spec.valueByteCount)
    var keys: [UInt8] = []
    keys.reserveCapacity(4 * Int(count))
    for index in 0..<count {
      for shift in stride(from: UInt32(0), to: 32, by: 8) {
        keys.append(UInt8(truncatingIfNeeded: index >> shift))
      }
    }
    let wanted = count
    var options = bpf_map_batch_opts()
    options.sz = MemoryLayout<bpf_map_batch_opts>.size
    return unsafe bpf_map_update_batch(descriptor.raw, keys, values, &count, &options) == 0 && count == wanted
  }

  /// Removes all elements of a hash map.
  package func removeAll() throws { try forEach(removing: true) { _, _ in } }
}
