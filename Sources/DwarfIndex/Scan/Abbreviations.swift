import Platform

/// What the scanner does with DIEs of one abbreviation.
enum DIEAction: UInt8 {
  /// Nothing in it or directly below matters; its sibling attribute may be followed.
  case skipTree
  /// Not reported, but its children are walked.
  case ignore
  /// A declaration of a function: stepped over with its parameters, which are half of what a C++ unit holds.
  case declaration
  case unit, subprogram, variable, type, enumeration, enumerator, scope, inlined
}

/// The attributes that the scanner keeps, as indexes into ``DIEFields``.
enum DIESlot {
  static let sibling = 0
  static let name = 1
  static let linkageName = 2
  static let lowPC = 3
  static let highPC = 4
  static let ranges = 5
  static let entryPC = 6
  static let declFile = 7
  static let declLine = 8
  static let specification = 9
  static let abstractOrigin = 10
  static let declaration = 11
  static let external = 12
  static let inline = 13
  static let constValue = 14
  static let location = 15
  static let statementList = 16
  static let compilationDirectory = 17
  static let language = 18
  static let producer = 19
  static let stringOffsetsBase = 20
  static let addressBase = 21
  static let rangeListsBase = 22
  static let callFile = 23
  static let callLine = 24
  static let splitName = 25
  static let count = 26
}

/// One step of a compiled abbreviation: an opcode in the low 8 bits, its operand above.
struct SkipStep {
  enum Opcode {
    /// Step over `operand` bytes.
    static let bytes: UInt32 = 0
    static let leb128: UInt32 = 1
    static let cString: UInt32 = 2
    /// Step over a block whose length is `operand` bytes wide, 0 for a ULEB128.
    static let block: UInt32 = 3
    /// The form comes first in the DIE; operand is slot + 1, or 0 to drop the value.
    static let indirect: UInt32 = 4
    /// Keep the value: slot << 16 | form.
    static let keep: UInt32 = 5
    /// Keep a value of the abbreviation itself: slot << 16 | index.
    static let keepConstant: UInt32 = 6
  }

  let raw: UInt32

  init(_ opcode: UInt32, _ operand: Int) { raw = opcode | UInt32(truncatingIfNeeded: operand) << 8 }

  var opcode: UInt32 { raw & 0xff }
  var operand: Int { Int(raw >> 8) }
}

/// One abbreviation, ready to run.
struct Abbreviation {
  var tag: UInt16 = 0
  var action = DIEAction.ignore
  var hasChildren = false
  /// No unit may use it: an unknown form, or no such code.
  var isBroken = true
  var firstStep: UInt32 = 0
  var stepCount: UInt32 = 0
}

/// The abbreviations of a unit, compiled to skip programs (DWARF 5, section 7.5.3).
struct AbbreviationTable {
  /// What a table is compiled for; widths of forms depend on it.
  struct Key: Equatable {
    var offset: UInt64
    var version: UInt16
    var addressSize: Int
    var offsetSize: Int
    var isAlternate: Bool

    init(_ unit: UnitHeader) {
      offset = unit.abbreviationsOffset
      version = unit.version
      addressSize = unit.addressSize
      offsetSize = unit.offsetSize
      isAlternate = unit.section.isAlternate
    }
  }

  let key: Key
  /// By code; entry 0 is broken.
  private(set) var entries = ContiguousArray<Abbreviation>(repeating: Abbreviation(), count: 1)
  private(set) var steps = ContiguousArray<SkipStep>()
  private(set) var constants = ContiguousArray<Int64>()
  /// What looks up declarations sees in the place of those that a scan for names steps over.
  private var declarations = ContiguousArray<(code: Int, entry: Abbreviation)>()
  /// Some variable's place is given by a location list: the code is optimised.
  private(set) var usesLocationLists = false
  /// Some attribute may refer to a DIE of another unit.
  private(set) var refersToOtherUnits = false

  /// Codes are dense in what compilers write; anything above this is refused.
  private static let mostCodes = 1 << 20

  /// How many bytes of the section the table took.
  private(set) var byteCount = 0

