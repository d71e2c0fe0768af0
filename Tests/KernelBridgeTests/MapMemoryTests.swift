import BPFObject
import Testing

@testable import KernelBridge

@Suite struct MapMemoryTests {
  private func rows(_ megabytes: Int) -> MapSpec {
    .array("rows", valueByteCount: 1 << 20, count: megabytes)
  }

  private func hash(_ megabytes: Int) -> MapSpec {
    MapSpec(name: "n", kind: .hash, keyByteCount: 8, valueByteCount: 8, maxEntries: (megabytes << 20) / 88)
  }

  @discardableResult
  private func check(_ maps: [MapSpec], megabytesFree: Int?) throws(KernelError) -> [MapSpec] {
    try MapMemory(maps, cpuCount: 2).fitted(available: { megabytesFree.map { $0 << 20 } })
  }

  @Test("half of what is free may go into maps")
  func lets() throws {
    try check([rows(500)], megabytesFree: 1000)
    try check([rows(500)], megabytesFree: nil)
  }

  @Test("more than half names the largest map and what to change")
  func refuses() {
    let error = #expect(throws: KernelError.self) {
      try check([rows(480), .ringBuffer("ring", byteCount: 32 << 20)], megabytesFree: 1000)
    }
    let text = error?.description ?? ""
    #expect(
      text.contains("take 512 MB at once (480 MB for 'rows'), more than half of the 1000 MB"),
      "\(text)"
    )
  }

  @Test("where memory is short, elements of hashes are made as they come")
  func makesElementsLater() throws {
    let maps = [rows(10), hash(90)]
    #expect(try check(maps, megabytesFree: 1000) == maps)
    var lean = maps
    lean[1].flags.insert(.noPreallocation)
    #expect(try check(maps, megabytesFree: 150) == lean)
    #expect(throws: KernelError.self) { try check([rows(100), hash(90)], megabytesFree: 150) }
  }

  @Test("small maps, and elements that are made as they come, are not looked at")
  func asTheyCome() throws {
    try check([rows(64)], megabytesFree: 10)
    let hash = MapSpec(
      name: "texts",
      kind: .hash,
      keyByteCount: 8,
      valueByteCount: 65_536,
      maxEntries: 1_000_000,
      flags: .noPreallocation
    )
    try check([hash], megabytesFree: 1000)
  }
}
