import Platform

/// The kept attributes of one DIE: raw values with their forms, by ``DIESlot``.
struct DIEFields {
  private var values = InlineArray<26, UInt64>(repeating: 0)
  private var forms = InlineArray<26, UInt16>(repeating: 0)
  private var present: UInt32 = 0

  mutating func removeAll() { present = 0 }

  mutating func set(_ slot: Int, _ value: UInt64, form: UInt16) {
    guard slot < DIESlot.count else { return }
    values[slot] = value
    forms[slot] = form
    present |= 1 << UInt32(slot)
  }

  func has(_ slot: Int) -> Bool { present & (1 << UInt32(slot)) != 0 }

  func hasAny(of first: Int, _ second: Int, _ third: Int) -> Bool {
    present & (1 << UInt32(first) | 1 << UInt32(second) | 1 << UInt32(third)) != 0
  }

  subscript(_ slot: Int) -> UInt64? { has(slot) ? values[slot] : nil }

  /// Only meaningful where ``has(_:)`` says so.
  func form(_ slot: Int) -> UInt16 { forms[slot] }

  /// A flag that is there and not zero.
  func isSet(_ slot: Int) -> Bool { has(slot) && values[slot] != 0 }

  /// DW_AT_const_value where it is a number; blocks and strings are told by their place in the file.
  var constant: UInt64? {
    switch form(DIESlot.constValue) {
    case DwarfForm.data1, DwarfForm.data2, DwarfForm.data4, DwarfForm.data8, DwarfForm.signed,
      DwarfForm.unsigned, DwarfForm.implicitConstant:
      self[DIESlot.constValue]
    default: nil
    }
  }

  /// A line or a file number, as far as it fits.
  func number(_ slot: Int) -> UInt32 { self[slot].map { UInt32(clamping: $0) } ?? 0 }
}

/// Walks the DIEs of one unit in their order and reports those whose ``DIEAction`` asks for it.
///
/// Broken input ends the walk early; ``isBroken`` says so.
@safe struct DIEWalker: ~Escapable {
  let unit: UnitHeader
  private let entries: Span<Abbreviation>
  private let steps: Span<SkipStep>
  private let constants: Span<Int64>
  private let key: AbbreviationTable.Key
  /// Where in the section the cursor's bytes begin.
  private let origin: Int
  private var cursor: ByteCursor
  /// How deep the next DIE is; the unit DIE is at 0.
  private var nextDepth = 0

  /// The DIE that ``next()`` reported.
  private(set) var abbreviation = Abbreviation()
  private(set) var fields = DIEFields()
  private(set) var offset = 0
  private(set) var depth = 0
  private(set) var isBroken = false
  /// Follow the sibling attribute of structures, whose children do not matter in C.
  var skipsTypeTrees = false
  /// Where scopes begin and end: from an offset on, DIEs are in that scope.
  private(set) var scopeChanges: ContiguousArray<ScopeChange> = []
  /// Scopes that are open: the depth of their DIE, and the scope around it.
  private var openScopes: ContiguousArray<(depth: Int, outer: Int32)> = []

  /// Deeper nesting than any compiler writes is an attack.
  static let deepest = 1000

  /// Starts at `offset` of the section that holds `unit`; by default at the unit DIE.
  /// - Parameter origin: where in the section `bytes` begin.
  @_lifetime(copy bytes, borrow table)
  init(
    _ bytes: RawSpan,
    from origin: Int = 0,
    _ unit: UnitHeader,
    _ table: borrowing AbbreviationTable,
    at offset: Int? = nil
  ) {
    self.unit = unit
    self.origin = origin
    key = table.key
    entries = table.entries.span
    steps = table.steps.span
    constants = table.constants.span
    cursor = ByteCursor(
      bytes.extracting(first: max(0, min(unit.end - origin, bytes.byteCount))),
      at: (offset ?? unit.firstDIE) - origin
    )
  }

  /// Moves on to the next DIE worth a report; false at the end of the unit.
  @_lifetime(self: copy self)
  mutating func next() -> Bool {
    while !cursor.isAtEnd {
      offset = cursor.offset + origin
      let code = cursor.readULEB128()
      if code == 0 {
        nextDepth -= 1
        if let open = openScopes.last, open.depth == nextDepth {
          openScopes.removeLast()
          scopeChanges.append(ScopeChange(offset: cursor.offset + origin, scope: open.outer))
        }
        if nextDepth <= 0 { return false }
        continue
      }
      guard code < UInt64(entries.count) else { return stop() }
      abbreviation = entries[Int(truncatingIfNeeded: code)]
      guard !abbreviation.isBroken else { return stop() }
      readFields()
      guard !cursor.hasFailed else { return stop() }
      depth = nextDepth
      enterChildren()
      if depth == 0 && nextDepth == 0 && !abbreviation.hasChildren { cursor.seek(cursor.byteCount) }
      switch abbreviation.action {
      case .ignore, .skipTree, .declaration: continue
      case .unit, .subprogram, .variable, .type, .enumeration, .enumerator, .scope, .inlined: return true
      }
    }
    return false
  }

  /// The children of the DIE just reported are in `scope`, and what follows them in `outer` again.
  @_lifetime(self: copy self)
  mutating func openScope(_ scope: Int32, in outer: Int32) {
    guard abbreviation.hasChildren else { return }
    scopeChanges.append(ScopeChange(offset: offset + 1, scope: scope))
    openScopes.append((depth, outer))
  }

