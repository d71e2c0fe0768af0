import BPFObject
import TraceIR

// Strings as C source would write them.
extension CodeWriter {
  /// `r6` = where the text goes, `r7` = the string, `r8` = bytes written, `r9` = bytes read.
  ///
  /// Besides that the most bytes, and above them whether there are quotes, whether what is too long is cut anywhere,
  /// and which quote. Until the end, the length of the new string says how many bytes leave room for `"...`, or for
  /// nothing without quotes.
  mutating func writeEscapeText() {
    let (limited, plain) = (code.makeLabel(), code.makeLabel())
    move(.r6, .r1)
    move(.r7, .r2)
    code.jump(if: .signedGreater, .r3, 0, to: limited)
    move(.r3, module.field.capacity)
    code.place(limited)
    limit(.r3, to: module.field.capacity)
    code.emit(.arithmetic(.shiftLeft, .r4, 32))
    code.emit(.arithmetic(.or, .r3, .r4))
    storeKept(.r3)
    writeUnknownZero(.r8)
    writeUnknownZero(.r9)
    code.emit(.store(.word, .r6, 0, immediate: 0))
    jumpUnlessQuoted(to: plain)
    put(UInt8(ascii: "\""))
    storeWord(.r6, 0, .r8)
    code.place(plain)
    repeatRounds { writer, _, done in
      writer.loadWord(.r1, .r7)
      writer.code.jump(if: .greaterOrEqual, .r9, .r1, to: done)
      writer.code.jump(if: .greater, .r8, Int32(writer.module.field.capacity), to: done)
      writer.noteRoom()
      writer.loadNextByte()
      writer.writeEscaped(done)
      writer.add(.r9, 1)
    }
    endEscaped()
  }

  /// Goes to `label` when there are no quotes; uses `r1`.
  private mutating func jumpUnlessQuoted(to label: Assembler.Label) {
    loadKept(.r1)
    code.emit(.arithmetic(.shiftRight, .r1, 32))
    code.emit(.arithmetic(.and, .r1, 1))
    code.jump(if: .equal, .r1, 0, to: label)
  }

  /// `r4` = the most bytes.
  private mutating func loadLimit() {
    loadKept(.r4)
    code.emit(.arithmetic(.shiftLeft, .r4, 32))
    code.emit(.arithmetic(.shiftRight, .r4, 32))
  }

  private mutating func noteRoom() {
    let full = code.makeLabel()
    loadLimit()
    loadKept(.r1)
    code.emit(.arithmetic(.shiftRight, .r1, 32))
    code.emit(.arithmetic(.and, .r1, 1))
    code.emit(.arithmetic(.shiftLeft, .r1, 2))
    add(.r1, .r8)
    code.jump(if: .greater, .r1, .r4, to: full)
    storeWord(.r6, 0, .r8)
    code.place(full)
  }

  /// `r0` = the next byte.
  ///
  /// The count gets a zero that the verifier takes for any number, or it would follow every round.
  private mutating func loadNextByte() {
    move(.r2, .r9)
    bound(.r2)
    add(.r2, .r7)
    code.emit(.load(.byte, .r0, .r2, 4))
    loadDouble(.r1, .r2, 4)
    move(.r3, .r1)
    code.emit(.arithmetic(.xor, .r1, .r3))
    add(.r8, .r1)
    add(.r9, .r1)
  }

  /// Goes to `done` unless `byteCount` more bytes and a quote fit.
  private mutating func needRoom(_ byteCount: Int, _ done: Assembler.Label) {
    let (unquoted, isCut) = (code.makeLabel(), code.makeLabel())
    jumpIfCut(to: isCut)
    move(.r5, .r8)
    add(.r5, byteCount)
    jumpUnlessQuoted(to: unquoted)
    add(.r5, 1)
    code.place(unquoted)
    loadLimit()
    code.jump(if: .greater, .r5, .r4, to: done)
    code.place(isCut)
  }

