import BPFObject
import TraceIR

// `str_replace`.
extension CodeWriter {
  /// `r6` = where the text goes, `r7` = the text, `r8` = what to replace, `r9` = by what; besides that, where to go
  /// on in the text.
  mutating func writeReplaceText() {
    let rest = code.makeLabel()
    move(.r6, .r1)
    move(.r7, .r2)
    move(.r8, .r3)
    move(.r9, .r4)
    code.emit(.store(.word, .r6, 0, immediate: 0))
    writeUnknownZero(.r1)
    storeKept(.r1)
    loadWord(.r1, .r8)
    code.jump(if: .equal, .r1, 0, to: rest)
    repeatRounds { writer, _, done in
      writer.move(.r1, .r7)
      writer.move(.r2, .r8)
      writer.loadKept(.r3)
      writer.code.call(writer.subprogram(.findText))
      writer.code.jump(if: .signedLess, .r0, 0, to: done)
      writer.loadKept(.r3)
      writer.move(.r4, .r0)
      writer.subtract(.r4, .r3)
      writer.loadWord(.r1, .r8)
      writer.add(.r0, .r1)
      writer.storeKept(.r0)
      writer.move(.r1, .r6)
      writer.move(.r2, .r7)
      writer.code.call(writer.subprogram(.appendPart))
      writer.move(.r1, .r6)
      writer.move(.r2, .r9)
      writer.move(.r3, 0)
      writer.loadWord(.r4, .r9)
      writer.code.call(writer.subprogram(.appendPart))
      writer.loadWord(.r1, .r6)
      writer.code.jump(if: .greaterOrEqual, .r1, Int32(writer.module.field.capacity), to: done)
    }
    code.place(rest)
    move(.r1, .r6)
    move(.r2, .r7)
    loadKept(.r3)
    move(.r4, -1)
    code.call(subprogram(.appendPart))
    finish(0)
  }
}
