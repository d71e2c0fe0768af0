import BPFObject
import CKernelABI
import Glibc

/// The values of an array map, shared with the programs that use them; unmapped in `deinit`.
@safe package struct MappedArray: ~Copyable {
  private let mapping: UnsafeMutableRawBufferPointer
  private let map: BPFMap
  /// Bytes from one value to the next.
  package let stride: Int

  /// Maps all of `map`, which must be ``MapSpec/Flags/mappable``.
  /// - Throws: ``KernelError`` for `mmap(2)`.
  package init(_ map: BPFMap) throws(KernelError) {
    stride = (map.spec.valueByteCount + 7) / 8 * 8
    let page = Int(getpagesize())
    let byteCount = (stride * map.spec.maxEntries + page - 1) / page * page
    let access = PROT_READ | PROT_WRITE
    let start = unsafe mmap(nil, byteCount, access, MAP_SHARED, map.descriptor.raw, 0)
    guard unsafe start != MAP_FAILED else { throw .last("mmap", on: "map \(map.spec.name)") }
    unsafe mapping = UnsafeMutableRawBufferPointer(start: start, count: byteCount)
    self.map = map
  }

  /// Maps an array of `count` values that are `byteCount` bytes long.
  /// - Throws: ``KernelError`` when `map` is another one, and for `mmap(2)`.
  package init(_ map: BPFMap, count: Int, byteCount: Int) throws(KernelError) {
    guard map.spec.kind == .array, map.spec.valueByteCount == byteCount, map.spec.maxEntries == count else {
      throw .invalid("map \(map.spec.name) is not an array of \(count) values of \(byteCount) bytes")
    }
    try self.init(map)
  }

  deinit { unsafe _ = munmap(mapping.baseAddress, mapping.count) }

  /// Reads a value, or a field `offset` bytes into it.
  ///
  /// - Precondition: the field lies inside the value.
  package func load<Value: BitwiseCopyable>(
    _ index: Int,
    offset: Int = 0,
    as _: Value.Type = Value.self
  ) -> Value {
    let place = place(of: index, offset, MemoryLayout<Value>.size)
    return unsafe mapping.loadUnaligned(fromByteOffset: place, as: Value.self)
  }

  /// Reads an aligned 64-bit counter that programs write at the same time.
  package func loadCounter(_ index: Int, offset: Int = 0) -> UInt64 {
    precondition(offset % 8 == 0, "a counter is aligned")
    let place = place(of: index, offset, 8)
    return unsafe ck_load_acquire(mapping.baseAddress?.advanced(by: place))
  }

  /// Writes a value, or a field `offset` bytes into it.
  ///
  /// - Precondition: the field lies inside the value.
  package func store<Value: BitwiseCopyable>(_ index: Int, offset: Int = 0, _ value: Value) {
    let place = place(of: index, offset, MemoryLayout<Value>.size)
    unsafe mapping.storeBytes(of: value, toByteOffset: place, as: Value.self)
  }

  /// Adds to an aligned 64-bit number at once for every CPU; gives the value before.
  ///
  /// - Precondition: the number lies inside the value.
  package func add(_ index: Int, offset: Int = 0, _ number: UInt64) -> UInt64 {
    precondition(offset % 8 == 0, "an atomic number is aligned")
    let place = place(of: index, offset, 8)
    return unsafe ck_fetch_add(mapping.baseAddress?.advanced(by: place), number)
  }

  /// Writes `wanted` over an aligned 64-bit number that is `expected`, at once for every CPU; gives the value before.
  ///
  /// - Precondition: the number lies inside the value.
  package func compareExchange(_ index: Int, offset: Int = 0, _ expected: UInt64, _ wanted: UInt64) -> UInt64
  {
    precondition(offset % 8 == 0, "an atomic number is aligned")
    let place = place(of: index, offset, 8)
    return unsafe ck_compare_exchange(mapping.baseAddress?.advanced(by: place), expected, wanted)
  }

  /// Writes an aligned 64-bit number, and everything that was written before it.
  ///
  /// - Precondition: the number lies inside the value.
  package func storeRelease(_ index: Int, offset: Int = 0, _ number: UInt64) {
    precondition(offset % 8 == 0, "an atomic number is aligned")
    let place = place(of: index, offset, 8)
    unsafe ck_store_release(mapping.baseAddress?.advanced(by: place), number)
  }

  /// Copies all values, as 64-bit words: what programs write meanwhile may or may not be in it.
  ///
  /// - Precondition: a value is a number of words.
  package func words() -> [UInt64] {
    precondition(stride % 8 == 0, "values are words")
    let all = unsafe mapping.prefix(stride * map.spec.maxEntries)
    return unsafe all.withMemoryRebound(to: UInt64.self) { unsafe Array($0) }
  }

  /// Copies `byteCount` bytes of a value.
  ///
  /// - Precondition: they lie inside the value.
  package func bytes(_ index: Int, offset: Int, byteCount: Int) -> [UInt8] {
    let place = place(of: index, offset, byteCount)
    return unsafe Array(mapping[place..<place + byteCount])
  }

  /// Replaces bytes of a value, the last ones first, so that a length in front grows after its text.
  ///
  /// - Precondition: they lie inside the value.
  package func setBytes(_ index: Int, offset: Int, _ bytes: [UInt8]) {
    let place = place(of: index, offset, bytes.count)
    for (position, byte) in bytes.enumerated().reversed() { unsafe mapping[place + position] = byte }
  }

  private func place(of index: Int, _ offset: Int, _ byteCount: Int) -> Int {
    precondition(index >= 0 && index < map.spec.maxEntries, "index \(index) is outside map \(map.spec.name)")
    precondition(
      offset >= 0 && offset + byteCount <= map.spec.valueByteCount,
      "bytes \(offset)..<\(offset + byteCount) are outside a value of map \(map.spec.name)"
    )
    return index * stride + offset
  }
}
