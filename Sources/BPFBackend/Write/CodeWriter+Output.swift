import BPFObject
import TraceIR

// Records on the data ring.
extension CodeWriter {
  /// `BPF_RB_NO_WAKEUP`, which is 1: waking the reader costs 1.4 µs.
  private static let noWakeUp: Int32 = 1

  /// `register` = how the reader of the data ring hears of a record.
  ///
  /// Not at all while it looks by itself; by `BPF_RB_FORCE_WAKEUP`, which is 2, when it sleeps. Uses `r5`.
  mutating func loadWakeUp(_ register: BPFRegister) {
    let awake = code.makeLabel()
    code.loadMapValue(.r5, ModuleMaps.scalars, offset: Int32(ScalarLayout.readerAsleepOffset))
    code.emit(.load(.word, register, .r5))
    code.jump(if: .equal, register, 0, to: awake)
    code.emit(.store(.word, .r5, 0, immediate: 0))
    code.place(awake)
    code.emit(.arithmetic(.add, register, Self.noWakeUp))
  }

  mutating func writeEmit(_ record: RecordID, site: Operand, _ operands: [Operand]) {
    let fields = shared.program.records[record.index].fields
    switch demand.output {
    case .none: break
    case .direct: writeDirect(record, site, operands)
    case .single:
      var cursor = RecordCursor(isDynamic: false)
      writeRecord(record, site, operands, fields, &cursor)
      sendSingle(cursor)
    case .buffered(let capacity):
      makeRoom(capacity - RecordWire.maximumByteCount(fields, module.limits))
      var cursor = RecordCursor(isDynamic: true)
      writeRecord(record, site, operands, fields, &cursor)
      finishRecord(cursor)
    }
  }

  private mutating func writeDirect(_ record: RecordID, _ site: Operand, _ operands: [Operand]) {
    let header = headerWord(UInt16(truncatingIfNeeded: record.index))
    reserve(ModuleMaps.dataRing, byteCount: RecordWire.headerByteCount + 8 * operands.count) { writer in
      writer.code.emit(.store(.word, .r0, 0, immediate: header))
      writer.store(site, wordAt: .r0, 4)
      for (index, operand) in operands.enumerated() {
        writer.store(operand, at: .r0, RecordWire.headerByteCount + 8 * index, .r1)
      }
    }
  }

  // MARK: Buffers

  /// Sends what is there when the next record might not fit.
  private mutating func makeRoom(_ limit: Int) {
    let fits = code.makeLabel()
    loadScratch(.word, .r1, ModuleLayout.Scratch.cursor)
    code.jump(if: .lessOrEqual, .r1, Int32(limit), to: fits)
    flush()
    code.place(fits)
  }

  private mutating func writeRecord(
    _ record: RecordID,
    _ site: Operand,
    _ operands: [Operand],
    _ fields: [ValueType],
    _ cursor: inout RecordCursor
  ) {
    loadCursor(.r2, cursor, 0)
    code.emit(
      .store(.word, .r2, 0, immediate: headerWord(UInt16(truncatingIfNeeded: record.index)))
    )
    store(site, wordAt: .r2, 4)
    cursor.passed = RecordWire.headerByteCount
    var isAddressLoaded = true
    var base = 0
    for (operand, type) in zip(operands, fields) {
      if type == .string {
        writeTextField(text(operand), &cursor)
        isAddressLoaded = false
        continue
      }
      if !isAddressLoaded {
        base = cursor.passed
        loadCursor(.r2, cursor, base)
        isAddressLoaded = true
      }
      store(operand, at: .r2, cursor.passed - base, .r1)
      cursor.passed += 8
    }
  }

  /// `register` = address in the buffer, `offset` bytes behind the cursor.
  private mutating func loadCursor(_ register: BPFRegister, _ cursor: RecordCursor, _ offset: Int) {
    guard cursor.isDynamic else { return scratchAddress(register, layout.outputOffset + offset) }
    loadScratch(.word, register, ModuleLayout.Scratch.cursor)
    code.emit(.arithmetic(.and, register, Int32(demand.output.bufferByteCount - 1)))
    scratchAddress(.r1, layout.outputOffset + offset)
    code.emit(.arithmetic(.add, register, .r1))
  }

