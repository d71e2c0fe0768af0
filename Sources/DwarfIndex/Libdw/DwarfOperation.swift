internal import CLibdw

/// The answer of a location attribute for one address.
enum LocationLookup {
  /// There is no such attribute.
  case missing
  case unreadable
  /// Known, but not at this address.
  case elsewhere([Range<UInt64>])
  case expression([DwarfOperation])
}

/// One operation of a DWARF expression, with what its operands refer to already looked up.
struct DwarfOperation {
  var code: UInt8
  var first: UInt64
  var second: UInt64
  /// From the start of the expression; what branches count from.
  var offset: UInt64
  /// DW_OP_implicit_value: the bytes.
  var block: [UInt8] = []
  /// DW_OP_entry_value: the expression that it holds.
  var nested: [DwarfOperation] = []
  /// DW_OP_addrx, DW_OP_constx: the entry of `.debug_addr`.
  var address: UInt64?
  /// DW_OP_convert and its kin: the base type, nil for the generic one; DW_OP_implicit_pointer: what is pointed
  /// to; DW_OP_GNU_parameter_ref: the parameter.
  var die: DIE?

  /// Copies libdw's operations; `attribute` is where they are from, nil for call frame information.
  @unsafe static func convert(
    _ operations: UnsafeBufferPointer<Dwarf_Op>,
    of attribute: UnsafeMutablePointer<Dwarf_Attribute>?,
    _ alternate: OpaquePointer?,
    depth: Int = 0
  ) -> [DwarfOperation] {
    operations.indices.map { index in
      let raw = unsafe operations[index]
      var operation = DwarfOperation(
        code: raw.atom,
        first: raw.number,
        second: raw.number2,
        offset: raw.offset
      )
      guard let attribute = unsafe attribute, let base = operations.baseAddress, depth < 4 else {
        return operation
      }
      let place = unsafe base + index
      switch DwarfOpcode.operand(of: operation.code) {
      case .none: break
      case .block:
        var block = unsafe Dwarf_Block()
        if unsafe dwarf_getlocation_implicit_value(attribute, place, &block) == 0,
          let data = unsafe block.data, unsafe block.length < 4096
        {
          unsafe operation.block = Array(UnsafeBufferPointer(start: data, count: Int(block.length)))
        }
      case .expression:
        var inner = unsafe Dwarf_Attribute()
        var first: UnsafeMutablePointer<Dwarf_Op>?
        var count = 0
        if unsafe dwarf_getlocation_attr(attribute, place, &inner) == 0,
          unsafe dwarf_getlocation(&inner, &first, &count) == 0, let start = unsafe first
        {
          let buffer = unsafe UnsafeBufferPointer(start: start, count: count)
          unsafe operation.nested = convert(buffer, of: &inner, alternate, depth: depth + 1)
        }
      case .address:
        var inner = unsafe Dwarf_Attribute()
        var address: Dwarf_Addr = 0
        if unsafe dwarf_getlocation_attr(attribute, place, &inner) == 0,
          unsafe dwarf_formaddr(&inner, &address) == 0 || dwarf_formudata(&inner, &address) == 0
        {
          operation.address = address
        }
      case .die:
        var die = unsafe Dwarf_Die()
        if unsafe dwarf_getlocation_die(attribute, place, &die) == 0 {
          unsafe operation.die = DIE(die, alternate: alternate)
        }
        // libdw gives DW_OP_const_type's second operand as a pointer to a length byte and the value.
        if operation.code == DwarfOpcode.constType || operation.code == DwarfOpcode.gnuConstType,
          let value = unsafe UnsafePointer<UInt8>(bitPattern: UInt(raw.number2))
        {
          unsafe operation.block = Array(UnsafeBufferPointer(start: value + 1, count: Int(value.pointee)))
        }
      }
      return operation
    }
  }
}
