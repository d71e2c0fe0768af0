import Testing

@testable import MachineCode

@Suite("Sites") struct EntrySlideTests {
  @Test(
    "slides",
    arguments: [
      ("endbr64; push", [0xf3, 0x0f, 0x1e, 0xfa, 0x55, 0xc3], 4),
      ("push first", [0x55, 0xc3], 0),
      ("mov eax,edi; push", [0x89, 0xf8, 0x53, 0xc3], 2),
      ("branch back to the push", [0x89, 0xf8, 0x53, 0xeb, 0xfd], 0),
      ("branch back to the entry is a new round", [0x89, 0xf8, 0x53, 0xeb, 0xfb], 2),
      ("return before the push", [0x89, 0xf8, 0xc3, 0x53], 0),
      ("nop5 behind endbr64 is no place", [0xf3, 0x0f, 0x1e, 0xfa, 0x0f, 0x1f, 0x44, 0, 0, 0xc3], 0),
      ("nothing emulated", [0x89, 0xf8, 0x89, 0xf8, 0x89, 0xf8, 0x89, 0xf8, 0x89, 0xf8, 0x89, 0xf8], 0),
    ] as [(String, [UInt8], Int)]
  )
  func slides(_: String, _ code: [UInt8], _ expected: Int) {
    #expect(EntrySlide.offset(in: code) == expected)
  }

  @Test func staysWhenAnArgumentWouldBeLost() {
    #expect(EntrySlide.offset(in: [0x31, 0xff, 0x53, 0xc3], clobbers: { _ in true }) == 0)
  }

  @Test func refusesLockPrefix() {
    let verdict = SiteVerdict(X86Instruction([0xf0, 0x48, 0x0f, 0xb1, 0x0f]), isFunctionStart: false)
    guard case .refused = verdict else {
      Issue.record("a locked instruction must be refused")
      return
    }
  }
}