  /// Compiles the table at the unit's offset; broken input gives a table with fewer entries.
  init(_ bytes: RawSpan, for unit: UnitHeader, purpose: Purpose) {
    key = Key(unit)
    guard let offset = Int(exactly: key.offset) else { return }
    var cursor = ByteCursor(bytes, at: offset)
    while !cursor.hasFailed {
      byteCount = cursor.offset - offset
      let code = Int(clamping: cursor.readULEB128())
      guard code > 0, code < Self.mostCodes, !cursor.hasFailed else { return }
      let tag = UInt16(truncatingIfNeeded: cursor.readULEB128())
      let hasChildren = cursor.readUInt8() != 0
      var entry = Abbreviation(tag: tag, action: Self.action(of: tag), hasChildren: hasChildren)
      if entry.action == .inlined && purpose != .instances { entry.action = .skipTree }
      if entry.action == .subprogram, purpose == .names, Self.declares(bytes, at: cursor.offset, surely: true)
      {
        var attributes = cursor
        declarations.append((code, compiled(&attributes, entry)))
        entry.action = .declaration
      }
      // Static members of DWARF 4: what a definition elsewhere refers back to.
      if tag == DwarfTag.member, Self.declares(bytes, at: cursor.offset) { entry.action = .variable }
      entry = compiled(&cursor, entry)
      // Compilers number from 1 without holes; a table full of holes would only cost memory.
      guard code <= entries.count + 1024 else { return }
      while entries.count <= code { entries.append(Abbreviation()) }
      entries[code] = entry
    }
  }

  /// The table of a scan for names as it would be had it been compiled for declarations.
  var lookingUpDeclarations: AbbreviationTable {
    var result = self
    for (code, entry) in declarations where code < entries.count { result.entries[code] = entry }
    result.declarations = []
    return result
  }

  /// What a table is compiled for: which DIEs it reports.
  enum Purpose {
    /// A scan for names: no inlined instances, no declarations of functions.
    case names
    /// Looking up declarations.
    case declarations
    /// Looking for inlined instances.
    case instances
  }

  /// Whether the attributes at `offset` include DW_AT_declaration; `surely`: in a form that cannot say no.
  private static func declares(_ bytes: RawSpan, at offset: Int, surely: Bool = false) -> Bool {
    var cursor = ByteCursor(bytes, at: offset)
    while !cursor.hasFailed {
      let attribute = cursor.readULEB128()
      let form = cursor.readULEB128()
      if attribute == UInt64(DwarfAttribute.declaration) {
        return !surely || form == UInt64(DwarfForm.flagPresent)
      }
      if form == UInt64(DwarfForm.implicitConstant) { cursor.skipLEB128() }
      if attribute == 0 && form == 0 { break }
    }
    return false
  }

  /// `entry` with the steps for its attributes.
  private mutating func compiled(_ cursor: inout ByteCursor, _ entry: Abbreviation) -> Abbreviation {
    var entry = entry
    entry.firstStep = UInt32(truncatingIfNeeded: steps.count)
    entry.isBroken = !compileAttributes(&cursor, for: entry)
    entry.stepCount = UInt32(truncatingIfNeeded: steps.count) - entry.firstStep
    return entry
  }

