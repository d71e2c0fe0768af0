internal import CLibdw
import Glibc

/// One debugging information entry, by way of libdw.
///
/// Valid only inside ``DwarfSession/read(_:)``.
@safe struct DIE {
  private var raw: Dwarf_Die
  /// Tells which DIEs are in the file that dwz made.
  private let alternate: OpaquePointer?

  /// More children than any real DIE has.
  private static let mostChildren = 1 << 20

  @unsafe init(_ raw: Dwarf_Die, alternate: OpaquePointer?) {
    unsafe self.raw = raw
    unsafe self.alternate = alternate
  }

  /// Calls libdw with a copy: its functions want a mutable pointer and do not write.
  private func call<Answer>(_ body: (UnsafeMutablePointer<Dwarf_Die>) -> Answer) -> Answer {
    var copy = unsafe raw
    return unsafe body(&copy)
  }

  var tag: UInt16 { unsafe UInt16(truncatingIfNeeded: call { unsafe dwarf_tag($0) }) }

  /// DW_AT_name, from the declaration or abstract instance when need be.
  var name: String? {
    unsafe call { die in unsafe dwarf_diename(die).map { unsafe String(cString: $0) } }
  }

  /// How the index and type references name it.
  var reference: DIEReference {
    let offset = unsafe call { unsafe dwarf_dieoffset($0) }
    let owner = unsafe dwarf_cu_getdwarf(raw.cu)
    var version: Dwarf_Half = 0
    var kind: UInt8 = 0
    let answer = unsafe dwarf_cu_info(raw.cu, &version, &kind, nil, nil, nil, nil, nil)
    return DIEReference(
      offset: offset,
      isAlternate: unsafe owner != nil && owner == alternate,
      isTypeSection: answer == 0 && version < 5 && kind == DwarfUnitKind.type
    )
  }

  /// The header of the unit that it is in.
  var unitHeader: DIEReference {
    let own = reference
    let inUnit = unsafe call { unsafe dwarf_cuoffset($0) }
    return DIEReference(
      offset: own.offset &- inUnit,
      isAlternate: own.isAlternate,
      isTypeSection: own.isTypeSection
    )
  }

  /// The attribute, from the declaration or abstract instance when need be.
  private func withAttribute<Answer>(
    _ attribute: UInt16,
    isOwn: Bool = false,
    _ body: (UnsafeMutablePointer<Dwarf_Attribute>) -> Answer?
  ) -> Answer? {
    var copy = unsafe raw
    var value = unsafe Dwarf_Attribute()
    let found =
      if isOwn {
        unsafe dwarf_attr(&copy, UInt32(attribute), &value)
      } else {
        unsafe dwarf_attr_integrate(&copy, UInt32(attribute), &value)
      }
    guard unsafe found != nil else { return nil }
    return unsafe body(&value)
  }

  func has(_ attribute: UInt16, isOwn: Bool = false) -> Bool {
    unsafe withAttribute(attribute, isOwn: isOwn) { _ in true } ?? false
  }

  func unsigned(_ attribute: UInt16, isOwn: Bool = false) -> UInt64? {
    unsafe withAttribute(attribute, isOwn: isOwn) { value in
      var number: Dwarf_Word = 0
      return unsafe dwarf_formudata(value, &number) == 0 ? UInt64(number) : nil
    }
  }

  /// A constant; libdw extends the sign of all fixed-size forms.
  func signed(_ attribute: UInt16) -> Int64? {
    unsafe withAttribute(attribute) { value in
      var number: Dwarf_Sword = 0
      return unsafe dwarf_formsdata(value, &number) == 0 ? Int64(number) : nil
    }
  }

  /// A constant as compilers mean it: fixed-size forms are unsigned, the others say it themselves.
  func constant(_ attribute: UInt16) -> Int64? {
    unsafe withAttribute(attribute) { value in
      let form = unsafe UInt16(truncatingIfNeeded: dwarf_whatform(value))
      if form == DwarfForm.signed || form == DwarfForm.implicitConstant {
        var number: Dwarf_Sword = 0
        return unsafe dwarf_formsdata(value, &number) == 0 ? Int64(number) : nil
      }
      var number: Dwarf_Word = 0
      return unsafe dwarf_formudata(value, &number) == 0 ? Int64(bitPattern: UInt64(number)) : nil
    }
  }

  func flag(_ attribute: UInt16, isOwn: Bool = false) -> Bool {
    unsafe withAttribute(attribute, isOwn: isOwn) { value in
      var flag = false
      return unsafe dwarf_formflag(value, &flag) == 0 && flag
    } ?? false
  }

  func string(_ attribute: UInt16) -> String? {
    unsafe withAttribute(attribute) { value in
      unsafe dwarf_formstring(value).map { unsafe String(cString: $0) }
    }
  }

  /// The bytes of a block form.
  func block(_ attribute: UInt16) -> [UInt8]? {
    unsafe withAttribute(attribute) { value in
      var block = unsafe Dwarf_Block()
      guard unsafe dwarf_formblock(value, &block) == 0, let data = unsafe block.data else { return nil }
      return unsafe Array(UnsafeBufferPointer(start: data, count: Int(block.length)))
    }
  }

