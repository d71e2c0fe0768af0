// Numbers of DWARF 5, chapter 7 (tables 7.2 to 7.6), and the GNU extensions of gcc's include/dwarf2.def.

/// DW_TAG_* that the program tells apart.
enum DwarfTag {
  static let arrayType: UInt16 = 0x01
  static let classType: UInt16 = 0x02
  static let enumerationType: UInt16 = 0x04
  static let formalParameter: UInt16 = 0x05
  static let label: UInt16 = 0x0a
  static let lexicalBlock: UInt16 = 0x0b
  static let member: UInt16 = 0x0d
  static let pointerType: UInt16 = 0x0f
  static let referenceType: UInt16 = 0x10
  static let compileUnit: UInt16 = 0x11
  static let stringType: UInt16 = 0x12
  static let structureType: UInt16 = 0x13
  static let subroutineType: UInt16 = 0x15
  static let typedef: UInt16 = 0x16
  static let unionType: UInt16 = 0x17
  static let unspecifiedParameters: UInt16 = 0x18
  static let variant: UInt16 = 0x19
  static let inheritance: UInt16 = 0x1c
  static let inlinedSubroutine: UInt16 = 0x1d
  static let module: UInt16 = 0x1e
  static let pointerToMember: UInt16 = 0x1f
  static let subrangeType: UInt16 = 0x21
  static let baseType: UInt16 = 0x24
  static let constType: UInt16 = 0x26
  static let constant: UInt16 = 0x27
  static let enumerator: UInt16 = 0x28
  static let subprogram: UInt16 = 0x2e
  static let variantPart: UInt16 = 0x33
  static let variable: UInt16 = 0x34
  static let volatileType: UInt16 = 0x35
  static let restrictType: UInt16 = 0x37
  static let interfaceType: UInt16 = 0x38
  static let namespace: UInt16 = 0x39
  static let unspecifiedType: UInt16 = 0x3b
  static let partialUnit: UInt16 = 0x3c
  static let typeUnit: UInt16 = 0x41
  static let rvalueReferenceType: UInt16 = 0x42
  static let atomicType: UInt16 = 0x47
  static let callSite: UInt16 = 0x48
  static let callSiteParameter: UInt16 = 0x49
  static let skeletonUnit: UInt16 = 0x4a
  static let immutableType: UInt16 = 0x4b
  static let gnuCallSite: UInt16 = 0x4109
  static let gnuCallSiteParameter: UInt16 = 0x410a
}

/// DW_AT_* that the program reads.
enum DwarfAttribute {
  static let sibling: UInt16 = 0x01
  static let location: UInt16 = 0x02
  static let name: UInt16 = 0x03
  static let byteSize: UInt16 = 0x0b
  static let bitOffset: UInt16 = 0x0c
  static let bitSize: UInt16 = 0x0d
  static let statementList: UInt16 = 0x10
  static let lowPC: UInt16 = 0x11
  static let highPC: UInt16 = 0x12
  static let language: UInt16 = 0x13
  static let discriminant: UInt16 = 0x15
  static let discriminantValue: UInt16 = 0x16
  static let discriminantList: UInt16 = 0x3d
  static let compilationDirectory: UInt16 = 0x1b
  static let constValue: UInt16 = 0x1c
  static let inline: UInt16 = 0x20
  static let producer: UInt16 = 0x25
  static let prototyped: UInt16 = 0x27
  static let upperBound: UInt16 = 0x2f
  static let abstractOrigin: UInt16 = 0x31
  static let artificial: UInt16 = 0x34
  static let callingConvention: UInt16 = 0x36
  static let count: UInt16 = 0x37
  static let dataMemberLocation: UInt16 = 0x38
  static let declFile: UInt16 = 0x3a
  static let declLine: UInt16 = 0x3b
  static let declaration: UInt16 = 0x3c
  static let encoding: UInt16 = 0x3e
  static let external: UInt16 = 0x3f
  static let frameBase: UInt16 = 0x40
  static let specification: UInt16 = 0x47
  static let type: UInt16 = 0x49
  static let variableParameter: UInt16 = 0x4b
  static let virtuality: UInt16 = 0x4c
  static let entryPC: UInt16 = 0x52
  static let ranges: UInt16 = 0x55
  static let callFile: UInt16 = 0x58
  static let callLine: UInt16 = 0x59
  static let signature: UInt16 = 0x69
  static let dataBitOffset: UInt16 = 0x6b
  static let linkageName: UInt16 = 0x6e
  static let stringOffsetsBase: UInt16 = 0x72
  static let addressBase: UInt16 = 0x73
  static let rangeListsBase: UInt16 = 0x74
  static let splitName: UInt16 = 0x76
  static let callReturnPC: UInt16 = 0x7d
  static let callValue: UInt16 = 0x7e
  static let callOrigin: UInt16 = 0x7f
  static let callParameter: UInt16 = 0x80
  static let callTailCall: UInt16 = 0x82
  static let alignment: UInt16 = 0x88
  static let defaulted: UInt16 = 0x8b
  static let locationListsBase: UInt16 = 0x8c
  static let mipsLinkageName: UInt16 = 0x2007
  static let gnuVector: UInt16 = 0x2107
  static let gnuCallSiteValue: UInt16 = 0x2111
  static let gnuTailCall: UInt16 = 0x2115
  static let gnuSplitName: UInt16 = 0x2130
  static let gnuRangesBase: UInt16 = 0x2132
  static let gnuAddressBase: UInt16 = 0x2133
  /// DW_AT_hi_user: nobody's.
  static let lastOfUsers: UInt16 = 0x3fff
}

