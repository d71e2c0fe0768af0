import BPFObject
import TraceIR

// `tokenize`.
extension CodeWriter {
  /// A new text takes the place of the old one; an empty one goes on with it.
  mutating func writeTokenize(_ operands: [Operand], _ result: ValueID?) {
    let state = layout.tokenOffset
    let input = text(operands[0])
    if input != .literal([]) {
      let same = code.makeLabel()
      loadLength(.r2, input)
      code.jump(if: .equal, .r2, 0, to: same)
      copyText(input, toSlot: state + TokenState.textOffset)
      storeScratch(.double, state + TokenState.position, immediate: 0)
      code.place(same)
    }
    // A token that nobody wants is passed over all the same.
    let token = result.flatMap { slot(of: $0) } ?? layout.spareTokenOffset
    scratchAddress(.r1, state)
    scratchAddress(.r2, token)
    textAddress(.r3, text(operands[1]), 0)
    code.call(subprogram(.nextToken))
  }

  /// At the beginning of a hit.
  mutating func clearTokens() {
    storeScratch(.double, layout.tokenOffset + TokenState.position, immediate: 0)
    storeScratch(.word, layout.tokenOffset + TokenState.textOffset, immediate: 0)
  }

  mutating func writeNextToken() {
    move(.r6, .r1)
    storeKept(.r2)
    move(.r7, .r3)
    for word in 0..<4 {
      code.emit(.store(.double, .r6, Int16(TokenState.delimiters + 8 * word), immediate: 0))
    }
    writeUnknownZero(.r8)
    move(.r9, 0)
    repeatRounds { writer, _, done in
      writer.loadWord(.r1, .r7)
      writer.code.jump(if: .greaterOrEqual, .r8, .r1, to: done)
      writer.loadByte(.r2, .r7, .r8)
      writer.delimiterWord(.r2)
      writer.move(.r3, 1)
      writer.code.emit(.arithmetic(.shiftLeft, .r3, .r2))
      writer.loadDouble(.r4, .r1, TokenState.delimiters)
      writer.code.emit(.arithmetic(.or, .r4, .r3))
      writer.storeDouble(.r1, TokenState.delimiters, .r4)
      writer.add(.r8, 1)
    }
    loadKept(.r7)
    loadDouble(.r8, .r6, TokenState.position)
    writeUnknownZero(.r9)
    repeatRounds { writer, next, done in writer.writeTokenRound(next, done) }
    storeDouble(.r6, TokenState.position, .r8)
    storeWord(.r7, 0, .r9)
    finish(0)
  }

  /// `r6` the state, `r7` the token, `r8` the position, `r9` bytes of the token.
  private mutating func writeTokenRound(_ next: Assembler.Label, _ done: Assembler.Label) {
    let delimiter = code.makeLabel()
    loadWord(.r1, .r6, TokenState.textOffset)
    code.jump(if: .greaterOrEqual, .r8, .r1, to: done)
    move(.r1, .r8)
    bound(.r1)
    add(.r1, .r6)
    code.emit(.load(.byte, .r2, .r1, Int16(TokenState.textOffset + 4)))
    add(.r8, 1)
    move(.r3, .r2)
    delimiterWord(.r2)
    loadDouble(.r4, .r1, TokenState.delimiters)
    code.emit(.arithmetic(.shiftRight, .r4, .r2))
    code.emit(.arithmetic(.and, .r4, 1))
    code.jump(if: .notEqual, .r4, 0, to: delimiter)
    storeByte(.r7, .r9, .r3)
    add(.r9, 1)
    code.jump(to: next)
    code.place(delimiter)
    // Those before the token are passed over.
    code.jump(if: .notEqual, .r9, 0, to: done)
  }

  /// `r1` = the state moved to the word with the bit of `byte`, which becomes the bit's number there.
  private mutating func delimiterWord(_ byte: BPFRegister) {
    move(.r1, byte)
    code.emit(.arithmetic(.shiftRight, .r1, 6))
    code.emit(.arithmetic(.shiftLeft, .r1, 3))
    add(.r1, .r6)
    code.emit(.arithmetic(.and, byte, 63))
  }
}
