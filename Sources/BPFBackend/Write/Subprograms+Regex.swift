import BPFObject
import TraceIR

// `=~`, `matched` and `ngroups`: a byte or a move a round, by the tables of ``RegexImage``.
extension CodeWriter {
  private typealias Word = RegexImage.Word
  private typealias Head = RegexImage.Table

  private static let noMatch = "no successful regex match"

  mutating func writeMatch(
    _ result: ValueID,
    _ operand: Operand,
    _ pattern: String
  ) throws(BPFBackendError) {
    if isUnused(result), !demand.usesCaptures { return }
    guard let table = module.regexes.offsets[pattern] else {
      let reason = module.regexes.refused[pattern] ?? "it has no table"
      let message = "the regular expression \"\(pattern)\": \(reason)"
      throw .tooLarge(message, location: shared.program.text(of: location))
    }
    var subject = text(operand)
    if demand.usesCaptures {
      copyText(subject, toSlot: layout.subjectOffset)
      subject = .memory(layout.subjectOffset)
    }
    scratchAddress(.r1, layout.matchOffset)
    textAddress(.r2, subject, 0)
    move(.r3, table)
    code.call(subprogram(.matchRegex))
    store(.r0, result)
  }

  /// At the beginning of a hit.
  mutating func clearMatch() { storeScratch(.word, layout.matchOffset, immediate: 0) }

  /// Faults without a match also when nobody wants the number.
  mutating func writeGroupCount(_ result: ValueID?) {
    let matched = code.makeLabel()
    loadScratch(.word, .r0, layout.matchOffset)
    code.jump(if: .notEqual, .r0, 0, to: matched)
    writeFault(.raised, subject: .long(0), .string("ngroups: " + Self.noMatch))
    code.place(matched)
    guard let result else { return }
    code.emit(.arithmetic(.shiftRight, .r0, 1))
    store(.r0, result)
  }

  mutating func writeMatched(_ result: ValueID?, _ group: Operand) {
    let (matched, known, done) = (code.makeLabel(), code.makeLabel(), code.makeLabel())
    loadScratch(.word, .r1, layout.matchOffset)
    code.jump(if: .notEqual, .r1, 0, to: matched)
    writeFault(.raised, subject: .long(0), .string("matched: " + Self.noMatch))
    code.place(matched)
    code.emit(.arithmetic(.shiftRight, .r1, 1))
    load(group, into: .r2)
    code.jump(if: .less, .r2, .r1, to: known)
    writeFault(.raised, subject: .long(0), .string("matched: no such subexpression"))
    code.place(known)
    guard let slot = result.flatMap({ self.slot(of: $0) }) else { return }
    storeScratch(.word, slot, immediate: 0)
    code.emit(.arithmetic(.shiftLeft, .r2, 1))
    wordAddress(.r2)
    scratchAddress(.r1, layout.matchOffset)
    add(.r2, .r1)
    for (offset, register) in [(0, BPFRegister.r3), (4, .r4)] {
      loadWord(register, .r2, Word.bounds * 4 + offset)
      code.emit(.arithmetic(.shiftLeft, register, 32))
      code.emit(.arithmetic(.arithmeticShiftRight, register, 32))
      code.jump(if: .signedLess, register, 0, to: done)
    }
    subtract(.r4, .r3)
    code.jump(if: .signedLessOrEqual, .r4, 0, to: done)
    scratchAddress(.r1, slot)
    scratchAddress(.r2, layout.subjectOffset)
    code.call(subprogram(.appendPart))
    code.place(done)
  }

  /// `register` = offset of the word of that number in the match area; what follows it may be reached too.
  private mutating func wordAddress(_ register: BPFRegister) {
    code.emit(.arithmetic(.and, register, Int32(module.regexes.wordCount - 1)))
    code.emit(.arithmetic(.shiftLeft, register, 2))
  }

  /// `register` = address in the image of the offset in it; uses `r0`.
  private mutating func imageAddress(_ register: BPFRegister) {
    code.emit(.arithmetic(.and, register, module.regexes.mask))
    code.loadMapValue(.r0, ModuleMaps.regexes)
    add(register, .r0)
  }

  // MARK: The subprogram

