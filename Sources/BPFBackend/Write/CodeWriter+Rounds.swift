import BPFObject
import TraceIR

// Loops for verifiers that follow every round (before Linux 6.9): `bpf_loop` calls the body of the probe again and
// again. A jump backwards becomes a return to it, and the next call goes on where that jump went:
//
//     main:    claim scratch memory, find the entry frame         body:    load the pointers
//              resume = 0                                                  switch (resume) 1: goto first; …
//              bpf_loop(…, body, pointers)                                 …
//              give back                                          first:   one round
//              return                                                      resume = 1; return 0
//                                                                          …
//                                                                 end:     send output; return 1
//
// What goes from round to round is in scratch memory, so that the verifier knows nothing of it and one look at the
// body is enough. On the stack of `main` are only the pointers, which never change: before commit ab5cfac139ab
// (Linux 6.7) the verifier believes what a callback's first run left there.
extension CodeWriter {
  /// The most calls that `bpf_loop` makes (`BPF_MAX_LOOPS`).
  static let maximumCalls = 1 << 23
  /// The same, less the first and the last call.
  static let maximumRounds = maximumCalls - 2

  /// Calls `function` until it answers 1, at most `count` times, with the address of the stack at `context`, or null.
  mutating func callInLoop(_ function: Assembler.Function, context: Int?, count: Int = maximumCalls) {
    code.emit(.move(.r1, Int32(count)))
    code.loadFunction(.r2, function)
    if let context { stackAddress(.r3, context) } else { code.emit(.move(.r3, 0)) }
    code.emit(.move(.r4, 0))
    code.call(.loop)
  }

  /// Where the rounds of a loop begin; goes to `exhausted` when the kernel has enough of them.
  mutating func beginRound(_ exhausted: Assembler.Label) -> Assembler.Label {
    let start = makeRound()
    placeRound(start, exhausted)
    return start
  }

  /// The start of rounds that are jumped to before they are written.
  mutating func makeRound() -> Assembler.Label {
    let start = code.makeLabel()
    if demand.runsInRounds { roundStarts.append(start) }
    return start
  }

  mutating func placeRound(_ start: Assembler.Label, _ exhausted: Assembler.Label) {
    code.place(start)
    if !demand.runsInRounds { code.mayGoto(exhausted) }
  }

  /// Goes to the next round of the loop that begins at `start`.
  mutating func goOn(_ start: Assembler.Label) {
    guard let index = roundStarts.firstIndex(of: start) else { return code.jump(to: start) }
    storeScratch(.word, layout.resumeOffset, immediate: Int32(index + 1))
    finish(0)
  }

  /// Registers that the body finds as they were in the main function, each with its place on that one's stack.
  private var pointers: [(register: BPFRegister, offset: Int16)] {
    let registers = [layout.contextRegister, layout.scratchRegister, layout.entryRegister].compactMap { $0 }
    return registers.enumerated().map { ($1, Int16(-8 * ($0 + 1))) }
  }

  mutating func writeInRounds(_ steps: [Step], _ lock: LockPlan.Use?) throws(BPFBackendError) {
    let body = code.makeFunction("body")
    storeScratch(.word, layout.resumeOffset, immediate: 0)
    for (register, offset) in pointers { code.emit(.store(.double, .r10, offset, register)) }
    callInLoop(body, context: -8 * pointers.count)
    code.place(ends.end)
    leave()
    begin(body)
    try writeBody(steps, lock)
  }

  /// `r2` = the place of the last pointer.
  private mutating func writeBody(_ steps: [Step], _ lock: LockPlan.Use?) throws(BPFBackendError) {
    let again = code.makeLabel()
    let last = pointers.last?.offset ?? 0
    for (register, offset) in pointers { code.emit(.load(.double, register, .r2, offset - last)) }
    loadScratch(.word, .r1, layout.resumeOffset)
    code.jump(if: .notEqual, .r1, 0, to: again)
    try writeGuarded(steps, lock)
    code.place(ends.end)
    endOutput()
    finish(1)
    code.place(again)
    for (index, start) in roundStarts.enumerated() { code.jump(if: .equal, .r1, Int32(index + 1), to: start) }
    finish(1)
    writeUncaught()
  }
}

// MARK: Subprograms

extension CodeWriter {
  /// Writes one round of a loop: falls through or goes to `next` for another one, to `done` for none.
  typealias Round = (_ writer: inout CodeWriter, _ next: Assembler.Label, _ done: Assembler.Label) -> Void

  /// A round that is to become a function of its own, behind the one that is being written.
  struct PendingRound {
    let function: Assembler.Function
    let write: Round
  }

  /// What a round finds as the one before left it, and its place on the stack of the function with the loop.
  private static let kept: [(register: BPFRegister, offset: Int16)] = [
    (.r6, -40), (.r7, -32), (.r8, -24), (.r9, -16),
  ]

  /// Repeats `round` in a subprogram: `r6` and `r7` stay as they are, `r8` and `r9` go from round to round and
  /// out of the last one.
  ///
  /// What rounds change must begin as a number that the verifier cannot know (``writeUnknownZero(_:)``): it may
  /// look at one round only.
  mutating func repeatRounds(_ round: @escaping Round) {
    if shared.target.hasMayGoto {
      let (start, next, done) = (code.makeLabel(), code.makeLabel(), code.makeLabel())
      code.place(start)
      code.mayGoto(done)
      round(&self, next, done)
      code.place(next)
      code.jump(to: start)
      return code.place(done)
    }
    let function = code.makeFunction("round")
    pendingRounds.append(PendingRound(function: function, write: round))
    for (register, offset) in Self.kept { code.emit(.store(.double, .r10, offset, register)) }
    callInLoop(function, context: -40)
    for (register, offset) in Self.kept { code.emit(.load(.double, register, .r10, offset)) }
  }

  /// Where on the stack of a function with a loop something is kept besides `r6` to `r9`.
  private static let keptOffset = -8

  /// `register` = what is kept besides, in a round or outside.
  mutating func loadKept(_ register: BPFRegister) {
    guard isInRound else { return loadDouble(register, .r10, Self.keptOffset) }
    loadDouble(register, .r10, -8)
    loadDouble(register, register, 40 + Self.keptOffset)
  }

  /// Keeps something else besides; uses `r5` in a round.
  mutating func storeKept(_ register: BPFRegister) {
    guard isInRound else { return storeDouble(.r10, Self.keptOffset, register) }
    loadDouble(.r5, .r10, -8)
    storeDouble(.r5, 40 + Self.keptOffset, register)
  }

  /// Writes the rounds of the function before.
  mutating func writePendingRounds() {
    isInRound = true
    for pending in pendingRounds {
      code.begin(pending.function)
      code.emit(.store(.double, .r10, -8, .r2))
      for (register, offset) in Self.kept { code.emit(.load(.double, register, .r2, offset + 40)) }
      let (next, done) = (code.makeLabel(), code.makeLabel())
      pending.write(&self, next, done)
      for (label, result) in [(next, 0), (done, 1)] as [(Assembler.Label, Int32)] {
        code.place(label)
        code.emit(.load(.double, .r2, .r10, -8))
        for (register, offset) in Self.kept.suffix(2) {
          code.emit(.store(.double, .r2, offset + 40, register))
        }
        finish(result)
      }
    }
    isInRound = false
    pendingRounds.removeAll()
  }
}
