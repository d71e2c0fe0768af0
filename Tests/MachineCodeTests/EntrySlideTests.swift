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
      ("nothing emulated", [UInt8](repeating: 0x98, count: 40) + [0x90, 0xc3], 0),
      ("the twelfth", [UInt8](repeating: 0x98, count: 12) + [0x90, 0xc3], 12),
      ("the thirteenth", [UInt8](repeating: 0x98, count: 13) + [0x90, 0xc3], 0),
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
    "memory is written",
    arguments: [
      ("mov [rdi],0; push", [0xc7, 0x07, 0, 0, 0, 0, 0x53, 0xc3], true),
      ("inc [rip]; push", [0xff, 0x05, 0, 0, 0, 0, 0x53, 0xc3], true),
      ("movups [rdi],xmm0; push", [0x0f, 0x11, 0x07, 0x53, 0xc3], true),
      ("mov [r12],rdi; push", [0x49, 0x89, 0x3c, 0x24, 0x53, 0xc3], true),
      ("rep stosq; push", [0xf3, 0x48, 0xab, 0x53, 0xc3], true),
      ("vmovups [rdi],ymm0; push", [0xc5, 0xfc, 0x11, 0x07, 0x53, 0xc3], true),
      ("mov [rsp-8],rdi; push", [0x48, 0x89, 0x7c, 0x24, 0xf8, 0x53, 0xc3], false),
      ("movups xmm0,[rdi]; push", [0x0f, 0x10, 0x07, 0x53, 0xc3], false),
      ("vmovups ymm0,[rdi]; push", [0xc5, 0xfc, 0x10, 0x07, 0x53, 0xc3], false),
      ("cmp [rdi],0; je", [0x83, 0x3f, 0, 0x74, 0, 0xc3], false),
      ("mov rax,[rdi]; push", [0x48, 0x8b, 0x07, 0x53, 0xc3], false),
    ] as [(String, [UInt8], Bool)]
  )
  func knowsStores(_: String, _ code: [UInt8], _ expected: Bool) {
    let slide = EntrySlide(in: code)
    #expect(slide.byteCount > 0)
    #expect(slide.writesMemory == expected)
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

  @Test(
    "a jump out of the function's bytes counts for what is there",
    arguments: [
      (0x45, .function, 3), (0x44, .function, 0), (0x45, .unknown, 0),
      // jmp to the end of the function, to its `je`, to a third one; jmp *rax.
      (0x45, .code([0xe9, 0xbc, 0xff, 0xff, 0xff]), 3), (0x45, .code([0xe9, 0xb9, 0xff, 0xff, 0xff]), 0),
      (0x45, .code([0x90, 0xe9, 0, 1, 0, 0]), 3), (0x45, .code([0xff, 0xe0]), 0),
    ] as [(Int64, CodeContinuation, Int)]
  )
  func looksWhereJumpsLead(_ place: Int64, _ there: CodeContinuation, _ expected: Int) {
    // test rdi,rdi; je +0x40; ret
    let code: [UInt8] = [0x48, 0x85, 0xff, 0x74, 0x40, 0xc3]
    #expect(EntrySlide(in: code) { $0 == place ? there : .unknown }.byteCount == expected)
  }

  /// As uprobes of Linux 6.18 answered, tried with one function for each.
  @Test(
    "the kernel refuses",
    arguments: [
      [0x66, 0x2e, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0], [0x3e, 0xff, 0xe0], [0x2e, 0x89, 0xc0], [0x3e, 0x74, 0],
      [0xf0, 0xff, 0x07], [0xcc], [0xcd, 0x80], [0xf4], [0xe4, 0x60], [0xe6, 0x60], [0x6c], [0xfa], [0xfb],
      [0x48, 0xcf], [0x66, 0xe9, 0, 0, 0, 0], [0x66, 0xe8, 0, 0, 0, 0],
    ] as [[UInt8]]
  )
  func refuses(_ code: [UInt8]) {
    guard case .refused = SiteVerdict(X86Instruction(code), isFunctionStart: true) else {
      Issue.record("must be refused")
      return
    }
  }

  @Test(
    "the kernel steps",
    arguments: [
      [0xf3, 0x90], [0xf3, 0x48, 0xab], [0xf2, 0xc3], [0x64, 0x8b, 0x04, 0x25, 0x28, 0, 0, 0], [0xff, 0xd0],
      [0x62, 0xf1, 0x7c, 0x48, 0x28, 0xc1], [0xc4, 0xe2, 0x79, 0x18, 0xc0], [0x0f, 0x0b], [0x0f, 0x05],
      [0xc9],
      [0xe2, 0], [0xf3, 0x0f, 0x1e, 0xfa],
    ] as [[UInt8]]
  )
  func steps(_ code: [UInt8]) {
    #expect(SiteVerdict(X86Instruction(code), isFunctionStart: true) == .singleStepped)
  }
}