  /// Goes to `label` when what is too long is cut anywhere; uses `r1`.
  private mutating func jumpIfCut(to label: Assembler.Label) {
    loadKept(.r1)
    code.emit(.arithmetic(.shiftRight, .r1, 33))
    code.emit(.arithmetic(.and, .r1, 1))
    code.jump(if: .notEqual, .r1, 0, to: label)
  }

  /// Appends `r0`, escaped where C source needs it.
  private mutating func writeEscaped(_ done: Assembler.Label) {
    let (escaped, strange, octal, next) = (
      code.makeLabel(), code.makeLabel(), code.makeLabel(), code.makeLabel()
    )
    loadKept(.r1)
    code.emit(.arithmetic(.shiftRight, .r1, 40))
    code.emit(.arithmetic(.and, .r1, 0xff))
    code.jump(if: .equal, .r0, .r1, to: escaped)
    code.jump(if: .equal, .r0, 92, to: escaped)
    code.jump(if: .less, .r0, 32, to: strange)
    code.jump(if: .greater, .r0, 126, to: strange)
    needRoom(1, done)
    put(.r0)
    code.jump(to: next)
    code.place(escaped)
    needRoom(2, done)
    put(UInt8(ascii: "\\"))
    put(.r0)
    code.jump(to: next)
    code.place(strange)
    // The letters of 7 to 13, first to last from the lowest byte.
    move(.r3, .r0)
    add(.r3, -7)
    code.jump(if: .greater, .r3, 6, to: octal)
    needRoom(2, done)
    put(UInt8(ascii: "\\"))
    code.loadConstant(.r2, 0x0072_6676_6e74_6261)
    code.emit(.arithmetic(.shiftLeft, .r3, 3))
    code.emit(.arithmetic(.shiftRight, .r2, .r3))
    code.emit(.arithmetic(.and, .r2, 0xff))
    put(.r2)
    code.jump(to: next)
    code.place(octal)
    needRoom(4, done)
    put(UInt8(ascii: "\\"))
    for shift in [6, 3, 0] as [Int32] {
      move(.r2, .r0)
      if shift > 0 { code.emit(.arithmetic(.shiftRight, .r2, shift)) }
      code.emit(.arithmetic(.and, .r2, 7))
      add(.r2, 48)
      put(.r2)
    }
    code.place(next)
  }

  /// All bytes were read, or the rest has no room.
  private mutating func endEscaped() {
    let (cut, bare, unquoted) = (code.makeLabel(), code.makeLabel(), code.makeLabel())
    let isCut = code.makeLabel()
    jumpIfCut(to: isCut)
    loadWord(.r1, .r7)
    code.jump(if: .less, .r9, .r1, to: cut)
    code.place(isCut)
    jumpUnlessQuoted(to: bare)
    put(UInt8(ascii: "\""))
    code.place(bare)
    limit(.r8, to: module.field.capacity)
    storeWord(.r6, 0, .r8)
    finish(0)
    code.place(cut)
    loadWord(.r8, .r6)
    jumpUnlessQuoted(to: unquoted)
    for byte in "\"...".utf8 { put(byte) }
    loadLimit()
    let enough = code.makeLabel()
    code.jump(if: .greaterOrEqual, .r4, 5, to: enough)
    move(.r4, 5)
    code.place(enough)
    limit(.r4, to: module.field.capacity)
    limit(.r8, to: .r4)
    storeWord(.r6, 0, .r8)
    code.place(unquoted)
    finish(0)
  }

  private mutating func put(_ byte: UInt8) {
    move(.r2, Int(byte))
    put(.r2)
  }

  /// Appends one byte if it fits, and counts it; uses `r1`.
  private mutating func put(_ register: BPFRegister) {
    let full = code.makeLabel()
    code.jump(if: .greaterOrEqual, .r8, Int32(module.field.capacity), to: full)
    storeByte(.r6, .r8, register)
    code.place(full)
    add(.r8, 1)
  }
}
