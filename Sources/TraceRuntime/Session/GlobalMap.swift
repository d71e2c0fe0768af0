import KernelBridge
import Platform
import TraceIR

/// Where the elements of an array or a statistic are in the kernel: a map, or two by the length of their keys
/// (``KeyLayout``).
///
/// Keys are given whole. What fails throws ``KernelError``.
struct GlobalMap {
  private let whole: BPFMap
  private let short: (map: BPFMap, layout: KeyLayout.Short)?

  /// - Throws: ``KernelError`` when there is no map for short keys where the layout wants one.
  init(_ table: MapStore.Table, _ layout: KeyLayout) throws(KernelError) {
    whole = table.whole
    guard let wanted = layout.short else {
      self.short = nil
      return
    }
    guard let short = table.short else { throw .invalid("an array has no map for its short keys") }
    self.short = (short, wanted)
  }

  var cpuCount: Int { whole.cpuCount }
  /// Bytes from one CPU's value to the next.
  var valueStride: Int { whole.valueStride }
  /// Bytes of the values of all CPUs.
  var wholeValueByteCount: Int { whole.wholeValueByteCount }

  /// The map that an element with this key is in, and the key there.
  private func place(of key: [UInt8]) -> (map: BPFMap, key: [UInt8]) {
    guard let short, let length = key.rawSpan.load(at: short.layout.lengthOffset, as: UInt32.self),
      length <= short.layout.capacity
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
    try short?.map.removeAll()
  }

  /// Goes over all elements; short keys end early.
  func forEach(_ body: (RawSpan, RawSpan) -> Void) throws {
    try whole.forEach(body)
    try short?.map.forEach(body)
  }
}
