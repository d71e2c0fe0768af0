import BPFObject
import TraceIR

// Strings as C source would write them.
extension CodeWriter {
  mutating func writeQuoted(_ operand: Operand, _ result: ValueID) {
    guard let slot = slot(of: result) else { return }
    textAddress(.r2, text(operand), 0)
    scratchAddress(.r1, slot)
    code.call(subprogram(.quoteText))
  }

  /// `r6` = where the text goes, `r7` = the string, `r8` = bytes written, `r9` = bytes read.
  ///
  /// Until the end, the length of the new string says how many bytes leave room for `"...`.
  mutating func writeQuoteText() {
    let cut = code.makeLabel()
    code.emit(.move(.r6, .r1))
    code.emit(.move(.r7, .r2))
    writeUnknownZero(.r8)
    writeUnknownZero(.r9)
    put(UInt8(ascii: "\""))
    code.emit(.store(.word, .r6, 0, .r8))
    let capacity = Int32(module.field.capacity)
    repeatRounds { writer, _, done in
      writer.code.emit(.load(.word, .r1, .r7))
      writer.code.jump(if: .greaterOrEqual, .r9, .r1, to: done)
      writer.code.jump(if: .greater, .r8, capacity - 1, to: done)
      writer.noteRoom()
      writer.loadNextByte()
      writer.writeEscaped()
    }
    code.jump(if: .greater, .r8, capacity - 1, to: cut)
    put(UInt8(ascii: "\""))
    code.emit(.store(.word, .r6, 0, .r8))
    finish(0)
    code.place(cut)
    code.emit(.load(.word, .r8, .r6))
    for byte in "\"...".utf8 { put(byte) }
    code.emit(.store(.word, .r6, 0, .r8))
    finish(0)
  }

  private mutating func noteRoom() {
    let full = code.makeLabel()
    code.jump(if: .greater, .r8, Int32(module.field.capacity - 4), to: full)
    code.emit(.store(.word, .r6, 0, .r8))
    code.place(full)
  }

  /// `r0` = the next byte.
  ///
  /// Both counts get a zero that the verifier takes for any number, or it would follow every round.
  private mutating func loadNextByte() {
    code.emit(.move(.r2, .r9))
    bound(.r2)
    code.emit(.arithmetic(.add, .r2, .r7))
    code.emit(.load(.byte, .r0, .r2, 4))
    code.emit(.load(.double, .r1, .r2, 4))
    code.emit(.move(.r3, .r1))
    code.emit(.arithmetic(.xor, .r1, .r3))
    code.emit(.arithmetic(.add, .r8, .r1))
    code.emit(.arithmetic(.add, .r9, .r1))
    code.emit(.arithmetic(.add, .r9, 1))
  }

  /// Appends `r0`, escaped where C source needs it.
  private mutating func writeEscaped() {
    let (escaped, plain, strange) = (code.makeLabel(), code.makeLabel(), code.makeLabel())
    let (octal, next) = (code.makeLabel(), code.makeLabel())
    code.jump(if: .equal, .r0, 34, to: escaped)
    code.jump(if: .equal, .r0, 92, to: escaped)
    code.jump(if: .less, .r0, 32, to: strange)
    code.jump(if: .greater, .r0, 126, to: strange)
    code.jump(to: plain)
    code.place(escaped)
    put(UInt8(ascii: "\\"))
    code.place(plain)
    put(.r0)
    code.jump(to: next)
    code.place(strange)
    put(UInt8(ascii: "\\"))
    // The letters of 7 to 13, first to last from the lowest byte.
    code.emit(.move(.r3, .r0))
    code.emit(.arithmetic(.subtract, .r3, 7))
    code.jump(if: .greater, .r3, 6, to: octal)
    code.loadConstant(.r2, 0x0072_6676_6e74_6261)
    code.emit(.arithmetic(.shiftLeft, .r3, 3))
    code.emit(.arithmetic(.shiftRight, .r2, .r3))
    code.emit(.arithmetic(.and, .r2, 0xff))
    put(.r2)
    code.jump(to: next)
    code.place(octal)
    for shift in [6, 3, 0] as [Int32] {
      code.emit(.move(.r2, .r0))
      if shift > 0 { code.emit(.arithmetic(.shiftRight, .r2, shift)) }
      code.emit(.arithmetic(.and, .r2, 7))
      code.emit(.arithmetic(.add, .r2, 48))
      put(.r2)
    }
    code.place(next)
  }

  private mutating func put(_ byte: UInt8) {
    code.emit(.move(.r2, Int32(byte)))
    put(.r2)
  }

  /// Appends one byte; uses `r1`.
  private mutating func put(_ register: BPFRegister) {
    code.emit(.move(.r1, .r8))
    bound(.r1)
    code.emit(.arithmetic(.add, .r1, .r6))
    code.emit(.store(.byte, .r1, 4, register))
    code.emit(.arithmetic(.add, .r8, 1))
  }
}
