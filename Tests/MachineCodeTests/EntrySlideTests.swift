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
    #expect(EntrySlide(in: code).byteCount == expected)
  }

  @Test(
    "written registers",
    arguments: [
      ("endbr64; push", [0xf3, 0x0f, 0x1e, 0xfa, 0x55, 0xc3], []),
      ("xor edi,edi; push", [0x31, 0xff, 0x53, 0xc3], .rdi),
      ("mov eax,edi; push", [0x89, 0xf8, 0x53, 0xc3], .rax),
      ("test rdi,rdi; je", [0x48, 0x85, 0xff, 0x74, 0x00, 0xc3], []),
      ("cmp [rip],0; jne", [0x83, 0x3d, 0, 0, 0, 0, 0, 0x75, 0x00, 0xc3], []),
      ("lea r8,[rip]; push", [0x4c, 0x8d, 0x05, 0, 0, 0, 0, 0x55, 0xc3], .r8),
      ("mov ah,1; push", [0xb4, 0x01, 0x55, 0xc3], .rax),
      ("mov [rsp+8],rdi; push", [0x48, 0x89, 0x7c, 0x24, 0x08, 0x55, 0xc3], .rsp),
      ("sub rsp,8; call", [0x48, 0x83, 0xec, 0x08, 0xe8, 0, 0, 0, 0, 0xc3], .rsp),
      ("movzx ecx,dl; push", [0x0f, 0xb6, 0xca, 0x55, 0xc3], .rcx),
      ("cpuid; push", [0x0f, 0xa2, 0x55, 0xc3], .all),
    ] as [(String, [UInt8], X86Registers)]
  )
  func knowsWhatIsWritten(_: String, _ code: [UInt8], _ expected: X86Registers) {
    let slide = EntrySlide(in: code)
    #expect(slide.byteCount > 0)
    #expect(slide.writtenRegisters == expected)
  }

  @Test(
    "a jump that may lead back keeps a probe from all but a push",
    arguments: [
      ("test; je; jmp *rax", [0x48, 0x85, 0xff, 0x74, 0x00, 0xff, 0xe0], 0),
      ("test; je; call *rax", [0x48, 0x85, 0xff, 0x74, 0x00, 0xff, 0xd0, 0xc3], 3),
      ("test; je out of the function", [0x48, 0x85, 0xff, 0x74, 0x40, 0xc3], 0),
      ("endbr64; push; jmp *rax", [0xf3, 0x0f, 0x1e, 0xfa, 0x55, 0xff, 0xe0], 4),
    ] as [(String, [UInt8], Int)]
  )
  func staysBeforeJumpsOutOfSight(_: String, _ code: [UInt8], _ expected: Int) {
    #expect(EntrySlide(in: code).byteCount == expected)
  }

  @Test func refusesLockPrefix() {
    let verdict = SiteVerdict(X86Instruction([0xf0, 0x48, 0x0f, 0xb1, 0x0f]), isFunctionStart: false)
    guard case .refused = verdict else {
      Issue.record("a locked instruction must be refused")
      return
    }
  }
}
