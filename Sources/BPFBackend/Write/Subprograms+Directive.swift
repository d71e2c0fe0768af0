import BPFObject
import TraceIR

// `%d`, `%u`, `%o`, `%x`, `%X` and `%p` with flags, width and precision.
extension CodeWriter {
  /// `r1` a ``TextWork`` with the directive, `r2` a string to append to, `r3` the number.
  mutating func writeAppendNumber() {
    move(.r6, .r1)
    move(.r7, .r2)
    move(.r8, .r3)
    takeWidth()
    takeSign()
    noteNothing()
    // From memory, so that the verifier takes it for any number.
    storeDouble(.r6, TextWork.rest, .r8)
    loadDouble(.r8, .r6, TextWork.rest)
    writeDigits()
    measure()
    let (left, right) = (code.makeLabel(), code.makeLabel())
    move(.r9, .r6)
    move(.r6, .r7)
    loadWord(.r8, .r9, TextWork.flags)
    code.emit(.arithmetic(.and, .r8, TextWork.Flag.left))
    code.jump(if: .notEqual, .r8, 0, to: left)
    fill(32) { writer in writer.loadDouble(.r3, .r9, TextWork.padding) }
    code.place(left)
    appendPrefix()
    fill(48) { writer in writer.loadDouble(.r3, .r9, TextWork.zeroCount) }
    appendDigits()
    code.jump(if: .equal, .r8, 0, to: right)
    fill(32) { writer in writer.loadDouble(.r3, .r9, TextWork.padding) }
    code.place(right)
    finish(0)
  }

  private mutating func jumpUnless(_ flag: Int32, to label: Assembler.Label) {
    loadWord(.r1, .r6, TextWork.flags)
    code.emit(.arithmetic(.and, .r1, flag))
    code.jump(if: .equal, .r1, 0, to: label)
  }

  /// A negative width leaves of the flags only what belongs to the conversion; sizes end where no string does.
  private mutating func takeWidth() {
    let (positive, kept) = (code.makeLabel(), code.makeLabel())
    loadDouble(.r2, .r6, TextWork.width)
    code.jump(if: .signedGreaterOrEqual, .r2, 0, to: positive)
    code.emit(.negate(.r2))
    loadWord(.r1, .r6, TextWork.flags)
    let kinds = TextWork.Flag.signed | TextWork.Flag.upper | TextWork.Flag.keepsPrefix
    code.emit(.arithmetic(.and, .r1, kinds))
    code.emit(.arithmetic(.or, .r1, TextWork.Flag.left))
    storeWord(.r6, TextWork.flags, .r1)
    code.emit(.arithmetic(.and, .r1, TextWork.Flag.keepsPrefix))
    code.jump(if: .notEqual, .r1, 0, to: kept)
    code.emit(.store(.word, .r6, Int16(TextWork.prefixByteCount), immediate: 0))
    code.place(kept)
    code.place(positive)
    limit(.r2, to: 1 << 20)
    storeDouble(.r6, TextWork.width, .r2)
    takePrecision()
  }

  /// -1 when it is negative, so that digits can be subtracted.
  private mutating func takePrecision() {
    let (given, done) = (code.makeLabel(), code.makeLabel())
    loadDouble(.r2, .r6, TextWork.precision)
    code.jump(if: .signedGreaterOrEqual, .r2, 0, to: given)
    move(.r2, -1)
    code.jump(to: done)
    code.place(given)
    limit(.r2, to: 1 << 20)
    code.place(done)
    storeDouble(.r6, TextWork.precision, .r2)
  }

  /// `r8` = its magnitude when its sign counts; a minus takes the place of the prefix.
  private mutating func takeSign() {
    let (done, decimal) = (code.makeLabel(), code.makeLabel())
    jumpUnless(TextWork.Flag.signed, to: decimal)
    code.jump(if: .signedGreaterOrEqual, .r8, 0, to: decimal)
    code.emit(.negate(.r8))
    code.emit(.store(.word, .r6, Int16(TextWork.prefixByteCount), immediate: 1))
    code.emit(.store(.word, .r6, Int16(TextWork.prefix), immediate: 45))
    code.jump(to: done)
    code.place(decimal)
    jumpUnless(TextWork.Flag.octal, to: done)
    code.jump(if: .equal, .r8, 0, to: done)
    code.emit(.store(.word, .r6, Int16(TextWork.prefixByteCount), immediate: 1))
    code.emit(.store(.word, .r6, Int16(TextWork.prefix), immediate: 48))
    code.place(done)
  }

  /// `zeroCount` = 1 when there is to be no digit at all: 0 with precision 0.
  private mutating func noteNothing() {
    let something = code.makeLabel()
    code.emit(.store(.double, .r6, Int16(TextWork.zeroCount), immediate: 0))
    loadDouble(.r1, .r6, TextWork.precision)
    code.emit(.arithmetic(.or, .r1, .r8))
    code.jump(if: .notEqual, .r1, 0, to: something)
    code.emit(.store(.double, .r6, Int16(TextWork.zeroCount), immediate: 1))
    code.place(something)
  }

