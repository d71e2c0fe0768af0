import BPFObject
import TraceIR

/// A string to read: its length, then its bytes.
enum TextSource: Hashable {
  case literal([UInt8])
  /// Offset in scratch memory.
  case memory(Int)
}

/// A string field in shared memory, padded with zeros.
enum FieldPlace: Hashable {
  case scratch(Int)
  case map(MapReference, Int32)
}

// Strings. Lengths in memory never exceed the capacity; a mask before each use shows the verifier a bound, and
// the tail of scratch memory and of literals makes room for what the verifier must take for possible.
extension CodeWriter {
  /// Literals up to this size are stored by immediates.
  private static let inlineLimit = 32

  func text(_ operand: Operand) -> TextSource {
    switch operand {
    case .string(let text): .literal(needs.literals.bytes(text))
    case .value(let value):
      if case .scratch(let slot) = layout.home(value) { .memory(slot) } else { .literal([]) }
    case .long: preconditionFailure("the IR verifier lets no long stand for a string")
    }
  }

  func slot(of result: ValueID) -> Int? {
    if case .scratch(let slot) = layout.home(result) { slot } else { nil }
  }

  mutating func clearSlot(of result: ValueID) {
    if let slot = slot(of: result) { storeScratch(.word, slot, immediate: 0) }
  }

  /// Masks a length or position that is in bounds already.
  mutating func bound(_ register: BPFRegister) {
    code.emit(.arithmetic(.and, register, module.lengthMask))
  }

  /// `register` = the length of the string in a slot.
  mutating func loadLength(_ register: BPFRegister, _ slot: Int) {
    loadScratch(.word, register, slot)
    bound(register)
  }

  /// `register` = the length of `source`.
  mutating func loadLength(_ register: BPFRegister, _ source: TextSource) {
    switch source {
    case .literal(let bytes): code.emit(.move(register, Int32(bytes.count)))
    case .memory(let slot): loadLength(register, slot)
    }
  }

  /// `register = &source + offset`: 0 for the length, 4 for the bytes.
  mutating func textAddress(_ register: BPFRegister, _ source: TextSource, _ offset: Int) {
    switch source {
    case .literal(let bytes):
      let start = needs.literals.offset(of: bytes) + Int32(offset)
      code.loadMapValue(register, ModuleMaps.literals, offset: start)
    case .memory(let slot): scratchAddress(register, slot + offset)
    }
  }

  /// Length in bytes of a record's field or a slot's used part: 4, the bytes, up to a multiple of 8.
  mutating func roundToField(_ register: BPFRegister) {
    code.emit(.arithmetic(.add, register, 11))
    code.emit(.arithmetic(.and, register, Int32.max & -8))
  }

  /// Copies length and bytes.
  mutating func copyText(_ source: TextSource, toSlot slot: Int) {
    switch source {
    case .memory(let from):
      if from == slot { return }
      loadLength(.r2, from)
      roundToField(.r2)
      scratchAddress(.r3, from)
    case .literal(let bytes) where bytes.count <= Self.inlineLimit:
      return storeInline(bytes) { writer, offset, word in
        writer.storeScratch(.word, slot + offset, immediate: word)
      }
    case .literal(let bytes):
      code.emit(.move(.r2, Int32((bytes.count + 11) & ~7)))
      textAddress(.r3, source, 0)
    }
    scratchAddress(.r1, slot)
    code.call(.probeReadKernel)
  }

  /// The words of a literal with its length, one call each.
  func words(_ bytes: [UInt8]) -> [Int32] {
    var field: [UInt8] = []
    field.append(field: bytes)
    return stride(from: 0, to: 4 + ((bytes.count + 3) & ~3), by: 4).map { start in
      let word = field[start..<start + 4].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
      return Int32(bitPattern: word)
    }
  }

  private mutating func storeInline(
    _ bytes: [UInt8],
    store: (inout CodeWriter, Int, Int32) -> Void
  ) {
    for (index, word) in words(bytes).enumerated() { store(&self, index * 4, word) }
  }

  /// Copies the string field at `r3`, which others may change meanwhile.
  mutating func copyForeignText(toSlotOf result: ValueID) {
    guard let slot = slot(of: result) else { return }
    code.emit(.load(.word, .r2, .r3))
    bound(.r2)
    roundToField(.r2)
    scratchAddress(.r1, slot)
    code.call(.probeReadKernel)
    loadLength(.r1, slot)
    storeScratch(.word, slot, .r1)
  }
}

// MARK: Fields

extension CodeWriter {
  private mutating func fieldAddress(_ register: BPFRegister, _ place: FieldPlace, _ offset: Int) {
    switch place {
    case .scratch(let start): scratchAddress(register, start + offset)
    case .map(let map, let start): code.loadMapValue(register, map, offset: start + Int32(offset))
    }
  }

