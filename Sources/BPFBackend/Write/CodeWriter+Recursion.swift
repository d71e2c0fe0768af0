import BPFObject
import TraceIR

/// The recursion that is being written.
struct OpenRecursion {
  let recursion: Recursion
  let entries: [FunctionID: Assembler.Label]
  /// Where faults go whose handler depends on who called; nil: it never does.
  let unwind: Assembler.Label?
  let exhausted: Assembler.Label
  /// How many handlers were open outside.
  let handlerCount: Int
  /// Where each recursive call goes on; the first one is number 1.
  var returns: [Assembler.Label] = []
  /// Where a fault of a callee is caught, by the number of the call.
  var landings: [(call: Int, label: Assembler.Label)] = []
}

// Recursive functions (``Recursion``). Calls and returns are jumps, in loops as the verifier sees them.
extension CodeWriter {
  mutating func writeActivation(_ recursion: Recursion) throws(BPFBackendError) {
    beginLoop()
    let place = location
    let exhausted = code.makeLabel()
    let done = code.makeLabel()
    var entries: [FunctionID: Assembler.Label] = [:]
    for function in recursion.functions { entries[function.id] = makeRound() }
    let dispatch = makeRound()
    self.recursion = OpenRecursion(
      recursion: recursion,
      entries: entries,
      unwind: recursion.unwinds ? makeRound() : nil,
      exhausted: exhausted,
      handlerCount: handlers.count
    )
    spend(recursion.budget, exhausted)
    writeStoreLocal(recursion.caller, .long(0))
    if let function = recursion.functions.first(where: { $0.id == recursion.entry }) {
      for (argument, operand) in zip(function.arguments, recursion.operands) {
        writeStoreLocal(argument, operand)
      }
    }
    enter(recursion.entry)
    for function in recursion.functions {
      if let entry = entries[function.id] { placeRound(entry, exhausted) }
      try write(function.steps)
      goOn(dispatch)
    }
    placeRound(dispatch, exhausted)
    writeDispatch(done)
    writeUnwinding()
    self.recursion = nil
    code.place(exhausted)
    visit(place)
    raise(.actionBudget, subject: 0)
    code.place(done)
  }

  private mutating func enter(_ function: FunctionID) {
    if let entry = recursion?.entries[function] { goOn(entry) }
  }

  /// Goes where the activation that ends was called.
  private mutating func writeDispatch(_ done: Assembler.Label) {
    guard let open = recursion else { return }
    load(layout.home(open.recursion.caller), into: .r1)
    code.jump(if: .equal, .r1, 0, to: done)
    for (index, label) in open.returns.enumerated() {
      let other = code.makeLabel()
      code.jump(if: .notEqual, .r1, Int32(index + 1), to: other)
      goOn(label)
      code.place(other)
    }
    code.jump(to: ends.end)
  }

  // MARK: Calls

  mutating func writeRecursiveCall(_ function: FunctionID, _ passed: [PassedLocal]) {
    guard let open = recursion else { return }
    let number = open.returns.count + 1
    let back = makeRound()
    recursion?.returns.append(back)
    let (exceeded, affordable) = (code.makeLabel(), code.makeLabel())
    spend(open.recursion.budget, exceeded)
    code.jump(to: affordable)
    code.place(exceeded)
    raise(.actionBudget, subject: 0)
    code.place(affordable)
    saveRegion(open.recursion)
    for local in passed { copy(local.from, to: local.to) }
    writeStoreLocal(open.recursion.caller, .long(Int64(number)))
    enter(function)
    placeRound(back, open.exhausted)
    restoreRegion(open.recursion)
    if open.unwind != nil, handlers.count > open.handlerCount, let handler = handlers.last {
      writeLanding(number, handler, open)
    }
  }

  private mutating func copy(_ source: LocalID, to destination: LocalID) {
    let (from, to) = (layout.home(source), layout.home(destination))
    guard to != .unused else { return }
    if layout.isText(source), case .scratch(let from) = from, case .scratch(let to) = to {
      return copyText(.memory(from), toSlot: to)
    }
    load(from, into: .r0)
    store(.r0, in: to)
  }

  /// `r1` = the frame with the number in `r1`.
  private mutating func loadFrame(_ byteCount: Int) {
    code.emit(.arithmetic(.multiply, .r1, Int32(byteCount)))
    scratchAddress(.r3, layout.framesOffset)
    code.emit(.arithmetic(.add, .r1, .r3))
  }

