import BPFObject
import KernelBridge
import TestSupport
import Testing

@Suite(.tags(.kernel), .needs(.loadPrograms), .timeLimit(.minutes(1))) struct BPFMapTests {
  let session = KernelSession()

  private func map(_ spec: MapSpec) throws -> BPFMap {
    try session.load(ModuleBlueprint(maps: [spec])).map(spec.name)
  }

  @Test("hash maps: put, get, delete, walk", arguments: [MapSpec.Kind.hash, .lruHash, .perCPUHash])
  func hashes(_ kind: MapSpec.Kind) throws {
    let map = try map(MapSpec(name: "h", kind: kind, keyByteCount: 8, valueByteCount: 12, maxEntries: 5000))
    for number in 0..<3000 as Range<UInt64> { try map.put(number, UInt32(number) * 2) }
    #expect(try map.get(UInt64(7), as: UInt32.self) == 14)
    #expect(try map.get(UInt64(9999), as: UInt32.self) == nil)
    #expect(try map.delete(Array(repeating: 0, count: 8)))
    #expect(try !map.delete(Array(repeating: 0, count: 8)))
    var sum: UInt64 = 0
    try map.forEach { key, value in
      #expect(value.byteCount == map.wholeValueByteCount)
      sum += key.unsafeLoad(as: UInt64.self)
    }
    #expect(sum == 2999 * 3000 / 2)
    try map.removeAll()
    #expect(try map.key(after: nil) == nil)
  }

  @Test("per-CPU values come one for each CPU")
  func perCPU() throws {
    let spec = MapSpec(name: "p", kind: .perCPUArray, keyByteCount: 4, valueByteCount: 12, maxEntries: 2)
    let map = try map(spec)
    try map.put(UInt32(1), UInt64(5))
    #expect(map.valueStride == 16)
    #expect(try map.getPerCPU(UInt32(1), as: UInt64.self) == Array(repeating: 5, count: map.cpuCount))
  }

  @Test("mapped arrays are the same memory as the map")
  func mapped() throws {
    let map = try map(.array("m", valueByteCount: 12, count: 3, flags: .mappable, contents: [1, 0, 0, 0, 2]))
    let mapped = try MappedArray(map)
    #expect(mapped.load(0, as: UInt32.self) == 1)
    #expect(mapped.load(0, offset: 4, as: UInt8.self) == 2)
    mapped.store(2, offset: 8, UInt32(77))
    #expect(try map.lookUp([2, 0, 0, 0])?.suffix(4) == [77, 0, 0, 0])
  }

  @Test("keys and values of the wrong length are refused before the kernel reads past them")
  func lengths() throws {
    let map = try map(MapSpec(name: "h", kind: .hash, keyByteCount: 8, valueByteCount: 8, maxEntries: 5))
    #expect(throws: KernelError.self) { try map.lookUp([1]) }
    #expect(throws: KernelError.self) { try map.update([UInt8](repeating: 0, count: 8), [1]) }
    #expect(throws: KernelError.self) { try map.get(UInt64(1), as: (UInt64, UInt64).self) }
  }
}
