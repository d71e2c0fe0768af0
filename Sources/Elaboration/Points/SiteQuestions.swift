import MachineCode
import TargetModel

/// What a probe's body asks at each of its sites.
///
/// Asking changes nothing, so that sites are asked side by side.
struct SiteQuestions: Sendable {
  let queries: [TargetQuery]
  /// What the body reads by name or by the ABI.
  let readRegisters: X86Registers
  /// The highest n of its `long_arg(n)`.
  let lastArgument: Int
  /// Whether it reads memory by other ways than target variables.
  let readsMemory: Bool
  /// Whether it shows where in the source a site is.
  let showsPlace: Bool
  let registers: RegisterFile

  init(_ collector: TargetCollector, _ registers: RegisterFile) {
    queries = collector.queries
    readRegisters = collector.readRegisters
    lastArgument = collector.lastArgument
    readsMemory = collector.readsMemory
    showsPlace = collector.showsPlace
    self.registers = registers
  }

  /// The answers, and the place to stand at: the cheaper one if it gives the values of the entry.
  ///
  /// What debug information says of the cheaper place may be another value: by then `f(n) { while (n--) … }` may have
  /// counted down. So variables are located at the entry, those that have no place there are unknown, and the probe
  /// moves when nothing that they are read from was written on the way.
  func ask(_ candidate: ProbeCandidate) -> (ProbeCandidate, [TargetAnswer]) {
    if showsPlace || !queries.isEmpty, let detailed = candidate.detailed?() { return ask(detailed) }
    let canMove =
      candidate.mustMove
      || candidate.writtenRegisters.isDisjoint(with: readRegisters)
        && !(candidate.writesMemory && readsMemory)
    if canMove, queries.isEmpty { return (candidate, []) }
    guard let entry = candidate.atEntry?() else {
      return (candidate, queries.map { candidate.scope.answer($0) })
    }
    let known = queries.map { entry.scope.answer($0) }
    guard canMove else { return (entry, known) }
    if let moved = moved(known, to: candidate) { return (candidate, moved) }
    guard candidate.mustMove else { return (entry, known) }
    let kept = zip(queries, known).map { moved([$1], of: [$0], to: candidate)?.first ?? .notKept($0) }
    return (candidate, kept)
  }

  private func moved(_ known: [TargetAnswer], to candidate: ProbeCandidate) -> [TargetAnswer]? {
    moved(known, of: queries, to: candidate)
  }

  /// The answers of the entry as they can be had at the cheaper place; nil when they cannot.
  private func moved(
    _ known: [TargetAnswer],
    of queries: [TargetQuery],
    to candidate: ProbeCandidate
  ) -> [TargetAnswer]? {
    var isReturn = false
    if case .functionReturn = candidate.trigger { isReturn = true }
    var answers: [TargetAnswer] = []
    for (query, atEntry) in zip(queries, known) {
      var answer = atEntry
      var read = answer.registers(atEntry: isReturn)
      if read.contains(registers.instructionPointer) {
        // Such a plan counts from the instruction that it is for.
        answer = candidate.scope.answer(query)
        guard answer.registers(atEntry: isReturn) == read else { return nil }
        read.remove(registers.instructionPointer)
      }
      guard read.allSatisfy({ candidate.writtenRegisters.isDisjoint(with: X86Registers(dwarf: $0)) }),
        !(candidate.writesMemory && answer.readsMemory)
      else { return nil }
      answers.append(answer)
    }
    return answers
  }
}

extension TargetAnswer {
  /// Where the probe has to stand, what the value is read from has been written since the entry.
  fileprivate static func notKept(_ query: TargetQuery) -> TargetAnswer {
    TargetAnswer(
      TargetProblem(
        id: "variable-unavailable",
        message: "'\(query.text)' cannot be read here: what it is read from has changed where the probe "
          + "stands, behind a first instruction that cannot be probed"
      )
    )
  }
}
