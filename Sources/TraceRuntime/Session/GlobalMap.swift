import KernelBridge
import Platform
import TraceIR

/// The elements of an array or a statistic in the kernel.
///
/// Keys are given whole. What fails throws ``KernelError``; an array that is full, one of E2BIG.
protocol ElementMap {
  var cpuCount: Int { get }
  /// Bytes from one CPU's value to the next.
  var valueStride: Int { get }
  /// Bytes of the values of all CPUs.
  var wholeValueByteCount: Int { get }

  func lookUp(_ key: [UInt8]) throws(KernelError) -> [UInt8]?
  func update(_ key: [UInt8], _ value: [UInt8]) throws(KernelError)
  func delete(_ key: [UInt8]) throws(KernelError)
  func removeAll() throws
  /// Goes over all elements; keys may end early.
  func forEach(_ body: (RawSpan, RawSpan) -> Void) throws
}

/// Elements in a map, or in several by the length of their keys (``KeyLayout``).
struct GlobalMap: ElementMap {
  private let whole: BPFMap
  private let shorts: [(map: BPFMap, layout: KeyLayout.Short)]
  private let lengthOffset: Int

  /// - Throws: ``KernelError`` when there is not a map for all short keys that the layout wants one for.
  init(_ table: MapStore.Table, _ layout: KeyLayout) throws(KernelError) {
    whole = table.whole
    lengthOffset = layout.lengthOffset
    guard table.shorts.count == layout.shorts.count else {
      throw .invalid("an array has no map for its short keys")
    }
    shorts = zip(table.shorts, layout.shorts).map { ($0, $1) }
  }

  var cpuCount: Int { whole.cpuCount }
  var valueStride: Int { whole.valueStride }
  var wholeValueByteCount: Int { whole.wholeValueByteCount }

  /// The map that an element with this key is in, and the key there.
  private func place(of key: [UInt8]) -> (map: BPFMap, key: [UInt8]) {
    guard let length = key.rawSpan.load(at: lengthOffset, as: UInt32.self),
      let short = shorts.first(where: { length <= $0.layout.capacity })
    else { return (whole, key) }
    return (short.map, Array(key.prefix(short.layout.byteCount)))
  }

  func lookUp(_ key: [UInt8]) throws(KernelError) -> [UInt8]? {
    let (map, key) = place(of: key)
    return try map.lookUp(key)
  }

  func update(_ key: [UInt8], _ value: [UInt8]) throws(KernelError) {
    let (map, key) = place(of: key)
    try map.update(key, value)
  }

  func delete(_ key: [UInt8]) throws(KernelError) {
    let (map, key) = place(of: key)
    try map.delete(key)
  }

  func removeAll() throws {
    try whole.removeAll()
    for short in shorts { try short.map.removeAll() }
  }

  /// Short keys end early.
  func forEach(_ body: (RawSpan, RawSpan) -> Void) throws {
    try whole.forEach(body)
    for short in shorts { try short.map.forEach(body) }
  }
}
