import BPFObject
import TraceIR

// Appending to a string, cut to what fits.
extension CodeWriter {
  /// `r1` a string, `r2` a byte, `r3` how often: nothing when that is negative.
  mutating func writeAppendFill() {
    move(.r6, .r1)
    move(.r7, .r2)
    move(.r8, .r3)
    move(.r9, 0)
    repeatRounds { writer, _, done in
      writer.code.jump(if: .signedLessOrEqual, .r8, 0, to: done)
      writer.loadWord(.r2, .r6)
      writer.code.jump(if: .greaterOrEqual, .r2, Int32(writer.module.field.capacity), to: done)
      writer.storeByte(.r6, .r2, .r7)
      writer.add(.r2, 1)
      writer.storeWord(.r6, 0, .r2)
      writer.add(.r8, -1)
    }
    finish(0)
  }

  /// `r1` a string, `r2` another one, `r3` where in that to begin, `r4` the most bytes.
  mutating func writeAppendPart() {
    let full = code.makeLabel()
    move(.r6, .r1)
    move(.r7, .r2)
    move(.r8, .r3)
    move(.r9, .r4)
    loadWord(.r1, .r7)
    code.jump(if: .greaterOrEqual, .r8, .r1, to: full)
    subtract(.r1, .r8)
    limit(.r9, to: .r1)
    loadWord(.r2, .r6)
    code.jump(if: .greaterOrEqual, .r2, Int32(module.field.capacity), to: full)
    move(.r3, module.field.capacity)
    subtract(.r3, .r2)
    limit(.r9, to: .r3)
    bound(.r9)
    bound(.r8)
    bound(.r2)
    move(.r1, .r6)
    add(.r1, .r2)
    add(.r1, 4)
    add(.r2, .r9)
    storeWord(.r6, 0, .r2)
    move(.r3, .r7)
    add(.r3, .r8)
    add(.r3, 4)
    move(.r2, .r9)
    code.call(.probeReadKernel)
    code.place(full)
    finish(0)
  }

  /// `r1` a string, `r2` another one, `r3` a width, `r4` the most bytes of it, `r5` flags: `%-20.5s`.
  mutating func writeAppendPadded() {
    let (left, right) = (code.makeLabel(), code.makeLabel())
    let (unterminated, done) = (code.makeLabel(), code.makeLabel())
    move(.r6, .r1)
    move(.r7, .r2)
    move(.r9, .r5)
    limitWidth(.r3, flags: .r9)
    loadWord(.r8, .r7)
    limit(.r8, to: .r4)
    subtract(.r3, .r8)
    storeKept(.r3)
    code.jump(if: .anyBitSet, .r9, TextWork.Flag.left, to: left)
    fill(32) { writer in writer.loadKept(.r3) }
    code.place(left)
    move(.r1, .r6)
    move(.r2, .r7)
    move(.r3, 0)
    move(.r4, .r8)
    code.call(subprogram(.appendPart))
    move(.r1, .r9)
    code.emit(.arithmetic(.and, .r1, TextWork.Flag.left))
    code.jump(if: .equal, .r1, 0, to: right)
    fill(32) { writer in writer.loadKept(.r3) }
    code.jump(to: done)
    code.place(right)
    code.emit(.arithmetic(.and, .r9, TextWork.Flag.terminated))
    code.jump(if: .equal, .r9, 0, to: unterminated)
    fill(0) { writer in writer.move(.r3, 1) }
    code.place(unterminated)
    code.place(done)
    finish(0)
  }

  /// A negative width: its magnitude, and `-` in the place of other flags.
  ///
  /// Uses `r1`.
  mutating func limitWidth(_ width: BPFRegister, flags: BPFRegister) {
    let positive = code.makeLabel()
    code.jump(if: .signedGreaterOrEqual, width, 0, to: positive)
    code.emit(.negate(width))
    move(flags, Int(TextWork.Flag.left))
    code.place(positive)
    limit(width, to: 1 << 20)
  }

  /// Appends `byte` to the string at `r6`; `count` loads `r3`.
  mutating func fill(_ byte: Int, count: (inout CodeWriter) -> Void) {
    count(&self)
    move(.r1, .r6)
    move(.r2, byte)
    code.call(subprogram(.appendFill))
  }

  /// `r1` a string, `r2` another one, `r3` a width, `r4` flags: the bytes of the second in hexadecimal (`%M`).
  mutating func writeAppendHexadecimalBytes() {
    let left = code.makeLabel()
    let done = code.makeLabel()
    move(.r6, .r1)
    move(.r7, .r2)
    move(.r9, .r4)
    limitWidth(.r3, flags: .r9)
    loadWord(.r2, .r7)
    code.emit(.arithmetic(.shiftLeft, .r2, 1))
    subtract(.r3, .r2)
    storeKept(.r3)
    code.jump(if: .anyBitSet, .r9, TextWork.Flag.left, to: left)
    fill(32) { writer in writer.loadKept(.r3) }
    code.place(left)
    writeUnknownZero(.r8)
    repeatRounds { writer, _, done in
      writer.loadWord(.r1, .r7)
      writer.code.jump(if: .greaterOrEqual, .r8, .r1, to: done)
      for shift in [4, 0] as [Int32] {
        writer.loadWord(.r5, .r6)
        writer.code.jump(if: .greaterOrEqual, .r5, Int32(writer.module.field.capacity), to: done)
        writer.loadByte(.r2, .r7, .r8)
        if shift > 0 { writer.code.emit(.arithmetic(.shiftRight, .r2, shift)) }
        writer.code.emit(.arithmetic(.and, .r2, 15))
        writer.digitLetter(.r2)
        writer.storeByte(.r6, .r5, .r2)
        writer.add(.r5, 1)
        writer.storeWord(.r6, 0, .r5)
      }
      writer.add(.r8, 1)
    }
    code.emit(.arithmetic(.and, .r9, TextWork.Flag.left))
    code.jump(if: .equal, .r9, 0, to: done)
    fill(32) { writer in writer.loadKept(.r3) }
    code.place(done)
    finish(0)
  }

  /// `register` = the letter of the hexadecimal digit in it; uses `r3`.
  mutating func digitLetter(_ register: BPFRegister) {
    move(.r3, 9)
    subtract(.r3, register)
    code.emit(.arithmetic(.shiftRight, .r3, 63))
    code.emit(.arithmetic(.multiply, .r3, 39))
    add(register, .r3)
    add(register, 48)
  }
}
