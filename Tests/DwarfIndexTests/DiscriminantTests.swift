import Platform
import TargetModel
import TestSupport
import Testing

@testable import DwarfIndex

/// Alternatives that several values of the discriminant stand for.
@Suite("Discriminants") struct DiscriminantTests {
  @Test(
    "single values and ranges, with and without a sign; what makes no sense ends the list",
    arguments: [
      ([0, 5], 1, false, [5]), ([0, 5, 0, 0xc8, 0x01], 1, false, [5, 200]),
      ([1, 2, 4], 1, false, [2, 3, 4]),
      ([0, 9, 1, 0x7e, 0x00], 1, true, [9, 254, 255, 0]), ([0, 0x7f], 4, true, [0xffff_ffff]),
      ([1, 7, 7], 8, false, [7]), ([0, 3, 1, 5, 4], 1, false, [3]), ([0, 3, 2, 4], 1, false, [3]),
      ([0, 3, 1, 5], 1, false, [3]), ([0, 3, 0], 1, false, [3]), ([], 1, false, []), ([0], 1, false, []),
    ] as [([UInt8], Int, Bool, [Int64])]
  )
  func readsLists(_ list: [UInt8], _ byteCount: Int, _ isSigned: Bool, _ keys: [Int64]) {
    #expect(DiscriminantValues(byteCount: byteCount, isSigned: isSigned).keys(list) == keys)
  }

  @Test("a range of absurd size is cut off", arguments: [true, false])
  func cutsOff(_ isSigned: Bool) {
    let least: [UInt8] = isSigned ? [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f] : [0]
    let most: [UInt8] = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, isSigned ? 0x00 : 0x01]
    let keys = DiscriminantValues(byteCount: 8, isSigned: isSigned).keys([0, 1, 1] + least + most + [0, 7])
    #expect(keys.count == 1024 && keys.first == 1 && keys[1] == (isSigned ? Int64.min : 0))
  }

  /// One enum: `Few` for 1, 2 and 5 to 7, `One` for 9, `Other` for the rest.
  private static let information = """
    .text
    .globl main
    main: xor %eax, %eax
      ret
    .section .debug_abbrev,"",@progbits
    abbreviations:
      .uleb128 1, 0x11
      .byte 1
      .uleb128 0x03, 0x08, 0x13, 0x05, 0, 0
      .uleb128 2, 0x24
      .byte 0
      .uleb128 0x03, 0x08, 0x3e, 0x0b, 0x0b, 0x0b, 0, 0
      .uleb128 3, 0x13
      .byte 1
      .uleb128 0x03, 0x08, 0x0b, 0x0b, 0, 0
      .uleb128 4, 0x0d
      .byte 0
      .uleb128 0x03, 0x08, 0x49, 0x13, 0x38, 0x0b, 0, 0
      .uleb128 5, 0x33
      .byte 1
      .uleb128 0x15, 0x13, 0, 0
      .uleb128 6, 0x19
      .byte 1
      .uleb128 0x3d, 0x0a, 0, 0
      .uleb128 7, 0x19
      .byte 1
      .uleb128 0x16, 0x0b, 0, 0
      .uleb128 8, 0x19
      .byte 1
      .uleb128 0, 0
      .byte 0
    .section .debug_info,"",@progbits
    unit: .long finish - start
    start: .value 4
      .long abbreviations
      .byte 8
      .uleb128 1
      .asciz "choice.rs"
      .value 0x1c
    octet: .uleb128 2
      .asciz "u8"
      .byte 7, 1
      .uleb128 3
      .asciz "Choice"
      .byte 2
    which: .uleb128 4
      .asciz "tag"
      .long octet - unit
      .byte 0
      .uleb128 5
      .long which - unit
      .uleb128 6
      .byte 7
      .byte 0, 1, 0, 2, 1, 5, 7
      .uleb128 4
      .asciz "Few"
      .long octet - unit
      .byte 1, 0
      .uleb128 7
      .byte 9
      .uleb128 4
      .asciz "One"
      .long octet - unit
      .byte 1, 0
      .uleb128 8
      .uleb128 4
      .asciz "Other"
      .long octet - unit
      .byte 1, 0
      .byte 0, 0, 0
    finish:
    """

  @Test("DW_AT_discr_list tells which alternative is there")
  func readsDebugInformation() throws {
    let scratch = try ScratchDirectory()
    let source = try scratch.write(Self.information + "\n", to: "choice.s")
    let built = try run("gcc", ["-o", "\(scratch.path)/choice", source])
    #expect(built.status == 0, "\(built.output)")
    let types = try Samples.open("\(scratch.path)/choice").types
    let type = try #require(types.type(named: "Choice"))
    guard case .structure(let layout) = types.layout(of: type) else {
      Issue.record("\(types.layout(of: type))")
      return
    }
    #expect(layout.variants?.keys == [[1, 2, 5, 6, 7], [9], []])
    #expect(layout.members.map(\.name) == ["tag", "Few", "One", "Other"])
    #expect(layout.members.map(\.variant) == [nil, 0, 1, 2])
  }
}