  private mutating func saveRegion(_ recursion: Recursion) {
    let region = layout.regions[recursion.region]
    let fits = code.makeLabel()
    load(layout.home(recursion.top), into: .r1)
    code.jump(if: .less, .r1, Int32(layout.frameCount), to: fits)
    raise(.nesting, subject: 0)
    code.place(fits)
    code.emit(.move(.r2, .r1))
    code.emit(.arithmetic(.add, .r2, 1))
    store(.r2, in: layout.home(recursion.top))
    loadFrame(region.count)
    code.emit(.move(.r2, Int32(region.count)))
    scratchAddress(.r3, region.lowerBound)
    code.call(.probeReadKernel)
  }

  private mutating func restoreRegion(_ recursion: Recursion) {
    let region = layout.regions[recursion.region]
    load(layout.home(recursion.top), into: .r1)
    code.emit(.arithmetic(.add, .r1, -1))
    // Never: there is a frame for each call that was entered.
    code.jump(if: .greaterOrEqual, .r1, Int32(layout.frameCount), to: ends.end)
    store(.r1, in: layout.home(recursion.top))
    loadFrame(region.count)
    code.emit(.move(.r3, .r1))
    code.emit(.move(.r2, Int32(region.count)))
    scratchAddress(.r1, region.lowerBound)
    code.call(.probeReadKernel)
  }

  // MARK: Faults

  /// Whether the handler of a fault depends on who called.
  var unwindsFaults: Bool {
    guard let open = recursion else { return false }
    return open.unwind != nil && handlers.count == open.handlerCount
  }

  /// Gives up activations for the fault whose subject is in `r2`.
  mutating func raiseThroughCalls(_ fault: FaultCode, _ text: String) {
    guard let open = recursion, case .scratch(let slot) = layout.home(open.recursion.fault.text) else {
      return
    }
    store(.r2, in: layout.home(open.recursion.fault.subject))
    writeMessage(fault, text, toSlot: slot)
    giveUpCalls(fault, open)
  }

  /// Gives up activations for an `error()`.
  mutating func raiseThroughCalls(_ text: TextSource) {
    guard let open = recursion, case .scratch(let slot) = layout.home(open.recursion.fault.text) else {
      return
    }
    copyText(text, toSlot: slot)
    giveUpCalls(.raised, open)
  }

  private mutating func giveUpCalls(_ fault: FaultCode, _ open: OpenRecursion) {
    code.loadConstant(.r1, faultWord(fault))
    store(.r1, in: layout.home(open.recursion.fault.word))
    if let unwind = open.unwind { goOn(unwind) }
  }

  private mutating func writeLanding(_ number: Int, _ handler: Handler, _ open: OpenRecursion) {
    let (label, after) = (makeRound(), code.makeLabel())
    recursion?.landings.append((number, label))
    code.jump(to: after)
    placeRound(label, open.exhausted)
    copyFaultText(to: handler, open)
    code.jump(to: handler.label)
    code.place(after)
  }

  private mutating func copyFaultText(to handler: Handler, _ open: OpenRecursion) {
    if let message = handler.message, case .scratch(let slot) = layout.home(message),
      case .scratch(let text) = layout.home(open.recursion.fault.text)
    {
      copyText(.memory(text), toSlot: slot)
    }
  }

  private mutating func writeUnwinding() {
    guard let open = recursion, let unwind = open.unwind else { return }
    let outside = code.makeLabel()
    placeRound(unwind, open.exhausted)
    load(layout.home(open.recursion.caller), into: .r1)
    code.jump(if: .equal, .r1, 0, to: outside)
    // The number must outlive the region that it is in: nobody needs the result of a call that failed.
    let kept = layout.home(open.recursion.results[.long] ?? open.recursion.top)
    store(.r1, in: kept)
    restoreRegion(open.recursion)
    load(kept, into: .r1)
    for landing in open.landings {
      let other = code.makeLabel()
      code.jump(if: .notEqual, .r1, Int32(landing.call), to: other)
      goOn(landing.label)
      code.place(other)
    }
    goOn(unwind)
    code.place(outside)
    if let handler = handlers.last {
      copyFaultText(to: handler, open)
      return code.jump(to: handler.label)
    }
    load(layout.home(open.recursion.fault.word), into: .r1)
    load(layout.home(open.recursion.fault.subject), into: .r2)
    guard demand.sendsText, case .scratch(let text) = layout.home(open.recursion.fault.text) else {
      return code.jump(to: ends.uncaught)
    }
    code.emit(.move(.r3, .r1))
    code.emit(.arithmetic(.shiftRight, .r3, 32))
    code.jump(if: .notEqual, .r3, Int32(FaultCode.raised.rawValue), to: ends.uncaught)
    code.emit(.arithmetic(.shiftLeft, .r1, 32))
    code.emit(.arithmetic(.arithmeticShiftRight, .r1, 32))
    sendRaised(.memory(text), at: .register(.r1))
  }
}
