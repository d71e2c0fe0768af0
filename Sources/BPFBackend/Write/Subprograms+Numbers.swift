import BPFObject
import TraceIR

// Numbers as text.
extension CodeWriter {
  /// Sixteen digits without a branch: each is stored, and the place moves on once a digit was not zero.
  mutating func writeAppendHexadecimal() {
    // r6 = slot, r7 = number, r8 = length so far, r9 = all digits so far or-ed.
    code.emit(.move(.r6, .r1))
    code.emit(.move(.r7, .r2))
    code.emit(.load(.word, .r8, .r6))
    appendByte(48)
    appendByte(120)
    code.emit(.move(.r9, 0))
    for shift in stride(from: 60, through: 0, by: -4) as StrideThrough<Int32> { appendDigit(shift) }
    let fits = code.makeLabel()
    code.jump(if: .lessOrEqual, .r8, Int32(module.field.capacity), to: fits)
    code.emit(.move(.r8, Int32(module.field.capacity)))
    code.place(fits)
    code.emit(.store(.word, .r6, 0, .r8))
    code.emit(.move(.r0, 0))
    code.emit(.exit)
  }

  /// `r1` = where the next byte goes.
  private mutating func loadPlace() {
    code.emit(.move(.r1, .r8))
    bound(.r1)
    code.emit(.arithmetic(.add, .r1, .r6))
  }

  private mutating func appendByte(_ byte: Int32) {
    loadPlace()
    code.emit(.store(.byte, .r1, 4, immediate: byte))
    code.emit(.arithmetic(.add, .r8, 1))
  }

  private mutating func appendDigit(_ shift: Int32) {
    code.emit(.move(.r2, .r7))
    if shift > 0 { code.emit(.arithmetic(.shiftRight, .r2, shift)) }
    code.emit(.arithmetic(.and, .r2, 15))
    code.emit(.arithmetic(.or, .r9, .r2))
    // r3 = 39, the way from '9' to 'a' less one, for digits above 9.
    code.emit(.move(.r3, 9))
    code.emit(.arithmetic(.subtract, .r3, .r2))
    code.emit(.arithmetic(.shiftRight, .r3, 63))
    code.emit(.arithmetic(.multiply, .r3, 39))
    code.emit(.arithmetic(.add, .r2, .r3))
    code.emit(.arithmetic(.add, .r2, 48))
    loadPlace()
    code.emit(.store(.byte, .r1, 4, .r2))
    if shift == 0 { return code.emit(.arithmetic(.add, .r8, 1)) }
    code.emit(.move(.r3, .r9))
    code.emit(.negate(.r3))
    code.emit(.arithmetic(.shiftRight, .r3, 63))
    code.emit(.arithmetic(.add, .r8, .r3))
  }
}
