import BPFObject

// The sample variance from exact sums, cut to an integer, as the interpreter computes it:
//
//     (count · Σx² − (Σx)²) / (count · (count − 1))
//
// The dividend has up to 192 bits, the divisor 128.
extension CodeWriter {
  /// Words of the work area, from its start.
  private enum Work {
    /// The dividend, lowest word first.
    static let dividend = (Gathered.work, Gathered.work + 8, Gathered.work + 16)
    static let divisor = (low: Gathered.work + 24, high: Gathered.work + 32)
    static let remainder = (low: Gathered.work + 40, high: Gathered.work + 48)
    static let quotient = Gathered.work + 56
  }

  /// `r1` a ``Gathered`` with squares.
  mutating func writeVariance() {
    let (present, several, fits) = (code.makeLabel(), code.makeLabel(), code.makeLabel())
    let (huge, whole) = (code.makeLabel(), code.makeLabel())
    code.jump(if: .notEqual, .r1, 0, to: present)
    finish(0)
    code.place(present)
    code.emit(.move(.r6, .r1))
    get(.r7, Gathered.count)
    code.jump(if: .signedGreater, .r7, 1, to: several)
    finish(0)
    code.place(several)
    multiplySquares()
    subtractSquaredSum(huge)
    makeDivisor()
    // The quotient must fit in 128 bits, of which the interpreter keeps the lower half.
    get(.r1, Work.dividend.2)
    get(.r2, Work.divisor.high)
    get(.r3, Work.divisor.low)
    code.jump(if: .notEqual, .r2, 0, to: fits)
    code.jump(if: .greaterOrEqual, .r1, .r3, to: huge)
    get(.r4, Work.dividend.1)
    code.emit(.arithmetic(.or, .r4, .r1))
    code.jump(if: .equal, .r4, 0, to: whole)
    code.place(fits)
    divideLong()
    code.emit(.exit)
    code.place(whole)
    get(.r0, Work.dividend.0)
    code.emit(.arithmetic(.divide, .r0, .r3))
    code.emit(.exit)
    code.place(huge)
    code.loadConstant(.r0, Int64.max)
    code.emit(.exit)
  }

  private mutating func get(_ register: BPFRegister, _ offset: Int) {
    code.emit(.load(.double, register, .r6, Int16(offset)))
  }

  private mutating func put(_ register: BPFRegister, _ offset: Int) {
    code.emit(.store(.double, .r6, Int16(offset), register))
  }

  /// `r0` = the upper half of `r1 · r2`.
  private mutating func multiplyHigh() { code.call(function(.highProduct)) }

  /// `carry` = whether `sum`, to which `part` was added, overflowed.
  private mutating func carry(_ carry: BPFRegister, _ sum: BPFRegister, _ part: BPFRegister) {
    let none = code.makeLabel()
    code.emit(.move(carry, 0))
    code.jump(if: .greaterOrEqual, sum, part, to: none)
    code.emit(.move(carry, 1))
    code.place(none)
  }

  /// Dividend = count (`r7`) · sum of squares.
  private mutating func multiplySquares() {
    // The three partial sums as two words: r8 the lower, r9 the upper.
    get(.r8, Gathered.squares)
    get(.r9, Gathered.squares + 8)
    code.emit(.move(.r1, .r9))
    code.emit(.arithmetic(.shiftLeft, .r1, 32))
    code.emit(.arithmetic(.add, .r8, .r1))
    carry(.r2, .r8, .r1)
    code.emit(.arithmetic(.shiftRight, .r9, 32))
    code.emit(.arithmetic(.add, .r9, .r2))
    get(.r1, Gathered.squares + 16)
    code.emit(.arithmetic(.add, .r9, .r1))
    code.emit(.move(.r1, .r8))
    code.emit(.move(.r2, .r7))
    multiplyHigh()
    put(.r0, Work.dividend.1)
    code.emit(.arithmetic(.multiply, .r8, .r7))
    put(.r8, Work.dividend.0)
    code.emit(.move(.r1, .r9))
    code.emit(.move(.r2, .r7))
    multiplyHigh()
    code.emit(.arithmetic(.multiply, .r9, .r7))
    get(.r1, Work.dividend.1)
    code.emit(.arithmetic(.add, .r1, .r9))
    put(.r1, Work.dividend.1)
    carry(.r2, .r1, .r9)
    code.emit(.arithmetic(.add, .r0, .r2))
    put(.r0, Work.dividend.2)
  }