  /// Replaces the string of a field and clears what the old one had more.
  ///
  /// The bytes behind the old string are zeros already, so the cost goes with the lengths and not with
  /// MAXSTRINGLEN.
  mutating func writeField(_ place: FieldPlace, _ source: TextSource) {
    loadLength(.r2, source)
    if source != .literal([]) {
      fieldAddress(.r1, place, 4)
      textAddress(.r3, source, 4)
      code.call(.probeReadKernel)
    }
    let clean = code.makeLabel()
    fieldAddress(.r5, place, 0)
    code.emit(.load(.word, .r2, .r5))
    bound(.r2)
    loadLength(.r4, source)
    code.emit(.store(.word, .r5, 0, .r4))
    code.jump(if: .lessOrEqual, .r2, .r4, to: clean)
    code.emit(.arithmetic(.subtract, .r2, .r4))
    bound(.r2)
    code.emit(.move(.r1, .r5))
    code.emit(.arithmetic(.add, .r1, .r4))
    code.emit(.arithmetic(.add, .r1, 4))
    code.loadMapValue(.r3, ModuleMaps.zeros)
    code.call(.probeReadKernel)
    code.place(clean)
  }
}

// MARK: Operators

extension CodeWriter {
  mutating func writeConcatenation(_ result: ValueID, _ operands: [Operand]) {
    guard let slot = slot(of: result) else { return }
    let sources = operands.map { text($0) }
    copyText(sources.first ?? .literal([]), toSlot: slot)
    for source in sources.dropFirst() where source != .literal([]) { append(source, toSlot: slot) }
  }

  /// Appends what fits.
  mutating func append(_ source: TextSource, toSlot slot: Int) {
    let fits = code.makeLabel()
    loadLength(.r1, slot)
    loadLength(.r2, source)
    code.emit(.move(.r4, Int32(module.field.capacity)))
    code.emit(.arithmetic(.subtract, .r4, .r1))
    code.jump(if: .lessOrEqual, .r2, .r4, to: fits)
    code.emit(.move(.r2, .r4))
    code.place(fits)
    bound(.r2)
    code.emit(.move(.r4, .r1))
    code.emit(.arithmetic(.add, .r4, .r2))
    storeScratch(.word, slot, .r4)
    scratchAddress(.r3, slot + 4)
    code.emit(.arithmetic(.add, .r1, .r3))
    textAddress(.r3, source, 4)
    code.call(.probeReadKernel)
  }

  mutating func writeComparison(
    _ result: ValueID,
    _ relation: Relation,
    _ left: Operand,
    _ right: Operand
  ) {
    if isUnused(result) { return }
    let condition = relation.condition
    switch (text(left), text(right)) {
    case (.memory(let slot), .literal(let bytes)) where relation.isEquality && bytes.count <= 64:
      writeDifference(slot, bytes)
    case (.literal(let bytes), .memory(let slot)) where relation.isEquality && bytes.count <= 64:
      writeDifference(slot, bytes)
    case (let left, let right):
      textAddress(.r1, left, 0)
      textAddress(.r2, right, 0)
      code.call(subprogram(.compareTexts))
    }
    writeTruth { writer, label in writer.code.jump(if: condition, .r0, 0, to: label) }
    store(.r0, result)
  }

  /// `r0` = 0 exactly when the slot holds these bytes; no branches, so that chains of comparisons stay cheap
  /// to verify.
  ///
  /// Reads behind the string stay inside the slot.
  private mutating func writeDifference(_ slot: Int, _ bytes: [UInt8]) {
    loadScratch(.word, .r0, slot)
    code.emit(.arithmetic(.xor, .r0, Int32(bytes.count)))
    for (start, size) in pieces(of: bytes.count) {
      let word = bytes[start..<start + size.byteCount].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      loadScratch(size, .r1, slot + 4 + start)
      code.loadConstant(.r2, Int64(bitPattern: word))
      code.emit(.arithmetic(.xor, .r1, .r2))
      code.emit(.arithmetic(.or, .r0, .r1))
    }
  }

  private func pieces(of count: Int) -> [(start: Int, size: BPFSize)] {
    var result: [(Int, BPFSize)] = []
    var start = 0
    for size in [BPFSize.double, .word, .half, .byte] {
      while count - start >= size.byteCount {
        result.append((start, size))
        start += size.byteCount
      }
    }
    return result
  }
}

extension Relation {
  fileprivate var isEquality: Bool { self == .equal || self == .notEqual }

  /// Of the order as a number against 0.
  fileprivate var condition: BPFCondition {
    switch self {
    case .equal: .equal
    case .notEqual: .notEqual
    case .less: .signedLess
    case .lessOrEqual: .signedLessOrEqual
    case .greater: .signedGreater
    case .greaterOrEqual: .signedGreaterOrEqual
    }
  }
}