  /// The used part of a slot is a field as it goes over the wire.
  private mutating func writeTextField(_ source: TextSource, _ cursor: inout RecordCursor) {
    loadCursor(.r4, cursor, cursor.passed)
    if case .literal(let bytes) = source {
      let byteCount = (bytes.count + 11) & ~7
      code.emit(.move(.r2, Int32(byteCount)))
      cursor.passed += byteCount
    } else {
      loadLength(.r2, source)
      roundToField(.r2)
      advance(&cursor)
    }
    code.emit(.move(.r1, .r4))
    textAddress(.r3, source, 0)
    code.call(.probeReadKernel)
  }

  /// Moves the cursor over what was passed and the `r2` bytes that come now.
  private mutating func advance(_ cursor: inout RecordCursor) {
    if cursor.isDynamic {
      loadScratch(.word, .r3, ModuleLayout.Scratch.cursor)
      code.emit(.arithmetic(.add, .r3, Int32(cursor.passed)))
    } else {
      code.emit(.move(.r3, Int32(cursor.passed)))
    }
    code.emit(.arithmetic(.add, .r3, .r2))
    storeScratch(.word, ModuleLayout.Scratch.cursor, .r3)
    cursor = RecordCursor(isDynamic: true)
  }

  private mutating func finishRecord(_ cursor: RecordCursor) {
    if cursor.passed > 0 {
      loadScratch(.word, .r1, ModuleLayout.Scratch.cursor)
      code.emit(.arithmetic(.add, .r1, Int32(cursor.passed)))
      storeScratch(.word, ModuleLayout.Scratch.cursor, .r1)
    }
    loadScratch(.word, .r1, ModuleLayout.Scratch.recordCount)
    code.emit(.arithmetic(.add, .r1, 1))
    storeScratch(.word, ModuleLayout.Scratch.recordCount, .r1)
  }

  // MARK: Sending

  private mutating func sendSingle(_ cursor: RecordCursor) {
    if cursor.isDynamic {
      loadScratch(.word, .r3, ModuleLayout.Scratch.cursor)
      code.emit(.arithmetic(.add, .r3, Int32(cursor.passed)))
      code.emit(.arithmetic(.and, .r3, Int32(demand.output.bufferByteCount - 1)))
    } else {
      code.emit(.move(.r3, Int32(cursor.passed)))
    }
    let sent = code.makeLabel()
    output()
    code.jump(if: .equal, .r0, 0, to: sent)
    lose(.ringFull)
    code.place(sent)
  }

  /// Sends `r3` bytes of the buffer; `r0` is 0 when that worked.
  private mutating func output() {
    code.loadMap(.r1, ModuleMaps.dataRing)
    scratchAddress(.r2, layout.outputOffset)
    loadWakeUp(.r4)
    code.call(.ringbufOutput)
  }

  /// Sends all that is in the buffer and empties it.
  private mutating func flush() {
    let sent = code.makeLabel()
    loadScratch(.word, .r3, ModuleLayout.Scratch.cursor)
    code.emit(.arithmetic(.and, .r3, Int32(demand.output.bufferByteCount - 1)))
    output()
    code.jump(if: .equal, .r0, 0, to: sent)
    loadScratch(.word, .r2, ModuleLayout.Scratch.recordCount)
    loseMany(.ringFull)
    code.place(sent)
    emptyBuffer()
  }

  private mutating func emptyBuffer() {
    storeScratch(.double, ModuleLayout.Scratch.cursor, immediate: 0)
  }

  /// At the start of a hit.
  mutating func beginOutput() {
    if case .buffered = demand.output { emptyBuffer() }
  }

  /// At the end of a hit.
  mutating func endOutput() {
    guard case .buffered = demand.output else { return }
    let empty = code.makeLabel()
    loadScratch(.word, .r1, ModuleLayout.Scratch.cursor)
    code.jump(if: .equal, .r1, 0, to: empty)
    flush()
    code.place(empty)
  }
}

/// Where the next field of a record goes: behind the cursor in scratch memory, or behind the buffer's start
/// while that is known, and `passed` bytes on.
private struct RecordCursor {
  var isDynamic: Bool
  var passed = 0
}