  /// Appends the steps of one abbreviation; false when a form is unknown.
  private mutating func compileAttributes(_ cursor: inout ByteCursor, for entry: Abbreviation) -> Bool {
    var pendingBytes = 0
    var isGood = true
    while true {
      let attribute = UInt16(truncatingIfNeeded: cursor.readULEB128())
      let form = UInt16(truncatingIfNeeded: cursor.readULEB128())
      if form == 0 && attribute == 0 || cursor.hasFailed { break }
      noteLocation(attribute, form)
      noteReference(form)
      let slot = Self.slot(of: attribute, in: entry)
      if form == DwarfForm.implicitConstant {
        let constant = cursor.readSLEB128()
        if let slot, constants.count < 0xffff {
          flush(&pendingBytes)
          steps.append(SkipStep(SkipStep.Opcode.keepConstant, slot << 16 | constants.count))
          constants.append(constant)
        }
        continue
      }
      if let slot, form != DwarfForm.indirect {
        flush(&pendingBytes)
        steps.append(SkipStep(SkipStep.Opcode.keep, slot << 16 | Int(form)))
        isGood = isGood && FormWidth(form, key) != nil
        continue
      }
      switch FormWidth(form, key) {
      case .bytes(let count): pendingBytes += count
      case .leb128:
        flush(&pendingBytes)
        steps.append(SkipStep(SkipStep.Opcode.leb128, 0))
      case .cString:
        flush(&pendingBytes)
        steps.append(SkipStep(SkipStep.Opcode.cString, 0))
      case .block(let width):
        flush(&pendingBytes)
        steps.append(SkipStep(SkipStep.Opcode.block, width))
      case .indirect:
        flush(&pendingBytes)
        steps.append(SkipStep(SkipStep.Opcode.indirect, slot.map { $0 + 1 } ?? 0))
      case nil: isGood = false
      }
    }
    flush(&pendingBytes)
    return isGood && !cursor.hasFailed
  }

  private mutating func flush(_ pendingBytes: inout Int) {
    guard pendingBytes > 0 else { return }
    steps.append(SkipStep(SkipStep.Opcode.bytes, pendingBytes))
    pendingBytes = 0
  }

  private mutating func noteLocation(_ attribute: UInt16, _ form: UInt16) {
    guard attribute == DwarfAttribute.location else { return }
    switch form {
    case DwarfForm.sectionOffset, DwarfForm.locationListIndex: usesLocationLists = true
    case DwarfForm.data4, DwarfForm.data8: usesLocationLists = usesLocationLists || key.version < 4
    default: break
    }
  }

  private mutating func noteReference(_ form: UInt16) {
    switch form {
    case DwarfForm.referenceAddress, DwarfForm.referenceSignature, DwarfForm.referenceSupplement4,
      DwarfForm.referenceSupplement8, DwarfForm.gnuReferenceAlternate, DwarfForm.indirect:
      refersToOtherUnits = true
    default: break
    }
  }

  private static func action(of tag: UInt16) -> DIEAction {
    switch tag {
    case DwarfTag.compileUnit, DwarfTag.partialUnit, DwarfTag.typeUnit, DwarfTag.skeletonUnit: .unit
    case DwarfTag.subprogram: .subprogram
    case DwarfTag.variable: .variable
    case DwarfTag.structureType, DwarfTag.unionType, DwarfTag.classType, DwarfTag.interfaceType,
      DwarfTag.typedef, DwarfTag.baseType:
      .type
    case DwarfTag.enumerationType: .enumeration
    case DwarfTag.enumerator: .enumerator
    case DwarfTag.namespace, DwarfTag.module: .scope
    case DwarfTag.inlinedSubroutine: .inlined
    case DwarfTag.subroutineType, DwarfTag.arrayType, DwarfTag.callSite, DwarfTag.gnuCallSite: .skipTree
    default: .ignore
    }
  }

