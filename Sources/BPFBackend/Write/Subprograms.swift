import BPFObject
import TraceIR

/// Code that a program calls instead of repeating it.
enum Subprogram: String, CaseIterable {
  /// `r1` index of a loss counter, `r2` how much to add.
  case lose
  /// `r1`, `r2` strings: the first before (-1), equal to (0) or behind (1) the second.
  case compareTexts = "compare_texts"
  /// `r1` a string in scratch memory, `r2` a number to append in hexadecimal.
  case appendHexadecimal = "append_hex"
  /// `r1` a string in scratch memory, `r2` a number to append, `r3` whether its sign counts.
  case appendDecimal = "append_decimal"
  /// `r1` a ``TextWork`` with a directive, `r2` a string to append to, `r3` a number.
  case appendNumber = "append_number"
  /// `r1` a string, `r2` a byte to append, `r3` how often.
  case appendFill = "append_fill"
  /// `r1` a string to append to, `r2` a string, `r3` where in it to begin, `r4` the most bytes.
  case appendPart = "append_part"
  /// `r1` a string to append to, `r2` a string, `r3` its width, `r4` its most bytes, `r5` flags.
  case appendPadded = "append_padded"
  /// `r1` a string to append to, `r2` bytes, `r3` a width, `r4` flags: in hexadecimal.
  case appendHexadecimalBytes = "append_bytes"
  /// `r1`, `r2` strings: where the second begins in the first, from `r3` on, or -1.
  case findText = "find_text"
  /// `r1` where a string goes, `r2` the text, `r3` what to replace, `r4` by what.
  case replaceText = "replace_text"
  /// `r1` a match area, `r2` a string, `r3` where in the image the table is: whether there is a match.
  case matchRegex = "match_regex"
  /// `r1` a ``TokenState``, `r2` where the token goes, `r3` delimiters.
  case nextToken = "next_token"
  /// `r1` a string, `r2` a base: the number that it begins with.
  case parseNumber = "parse_number"
  /// `r1` where a string goes, `r2` a string, `r3` the most bytes, `r4` whether in quotes and (above) which: the
  /// second with escapes.
  case escapeText = "escape_text"
  /// `r1` a map, `r2` a key, `r3` bytes of a value: zeros for all CPUs.
  case clearShares = "clear_shares"
  /// As `bpf_for_each_map_elem` calls it: `r1` a map, `r2` a key.
  case deleteElement = "delete_element"
  /// `r1` the context: the index of the site that was hit, of siblings in one event.
  case findSite = "find_site"
  /// `r1` the context: the number under which registers and stack were sent, or 0.
  case captureStack = "capture_stack"
  /// `r1` a lock, `r2` who wants it, `r3` whether to wait for nobody on this CPU: 1 when it is ours.
  case waitForLock = "wait_for_lock"
  /// `r1` a lock, `r2` the counter of those that share it, `r3` as above: 1 when it is shared with us.
  case waitToShare = "wait_to_share"
}

extension Subprogram {
  /// Strings and numbers: verified once, on their own, whatever the caller knows.
  ///
  /// Maps: verified at each call, as no other function may take one.
  fileprivate func linkage(_ module: ModuleLayout) -> FunctionLinkage {
    let text = FunctionLinkage.Parameter.memory(byteCount: module.textByteCount)
    return switch self {
    case .lose: .global([.scalar, .scalar])
    case .compareTexts: .global([text, text])
    case .appendHexadecimal, .parseNumber: .global([text, .scalar])
    case .appendDecimal, .appendFill: .global([text, .scalar, .scalar])
    case .appendNumber: .global([.memory(byteCount: TextWork.byteCount), text, .scalar])
    case .appendPart, .appendHexadecimalBytes, .escapeText: .global([text, text, .scalar, .scalar])
    case .appendPadded: .global([text, text, .scalar, .scalar, .scalar])
    case .findText: .global([text, text, .scalar])
    case .replaceText: .global([text, text, text, text])
    case .matchRegex: .global([.memory(byteCount: 4 * module.regexes.wordCount), text, .scalar])
    case .nextToken:
      .global([.memory(byteCount: TokenState.textOffset + module.textByteCount), text, text])
    case .clearShares, .deleteElement, .findSite, .waitForLock, .waitToShare, .captureStack: .static
    }
  }
}

extension CodeWriter {
  mutating func subprogram(_ kind: Subprogram) -> Assembler.Function {
    if let known = subprograms[kind] { return known }
    let function = code.makeFunction(
      kind.rawValue,
      linkage: kind.linkage(module)
    )
    subprograms[kind] = function
    return function
  }

  /// Writes those that were called; after the main function.
  mutating func writeSubprograms() {
    var written: Set<Subprogram> = []
    // They call each other: until there is none left.
    while let kind = Subprogram.allCases.first(where: { subprograms[$0] != nil && !written.contains($0) }) {
      guard let function = subprograms[kind] else { return }
      written.insert(kind)
      code.begin(function)
      refuseNull(kind)
      write(kind)
      writePendingRounds()
    }
  }

  /// The verifier takes memory parameters for possibly null; no caller passes that.
  private mutating func refuseNull(_ kind: Subprogram) {
    guard case .global(let parameters) = kind.linkage(module) else { return }
    for (parameter, register) in zip(parameters, [BPFRegister.r1, .r2, .r3, .r4, .r5]) {
      guard case .memory = parameter else { continue }
      let present = code.makeLabel()
      code.jump(if: .notEqual, register, 0, to: present)
      finish(0)
      code.place(present)
    }
  }