  /// `r6` = match area, `r7` = text, `r8` = position, `r9` = state, all ones once it is over.
  mutating func writeMatchRegex() {
    let over = code.makeLabel()
    move(.r6, .r1)
    move(.r7, .r2)
    storeWord(.r6, 4 * Word.table, .r3)
    for (word, value) in [
      (Word.boundCount, 0), (Word.position, 0), (Word.unset, -1), (Word.zero, 0), (Word.moveCount, 0),
    ] as [(Int, Int32)] {
      code.emit(.store(.word, .r6, Int16(4 * word), immediate: value))
    }
    imageAddress(.r3)
    loadWord(.r1, .r3, Head.boundCount)
    storeWord(.r6, 4 * Word.allBounds, .r1)
    loadWord(.r2, .r3, Head.start)
    beginMoves()
    writeUnknownZero(.r8)
    writeUnknownZero(.r9)
    repeatRounds { writer, next, done in writer.writeMatchRound(next, done) }
    code.jump(if: .equal, .r9, -1, to: over)
    loadTable(.r3)
    loadWord(.r2, .r3, Head.ends)
    code.emit(.arithmetic(.shiftLeft, .r9, 2))
    add(.r2, .r9)
    imageAddress(.r2)
    loadWord(.r2, .r2)
    beginMoves()
    repeatRounds { writer, next, done in
      writer.loadWord(.r1, .r6, 4 * Word.moveCount)
      writer.code.jump(if: .equal, .r1, 0, to: done)
      writer.moveOne()
      writer.code.jump(to: next)
    }
    code.place(over)
    // 1 or 0.
    loadWord(.r0, .r6, 4 * Word.boundCount)
    code.emit(.negate(.r0))
    code.emit(.arithmetic(.shiftRight, .r0, 63))
    code.emit(.exit)
  }

  /// `register` = the table's head; uses `r0`.
  private mutating func loadTable(_ register: BPFRegister) {
    loadWord(register, .r6, 4 * Word.table)
    imageAddress(register)
  }

  private mutating func writeMatchRound(_ next: Assembler.Label, _ done: Assembler.Label) {
    let (ready, goesOn, found) = (code.makeLabel(), code.makeLabel(), code.makeLabel())
    loadWord(.r1, .r6, 4 * Word.moveCount)
    code.jump(if: .equal, .r1, 0, to: ready)
    moveOne()
    code.jump(to: next)
    code.place(ready)
    loadWord(.r1, .r7)
    code.jump(if: .greaterOrEqual, .r8, .r1, to: done)
    loadByte(.r2, .r7, .r8)
    add(.r8, 1)
    storeWord(.r6, 4 * Word.position, .r8)
    loadTable(.r3)
    move(.r4, .r3)
    add(.r4, .r2)
    code.emit(.load(.byte, .r4, .r4, Int16(Head.classes)))
    loadWord(.r5, .r3, Head.classCount)
    code.emit(.arithmetic(.multiply, .r5, .r9))
    add(.r5, .r4)
    code.emit(.arithmetic(.shiftLeft, .r5, 3))
    loadWord(.r2, .r3, Head.transitions)
    add(.r5, .r2)
    imageAddress(.r5)
    loadWord(.r9, .r5)
    loadWord(.r2, .r5, 4)
    code.jump(if: .equal, .r9, -1, width: .bits32, to: found)
    code.jump(if: .notEqual, .r9, -2, width: .bits32, to: goesOn)
    code.emit(.store(.word, .r6, Int16(4 * Word.boundCount), immediate: 1))
    code.place(found)
    move(.r9, -1)
    code.jump(to: done)
    code.place(goesOn)
    beginMoves()
  }

  /// Goes to the list of moves at offset `r2`, if there is one.
  private mutating func beginMoves() {
    let none = code.makeLabel()
    code.jump(if: .equal, .r2, 0, to: none)
    move(.r3, .r2)
    imageAddress(.r3)
    loadWord(.r1, .r3)
    storeWord(.r6, 4 * Word.moveCount, .r1)
    add(.r2, 4)
    storeWord(.r6, 4 * Word.nextMove, .r2)
    code.place(none)
  }

  private mutating func moveOne() {
    loadWord(.r2, .r6, 4 * Word.nextMove)
    move(.r3, .r2)
    imageAddress(.r3)
    loadWord(.r3, .r3)
    move(.r4, .r3)
    code.emit(.arithmetic(.shiftRight, .r4, 16))
    wordAddress(.r4)
    add(.r4, .r6)
    loadWord(.r5, .r4)
    wordAddress(.r3)
    add(.r3, .r6)
    storeWord(.r3, 0, .r5)
    add(.r2, 4)
    storeWord(.r6, 4 * Word.nextMove, .r2)
    loadWord(.r1, .r6, 4 * Word.moveCount)
    add(.r1, -1)
    storeWord(.r6, 4 * Word.moveCount, .r1)
  }
}
