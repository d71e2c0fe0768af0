import Foundation
import TestSupport
import Testing

@testable import MachineCode

@Suite("x86-64 instructions") struct X86InstructionTests {
  @Test(
    "kind and length",
    arguments: [
      ([0x55], 1, .push),
      ([0x41, 0x57], 2, .push),
      ([0x90], 1, .nop),
      ([0x66, 0x90], 2, .nop),
      ([0x0f, 0x1f, 0x44, 0x00, 0x00], 5, .nop),
      ([0x66, 0x2e, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0], 10, .nop),
      ([0xf3, 0x90], 2, .other),
      ([0xf3, 0x0f, 0x1e, 0xfa], 4, .endbr64),
      ([0xe8, 0xfb, 0xff, 0xff, 0xff], 5, .call(displacement: -5)),
      ([0xeb, 0x10], 2, .jump(displacement: 16)),
      ([0x0f, 0x84, 0x00, 0x01, 0, 0], 6, .conditionalJump(displacement: 256)),
      ([0xff, 0xe0], 2, .indirectBranch),
      ([0xff, 0x30], 2, .other),
      ([0xc3], 1, .return),
      ([0x0f, 0x0b], 2, .trap),
      ([0x48, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8], 10, .other),
      ([0xc5, 0xf8, 0x77], 3, .other),
    ] as [([UInt8], Int, X86Instruction.Kind)]
  )
  func decodes(_ bytes: [UInt8], _ byteCount: Int, _ kind: X86Instruction.Kind) throws {
    let instruction = try #require(X86Instruction(bytes))
    #expect(instruction.byteCount == byteCount)
    #expect(instruction.kind == kind)
  }

  /// Opcodes 70–7f, 90, e8, e9 and eb are branches or nops elsewhere; the last three rows are neighbours.
  @Test(
    "vector instructions that the kernel takes for branches",
    arguments: [
      ([0xc5, 0xf8, 0x77], true), ([0xc5, 0xf9, 0x74, 0xc0], true), ([0xc5, 0xf1, 0xeb, 0xc0], true),
      ([0xc5, 0xf9, 0xe8, 0xc0], true), ([0x62, 0xe2, 0x7d, 0x28, 0x7a, 0xce], true),
      ([0xc4, 0xe2, 0x7d, 0x78, 0xc0], true), ([0xc5, 0xf8, 0x90, 0xc1], true),
      ([0xc5, 0xf9, 0x6f, 0xc1], false), ([0xc5, 0xf9, 0xef, 0xc0], false),
      ([0x66, 0x0f, 0x74, 0xc0], false),
    ] as [([UInt8], Bool)]
  )
  func refusesMistakenVectorInstructions(_ bytes: [UInt8], _ isRefused: Bool) {
    let verdict = SiteVerdict(X86Instruction(bytes), isFunctionStart: true)
    if case .refused = verdict { #expect(isRefused) } else { #expect(!isRefused) }
  }

  @Test(
    "every truncation is refused",
    arguments: [[0x48, 0x8b, 0x84, 0x24, 1, 2, 3, 4], [0x66, 0x48]] as [[UInt8]]
  )
  func refusesTruncation(_ bytes: [UInt8]) {
    for count in 0..<bytes.count { #expect(X86Instruction(Array(bytes[..<count])) == nil) }
  }

  @Test func randomBytesNeverTrap() {
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<200_000 {
      let bytes = (0..<16).map { _ in UInt8.random(in: 0...255, using: &generator) }
      if let instruction = X86Instruction(bytes) { #expect((1...15).contains(instruction.byteCount)) }
    }
  }

  /// objdump knows every instruction's bytes; both must agree on each length in libc's text.
  @Test(arguments: ["/lib/x86_64-linux-gnu/libc.so.6", "/lib/x86_64-linux-gnu/libm.so.6"])
  func agreesWithObjdump(_ library: String) throws {
    let text = try run("objdump", ["-d", "-w", "-j", ".text", library])
    try #require(text.status == 0)
    var checked = 0
    var wrong: [Substring] = []
    for line in text.output.split(separator: "\n") {
      let columns = line.split(separator: "\t", omittingEmptySubsequences: false)
      guard columns.count >= 3, !columns[2].contains("(bad)"), !columns[2].hasPrefix("rex") else { continue }
      let bytes = columns[1].split(separator: " ").compactMap { UInt8($0, radix: 16) }
      // objdump joins `wait` and the x87 instruction behind it; the processor does not.
      guard bytes.first != 0x9b || bytes.count == 1 else { continue }
      checked += 1
      if X86Instruction(bytes)?.byteCount != bytes.count { wrong.append(line) }
    }
    #expect(checked > 100_000)
    #expect(wrong.isEmpty, "\(wrong.count) of \(checked): \(wrong.prefix(10))")
  }
}
