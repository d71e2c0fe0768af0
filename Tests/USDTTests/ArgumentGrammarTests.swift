import TargetModel
import Testing

@testable import ELF
@testable import USDT

/// One operand and what it must mean.
struct OperandCase: Sendable, CustomTestStringConvertible {
  let text: String
  let plan: LocationPlan

  init(_ text: String, _ plan: LocationPlan) {
    self.text = text
    self.plan = plan
  }

  var testDescription: String { text }
}

/// One operand and why it cannot be read.
struct BadOperandCase: Sendable, CustomTestStringConvertible {
  let text: String
  let reason: ArgumentError.Reason
  let offset: Int

  init(_ text: String, _ reason: ArgumentError.Reason, at offset: Int) {
    self.text = text
    self.reason = reason
    self.offset = offset
  }

  var testDescription: String { text }
}

private func user(_ byteCount: Int, _ isSigned: Bool, _ address: LocationPlan) -> LocationPlan {
  .load(.user, byteCount: byteCount, isSigned: isSigned, address: address)
}

private func grammar(
  machine: UInt16 = ELFConstant.machineX86_64,
  isPositionIndependent: Bool = true
) -> ArgumentGrammar {
  let symbols: [String: (UInt64, ELFSymbol.Kind)] = [
    "counter": (0x4010, .object), "counter.0": (0x4020, .object), "tls": (8, .threadLocal),
    "end": (0x4110, .none),
  ]
  return ArgumentGrammar(
    surroundings: OperandSurroundings(
      machine: machine,
      site: LinkAddress(0x1000),
      isPositionIndependent: isPositionIndependent,
      threadLocalOffset: -32
    ) { name in
      symbols[name].map { value, kind in
        ELFSymbol(
          name: name,
          version: nil,
          isDefaultVersion: true,
          address: LinkAddress(value),
          byteCount: 4,
          kind: kind,
          binding: .local,
          visibility: 0,
          sectionIndex: 1,
          source: .symtab,
          index: 1
        )
      }
    }
  )
}