  /// One past what is in the DIE just reported, by its sibling attribute; nil without one that makes sense.
  var treeEnd: Int? {
    guard abbreviation.hasChildren, let sibling = fields[DIESlot.sibling],
      let target = offsetInSection(sibling, form: fields.form(DIESlot.sibling)),
      target >= cursor.offset + origin && target <= cursor.byteCount + origin
    else { return nil }
    return target
  }

  /// Steps over what is in the DIE just reported, up to `end`; were it looked up later, it is in `scope`.
  @_lifetime(self: copy self)
  mutating func skipTree(to end: Int, scope: Int32, hidesScopes: Bool, in outer: Int32) {
    scopeChanges.append(ScopeChange(offset: offset + 1, scope: scope, hidesScopes: hidesScopes))
    scopeChanges.append(ScopeChange(offset: end, scope: outer))
    nextDepth -= 1
    cursor.seek(end - origin)
  }

  @_lifetime(self: copy self)
  private mutating func stop() -> Bool {
    isBroken = true
    return false
  }

  @_lifetime(self: copy self)
  private mutating func enterChildren() {
    guard abbreviation.hasChildren else { return }
    let isSkipped = abbreviation.action == .skipTree || abbreviation.action == .declaration
    if isSkipped || abbreviation.action == .type && skipsTypeTrees, let target = treeEnd {
      cursor.seek(target - origin)
      return
    }
    nextDepth += 1
    if nextDepth > Self.deepest {
      isBroken = true
      cursor.seek(cursor.byteCount)
    }
  }

  private func offsetInSection(_ value: UInt64, form: UInt16) -> Int? {
    guard let value = Int(exactly: value) else { return nil }
    guard form != DwarfForm.referenceAddress else { return value }
    let (target, overflow) = unit.start.addingReportingOverflow(value)
    return overflow ? nil : target
  }

  @_lifetime(self: copy self)
  private mutating func readFields() {
    fields.removeAll()
    var index = Int(abbreviation.firstStep)
    let end = index + Int(abbreviation.stepCount)
    while index < end {
      let step = steps[index]
      index += 1
      switch step.opcode {
      case SkipStep.Opcode.bytes: cursor.skip(step.operand)
      case SkipStep.Opcode.leb128: cursor.skipLEB128()
      case SkipStep.Opcode.cString: cursor.skipCString()
      case SkipStep.Opcode.block: skipBlock(step.operand)
      case SkipStep.Opcode.keep:
        let form = UInt16(truncatingIfNeeded: step.operand)
        fields.set(step.operand >> 16, read(form), form: form)
      case SkipStep.Opcode.keepConstant:
        let constant = UInt64(bitPattern: constants[step.operand & 0xffff])
        fields.set(step.operand >> 16, constant, form: DwarfForm.implicitConstant)
      default: readIndirect(slot: step.operand - 1)
      }
    }
  }

  @_lifetime(self: copy self)
  private mutating func skipBlock(_ width: Int) {
    cursor.skip(width == 0 ? cursor.readULEB128() : cursor.readUnsigned(byteCount: width))
  }

  @_lifetime(self: copy self)
  private mutating func readIndirect(slot: Int) {
    let form = UInt16(truncatingIfNeeded: cursor.readULEB128())
    // An implicit constant has no place for its value here (DWARF 5, section 7.5.3).
    guard form != DwarfForm.indirect, form != DwarfForm.implicitConstant, FormWidth(form, key) != nil else {
      cursor.skip(Int.max)
      return
    }
    let value = read(form)
    if slot >= 0 { fields.set(slot, value, form: form) }
  }

  /// The value of a form: numbers as they are, the section offset of strings and blocks.
  @_lifetime(self: copy self)
  private mutating func read(_ form: UInt16) -> UInt64 {
    switch form {
    case DwarfForm.flagPresent: return 1
    case DwarfForm.data1, DwarfForm.flag, DwarfForm.reference1, DwarfForm.stringIndex1,
      DwarfForm.addressIndex1:
      return UInt64(cursor.readUInt8())
    case DwarfForm.data2, DwarfForm.reference2, DwarfForm.stringIndex2, DwarfForm.addressIndex2:
      return UInt64(cursor.readUInt16())
    case DwarfForm.data4, DwarfForm.reference4, DwarfForm.stringIndex4, DwarfForm.addressIndex4,
      DwarfForm.referenceSupplement4:
      return UInt64(cursor.readUInt32())
    case DwarfForm.stringPointer, DwarfForm.lineStringPointer, DwarfForm.sectionOffset,
      DwarfForm.stringPointerSupplement, DwarfForm.gnuReferenceAlternate,
      DwarfForm.gnuStringPointerAlternate:
      return key.offsetSize == 4 ? UInt64(cursor.readUInt32()) : cursor.readUInt64()
    case DwarfForm.signed: return UInt64(bitPattern: cursor.readSLEB128())
    default: return readRare(form)
    }
  }

  @_lifetime(self: copy self)
  private mutating func readRare(_ form: UInt16) -> UInt64 {
    switch FormWidth(form, key) {
    case .bytes(16):
      let low = cursor.readUInt64()
      cursor.skip(8)
      return low
    case .bytes(let count): return cursor.readUnsigned(byteCount: count)
    case .leb128: return cursor.readULEB128()
    case .cString:
      let start = UInt64(cursor.offset + origin)
      cursor.skipCString()
      return start
    case .block(let width):
      let start = UInt64(cursor.offset + origin)
      skipBlock(width)
      return start
    case .indirect, nil: return 0
    }
  }
}
