import TestSupport
import Testing

@testable import BPFBackend

/// Literals of programs that were written apart.
@Suite("Pools of literals")
struct LiteralPoolTests {
  @Test("a pool takes over another one, and says where its bytes are")
  func taking() {
    var whole = LiteralPool(capacity: 100)
    let shared = whole.offset(of: Array("shared".utf8))
    let table = whole.offset(ofTable: "names", contents: [1, 2, 3, 4, 5, 6, 7, 8])
    var other = LiteralPool(capacity: 100)
    let new = other.offset(of: Array("a text of its own".utf8))
    let sharedThere = other.offset(of: Array("shared".utf8))
    let tableThere = other.offset(ofTable: "names", contents: [1, 2, 3, 4, 5, 6, 7, 8])
    let last = other.offset(of: [])

    let place = whole.take(other)

    #expect(place(sharedThere) == shared)
    #expect(place(tableThere) == table)
    #expect(place(tableThere + 7) == table + 7)
    #expect(place(new) == table + 8)
    // What programs point to is often in the middle: behind the length, or further on.
    #expect(place(new + 4) == place(new) + 4)
    #expect(field(in: whole, at: place(new)) == field(in: other, at: new))
    #expect(place(last) == Int32(whole.contents.count) - 8)
    #expect(whole.offset(of: Array("a text of its own".utf8)) == place(new))
  }

  @Test("what was written apart is what would have been written together")
  func order() {
    let texts = ["b", "a", "b", "c", "", "a longer text", "a"].map { Array($0.utf8) }
    var together = LiteralPool(capacity: 100)
    for text in texts { _ = together.offset(of: text) }
    var whole = LiteralPool(capacity: 100)
    for part in [texts[..<2], texts[2..<5], texts[5...]] {
      var pool = LiteralPool(capacity: 100)
      for text in part { _ = pool.offset(of: text) }
      _ = whole.take(pool)
    }
    #expect(whole.contents == together.contents)
  }

  /// Length and bytes.
  private func field(in pool: LiteralPool, at offset: Int32) -> [UInt8] {
    let start = Int(offset)
    return Array(pool.contents[start..<start + 4 + Int(pool.contents[start])])
  }
}