  /// Writes the digits of `r8` from the end of their place; `r9` = how many.
  private mutating func writeDigits() {
    writeUnknownZero(.r9)
    repeatRounds { writer, _, done in
      writer.move(.r2, .r8)
      writer.loadWord(.r3, .r6, TextWork.base)
      writer.code.emit(.arithmetic(.divide, .r8, .r3))
      writer.code.emit(.arithmetic(.multiply, .r3, .r8))
      writer.subtract(.r2, .r3)
      writer.digitLetter(.r2)
      writer.lowerOrUpper()
      writer.move(.r1, .r9)
      writer.code.emit(.arithmetic(.and, .r1, Int32(TextWork.digitByteCount - 1)))
      writer.code.emit(.arithmetic(.xor, .r1, Int32(TextWork.digitByteCount - 1)))
      writer.add(.r1, .r6)
      writer.code.emit(.store(.byte, .r1, Int16(TextWork.digits), .r2))
      writer.add(.r9, 1)
      writer.code.jump(if: .equal, .r8, 0, to: done)
    }
    let something = code.makeLabel()
    loadDouble(.r1, .r6, TextWork.zeroCount)
    code.jump(if: .equal, .r1, 0, to: something)
    move(.r9, 0)
    code.place(something)
    storeDouble(.r6, TextWork.digitCount, .r9)
  }

  /// A letter in `r2` as the directive wants it.
  private mutating func lowerOrUpper() {
    let done = code.makeLabel()
    jumpUnless(TextWork.Flag.upper, to: done)
    code.jump(if: .less, .r2, 97, to: done)
    add(.r2, -32)
    code.place(done)
  }

  /// How many zeros and spaces there must be; `r9` digits.
  private mutating func measure() {
    let (octal, counted, padded) = (code.makeLabel(), code.makeLabel(), code.makeLabel())
    loadDouble(.r3, .r6, TextWork.precision)
    jumpUnless(TextWork.Flag.octal, to: octal)
    code.jump(if: .signedLessOrEqual, .r3, .r9, to: octal)
    code.emit(.store(.word, .r6, Int16(TextWork.prefixByteCount), immediate: 0))
    code.place(octal)
    move(.r4, .r3)
    subtract(.r4, .r9)
    code.jump(if: .signedGreaterOrEqual, .r4, 0, to: counted)
    move(.r4, 0)
    code.place(counted)
    loadDouble(.r5, .r6, TextWork.width)
    loadWord(.r1, .r6, TextWork.prefixByteCount)
    subtract(.r5, .r1)
    subtract(.r5, .r4)
    subtract(.r5, .r9)
    jumpUnless(TextWork.Flag.zero, to: padded)
    code.jump(if: .signedGreaterOrEqual, .r3, 0, to: padded)
    code.jump(if: .signedLessOrEqual, .r5, 0, to: padded)
    add(.r4, .r5)
    move(.r5, 0)
    code.place(padded)
    storeDouble(.r6, TextWork.zeroCount, .r4)
    storeDouble(.r6, TextWork.padding, .r5)
  }

  /// Appends one or two bytes to the string at `r6`; `r9` is the directive from here on.
  private mutating func appendPrefix() {
    let done = code.makeLabel()
    for index in 0...1 as ClosedRange<Int32> {
      loadWord(.r1, .r9, TextWork.prefixByteCount)
      code.jump(if: .lessOrEqual, .r1, index, to: done)
      move(.r1, .r6)
      code.emit(.load(.byte, .r2, .r9, Int16(TextWork.prefix) + Int16(index)))
      move(.r3, 1)
      code.call(subprogram(.appendFill))
    }
    code.place(done)
  }

  private mutating func appendDigits() {
    let full = code.makeLabel()
    loadDouble(.r1, .r9, TextWork.digitCount)
    code.emit(.arithmetic(.and, .r1, Int32(TextWork.digitByteCount - 1)))
    move(.r3, TextWork.digits + TextWork.digitByteCount)
    subtract(.r3, .r1)
    add(.r3, .r9)
    loadWord(.r4, .r6)
    code.jump(if: .greaterOrEqual, .r4, Int32(module.field.capacity), to: full)
    move(.r2, module.field.capacity)
    subtract(.r2, .r4)
    limit(.r2, to: .r1)
    code.emit(.arithmetic(.and, .r2, Int32(TextWork.digitByteCount - 1)))
    bound(.r4)
    move(.r1, .r6)
    add(.r1, .r4)
    add(.r1, 4)
    add(.r4, .r2)
    storeWord(.r6, 0, .r4)
    code.call(.probeReadKernel)
    code.place(full)
  }
}