  /// An address; not integrated.
  func address(_ attribute: UInt16) -> UInt64? {
    unsafe withAttribute(attribute, isOwn: true) { value in
      var address: Dwarf_Addr = 0
      return unsafe dwarf_formaddr(value, &address) == 0 ? UInt64(address) : nil
    }
  }

  /// The DIE that the attribute refers to, in whatever unit or file it is.
  func reference(_ attribute: UInt16, isOwn: Bool = false) -> DIE? {
    let alternate = unsafe alternate
    return unsafe withAttribute(attribute, isOwn: isOwn) { value in
      var target = unsafe Dwarf_Die()
      guard unsafe dwarf_formref_die(value, &target) != nil else { return nil }
      return unsafe DIE(target, alternate: alternate)
    }
  }

  /// Where its code begins.
  var entryAddress: UInt64? {
    unsafe call { die in
      var address: Dwarf_Addr = 0
      return unsafe dwarf_entrypc(die, &address) == 0 ? UInt64(address) : nil
    }
  }

  /// One past its last instruction, when its code is one piece.
  var highAddress: UInt64? {
    unsafe call { die in
      var address: Dwarf_Addr = 0
      return unsafe dwarf_highpc(die, &address) == 0 ? UInt64(address) : nil
    }
  }

  /// Whether its code includes `address`.
  func contains(_ address: UInt64) -> Bool { unsafe call { unsafe dwarf_haspc($0, address) > 0 } }

  var hasChildren: Bool { unsafe call { unsafe dwarf_haschildren($0) > 0 } }

  /// Its children in order; ends early where sibling attributes lead back.
  var children: [DIE] {
    var children: [DIE] = []
    var child = unsafe Dwarf_Die()
    var next = unsafe Dwarf_Die()
    guard unsafe call({ unsafe dwarf_child($0, &child) }) == 0 else { return [] }
    var last = unsafe dwarf_dieoffset(&child)
    while children.count < Self.mostChildren {
      unsafe children.append(DIE(child, alternate: alternate))
      guard unsafe dwarf_siblingof(&child, &next) == 0 else { break }
      let offset = unsafe dwarf_dieoffset(&next)
      guard offset > last else { break }
      last = offset
      unsafe child = next
    }
    return children
  }

  /// The unit DIE above it.
  var unit: DIE? {
    unsafe call { die in
      var unit = unsafe Dwarf_Die()
      guard unsafe dwarf_diecu(die, &unit, nil, nil) != nil else { return nil }
      return unsafe DIE(unit, alternate: alternate)
    }
  }

  var declarationLine: Int? {
    unsafe call { die in
      var line: CInt = 0
      return unsafe dwarf_decl_line(die, &line) == 0 ? Int(line) : nil
    }
  }

  /// The file that declares it, by its own or its declaration's word.
  var declarationFile: String? {
    unsafe call { die in unsafe dwarf_decl_file(die).map { unsafe String(cString: $0) } }
  }

  /// `namespace::class` around the declaration of what this is an instance or definition of; nil at the top.
  var enclosingScope: String? {
    var declared = self
    for _ in 0..<8 {
      guard
        let origin = declared.reference(DwarfAttribute.abstractOrigin, isOwn: true)
          ?? declared.reference(DwarfAttribute.specification, isOwn: true)
      else { break }
      declared = origin
    }
    var names: [String] = []
    for scope in declared.scopesAround {
      switch scope.tag {
      case DwarfTag.namespace, DwarfTag.module, DwarfTag.classType, DwarfTag.structureType,
        DwarfTag.unionType:
        names.append(scope.name ?? "(anonymous namespace)")
      default: continue
      }
    }
    return names.isEmpty ? nil : names.reversed().joined(separator: "::")
  }

  /// The DIEs around this one, innermost first.
  ///
  /// Goes down from the unit and steps over what lies before: libdw's own search looks at every DIE on the way.
  private var scopesAround: [DIE] {
    let own = offset
    guard var scope = unit else { return [] }
    var scopes = [scope]
    while scopes.count < Self.mostScopes, let next = scope.lastChild(notBehind: own), next.offset < own {
      scopes.append(next)
      scope = next
    }
    return scopes.reversed()
  }

  /// More than any real DIE is in.
  private static let mostScopes = 256

  private var offset: UInt64 { unsafe call { unsafe dwarf_dieoffset($0) } }

  /// The child that begins at `limit`, or the last one before it.
  private func lastChild(notBehind limit: UInt64) -> DIE? {
    var child = unsafe Dwarf_Die()
    var next = unsafe Dwarf_Die()
    guard unsafe call({ unsafe dwarf_child($0, &child) }) == 0, unsafe dwarf_dieoffset(&child) <= limit else {
      return nil
    }
    // Offsets must grow, or sibling attributes lead back.
    var last = unsafe dwarf_dieoffset(&child)
    while unsafe dwarf_siblingof(&child, &next) == 0 {
      let offset = unsafe dwarf_dieoffset(&next)
      guard offset > last, offset <= limit else { break }
      last = offset
      unsafe child = next
    }
    return unsafe DIE(child, alternate: alternate)
  }

