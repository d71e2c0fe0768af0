import Testing

@testable import Platform

@Suite("Binary coding") struct BinaryCodingTests {
  private indirect enum Tree: Codable, Equatable {
    case leaf(Int64)
    case named(String, count: UInt32?)
    case both(Tree, Tree)
    case none
  }

  private enum Colour: String, Codable { case red, green }

  private struct Everything: Codable, Equatable {
    var flag = true
    var number: Int64 = .min
    var offset: UInt64 = .max
    var bytes: [UInt8] = [0, 255, 7]
    var missing: String?
    var present: Int32? = -5
    var list: [Tree?] = [.leaf(1), nil, .both(.none, .named("x", count: nil)), .named("ü", count: 9)]
    var nested: [[Int]] = [[], [1, 2], [-3]]
    var table: [Int64: String] = [4: "four", -1: "minus"]
    var colour = Colour.green
  }

  @Test func roundTrips() throws {
    let value = Everything()
    let bytes = try BinaryEncoder().encode(value)
    #expect(try BinaryDecoder().decode(Everything.self, from: bytes) == value)
  }

  @Test func everyTruncationThrows() throws {
    let bytes = try BinaryEncoder().encode(Everything())
    for count in bytes.indices {
      #expect(throws: (any Error).self) {
        try BinaryDecoder().decode(Everything.self, from: Array(bytes[..<count]))
      }
    }
  }

  @Test func changedBytesNeverTrap() throws {
    let bytes = try BinaryEncoder().encode(Everything())
    for index in bytes.indices {
      for replacement: UInt8 in [0, 1, 0x7f, 0x80, 0xff] {
        var changed = bytes
        changed[index] = replacement
        _ = try? BinaryDecoder().decode(Everything.self, from: changed)
      }
    }
  }

  @Test func hostileNestingIsRefused() throws {
    var tree = Tree.none
    for _ in 0..<3000 { tree = .both(tree, .none) }
    let bytes = try BinaryEncoder().encode(tree)
    #expect(throws: BinaryDecoder.Failure.tooDeep) { try BinaryDecoder().decode(Tree.self, from: bytes) }
  }
}
