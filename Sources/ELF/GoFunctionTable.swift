package import Platform
package import TargetModel

/// The functions of a Go program, from the table that its runtime finds names and lines in.
///
/// `strip` leaves it: the program needs it. Layouts: Go's `src/debug/gosym/pclntab.go` and `src/runtime/symtab.go`, of
/// Go 1.16 to 1.17 (magic 0xfffffffa), 1.18 to 1.19 (0xfffffff0), and 1.20 on (0xfffffff1).
package struct GoFunctionTable {
  /// One function's code.
  package struct Function: Hashable, Sendable {
    /// As Go spells it: `main.(*Item).Total`.
    package var name: String
    package var address: LinkAddress
    package var byteCount: UInt64
  }

  private let table: SharedBytes
  /// 4 or 8.
  private let addressByteCount: Int
  /// Of the fields of the list of functions; addresses were absolute before Go 1.18.
  private let fieldByteCount: Int
  private let count: Int
  /// What addresses count from.
  private let origin: UInt64
  private let names: Int
  private let functions: Int

  /// More functions than any real program has.
  private static let mostFunctions = 1 << 22
  private static let longestName = 1 << 16

  /// Reads the header of `table`; nil for a layout that nobody here knows.
  /// - Parameter text: where the program's code begins; position-independent programs do not say it in the table.
  package init?(_ table: SharedBytes, text: LinkAddress) {
    let bytes = table.span
    // 1. magic, 2. two zeros, 3. the smallest instruction, 4. the size of an address
    guard let magic = bytes.load(at: 0, as: UInt32.self), bytes.load(at: 4, as: UInt16.self) == 0,
      let size = bytes.load(at: 7, as: UInt8.self), size == 4 || size == 8
    else { return nil }
    let hasOrigin: Bool
    switch magic {
    case 0xffff_fffa: hasOrigin = false
    case 0xffff_fff0, 0xffff_fff1: hasOrigin = true
    default: return nil
    }
    addressByteCount = Int(size)
    fieldByteCount = hasOrigin ? 4 : Int(size)
    // 5. functions, 6. files, 7. where code begins, 8. names, 9. units, 10. files' names, 11. lines, 12. functions
    func field(_ number: Int) -> UInt64? { Self.number(bytes, at: 8 + number * Int(size), Int(size)) }
    let shift = hasOrigin ? 1 : 0
    guard let count = field(0).flatMap(Int.init(exactly:)), count <= Self.mostFunctions,
      let names = field(2 + shift).flatMap(Int.init(exactly:)), names < bytes.byteCount,
      let functions = field(6 + shift).flatMap(Int.init(exactly:)), functions < bytes.byteCount,
      // Each function's address and place, and behind the last one its end.
      (count * 2 + 1) * fieldByteCount <= bytes.byteCount - functions
    else { return nil }
    let said = hasOrigin ? field(2) ?? 0 : 0
    origin = !hasOrigin ? 0 : said == 0 ? text.raw : said
    (self.count, self.names, self.functions, self.table) = (count, names, functions, table)
  }

  private static func number(_ bytes: RawSpan, at offset: Int, _ byteCount: Int) -> UInt64? {
    byteCount == 4
      ? bytes.load(at: offset, as: UInt32.self).map(UInt64.init) : bytes.load(at: offset, as: UInt64.self)
  }

  /// All functions that have a name, in the order of their addresses; what a damaged table says of one is left out.
  package var all: [Function] {
    var found: [Function] = []
    found.reserveCapacity(count)
    for index in 0..<count {
      guard let start = address(index), let end = address(index + 1), end > start, let name = name(index)
      else {
        continue
      }
      found.append(Function(name: name, address: LinkAddress(start), byteCount: end - start))
    }
    return found
  }

  /// The function that holds `address`; wrong answers at worst from a damaged table.
  package func function(containing address: LinkAddress) -> Function? {
    var low = 0
    var high = count
    while low < high {
      let middle = low + (high - low) / 2
      guard let start = self.address(middle) else { return nil }
      if start <= address.raw { low = middle + 1 } else { high = middle }
    }
    guard low > 0, let start = self.address(low - 1), let end = self.address(low), start <= address.raw,
      address.raw < end, let name = name(low - 1)
    else { return nil }
    return Function(name: name, address: LinkAddress(start), byteCount: end - start)
  }

  private func address(_ index: Int) -> UInt64? {
    let place = functions + index * 2 * fieldByteCount
    guard let offset = Self.number(table.span, at: place, fieldByteCount) else { return nil }
    let (address, overflow) = origin.addingReportingOverflow(offset)
    return overflow ? nil : address
  }

  private func name(_ index: Int) -> String? {
    let place = functions + (index * 2 + 1) * fieldByteCount
    // A function's record (`runtime._func`): its address, then the offset of its name.
    guard let record = Self.number(table.span, at: place, fieldByteCount).flatMap(Int.init(exactly:)),
      record < table.count,
      let offset = table.span.load(at: functions + record + fieldByteCount, as: UInt32.self),
      let text = table.span.stringBytes(at: names + Int(offset)), text.byteCount > 0,
      text.byteCount <= Self.longestName
    else { return nil }
    return String(copying: text)
  }
}

extension ELFFile {
  /// What the runtime of a Go program knows of its functions; nil for other programs.
  package var goFunctions: GoFunctionTable? {
    let section = section(named: ".gopclntab") ?? section(named: ".data.rel.ro.gopclntab")
    guard let section, let bytes = try? contents(of: section) else { return nil }
    return GoFunctionTable(bytes, text: self.section(named: ".text")?.address ?? LinkAddress(0))
  }
}

extension GoFunctionTable {
  /// The functions as a symbol table would have them.
  package var symbols: [ELFSymbol] {
    all.enumerated().map { index, function in
      ELFSymbol(
        name: function.name,
        version: nil,
        isDefaultVersion: true,
        address: function.address,
        byteCount: function.byteCount,
        kind: .function,
        binding: .global,
        visibility: 0,
        sectionIndex: ELFConstant.indexAbsolute,
        source: .goFunctions,
        index: index
      )
    }
  }
}
