import Glibc
import KernelBridge
import Platform
import TraceIR

// Arrays that wrap: a new element takes the place of the oldest one, as on the kernel side (``ElementLayout``).
extension MapStore {
  /// Puts an element in; in an array that wraps the oldest one makes room.
  func put(_ global: GlobalID, _ map: GlobalMap, _ key: [UInt8], _ value: [UInt8]) throws(StoreError) {
    do {
      try map.update(key, value)
    } catch .system(let error, _) where error.code == E2BIG {
      guard let offset = elements[global.index].birthOffset else { throw .full }
      if let oldest = oldestKey(of: map, offset) { try? map.delete(oldest) }
      try? map.update(key, value)
    } catch {
      // Out of memory and the like: the kernel side counts such losses, here the element stays as it was.
      return
    }
  }

  /// What comes behind the value of an array that wraps: when the element came, or now; nothing for other arrays.
  func birth(_ global: GlobalID, of element: [UInt8]?) -> [UInt8] {
    guard let offset = elements[global.index].birthOffset, let counter = layout.birthCountOffset
    else { return [] }
    if let element, element.count >= offset + 8 { return Array(element[offset..<offset + 8]) }
    let birth = scalars.add(0, offset: counter, 1) &+ 1
    return (0..<8).map { UInt8(truncatingIfNeeded: birth >> (8 * $0)) }
  }

  private func oldestKey(of map: GlobalMap, _ offset: Int) -> [UInt8]? {
    var oldest: (birth: UInt64, key: [UInt8])?
    try? map.forEach { key, value in
      var birth: UInt64 = 0
      for share in stride(from: 0, to: value.byteCount, by: map.valueStride) {
        birth |= value.load(at: share + offset, as: UInt64.self) ?? 0
      }
      if birth < oldest?.birth ?? .max { oldest = (birth, key.copied()) }
    }
    return oldest?.key
  }
}
