import BPFObject
import Testing

@Suite struct DisassemblerTests {
  @Test(
    "instructions read as the kernel prints them",
    arguments: [
      (.load(.double, .r1, .r1, 112), "r1 = *(u64 *)(r1 + 112)"),
      (.loadSigned(.word, .r2, .r1, -4), "r2 = *(s32 *)(r1 - 4)"),
      (.store(.byte, .r10, -1, .r3), "*(u8 *)(r10 - 1) = r3"),
      (.arithmetic(.signedDivide, .r1, .r2), "r1 s/= r2"),
      (.arithmetic(.arithmeticShiftRight, .r1, 3, width: .bits32), "w1 s>>= 3"),
      (.moveSignExtended(.r1, .r2, from: .byte), "r1 = (s8)r2"),
      (.negate(.r4), "r4 = -r4"),
      (.atomic(.fetchAdd, .double, .r1, 8, .r2), "r2 = atomic64_fetch_add((u64 *)(r1 + 8), r2)"),
      (.atomic(.compareExchange, .word, .r1, 0, .r2), "r0 = atomic32_cmpxchg((u32 *)(r1 + 0), r0, r2)"),
      (.call(.ktimeGetNanoseconds), "call ktime_get_ns"),
      (BPFInstruction(opcode: 0x85, immediate: 9999), "call #9999"),
      (BPFInstruction(opcode: 0x20), ".insn 0x20, r0, 0, 0, 0"),
    ] as [(BPFInstruction, String)]
  )
  func reads(_ instruction: BPFInstruction, _ text: String) {
    let code = ProgramCode(instructions: [instruction], functions: [])
    #expect(Disassembler.text(of: code) == "  \(text)\n")
  }
}
