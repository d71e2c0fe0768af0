import BPFObject
import TraceIR

// Run-time errors of the script, and other messages on the control ring.
extension CodeWriter {
  /// `BPF_RB_FORCE_WAKEUP`.
  static let forceWakeUp: Int32 = 2

  /// Raises a fault whose subject is in `r2`; control does not come back.
  mutating func raise(_ fault: FaultCode) { raise(fault, fault.text(subject: -1, in: shared.program)) }

  private mutating func raise(_ fault: FaultCode, _ text: String) {
    if unwindsFaults { return raiseThroughCalls(fault, text) }
    if let handler = handlers.last {
      if let message = handler.message, case .scratch(let slot) = layout.home(message) {
        writeMessage(fault, text, toSlot: slot)
      }
      return code.jump(to: handler.label)
    }
    code.loadConstant(.r1, faultWord(fault))
    code.jump(to: ends.uncaught)
  }

  /// Code above, location below.
  func faultWord(_ fault: FaultCode) -> Int64 {
    fault.rawValue << 32 | Int64(UInt32(bitPattern: Int32(location ?? -1)))
  }

  mutating func raise(_ fault: FaultCode, subject: Int64) {
    code.loadConstant(.r2, subject)
    raise(fault, fault.text(subject: subject, in: shared.program))
  }

  mutating func writeMessage(_ fault: FaultCode, _ text: String, toSlot slot: Int) {
    if fault.namesAddress {
      // The subject must outlive the copy: it goes through the slot's last bytes, which a message never reaches.
      storeScratch(.double, slot + module.slotByteCount - 8, .r2)
      copyText(.literal(needs.literals.bytes(text)), toSlot: slot)
      loadScratch(.double, .r2, slot + module.slotByteCount - 8)
      scratchAddress(.r1, slot)
      return code.call(subprogram(.appendHexadecimal))
    }
    copyText(.literal(needs.literals.bytes(text)), toSlot: slot)
  }

  mutating func writeFault(_ fault: FaultCode, subject: Operand, _ message: Operand?) {
    guard let message else {
      load(subject, into: .r2)
      return raise(fault)
    }
    if unwindsFaults { return raiseThroughCalls(text(message)) }
    if let handler = handlers.last {
      if let local = handler.message, case .scratch(let slot) = layout.home(local) {
        copyText(text(message), toSlot: slot)
      }
      return code.jump(to: handler.label)
    }
    sendRaised(text(message), at: .constant(Int64(location ?? -1)))
  }

  /// Where the location of a fault is.
  enum FaultPlace {
    case constant(Int64)
    case register(BPFRegister)
  }

  /// Reports an `error()` that nobody caught.
  mutating func sendRaised(_ message: TextSource, at place: FaultPlace) {
    let start = layout.controlOffset
    switch place {
    case .constant(let location): storeScratchLong(start + 16, location)
    case .register(let register): storeScratch(.double, start + 16, register)
    }
    writeHeader(.fault, site: .faulting, at: start)
    storeScratchLong(start + 8, FaultCode.raised.rawValue)
    storeScratchLong(start + 24, 0)
    sendText(message, at: start, headByteCount: 32)
    code.jump(to: ends.counted)
  }

  private mutating func storeScratchLong(_ offset: Int, _ value: Int64) {
    code.loadConstant(.r1, value)
    storeScratch(.double, offset, .r1)
  }

  // MARK: Records of the control ring

  /// Whose site a control record names.
  private enum SiteSource {
    case operand(Operand)
    /// Asked for on the spot.
    case faulting
  }

  mutating func writeControl(_ record: ControlRecord, site: Operand, _ message: Operand?) {
    if let message {
      let start = layout.controlOffset
      writeHeader(record, site: .operand(site), at: start)
      sendText(text(message), at: start, headByteCount: 8)
    } else {
      reserve(ModuleMaps.controlRing, byteCount: 8) { writer in
        writer.code.emit(.store(.word, .r0, 0, immediate: writer.kindAndProbe(record)))
        writer.store(site, wordAt: .r0, 4)
      }
    }
    if record == .exit || record == .abort { stopSession() }
  }

  private mutating func stopSession() {
    code.loadMapValue(.r1, ModuleMaps.scalars, offset: Int32(ScalarLayout.stateOffset))
    code.emit(.store(.word, .r1, 0, immediate: Int32(SessionState.stopping.rawValue)))
  }

  private func kindAndProbe(_ record: ControlRecord) -> Int32 { headerWord(record.rawValue) }

  /// First word of a record: kind below, probe above.
  func headerWord(_ kind: UInt16) -> Int32 {
    Int32(bitPattern: UInt32(kind) | UInt32(UInt16(truncatingIfNeeded: facts.index)) << 16)
  }

