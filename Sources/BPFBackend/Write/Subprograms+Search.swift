import BPFObject
import TraceIR

// Loops over the bytes of strings.
extension CodeWriter {
  mutating func writeFind(_ operands: [Operand], _ result: ValueID, isTest: Bool) {
    if isUnused(result) { return }
    textAddress(.r1, text(operands[0]), 0)
    textAddress(.r2, text(operands[1]), 0)
    move(.r3, 0)
    code.call(subprogram(.findText))
    if isTest {
      code.emit(.arithmetic(.shiftRight, .r0, 63))
      code.emit(.arithmetic(.xor, .r0, 1))
    }
    store(.r0, result)
  }

  /// The straightforward search, a byte a round: strings are short.
  mutating func writeFindText() {
    let found = code.makeLabel()
    // r6 = text, r7 = what to find, r8 = position in the text, r9 = bytes that agree there.
    code.emit(.move(.r6, .r1))
    code.emit(.move(.r7, .r2))
    code.emit(.move(.r8, .r3))
    writeUnknownZero(.r9)
    repeatRounds { writer, next, done in
      let differ = writer.code.makeLabel()
      writer.code.emit(.load(.word, .r3, .r7))
      writer.code.jump(if: .greaterOrEqual, .r9, .r3, to: done)
      writer.code.emit(.load(.word, .r2, .r6))
      writer.code.emit(.arithmetic(.add, .r3, .r8))
      writer.code.jump(if: .greater, .r3, .r2, to: done)
      writer.code.emit(.move(.r4, .r8))
      writer.code.emit(.arithmetic(.add, .r4, .r9))
      writer.loadByte(.r2, .r6, .r4)
      writer.loadByte(.r3, .r7, .r9)
      writer.code.jump(if: .notEqual, .r2, .r3, to: differ)
      writer.code.emit(.arithmetic(.add, .r9, 1))
      writer.code.jump(to: next)
      writer.code.place(differ)
      writer.code.emit(.arithmetic(.add, .r8, 1))
      writer.writeUnknownZero(.r9)
    }
    code.emit(.load(.word, .r3, .r7))
    code.jump(if: .greaterOrEqual, .r9, .r3, to: found)
    code.emit(.move(.r8, -1))
    code.place(found)
    code.emit(.move(.r0, .r8))
    code.emit(.exit)
  }

  // MARK: Numbers

  /// As strtol(3) without white space and overflow: a sign, a prefix, digits up to base 36.
  mutating func writeParseNumber() {
    let knownBase = code.makeLabel()
    // r6 = text, r7 = base, r8 = position, r9 = value; on the stack the sign, 0 or -1.
    code.emit(.move(.r6, .r1))
    code.emit(.move(.r7, .r2))
    // Base 1 has no digit but 0.
    code.jump(if: .lessOrEqual, .r7, 36, to: knownBase)
    code.emit(.move(.r7, 1))
    code.place(knownBase)
    writeUnknownZero(.r8)
    writeUnknownZero(.r9)
    code.emit(.store(.double, .r10, -8, immediate: 0))
    parseSign()
    parsePrefix()
    repeatRounds { writer, _, done in
      writer.code.emit(.load(.word, .r2, .r6))
      writer.bound(.r2)
      writer.code.jump(if: .greaterOrEqual, .r8, .r2, to: done)
      writer.loadByte(.r2, .r6, .r8)
      writer.digit(done)
      writer.code.jump(if: .signedGreaterOrEqual, .r2, .r7, to: done)
      writer.code.emit(.arithmetic(.multiply, .r9, .r7))
      writer.code.emit(.arithmetic(.add, .r9, .r2))
      writer.code.emit(.arithmetic(.add, .r8, 1))
    }
    code.emit(.move(.r0, .r9))
    code.emit(.load(.double, .r1, .r10, -8))
    code.emit(.arithmetic(.xor, .r0, .r1))
    code.emit(.arithmetic(.subtract, .r0, .r1))
    code.emit(.exit)
  }

  private mutating func parseSign() {
    let positive = code.makeLabel()
    code.emit(.load(.word, .r2, .r6))
    code.jump(if: .equal, .r2, 0, to: positive)
    code.emit(.load(.byte, .r2, .r6, 4))
    code.jump(if: .notEqual, .r2, 45, to: positive)
    code.emit(.store(.double, .r10, -8, immediate: -1))
    code.emit(.arithmetic(.add, .r8, 1))
    code.place(positive)
  }

  /// Finds the base when it is 0; passes over `0x`.
  private mutating func parsePrefix() {
    let (plain, prefixed, octal) = (code.makeLabel(), code.makeLabel(), code.makeLabel())
    let (decimal, done) = (code.makeLabel(), code.makeLabel())
    code.emit(.load(.word, .r4, .r6))
    code.jump(if: .lessOrEqual, .r4, .r8, to: decimal)
    code.emit(.arithmetic(.subtract, .r4, .r8))
    loadByte(.r2, .r6, .r8)
    code.jump(if: .notEqual, .r2, 48, to: decimal)
    code.jump(if: .lessOrEqual, .r4, 2, to: octal)
    code.emit(.move(.r3, .r8))
    code.emit(.arithmetic(.add, .r3, 1))
    loadByte(.r2, .r6, .r3)
    code.emit(.arithmetic(.or, .r2, 32))
    code.jump(if: .notEqual, .r2, 120, to: octal)
    code.jump(if: .equal, .r7, 0, to: prefixed)
    code.jump(if: .notEqual, .r7, 16, to: done)
    code.place(prefixed)
    code.emit(.move(.r7, 16))
    code.emit(.arithmetic(.add, .r8, 2))
    code.jump(to: done)
    code.place(octal)
    code.jump(if: .notEqual, .r7, 0, to: done)
    code.emit(.move(.r7, 8))
    code.jump(to: done)
    code.place(decimal)
    code.jump(if: .notEqual, .r7, 0, to: plain)
    code.emit(.move(.r7, 10))
    code.place(plain)
    code.place(done)
  }

  /// `r2` = value of the digit in `r2`; goes to `done` when it is none.
  private mutating func digit(_ done: Assembler.Label) {
    let (letter, known) = (code.makeLabel(), code.makeLabel())
    code.emit(.arithmetic(.subtract, .r2, 48))
    code.jump(if: .greater, .r2, 9, to: letter)
    code.jump(to: known)
    code.place(letter)
    code.emit(.arithmetic(.add, .r2, 48))
    code.emit(.arithmetic(.or, .r2, 32))
    code.emit(.arithmetic(.subtract, .r2, 97))
    code.jump(if: .greater, .r2, 25, to: done)
    code.emit(.arithmetic(.add, .r2, 10))
    code.place(known)
  }
}
