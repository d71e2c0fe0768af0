import BPFObject
import Testing

@Suite("Sizes of maps") struct MapSpecTests {
  private func map(_ kind: MapSpec.Kind, _ key: Int, _ value: Int, _ count: Int) -> MapSpec {
    MapSpec(name: "m", kind: kind, keyByteCount: key, valueByteCount: value, maxEntries: count)
  }

  @Test("what the kernel takes for a full map")
  func sizes() {
    #expect(map(.array, 4, 10, 3).byteCount(cpuCount: 2) == 48)
    #expect(map(.perCPUArray, 4, 10, 3).byteCount(cpuCount: 2) == 96)
    // Head 48, key 8, value 8, and one and a half buckets of 16.
    #expect(map(.hash, 5, 8, 100).byteCount(cpuCount: 2) == 88 * 100)
    #expect(map(.perCPUHash, 8, 8, 100).byteCount(cpuCount: 4) == 120 * 100)
  }

  @Test(
    "a file may say anything",
    arguments: [MapSpec.Kind.hash, .perCPUHash, .array, .perCPUArray, .ringBuffer]
  )
  func absurd(_ kind: MapSpec.Kind) {
    for size in [Int(UInt32.max), .max] {
      let sizes = (0..<1000).map { _ in map(kind, size, size, size).byteCount(cpuCount: 8192) }
      #expect(sizes.reduce(0, +) > 0)
    }
  }
}