/// DW_LANG_*: the language of a unit (DWARF 5, table 7.17).
enum DwarfLanguage {
  static let rust: UInt64 = 0x1c
}

/// DW_FORM_*: how a value is written.
enum DwarfForm {
  static let address: UInt16 = 0x01
  static let block2: UInt16 = 0x03
  static let block4: UInt16 = 0x04
  static let data2: UInt16 = 0x05
  static let data4: UInt16 = 0x06
  static let data8: UInt16 = 0x07
  static let string: UInt16 = 0x08
  static let block: UInt16 = 0x09
  static let block1: UInt16 = 0x0a
  static let data1: UInt16 = 0x0b
  static let flag: UInt16 = 0x0c
  static let signed: UInt16 = 0x0d
  static let stringPointer: UInt16 = 0x0e
  static let unsigned: UInt16 = 0x0f
  static let referenceAddress: UInt16 = 0x10
  static let reference1: UInt16 = 0x11
  static let reference2: UInt16 = 0x12
  static let reference4: UInt16 = 0x13
  static let reference8: UInt16 = 0x14
  static let referenceUnsigned: UInt16 = 0x15
  static let indirect: UInt16 = 0x16
  static let sectionOffset: UInt16 = 0x17
  static let expression: UInt16 = 0x18
  static let flagPresent: UInt16 = 0x19
  static let stringIndex: UInt16 = 0x1a
  static let addressIndex: UInt16 = 0x1b
  static let referenceSupplement4: UInt16 = 0x1c
  static let stringPointerSupplement: UInt16 = 0x1d
  static let data16: UInt16 = 0x1e
  static let lineStringPointer: UInt16 = 0x1f
  static let referenceSignature: UInt16 = 0x20
  static let implicitConstant: UInt16 = 0x21
  static let locationListIndex: UInt16 = 0x22
  static let rangeListIndex: UInt16 = 0x23
  static let referenceSupplement8: UInt16 = 0x24
  static let stringIndex1: UInt16 = 0x25
  static let stringIndex2: UInt16 = 0x26
  static let stringIndex3: UInt16 = 0x27
  static let stringIndex4: UInt16 = 0x28
  static let addressIndex1: UInt16 = 0x29
  static let addressIndex2: UInt16 = 0x2a
  static let addressIndex3: UInt16 = 0x2b
  static let addressIndex4: UInt16 = 0x2c
  static let gnuAddressIndex: UInt16 = 0x1f01
  static let gnuStringIndex: UInt16 = 0x1f02
  static let gnuReferenceAlternate: UInt16 = 0x1f20
  static let gnuStringPointerAlternate: UInt16 = 0x1f21
}

/// DW_UT_* (DWARF 5, table 7.2).
enum DwarfUnitKind {
  static let compile: UInt8 = 0x01
  static let type: UInt8 = 0x02
  static let partial: UInt8 = 0x03
  static let skeleton: UInt8 = 0x04
  static let splitCompile: UInt8 = 0x05
  static let splitType: UInt8 = 0x06
}
