import BPFObject
import TraceIR

// Numbers as text.
extension CodeWriter {
  /// Digits from the last one on the stack, as many as there are; then one copy.
  mutating func writeAppendHexadecimal() {
    let done = code.makeLabel()
    code.emit(.move(.r6, .r1))
    code.emit(.move(.r7, .r2))
    for count in 1...16 as ClosedRange<Int32> {
      code.emit(.move(.r2, .r7))
      code.emit(.arithmetic(.and, .r2, 15))
      code.emit(.arithmetic(.shiftRight, .r7, 4))
      digitLetter(.r2)
      code.emit(.store(.byte, .r10, Int16(-count), .r2))
      code.emit(.move(.r8, count))
      if count < 16 { code.jump(if: .equal, .r7, 0, to: done) }
    }
    code.place(done)
    copyDigits()
  }

  /// Returns `value`.
  mutating func finish(_ value: Int32) {
    code.emit(.move(.r0, value))
    code.emit(.exit)
  }

  /// Digits from the last one on the stack, as many as there are; then one copy.
  mutating func writeAppendDecimal() {
    let (positive, done) = (code.makeLabel(), code.makeLabel())
    code.emit(.move(.r6, .r1))
    code.emit(.move(.r7, .r2))
    code.jump(if: .equal, .r3, 0, to: positive)
    code.jump(if: .signedGreaterOrEqual, .r7, 0, to: positive)
    code.emit(.negate(.r7))
    code.emit(.load(.word, .r8, .r6))
    code.jump(if: .greaterOrEqual, .r8, Int32(module.field.capacity), to: positive)
    code.emit(.move(.r1, .r8))
    bound(.r1)
    code.emit(.arithmetic(.add, .r1, .r6))
    code.emit(.store(.byte, .r1, 4, immediate: 45))
    code.emit(.arithmetic(.add, .r8, 1))
    code.emit(.store(.word, .r6, 0, .r8))
    code.place(positive)
    for count in 1...20 as ClosedRange<Int32> {
      // r7 = quotient, r2 = digit.
      code.emit(.move(.r2, .r7))
      code.emit(.arithmetic(.divide, .r7, 10))
      code.emit(.move(.r1, .r7))
      code.emit(.arithmetic(.multiply, .r1, 10))
      code.emit(.arithmetic(.subtract, .r2, .r1))
      code.emit(.arithmetic(.add, .r2, 48))
      code.emit(.store(.byte, .r10, Int16(-count), .r2))
      code.emit(.move(.r8, count))
      if count < 20 { code.jump(if: .equal, .r7, 0, to: done) }
    }
    code.place(done)
    copyDigits()
  }

  /// Appends the `r8` bytes below the frame pointer to the string at `r6`, cut to what fits.
  private mutating func copyDigits() {
    let (fits, full) = (code.makeLabel(), code.makeLabel())
    code.emit(.load(.word, .r9, .r6))
    bound(.r9)
    // Nothing may be subtracted from a stack address, and verifiers before 6.5 do not follow a negation.
    code.emit(.move(.r3, 0))
    code.emit(.arithmetic(.subtract, .r3, .r8))
    code.emit(.arithmetic(.add, .r3, .r10))
    code.emit(.move(.r2, Int32(module.field.capacity)))
    code.emit(.arithmetic(.subtract, .r2, .r9))
    code.jump(if: .signedLessOrEqual, .r2, 0, to: full)
    code.jump(if: .lessOrEqual, .r2, .r8, to: fits)
    code.emit(.move(.r2, .r8))
    code.place(fits)
    bound(.r2)
    code.emit(.move(.r1, .r6))
    code.emit(.arithmetic(.add, .r1, .r9))
    code.emit(.arithmetic(.add, .r1, 4))
    code.emit(.arithmetic(.add, .r9, .r2))
    code.emit(.store(.word, .r6, 0, .r9))
    code.call(.probeReadKernel)
    code.place(full)
    finish(0)
  }
}
