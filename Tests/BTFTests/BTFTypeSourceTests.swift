import BTF
import Platform
import TargetModel
import Testing

@Suite struct BTFTypeSourceTests {
  /// `struct point { int x; const char *name; struct point *next; u8 raw[3]; }` and `int f(struct point *p)`.
  private func example() throws -> BTFTypeSource {
    var builder = BTFBuilder()
    let int = builder.integer("int", byteCount: 4, isSigned: true)
    let char = builder.integer("char", byteCount: 1, isSigned: true)
    let name = builder.pointer(to: builder.const(char))
    let raw = builder.array(of: builder.integer("u8", byteCount: 1), count: 3)
    let next = builder.pointer(to: BTFTypeID(20))
    _ = builder.structure(
      "point",
      byteCount: 32,
      members: [("x", int, 0), ("name", name, 8), ("next", next, 16), ("raw", raw, 24)]
    )
    let function = builder.prototype(result: int, parameters: [("p", next), ("callback", name)])
    _ = builder.function("f", prototype: function, linkage: .global)
    _ = builder.pointer(to: builder.pointer(to: function))
    return BTFTypeSource(try BTFImage(SharedBytes(builder.encoded())))
  }

  /// An image of these words of types and these strings.
  private func image(_ words: [UInt32], _ strings: [UInt8]) throws -> BTFImage {
    try BTFImage(section(words, strings))
  }