  /// The source line of the row that covers `address` in this unit DIE's line table.
  func line(at address: UInt64) -> Int? {
    unsafe call { die in
      guard let row = unsafe dwarf_getsrc_die(die, address) else { return nil }
      var line: CInt = 0
      return unsafe dwarf_lineno(row, &line) == 0 && line > 0 ? Int(line) : nil
    }
  }

  /// Where the prologue of the function at `entry` ends, by this unit DIE's line table: the row that says so
  /// (clang), or the second row (gcc, whose first one is the opening brace).
  ///
  /// In a variadic function clang's prologue ends, by its row, before the registers have been saved: there the
  /// row behind it counts.
  func prologueEnd(entry: UInt64, end: UInt64, isVariadic: Bool) -> UInt64? {
    unsafe call { die in
      var lines: OpaquePointer?
      var count = 0
      guard unsafe dwarf_getsrclines(die, &lines, &count) == 0, let lines = unsafe lines else { return nil }
      var second: UInt64?
      var hasEnded = false
      for index in unsafe Self.firstRow(after: entry, in: lines, count)..<count {
        guard let row = unsafe dwarf_onesrcline(lines, index) else { break }
        var address: Dwarf_Addr = 0
        var isStatement = false
        var endsPrologue = false
        guard unsafe dwarf_lineaddr(row, &address) == 0, address < end else { break }
        unsafe dwarf_linebeginstatement(row, &isStatement)
        unsafe dwarf_lineprologueend(row, &endsPrologue)
        if endsPrologue && !isVariadic || hasEnded && isStatement { return address }
        hasEnded = hasEnded || endsPrologue
        if isStatement && second == nil { second = address }
      }
      return second
    }
  }

  /// The rows of this unit DIE's line table that begin a statement, by address.
  var lineRows: [LineRow] {
    unsafe call { die in
      var lines: OpaquePointer?
      var count = 0
      guard unsafe dwarf_getsrclines(die, &lines, &count) == 0, let lines = unsafe lines else { return [] }
      var rows: [LineRow] = []
      rows.reserveCapacity(count)
      var names: [UnsafePointer<CChar>: String] = unsafe [:]
      for index in 0..<count {
        guard let row = unsafe dwarf_onesrcline(lines, index) else { break }
        var address: Dwarf_Addr = 0
        var line: CInt = 0
        var isStatement = false
        var isEnd = false
        unsafe dwarf_linebeginstatement(row, &isStatement)
        unsafe dwarf_lineendsequence(row, &isEnd)
        guard isStatement, !isEnd, unsafe dwarf_lineaddr(row, &address) == 0,
          unsafe dwarf_lineno(row, &line) == 0, line > 0,
          let source = unsafe dwarf_linesrc(row, nil, nil)
        else { continue }
        let name = unsafe names[source] ?? (unsafe String(cString: source))
        unsafe names[source] = name
        rows.append(LineRow(address: address, file: name, line: Int(line)))
      }
      return rows
    }
  }

  /// The index of the first row above `address`; libdw sorts rows by address.
  @unsafe private static func firstRow(after address: UInt64, in lines: OpaquePointer, _ count: Int) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = low + (high - low) / 2
      var found: Dwarf_Addr = 0
      let row = unsafe dwarf_onesrcline(lines, middle)
      if unsafe dwarf_lineaddr(row, &found) == 0, found <= address { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// Where `attribute` says that something is at `address`.
  func location(_ attribute: UInt16, at address: UInt64) -> LocationLookup {
    let alternate = unsafe alternate
    return unsafe withAttribute(attribute) { value in
      var expression: UnsafeMutablePointer<Dwarf_Op>?
      var count = 0
      let found = unsafe dwarf_getlocation_addr(value, address, &expression, &count, 1)
      guard found > 0, let first = unsafe expression else {
        return found < 0 ? .unreadable : unsafe .elsewhere(Self.ranges(of: value))
      }
      let buffer = unsafe UnsafeBufferPointer(start: first, count: count)
      return unsafe .expression(DwarfOperation.convert(buffer, of: value, alternate))
    } ?? .missing
  }

  /// The address ranges of a location list.
  private static func ranges(of attribute: UnsafeMutablePointer<Dwarf_Attribute>) -> [Range<UInt64>] {
    var ranges: [Range<UInt64>] = []
    var position: Int = 0
    var base: Dwarf_Addr = 0
    var start: Dwarf_Addr = 0
    var end: Dwarf_Addr = 0
    var expression: UnsafeMutablePointer<Dwarf_Op>?
    var count = 0
    while ranges.count < 1000 {
      position = unsafe dwarf_getlocations(attribute, position, &base, &start, &end, &expression, &count)
      guard position > 0 else { break }
      if start < end { ranges.append(start..<end) }
    }
    return ranges
  }
}