  /// Dividend −= sum²; goes to `huge` when it would be negative, which only sums that wrapped can bring about.
  private mutating func subtractSquaredSum(_ huge: Assembler.Label) {
    let noBorrow = code.makeLabel()
    get(.r8, Gathered.sum)
    writeMagnitude(.r8, sign: .r1)
    code.emit(.move(.r1, .r8))
    code.emit(.move(.r2, .r8))
    multiplyHigh()
    code.emit(.arithmetic(.multiply, .r8, .r8))
    get(.r1, Work.dividend.0)
    carry(.r2, .r1, .r8)
    code.emit(.arithmetic(.subtract, .r1, .r8))
    put(.r1, Work.dividend.0)
    get(.r1, Work.dividend.1)
    carry(.r3, .r1, .r0)
    code.emit(.arithmetic(.subtract, .r1, .r0))
    carry(.r4, .r1, .r2)
    code.emit(.arithmetic(.subtract, .r1, .r2))
    put(.r1, Work.dividend.1)
    code.emit(.arithmetic(.or, .r3, .r4))
    code.jump(if: .equal, .r3, 0, to: noBorrow)
    get(.r1, Work.dividend.2)
    code.jump(if: .equal, .r1, 0, to: huge)
    code.emit(.arithmetic(.subtract, .r1, 1))
    put(.r1, Work.dividend.2)
    code.place(noBorrow)
  }

  /// Divisor = count · (count − 1).
  private mutating func makeDivisor() {
    code.emit(.move(.r1, .r7))
    code.emit(.move(.r2, .r7))
    code.emit(.arithmetic(.subtract, .r2, 1))
    code.emit(.move(.r8, .r2))
    multiplyHigh()
    put(.r0, Work.divisor.high)
    code.emit(.arithmetic(.multiply, .r8, .r7))
    put(.r8, Work.divisor.low)
  }

  /// `r0` = the lower half of the quotient, bit by bit; the dividend's upper word is less than the divisor.
  private mutating func divideLong() {
    get(.r1, Work.dividend.2)
    put(.r1, Work.remainder.low)
    code.emit(.move(.r1, 0))
    put(.r1, Work.remainder.high)
    put(.r1, Work.quotient)
    code.emit(.move(.r7, 0))
    code.emit(.move(.r8, 0))
    writeUnknownZero(.r9)
    repeatRounds { writer, _, done in
      writer.code.jump(if: .greaterOrEqual, .r9, 128, to: done)
      writer.code.emit(.arithmetic(.add, .r9, 1))
      writer.divideBit()
    }
    get(.r0, Work.quotient)
  }

  /// Brings the next bit of the dividend down and subtracts the divisor if it goes in.
  private mutating func divideBit() {
    let (smaller, goesIn) = (code.makeLabel(), code.makeLabel())
    code.emit(.move(.r1, 0))
    for word in [Work.dividend.0, Work.dividend.1, Work.remainder.low, Work.remainder.high] {
      // r1 = the bit that comes from the word below.
      get(.r2, word)
      code.emit(.move(.r3, .r2))
      code.emit(.arithmetic(.shiftRight, .r3, 63))
      code.emit(.arithmetic(.shiftLeft, .r2, 1))
      code.emit(.arithmetic(.or, .r2, .r1))
      put(.r2, word)
      code.emit(.move(.r1, .r3))
    }
    get(.r0, Work.quotient)
    code.emit(.arithmetic(.shiftLeft, .r0, 1))
    get(.r1, Work.remainder.low)
    get(.r2, Work.remainder.high)
    get(.r3, Work.divisor.low)
    get(.r4, Work.divisor.high)
    code.jump(if: .greater, .r2, .r4, to: goesIn)
    code.jump(if: .less, .r2, .r4, to: smaller)
    code.jump(if: .less, .r1, .r3, to: smaller)
    code.place(goesIn)
    carry(.r5, .r1, .r3)
    code.emit(.arithmetic(.subtract, .r1, .r3))
    put(.r1, Work.remainder.low)
    code.emit(.arithmetic(.subtract, .r2, .r4))
    code.emit(.arithmetic(.subtract, .r2, .r5))
    put(.r2, Work.remainder.high)
    code.emit(.arithmetic(.or, .r0, 1))
    code.place(smaller)
    put(.r0, Work.quotient)
  }

  /// `r1 · r2`, the upper 64 of 128 bits, by halves.
  mutating func writeHighProduct() {
    code.emit(.move(.r3, .r1, width: .bits32))
    code.emit(.arithmetic(.shiftRight, .r1, 32))
    code.emit(.move(.r4, .r2, width: .bits32))
    code.emit(.arithmetic(.shiftRight, .r2, 32))
    // r1:r3 · r2:r4; r5 = low · low, r0 = high · high.
    code.emit(.move(.r5, .r3))
    code.emit(.arithmetic(.multiply, .r5, .r4))
    code.emit(.arithmetic(.shiftRight, .r5, 32))
    code.emit(.move(.r0, .r1))
    code.emit(.arithmetic(.multiply, .r0, .r2))
    code.emit(.arithmetic(.multiply, .r1, .r4))
    code.emit(.arithmetic(.multiply, .r3, .r2))
    for mixed in [BPFRegister.r1, .r3] {
      code.emit(.move(.r2, mixed, width: .bits32))
      code.emit(.arithmetic(.add, .r5, .r2))
      code.emit(.arithmetic(.shiftRight, mixed, 32))
      code.emit(.arithmetic(.add, .r0, mixed))
    }
    code.emit(.arithmetic(.shiftRight, .r5, 32))
    code.emit(.arithmetic(.add, .r0, .r5))
    code.emit(.exit)
  }
}