  private func section(_ words: [UInt32], _ strings: [UInt8]) -> SharedBytes {
    let byteCount = UInt32(words.count * 4)
    let header = [0x1_eb9f, 24, 0, byteCount, byteCount, UInt32(strings.count)]
    let bytes = (header + words).flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) }
    }
    return SharedBytes(bytes + strings)
  }

  @Test("structures have members, offsets and spellings")
  func structures() throws {
    let source = try example()
    let point = try #require(source.type(named: "struct point"))
    #expect(source.type(named: "point") == point)
    #expect(source.type(named: "union point") == nil)
    guard case .structure(let layout) = source.layout(of: point) else {
      Issue.record("no structure")
      return
    }
    #expect(layout.byteCount == 32)
    #expect(layout.members.map(\.name) == ["x", "name", "next", "raw"])
    #expect(layout.members.map(\.bitOffset) == [0, 64, 128, 192])
    #expect(source.spelling(of: layout.members[1].type) == "const char *")
    #expect(source.spelling(of: layout.members[3].type) == "u8[3]")
    #expect(source.spelling(of: point) == "struct point")
    let next = source.layout(of: layout.members[2].type)
    #expect(next == .pointer(byteCount: 8, target: TypeReference(20), isReference: false))
  }

  @Test("functions have parameters with names")
  func functions() throws {
    let prototype = try #require(try example().image.function("f"))
    #expect(prototype.parameters.map(\.name) == ["p", "callback"])
    #expect(try example().image.function("g") == nil)
  }

  @Test("a type that refers to nothing or to itself is opaque, not a trap")
  func hostileReferences() throws {
    let image = try image([0, 8 << 24, 1, 0, 10 << 24, 99, 0, 2 << 24, 77], [0])
    let source = BTFTypeSource(image)
    for id in 0..<6 as Range<UInt64> {
      _ = source.spelling(of: TypeReference(id))
      _ = source.layout(of: TypeReference(id))
    }
    #expect(source.layout(of: TypeReference(1)) == .opaque("no BTF type 1"))
  }

  @Test("bytes cut anywhere are refused, not a trap")
  func truncation() throws {
    var builder = BTFBuilder()
    let int = builder.integer("int", byteCount: 4, isSigned: true)
    _ = builder.structure("s", byteCount: 4, members: [("x", int, 0)])
    let bytes = builder.encoded()
    for count in bytes.indices {
      #expect(throws: BTFError.self) { try BTFImage(SharedBytes(Array(bytes[..<count]))) }
    }
  }

  @Test("an index that was kept gives the same answers, and is not taken for another image") func keptIndex()
    throws
  {
    let strings = Array("\0btf_trace_a\0btf_trace_b\0btf_trace_a_long_name\0".utf8)
    let words: [UInt32] = [
      0, 13 << 24 | 2, 0, 0, 2, 0, 2,  // 1: void (2, 2)
      0, 2 << 24, 1,  // 2: pointer to 1
      1, 8 << 24, 2,  // 3: typedef 2 btf_trace_a
      13, 8 << 24, 2,  // 4: typedef 2 btf_trace_b
      25, 8 << 24, 2,  // 5: typedef 2 btf_trace_a_long_name
    ]
    let bytes = section(words, strings)
    let made = try BTFImage(bytes)
    let kept = try BTFImage(bytes, kept: made.index.bytes)
    for image in [made, kept] {
      #expect(image.tracepointNames == ["a", "b", "a_long_name"])
      #expect(image.tracepoint("b")?.count == 1)
      #expect(image.tracepoint("c") == nil)
      #expect(image.find("btf_trace_a_long_name", .typedef) != nil)
    }
    #expect(kept.index.bytes.copied() == made.index.bytes.copied())
    let other = try BTFImage(SharedBytes(BTFBuilder().encoded()), kept: made.index.bytes)
    #expect(!made.index.isKept && kept.index.isKept && !other.index.isKept)
    #expect(other.tracepointNames.isEmpty)
    #expect(other.typeCount == 1)
  }

  @Test("a damaged index leads nowhere, but never to a trap") func damagedIndex() throws {
    var random = SystemRandomNumberGenerator()
    var builder = BTFBuilder()
    for number in 0..<20 { _ = builder.integer("int\(number)", byteCount: 4, isSigned: true) }
    let bytes = SharedBytes(builder.encoded())
    let index = try BTFImage(bytes).index.bytes.copied()
    for _ in 0..<3000 {
      var damaged = index
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        damaged[Int.random(in: 12..<index.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      let image = try BTFImage(bytes, kept: SharedBytes(damaged))
      let source = BTFTypeSource(image)
      _ = (source.type(named: "int7"), source.enumerator(named: "int7"), image.tracepointNames)
      for id in 0..<22 as Range<UInt64> {
        _ = (source.layout(of: TypeReference(id)), source.spelling(of: TypeReference(id)))
      }
    }
    let typeCount = try BTFImage(bytes, kept: SharedBytes(index)).typeCount
    #expect(typeCount == 21)
  }

  @Test("enumerations of 32 and 64 bits, bit fields and forwards")
  func handmade() throws {
    let strings = Array("\0color\0red\0blue\0big\0huge\0int\0flags\0a\0b\0ghost\0".utf8)
    let words: [UInt32] = [
      1, 6 << 24 | 1 << 31 | 2, 4, 7, 1, 11, 0xffff_ffff,  // 1: enum color { red = 1, blue = -1 }
      16, 19 << 24 | 1, 8, 20, 5, 1,  // 2: enum big { huge = 0x1_0000_0005 }
      25, 1 << 24, 4, 1 << 24 | 32,  // 3: int
      29, 4 << 24 | 1 << 31 | 2, 4, 35, 3, 3 << 24, 37, 3, 5 << 24 | 3,  // 4: struct flags { int a:3, b:5 }
      39, 7 << 24, 0,  // 5: struct ghost;
    ]
    let source = BTFTypeSource(try image(words, strings))
    #expect(source.enumerator(named: "blue") == -1)
    #expect(source.enumerator(named: "huge") == 0x1_0000_0005)
    #expect(source.enumerator(named: "ghost") == nil)
    guard case .structure(let flags) = source.layout(of: TypeReference(4)) else {
      Issue.record("no structure")
      return
    }
    #expect(flags.members.map(\.bitCount) == [3, 5])
    #expect(flags.members.map(\.bitOffset) == [0, 3])
    #expect(source.layout(of: TypeReference(5)) == .opaque("struct ghost is only declared"))
  }

  @Test("declarators of C nest around the name")
  func declarators() throws {
    var builder = BTFBuilder()
    let long = builder.integer("long", byteCount: 8, isSigned: true)
    let any = builder.pointer(to: .void)
    let function = builder.prototype(result: .void, parameters: [("", long), ("", any)])
    let pointer = builder.pointer(to: function)
    let table = builder.array(of: pointer, count: 4)
    let pointerToArray = builder.pointer(to: builder.array(of: long, count: 2))
    let constant = builder.const(pointer)
    let source = BTFTypeSource(try BTFImage(SharedBytes(builder.encoded())))
    #expect(source.spelling(of: source.reference(pointer)) == "void (*)(long, void *)")
    #expect(source.spelling(of: source.reference(table)) == "void (*[4])(long, void *)")
    #expect(source.spelling(of: source.reference(pointerToArray)) == "long (*)[2]")
    #expect(source.spelling(of: source.reference(constant)) == "void (*const)(long, void *)")
  }
}
