import Platform
import TargetModel
import TestSupport
import Testing

@testable import ELF

/// The table that the runtime of Go finds functions in.
@Suite("GoFunctionTable") struct GoFunctionTableTests {
  private static let names: [(name: String, start: UInt64)] = [
    ("main.main", 0), ("main.(*Item).Total", 0x40), ("", 0x50), ("runtime.goexit", 0x80),
  ]
  private static let end: UInt64 = 0x90
  private static let text: UInt64 = 0x401000

  /// A table of the layout that `magic` says.
  private static func table(_ magic: UInt32, origin: UInt64 = text) -> [UInt8] {
    let isOld = magic == 0xffff_fffa
    var texts: [UInt8] = [0]
    var offsets: [UInt32] = []
    for (name, _) in names {
      offsets.append(name.isEmpty ? 0 : UInt32(texts.count))
      if !name.isEmpty { texts += Array(name.utf8) + [0] }
    }
    var writer = ByteWriter()
    writer.write(magic)
    writer.write([0, 0, 1, 8] as [UInt8])
    let header = 8 + 8 * (isOld ? 7 : 8)
    let functions = header + texts.count
    let fields: [Int] = isOld ? [] : [Int(origin)]
    for field in [names.count, 0] + fields + [header, 0, 0, 0, functions] { writer.write(UInt64(field)) }
    writer.write(texts)
    func write(_ value: UInt64) { if isOld { writer.write(value) } else { writer.write(UInt32(value)) } }
    let field = isOld ? 8 : 4
    let base: UInt64 = isOld ? text : 0
    let records = (names.count * 2 + 1) * field
    for (index, function) in names.enumerated() {
      write(base + function.start)
      write(UInt64(records + index * (field + 4)))
    }
    write(base + end)
    for (index, function) in names.enumerated() {
      write(base + function.start)
      writer.write(offsets[index])
    }
    return writer.bytes
  }

  private static let expected = [
    GoFunctionTable.Function(name: "main.main", address: LinkAddress(text), byteCount: 0x40),
    GoFunctionTable.Function(name: "main.(*Item).Total", address: LinkAddress(text + 0x40), byteCount: 0x10),
    GoFunctionTable.Function(name: "runtime.goexit", address: LinkAddress(text + 0x80), byteCount: 0x10),
  ]

  @Test(
    "the layouts of Go 1.16, 1.18 and 1.20; a position-independent program does not say where code begins",
    arguments: [(0xffff_fffa, text), (0xffff_fff0, text), (0xffff_fff1, text), (0xffff_fff1, 0)]
      as [(UInt32, UInt64)]
  )
  func reads(_ magic: UInt32, _ origin: UInt64) throws {
    let bytes = SharedBytes(Self.table(magic, origin: origin))
    let table = try #require(GoFunctionTable(bytes, text: LinkAddress(Self.text)))
    #expect(table.all == Self.expected)
    for function in Self.expected {
      for inside in [function.address, function.address.advanced(by: Int64(function.byteCount) - 1)] {
        #expect(table.function(containing: inside) == function)
      }
    }
    // Before all code, in a function without a name, behind all code.
    for outside in [Self.text - 1, Self.text + 0x50, Self.text + 0x7f, Self.text + Self.end, .max] {
      #expect(table.function(containing: LinkAddress(outside)) == nil)
    }
  }

  @Test(
    "cut off or damaged anywhere it says less or something else, never traps",
    arguments: [0xffff_fffa, 0xffff_fff1] as [UInt32]
  )
  func survivesDamage(_ magic: UInt32) {
    let good = Self.table(magic)
    func read(_ bytes: [UInt8]) {
      let table = GoFunctionTable(SharedBytes(bytes), text: LinkAddress(UInt64.max))
      _ = table?.all
      for address in [0, Self.text + 0x41, .max] { _ = table?.function(containing: LinkAddress(address)) }
    }
    for count in good.indices { read(Array(good.prefix(count))) }
    for index in good.indices {
      for value: UInt8 in [0, 1, 0x7f, 0x80, 0xff] {
        var bad = good
        bad[index] = value
        read(bad)
        for further in index..<min(index + 8, good.count) { bad[further] = value }
        read(bad)
      }
    }
    #expect(GoFunctionTable(SharedBytes(Self.table(0xffff_fffb)), text: LinkAddress(0)) == nil)
    #expect(GoFunctionTable(SharedBytes([]), text: LinkAddress(0)) == nil)
  }
}