  /// Stores the low 32 bits of a long.
  ///
  /// Uses `r1`.
  mutating func store(_ operand: Operand, wordAt base: BPFRegister, _ offset: Int16) {
    if case .long(let value) = operand {
      return code.emit(.store(.word, base, offset, immediate: Int32(truncatingIfNeeded: value)))
    }
    code.emit(.store(.word, base, offset, register(operand, .r1)))
  }

  private mutating func writeHeader(_ record: ControlRecord, site: SiteSource, at start: Int) {
    switch site {
    case .operand(let operand): load(operand, into: .r1)
    case .faulting: loadSite(.r1)
    }
    storeScratch(.word, start + 4, .r1)
    storeScratch(.word, start, immediate: kindAndProbe(record))
  }

  /// Sends what is put together at `start` with a string behind it.
  private mutating func sendText(_ source: TextSource, at start: Int, headByteCount: Int) {
    copyText(source, toSlot: start + headByteCount)
    loadLength(.r3, source)
    roundToField(.r3)
    code.emit(.arithmetic(.add, .r3, Int32(headByteCount)))
    code.loadMap(.r1, ModuleMaps.controlRing)
    scratchAddress(.r2, start)
    code.emit(.move(.r4, Self.forceWakeUp))
    code.call(.ringbufOutput)
    let sent = code.makeLabel()
    code.jump(if: .equal, .r0, 0, to: sent)
    lose(.ringFull)
    code.place(sent)
  }

  /// Fills a record of fixed size in a ring; `fill` finds it at `r0` and must not call helpers.
  mutating func reserve(_ ring: MapReference, byteCount: Int, fill: (inout CodeWriter) -> Void) {
    let (reserved, done) = (code.makeLabel(), code.makeLabel())
    code.loadMap(.r1, ring)
    code.emit(.move(.r2, Int32(byteCount)))
    code.emit(.move(.r3, 0))
    code.call(.ringbufReserve)
    code.jump(if: .notEqual, .r0, 0, to: reserved)
    lose(.ringFull)
    code.jump(to: done)
    code.place(reserved)
    fill(&self)
    code.emit(.move(.r1, .r0))
    if ring == ModuleMaps.controlRing { code.emit(.move(.r2, Self.forceWakeUp)) } else { loadWakeUp(.r2) }
    code.call(.ringbufSubmit)
    code.place(done)
  }

  // MARK: The common ends

  /// Reports the fault that `r1` and `r2` tell, counts it, and leaves the probe; once for each lock that may be
  /// held then, and once for none.
  mutating func writeUncaught() {
    for ends in [ends] + innerEnds { writeUncaught(ends) }
    innerEnds.removeAll()
  }

  private mutating func writeUncaught(_ ends: Ends) {
    code.place(ends.uncaught)
    code.emit(.move(.r8, .r1))
    code.emit(.move(.r9, .r2))
    if tellsFaultingSite {
      loadSite(.r0)
      code.emit(.store(.double, .r10, -8, .r0))
    }
    reserve(ModuleMaps.controlRing, byteCount: 40) { writer in writer.fillFault() }
    code.place(ends.counted)
    code.loadMapValue(.r1, ModuleMaps.scalars)
    code.emit(.move(.r2, 1))
    code.emit(.atomic(.fetchAdd, .word, .r1, Int16(ScalarLayout.errorCountOffset), .r2))
    code.loadConstant(.r3, Int64(UInt32(clamping: module.limits.maxErrors)))
    code.jump(if: .less, .r2, .r3, to: ends.end)
    let stopping = Int32(SessionState.stopping.rawValue)
    code.emit(.store(.word, .r1, Int16(ScalarLayout.stateOffset), immediate: stopping))
    code.jump(to: ends.end)
  }

  /// A body in which nothing can fault does not keep the context; the report below is unreachable there.
  private var tellsFaultingSite: Bool { facts.siteCount > 1 && layout.contextRegister != nil }

  private mutating func fillFault() {
    code.emit(.store(.word, .r0, 0, immediate: kindAndProbe(.fault)))
    if tellsFaultingSite {
      code.emit(.load(.double, .r1, .r10, -8))
      code.emit(.store(.word, .r0, 4, .r1))
    } else {
      code.emit(.store(.word, .r0, 4, immediate: 0))
    }
    code.emit(.move(.r1, .r8))
    code.emit(.arithmetic(.shiftRight, .r1, 32))
    code.emit(.store(.double, .r0, 8, .r1))
    code.emit(.arithmetic(.shiftLeft, .r8, 32))
    code.emit(.arithmetic(.arithmeticShiftRight, .r8, 32))
    code.emit(.store(.double, .r0, 16, .r8))
    code.emit(.store(.double, .r0, 24, .r9))
    code.emit(.store(.double, .r0, 32, immediate: 0))
  }
}