  private mutating func write(_ kind: Subprogram) {
    switch kind {
    case .lose: writeLose()
    case .compareTexts: writeCompareTexts()
    case .appendHexadecimal: writeAppendHexadecimal()
    case .appendDecimal: writeAppendDecimal()
    case .findText: writeFindText()
    case .parseNumber: writeParseNumber()
    case .escapeText: writeEscapeText()
    case .appendNumber: writeAppendNumber()
    case .appendFill: writeAppendFill()
    case .appendPart: writeAppendPart()
    case .appendPadded: writeAppendPadded()
    case .appendHexadecimalBytes: writeAppendHexadecimalBytes()
    case .replaceText: writeReplaceText()
    case .nextToken: writeNextToken()
    case .matchRegex: writeMatchRegex()
    case .clearShares: writeClearShares()
    case .deleteElement: writeDeleteElement()
    case .findSite: writeFindSite()
    case .captureStack: writeCaptureStackBody()
    case .waitForLock: writeWaitForLock()
    case .waitToShare: writeWaitToShare()
    }
  }

  /// Counts one lost hit, record or update.
  ///
  /// Uses all of `r0`–`r5`.
  mutating func lose(_ reason: LossReason) {
    code.emit(.move(.r2, 1))
    loseMany(reason)
  }

  /// Counts as many as `r2` says.
  mutating func loseMany(_ reason: LossReason) {
    let index = facts.index * LossReason.allCases.count + reason.rawValue
    code.emit(.move(.r1, Int32(index)))
    code.call(subprogram(.lose))
  }

  private mutating func writeLose() {
    let done = code.makeLabel()
    code.emit(.move(.r6, .r2))
    code.emit(.store(.word, .r10, -8, .r1))
    code.loadMap(.r1, ModuleMaps.losses)
    stackAddress(.r2, -8)
    code.call(.mapLookupElement)
    code.jump(if: .equal, .r0, 0, to: done)
    code.emit(.atomic(.add, .double, .r0, 0, .r6))
    code.place(done)
    code.emit(.move(.r0, 0))
    code.emit(.exit)
  }

  /// Eight bytes a round, as big-endian numbers where they differ.
  ///
  /// A difference behind the end of the shorter string is shifted away.
  private mutating func writeCompareTexts() {
    let (whole, lengths) = (code.makeLabel(), code.makeLabel())
    let (less, greater) = (code.makeLabel(), code.makeLabel())
    writeCompareStart()
    repeatRounds { writer, _, done in
      writer.code.jump(if: .greaterOrEqual, .r9, .r8, to: done)
      writer.loadCompared()
      writer.code.jump(if: .notEqual, .r0, .r1, to: done)
      // Both are equal; their difference hides the count from the verifier, which would follow every round.
      writer.code.emit(.arithmetic(.xor, .r0, .r1))
      writer.code.emit(.arithmetic(.add, .r9, .r0))
      writer.code.emit(.arithmetic(.add, .r9, 8))
    }
    code.jump(if: .greaterOrEqual, .r9, .r8, to: lengths)
    loadCompared()
    code.emit(.toBigEndian(.r0, .double))
    code.emit(.toBigEndian(.r1, .double))
    code.emit(.arithmetic(.subtract, .r8, .r9))
    code.jump(if: .greaterOrEqual, .r8, 8, to: whole)
    code.emit(.move(.r2, 8))
    code.emit(.arithmetic(.subtract, .r2, .r8))
    code.emit(.arithmetic(.shiftLeft, .r2, 3))
    code.emit(.arithmetic(.shiftRight, .r0, .r2))
    code.emit(.arithmetic(.shiftRight, .r1, .r2))
    code.place(whole)
    code.jump(if: .less, .r0, .r1, to: less)
    code.jump(if: .greater, .r0, .r1, to: greater)
    code.place(lengths)
    code.emit(.load(.word, .r0, .r6))
    code.emit(.load(.word, .r1, .r7))
    code.jump(if: .less, .r0, .r1, to: less)
    code.jump(if: .greater, .r0, .r1, to: greater)
    for (label, order) in [(nil, 0), (less, -1), (greater, 1)] as [(Assembler.Label?, Int32)] {
      if let label { code.place(label) }
      finish(order)
    }
  }

  /// `r6`, `r7` the strings, `r8` the length of the shorter one, `r9` = 0.
  private mutating func writeCompareStart() {
    code.emit(.move(.r6, .r1))
    code.emit(.move(.r7, .r2))
    code.emit(.load(.word, .r8, .r6))
    code.emit(.load(.word, .r9, .r7))
    let shorter = code.makeLabel()
    code.jump(if: .lessOrEqual, .r8, .r9, to: shorter)
    code.emit(.move(.r8, .r9))
    code.place(shorter)
    bound(.r8)
    writeUnknownZero(.r9)
  }

  /// `r0`, `r1` = the eight bytes behind the first `r9` of both strings.
  private mutating func loadCompared() {
    code.emit(.move(.r3, .r9))
    bound(.r3)
    code.emit(.move(.r1, .r6))
    code.emit(.arithmetic(.add, .r1, .r3))
    code.emit(.load(.double, .r0, .r1, 4))
    code.emit(.move(.r2, .r7))
    code.emit(.arithmetic(.add, .r2, .r3))
    code.emit(.load(.double, .r1, .r2, 4))
  }
}