@Suite("Argument grammar, x86-64") struct X86ArgumentTests {
  @Test(
    "operands",
    arguments: [
      // Registers and their parts.
      OperandCase("8@%rax", .register(0)),
      OperandCase("-8@%r15", .register(15)),
      OperandCase("4@%edi", .extend(.register(5), byteCount: 4, isSigned: false)),
      OperandCase("-4@%edi", .extend(.register(5), byteCount: 4, isSigned: true)),
      OperandCase("-4@%r8d", .extend(.register(8), byteCount: 4, isSigned: true)),
      OperandCase("2@%r9w", .extend(.register(9), byteCount: 2, isSigned: false)),
      OperandCase("-2@%bp", .extend(.register(6), byteCount: 2, isSigned: true)),
      OperandCase("1@%r10b", .extend(.register(10), byteCount: 1, isSigned: false)),
      OperandCase("1@%sil", .extend(.register(4), byteCount: 1, isSigned: false)),
      OperandCase("-1@%ah", .bits(.register(0), offset: 8, count: 8, isSigned: true)),
      OperandCase("1@%bh", .bits(.register(3), offset: 8, count: 8, isSigned: false)),
      // Register and type of different widths: the narrower decides.
      OperandCase("-4@%rdx", .extend(.register(1), byteCount: 4, isSigned: true)),
      OperandCase("8@%ecx", .extend(.register(2), byteCount: 4, isSigned: false)),
      // Numbers.
      OperandCase("-4@$-5", .constant(-5)),
      OperandCase("4@$-5", .constant(0xffff_fffb)),
      OperandCase("8@$-1", .constant(-1)),
      OperandCase("1@$300", .constant(44)),
      OperandCase("-1@$200", .constant(-56)),
      OperandCase("4@$0x10", .constant(16)),
      OperandCase("4@$010", .constant(8)),
      OperandCase("4@$0", .constant(0)),
      OperandCase("8@$18446744073709551615", .constant(-1)),
      // Memory.
      OperandCase("8@(%rsp)", user(8, false, .register(7))),
      OperandCase("-4@8(%rbp)", user(4, true, .register(6).offset(by: 8))),
      OperandCase("-4@-20(%rbp)", user(4, true, .register(6).offset(by: -20))),
      OperandCase("2@0x10(%rax)", user(2, false, .register(0).offset(by: 16))),
      OperandCase("1@-4+8(%rax)", user(1, false, .register(0).offset(by: 4))),
      OperandCase("8@*(%rax)", user(8, false, .register(0))),
      OperandCase(
        "-8@16(%rbx,%rcx,8)",
        user(
          8,
          true,
          .binary(
            .add,
            .binary(.add, .register(3), .binary(.multiply, .register(2), .constant(8))),
            .constant(16)
          )
        )
      ),
      OperandCase("4@(%rbx,%rcx)", user(4, false, .binary(.add, .register(3), .register(2)))),
      OperandCase("4@(%rbx,%rcx,1)", user(4, false, .binary(.add, .register(3), .register(2)))),
      OperandCase("4@(,%rcx,4)", user(4, false, .binary(.multiply, .register(2), .constant(4)))),
      OperandCase(
        "4@8(,%rcx,4)",
        user(4, false, .binary(.add, .binary(.multiply, .register(2), .constant(4)), .constant(8)))
      ),
      OperandCase("4@0(%rax,%riz,2)", user(4, false, .register(0))),
      OperandCase("4@(%eax)", user(4, false, .extend(.register(0), byteCount: 4, isSigned: false))),
      OperandCase("8@0x601040", user(8, false, .constant(0x601040))),
      // Symbols: the instruction pointer is 0x1000 in link addresses.
      OperandCase("4@counter(%rip)", user(4, false, .register(16).offset(by: 0x3010))),
      OperandCase("-4@counter+4(%rip)", user(4, true, .register(16).offset(by: 0x3014))),
      OperandCase("-4@4+counter(%rip)", user(4, true, .register(16).offset(by: 0x3014))),
      OperandCase("4@counter.0-8(%rip)", user(4, false, .register(16).offset(by: 0x3018))),
      OperandCase("4@counter", user(4, false, .register(16).offset(by: 0x3010))),
      OperandCase(
        "4@counter(,%rax,4)",
        user(
          4,
          false,
          .binary(.add, .binary(.multiply, .register(0), .constant(4)), .register(16).offset(by: 0x3010))
        )
      ),
      OperandCase("8@$counter", .register(16).offset(by: 0x3010)),
      OperandCase("8@$end-counter", .constant(0x100)),
      // Thread-local storage: the block is 32 bytes below the thread pointer, the variable 8 bytes into it.
      OperandCase("4@%fs:tls@tpoff", user(4, false, LocationPlan.threadPointer.offset(by: -24))),
      OperandCase("4@%fs:tls@tpoff+4", user(4, false, LocationPlan.threadPointer.offset(by: -20))),
      OperandCase("8@%fs:0x28", user(8, false, LocationPlan.threadPointer.offset(by: 0x28))),
      OperandCase("8@%fs:(%rax)", user(8, false, .binary(.add, .threadPointer, .register(0)))),
      OperandCase("8@tls@tpoff(%rax)", user(8, false, .register(0).offset(by: -24))),
      // Floating point stays bits; no shape at all is a long.
      OperandCase("-8f@16(%rsp)", user(8, false, .register(7).offset(by: 16))),
      OperandCase("4f@%eax", .extend(.register(0), byteCount: 4, isSigned: false)),
      OperandCase("%rdi", .register(5)),
      OperandCase("8(%rbp)", user(8, true, .register(6).offset(by: 8))),
    ]
  )
  func parses(_ example: OperandCase) {
    #expect(grammar().argument(example.text).result == .success(example.plan))
  }

  @Test(
    "errors",
    arguments: [
      BadOperandCase("8f@%xmm0", .unreadableRegister("xmm0"), at: 4),
      BadOperandCase("8@%st", .unreadableRegister("st"), at: 3),
      BadOperandCase("8@%foo", .unknownRegister("foo"), at: 3),
      BadOperandCase("8@%", .syntax(expected: "a register"), at: 3),
      BadOperandCase("16@%rax", .unsupportedSize(16), at: 0),
      BadOperandCase("2f@(%rax)", .unsupportedSize(2), at: 0),
      BadOperandCase("8@nowhere(%rip)", .unknownSymbol("nowhere"), at: 2),
      BadOperandCase("8@8(%rip)", .ripWithoutSymbol, at: 4),
      BadOperandCase("8@counter@GOTPCREL(%rip)", .unsupportedModifier("counter@GOTPCREL"), at: 2),
      BadOperandCase("8@%gs:0", .unsupportedSegment("gs"), at: 3),
      BadOperandCase("8@(%rax", .syntax(expected: "')'"), at: 7),
      BadOperandCase("8@(%rax,%rcx,3)", .syntax(expected: "1, 2, 4 or 8"), at: 13),
      BadOperandCase("8@(%ax)", .syntax(expected: "a 32- or 64-bit register"), at: 3),
      BadOperandCase("8@%rax)", .syntax(expected: "the end of the operand"), at: 6),
      BadOperandCase("8@", .syntax(expected: "a number or a symbol"), at: 2),
      BadOperandCase("8@$", .syntax(expected: "a number or a symbol"), at: 3),
      BadOperandCase("8@$99999999999999999999", .syntax(expected: "a 64-bit number"), at: 3),
      BadOperandCase("8@-counter", .syntax(expected: "an address"), at: 3),
      BadOperandCase("8@counter+end", .syntax(expected: "one symbol only"), at: 10),
    ]
  )
  func explains(_ example: BadOperandCase) {
    let expected = ArgumentError(reason: example.reason, offset: example.offset)
    #expect(grammar().argument(example.text).result == .failure(expected))
  }

