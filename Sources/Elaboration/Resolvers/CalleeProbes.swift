import Diagnostics
import Platform
import StapSyntax
import TargetModel

/// `.function("f").callee("g")` and `.callees(n)`: functions when they are called from another one.
///
/// The probe stands in the callee. Which call led there is told by the return address on the stack: it runs only
/// when that is one of the caller's (stapprobes(3stap), ".callee").
struct CalleeSearch {
  let pattern: String
  let depth: Int
  let modifiers: Set<String>
  let place: ProbePlace

  /// A callee with the ways that lead to it.
  private struct Found {
    var function: ProgramFunction
    var text: String
    /// One for each way, the innermost return address first; none for what was inlined.
    var ways: [[LinkAddress]]
  }

  /// More ways than this to one function make its probe too dear.
  private static let mostWays = 64

  /// The callees of `functions` that the pattern names.
  func resolve(_ component: ProbePoint.Component, of functions: [ProgramFunction]) -> ProbeResolution {
    var found: [LinkAddress: Found] = [:]
    var names: Set<String> = []
    var tailCalls: Set<String> = []
    for function in functions where function.variables != nil {
      let text = "process(\"\(place.program.path)\").function(\"\(function.sourceText)\")"
      collect(function, text, ways: [[]], level: 1, &found, &names, &tailCalls)
    }
    var landing = FunctionLanding(SitePoint(place: place, isReturn: modifiers.contains("return")))
    let suffix = modifiers.sorted().map { ".\($0)" }.joined()
    for callee in found.values.sorted(by: { $0.function.entry < $1.function.entry }) {
      add(callee, suffix, component.range, to: &landing)
    }
    guard !found.isEmpty else {
      let near = nearestNames(to: pattern, among: names.sorted())
      return .failed(
        .noSuchCallee(component, known: names.sorted(), near: near, tailCalls: tailCalls.sorted())
      )
    }
    var result = landing.resolution(for: component)
    if !tailCalls.isEmpty { result.warnings.append(.tailCalls(component, tailCalls.sorted())) }
    return result
  }

  private func collect(
    _ caller: ProgramFunction,
    _ callerText: String,
    ways: [[LinkAddress]],
    level: Int,
    _ found: inout [LinkAddress: Found],
    _ names: inout Set<String>,
    _ tailCalls: inout Set<String>
  ) {
    guard level <= depth, let variables = caller.variables else { return }
    for callee in variables.callees() {
      let function = callee.function
      names.insert(function.name)
      let isWanted = isNamed(function) && fits(function)
      let text = callerText + ".callee(\"\(function.sourceText)\")"
      if function.isInlineInstance {
        if isWanted { found[function.entry] = Found(function: function, text: text, ways: []) }
        continue
      }
      if callee.hasTailCall, isWanted { tailCalls.insert(function.name) }
      guard !callee.calls.isEmpty else { continue }
      let longer = callee.calls.flatMap { call in ways.map { [call] + $0 } }
      if isWanted {
        var known = found[function.entry] ?? Found(function: function, text: text, ways: [])
        known.ways += longer
        found[function.entry] = known
      }
      guard longer.count <= Self.mostWays else { continue }
      collect(function, callerText, ways: longer, level: level + 1, &found, &names, &tailCalls)
    }
  }

  private func isNamed(_ function: ProgramFunction) -> Bool {
    GlobPattern.matches(function.name, pattern: pattern)
      || GlobPattern.matches(function.baseName, pattern: pattern)
  }

  private func fits(_ function: ProgramFunction) -> Bool {
    if function.isInlineInstance { return modifiers.isDisjoint(with: ["call", "return"]) }
    return !modifiers.contains("inline")
  }

  private func add(
    _ callee: Found,
    _ suffix: String,
    _ range: SourceRange,
    to landing: inout FunctionLanding
  ) {
    guard !callee.function.isInlineInstance else {
      return landing.add(callee.function, text: callee.text + suffix)
    }
    let ways = callee.ways.compactMap { way in CallerChain(way, place) }
    guard !ways.isEmpty else { return }
    landing.add(callee.function, text: callee.text + suffix) { address in
      let plan = ways.dropFirst().reduce(ways[0].plan(at: address)) {
        LocationPlan.binary(.or, $0, $1.plan(at: address))
      }
      return ElaboratedExpression(.read(plan, inputs: []), type: .long, range)
    }
  }
}

/// The return addresses of a chain of callers, and where on the stack each is.
private struct CallerChain {
  /// Where the word is, at the entry of the innermost function, and what it must be.
  private var frames: [(address: LocationPlan, value: LinkAddress)] = []
  private let instructionPointer: Int
  private let wordByteCount: Int

  /// - Parameter calls: return addresses, innermost first.
  /// - Returns: nil when the place of one of them is not known: its frame is told by a register that was saved.
  init?(_ calls: [LinkAddress], _ place: ProbePlace) {
    let registers = place.environment.registers
    instructionPointer = registers.instructionPointer
    wordByteCount = place.program.abi.addressByteCount
    let word = Int64(wordByteCount)
    // At a function's entry the stack pointer points to the return address.
    var slot = LocationPlan.register(registers.stackPointer)
    for (level, call) in calls.enumerated() {
      frames.append((slot, call))
      guard level + 1 < calls.count else { return }
      guard let frame = place.program.canonicalFrameAddress(at: call) else { return nil }
      // Behind the return, the stack pointer is one word above; other registers are as they were only once.
      let isOnlyStack = frame.registers.subtracting([registers.stackPointer]).isEmpty
      guard level == 0 || isOnlyStack else { return nil }
      let above = frame.replacing(register: registers.stackPointer, with: slot.offset(by: word))
      slot = above.offset(by: -word)
    }
  }

  /// 1 when all are what they must be.
  ///
  /// Link addresses are compared by their distance from the probe, which the place of the file in memory does not change.
  func plan(at address: LinkAddress) -> LocationPlan {
    let conditions = frames.map { frame -> LocationPlan in
      let word = LocationPlan.load(.user, byteCount: wordByteCount, isSigned: false, address: frame.address)
      let distance = Int64(bitPattern: frame.value.raw &- address.raw)
      let here = LocationPlan.register(instructionPointer)
      return .binary(.equal, .binary(.subtract, word, here), .constant(distance))
    }
    return conditions.dropFirst().reduce(conditions[0]) { .binary(.and, $0, $1) }
  }
}