  /// Where the value of `attribute` goes for DIEs like `entry`; nil: nowhere.
  private static func slot(of attribute: UInt16, in entry: Abbreviation) -> Int? {
    if attribute == DwarfAttribute.sibling {
      switch entry.action {
      case .skipTree, .declaration, .type: return entry.hasChildren ? DIESlot.sibling : nil
      case .ignore, .unit, .subprogram, .variable, .enumeration, .enumerator, .scope, .inlined: return nil
      }
    }
    switch entry.action {
    case .ignore, .skipTree, .declaration: return nil
    case .unit, .subprogram, .variable, .type, .enumeration, .enumerator, .scope, .inlined: break
    }
    switch attribute {
    case DwarfAttribute.name: return DIESlot.name
    case DwarfAttribute.linkageName, DwarfAttribute.mipsLinkageName: return DIESlot.linkageName
    case DwarfAttribute.lowPC: return DIESlot.lowPC
    case DwarfAttribute.highPC: return DIESlot.highPC
    case DwarfAttribute.ranges: return DIESlot.ranges
    case DwarfAttribute.entryPC: return DIESlot.entryPC
    case DwarfAttribute.declFile: return DIESlot.declFile
    case DwarfAttribute.declLine: return DIESlot.declLine
    case DwarfAttribute.specification: return DIESlot.specification
    case DwarfAttribute.abstractOrigin: return DIESlot.abstractOrigin
    case DwarfAttribute.declaration: return DIESlot.declaration
    case DwarfAttribute.external: return DIESlot.external
    case DwarfAttribute.inline: return DIESlot.inline
    case DwarfAttribute.constValue: return DIESlot.constValue
    case DwarfAttribute.location: return DIESlot.location
    case DwarfAttribute.statementList: return DIESlot.statementList
    case DwarfAttribute.compilationDirectory: return DIESlot.compilationDirectory
    case DwarfAttribute.language: return DIESlot.language
    case DwarfAttribute.producer: return DIESlot.producer
    case DwarfAttribute.stringOffsetsBase: return DIESlot.stringOffsetsBase
    case DwarfAttribute.addressBase, DwarfAttribute.gnuAddressBase: return DIESlot.addressBase
    case DwarfAttribute.rangeListsBase, DwarfAttribute.gnuRangesBase: return DIESlot.rangeListsBase
    case DwarfAttribute.callFile: return DIESlot.callFile
    case DwarfAttribute.callLine: return DIESlot.callLine
    case DwarfAttribute.splitName, DwarfAttribute.gnuSplitName: return DIESlot.splitName
    default: return nil
    }
  }
}

/// How many bytes a form takes (DWARF 5, section 7.5.6).
enum FormWidth: Equatable {
  case bytes(Int)
  case leb128
  case cString
  /// A length of that many bytes (0: ULEB128), then as many bytes.
  case block(Int)
  case indirect

  /// Nil for a form that nobody knows.
  init?(_ form: UInt16, _ key: AbbreviationTable.Key) {
    switch form {
    case DwarfForm.flagPresent, DwarfForm.implicitConstant: self = .bytes(0)
    case DwarfForm.data1, DwarfForm.flag, DwarfForm.reference1, DwarfForm.stringIndex1,
      DwarfForm.addressIndex1:
      self = .bytes(1)
    case DwarfForm.data2, DwarfForm.reference2, DwarfForm.stringIndex2, DwarfForm.addressIndex2:
      self = .bytes(2)
    case DwarfForm.stringIndex3, DwarfForm.addressIndex3: self = .bytes(3)
    case DwarfForm.data4, DwarfForm.reference4, DwarfForm.stringIndex4, DwarfForm.addressIndex4,
      DwarfForm.referenceSupplement4:
      self = .bytes(4)
    case DwarfForm.data8, DwarfForm.reference8, DwarfForm.referenceSignature,
      DwarfForm.referenceSupplement8:
      self = .bytes(8)
    case DwarfForm.data16: self = .bytes(16)
    case DwarfForm.address: self = .bytes(key.addressSize)
    // In DWARF 2 it had the width of an address (DWARF 3, section 1.5.1).
    case DwarfForm.referenceAddress: self = .bytes(key.version <= 2 ? key.addressSize : key.offsetSize)
    case DwarfForm.stringPointer, DwarfForm.lineStringPointer, DwarfForm.sectionOffset,
      DwarfForm.stringPointerSupplement, DwarfForm.gnuReferenceAlternate,
      DwarfForm.gnuStringPointerAlternate:
      self = .bytes(key.offsetSize)
    case DwarfForm.signed, DwarfForm.unsigned, DwarfForm.referenceUnsigned, DwarfForm.stringIndex,
      DwarfForm.addressIndex, DwarfForm.locationListIndex, DwarfForm.rangeListIndex,
      DwarfForm.gnuAddressIndex, DwarfForm.gnuStringIndex:
      self = .leb128
    case DwarfForm.string: self = .cString
    case DwarfForm.block1: self = .block(1)
    case DwarfForm.block2: self = .block(2)
    case DwarfForm.block4: self = .block(4)
    case DwarfForm.block, DwarfForm.expression: self = .block(0)
    case DwarfForm.indirect: self = .indirect
    default: return nil
    }
  }
}