  @Test func fixedProgramsNeedNoInstructionPointer() {
    let argument = grammar(isPositionIndependent: false).argument("4@counter+4(%rip)")
    #expect(argument.plan == user(4, false, .constant(0x4014)))
  }

  @Test func oneBadOperandSpoilsNoOther() {
    let arguments = grammar().arguments("8@%rdi -4@%xmm9 4@$7")
    #expect(arguments.map(\.index) == [1, 2, 3])
    #expect(arguments.map { $0.plan != nil } == [true, false, true])
    #expect(arguments[2].byteCount == 4)
    #expect(arguments[1].isSigned)
  }

  @Test func everyCutOperandIsAnAnswer() {
    let operands = ["-4f@counter+0x10(%rbx,%rcx,8)", "8@%fs:tls@tpoff-4", "-1@$0xff", "8@[sp, #16]"]
    for machine in [ELFConstant.machineX86_64, ELFConstant.machineAArch64, 0xffff] {
      let grammar = grammar(machine: machine)
      for operand in operands {
        for count in 0...operand.count {
          _ = grammar.arguments(String(operand.prefix(count)))
          _ = grammar.arguments(String(operand.suffix(count)))
          for letter in ["%", "$", "(", ")", ",", "-", "9", "@", "["] {
            _ = grammar.arguments(operand.prefix(count) + letter + operand.dropFirst(count))
          }
        }
      }
    }
  }
}

@Suite("Argument grammar, arm64") struct ARM64ArgumentTests {
  @Test(
    "operands",
    arguments: [
      OperandCase("8@x0", .register(0)),
      OperandCase("-4@w1", .extend(.register(1), byteCount: 4, isSigned: true)),
      OperandCase("8@sp", .register(31)),
      OperandCase("4@wzr", .constant(0)),
      OperandCase("-4@5", .constant(5)),
      OperandCase("-4@-5", .constant(-5)),
      OperandCase("8@#16", .constant(16)),
      OperandCase("8@[x19]", user(8, false, .register(19))),
      OperandCase("-4@[sp, 12]", user(4, true, .register(31).offset(by: 12))),
      OperandCase("-4@[x29, #-4]", user(4, true, .register(29).offset(by: -4))),
      OperandCase("8@[x1, x2]", user(8, false, .binary(.add, .register(1), .register(2)))),
      OperandCase(
        "8@[x1, x2, lsl 3]",
        user(8, false, .binary(.add, .register(1), .binary(.shiftLeft, .register(2), .constant(3))))
      ),
      OperandCase(
        "2@[x1, w2, sxtw #1]",
        user(
          2,
          false,
          .binary(
            .add,
            .register(1),
            .binary(.shiftLeft, .extend(.register(2), byteCount: 4, isSigned: true), .constant(1))
          )
        )
      ),
    ]
  )
  func parses(_ example: OperandCase) {
    let grammar = grammar(machine: ELFConstant.machineAArch64)
    #expect(grammar.arguments(example.text).map(\.result) == [.success(example.plan)])
  }

  @Test(
    "errors",
    arguments: [
      BadOperandCase("8f@d0", .unreadableRegister("d0"), at: 3),
      BadOperandCase("8@[x31]", .unknownRegister("x31"), at: 3),
      BadOperandCase("8@[x0, x1, ror 2]", .syntax(expected: "lsl, sxtw, sxtx or uxtw"), at: 11),
      BadOperandCase("8@[x0", .syntax(expected: "']'"), at: 5),
    ]
  )
  func explains(_ example: BadOperandCase) {
    let grammar = grammar(machine: ELFConstant.machineAArch64)
    let expected = ArgumentError(reason: example.reason, offset: example.offset)
    #expect(grammar.argument(example.text).result == .failure(expected))
  }
}
