import TargetModel

/// Operands in AT&T syntax, for x86-64 and, with the same registers, i386.
struct X86Operand {
  let surroundings: OperandSurroundings

  /// Reads one operand; what follows it is the caller's business.
  func parse(_ scanner: inout OperandScanner) throws(ArgumentError) -> Operand {
    if scanner.take("$") { return try immediate(&scanner) }
    _ = scanner.take("*")  // Indirect calls and jumps have it; some compilers print it before any memory.
    guard scanner.take("%") else { return .memory(try memory(&scanner)) }
    let start = scanner.position
    let name = scanner.takeName()
    if ["cs", "ds", "es", "fs", "gs", "ss"].contains(name) {
      try scanner.expect(":")
      return .memory(try segmented(&scanner, segment: name, at: start))
    }
    let register = try lookUp(name, scanner, at: start)
    return .register(dwarf: register.dwarf, byteOffset: register.byteOffset, byteCount: register.byteCount)
  }

  private func immediate(_ scanner: inout OperandScanner) throws(ArgumentError) -> Operand {
    let value = try OperandExpression.parse(&scanner, surroundings)
    return value.address == nil ? .immediate(value.constant) : .address(value.plan(surroundings))
  }

  /// `%fs:` is the thread pointer on x86-64; `%ds:` and its kin start at 0.
  private func segmented(
    _ scanner: inout OperandScanner,
    segment: String,
    at start: Int
  ) throws(ArgumentError) -> LocationPlan {
    guard segment != "gs" else { throw scanner.error(.unsupportedSegment(segment), at: start) }
    let address = try memory(&scanner)
    guard segment == "fs" else { return address }
    if case .constant(let offset) = address { return LocationPlan.threadPointer.offset(by: offset) }
    return .binary(.add, .threadPointer, address)
  }

  /// `disp(%base, %index, scale)`, every part optional.
  private func memory(_ scanner: inout OperandScanner) throws(ArgumentError) -> LocationPlan {
    var displacement = OperandExpression()
    if scanner.next != UInt8(ascii: "(") {
      displacement = try OperandExpression.parse(&scanner, surroundings)
    }
    guard scanner.take("(") else { return displacement.plan(surroundings) }
    var parts: [(plan: LocationPlan, isNarrow: Bool)] = []
    scanner.skipSpaces()
    if scanner.next == UInt8(ascii: "%") {
      if let instructionRelative = try instructionRelative(&scanner, displacement) {
        return instructionRelative
      }
      parts.append(try addressPart(&scanner))
    }
    scanner.skipSpaces()
    if scanner.take(",") {
      scanner.skipSpaces()
      if let index = try scaledIndex(&scanner) { parts.append(index) }
    }
    try scanner.expect(")")
    return sum(parts, displacement)
  }

  /// `symbol+8(%rip)`: the symbol itself, since the assembler writes the distance for us.
  private func instructionRelative(
    _ scanner: inout OperandScanner,
    _ displacement: OperandExpression
  ) throws(ArgumentError) -> LocationPlan? {
    let start = scanner.position
    var ahead = scanner
    guard ahead.take("%"), ahead.takeName() == "rip" else { return nil }
    try ahead.expect(")")
    guard displacement.address != nil else { throw scanner.error(.ripWithoutSymbol, at: start) }
    scanner = ahead
    return displacement.plan(surroundings)
  }

  private func scaledIndex(
    _ scanner: inout OperandScanner
  ) throws(ArgumentError) -> (plan: LocationPlan, isNarrow: Bool)? {
    var index: (plan: LocationPlan, isNarrow: Bool)?
    if scanner.next == UInt8(ascii: "%") { index = try addressPart(&scanner) }
    scanner.skipSpaces()
    guard scanner.take(",") else { return index }
    scanner.skipSpaces()
    let start = scanner.position
    let scale = try scanner.takeNumber()
    guard [1, 2, 4, 8].contains(scale) else {
      throw scanner.error(.syntax(expected: "1, 2, 4 or 8"), at: start)
    }
    scanner.skipSpaces()
    guard scale > 1, let unscaled = index else { return index }
    // `%riz` stands for no index; scaled it is still none.
    if unscaled.plan == .constant(0) { return unscaled }
    return (.binary(.multiply, unscaled.plan, .constant(scale)), unscaled.isNarrow)
  }

  /// A base or index register; 32-bit ones make the whole address 32 bits wide.
  private func addressPart(
    _ scanner: inout OperandScanner
  ) throws(ArgumentError) -> (plan: LocationPlan, isNarrow: Bool) {
    let start = scanner.position
    try scanner.expect("%")
    let name = scanner.takeName()
    if name == "riz" || name == "eiz" { return (.constant(0), name == "eiz") }
    let register = try lookUp(name, scanner, at: start + 1)
    guard register.byteOffset == 0, register.byteCount >= 4 else {
      throw scanner.error(.syntax(expected: "a 32- or 64-bit register"), at: start)
    }
    return (.register(register.dwarf), register.byteCount == 4)
  }

  private func sum(
    _ parts: [(plan: LocationPlan, isNarrow: Bool)],
    _ displacement: OperandExpression
  ) -> LocationPlan {
    let used = parts.filter { $0.plan != .constant(0) }.map(\.plan)
    let isNarrow = parts.contains(where: \.isNarrow)
    var registers: LocationPlan?
    for part in used { registers = registers.map { .binary(.add, $0, part) } ?? part }
    guard var address = registers else { return displacement.plan(surroundings) }
    if displacement.address == nil {
      address = address.offset(by: displacement.constant)
    } else {
      address = .binary(.add, address, displacement.plan(surroundings))
    }
    return isNarrow ? .extend(address, byteCount: 4, isSigned: false) : address
  }

  private func lookUp(
    _ name: String,
    _ scanner: OperandScanner,
    at offset: Int
  ) throws(ArgumentError) -> (dwarf: Int, byteOffset: Int, byteCount: Int) {
    if let found = RegisterFile.x86_64.lookUp(name) {
      return (found.register.dwarf, found.byteOffset, found.byteCount)
    }
    let unreadable = ["xmm", "ymm", "zmm", "mm", "st", "k", "cr", "dr"]
    guard !name.isEmpty, !unreadable.contains(where: name.hasPrefix) else {
      throw scanner.error(
        name.isEmpty ? .syntax(expected: "a register") : .unreadableRegister(name),
        at: offset
      )
    }
    throw scanner.error(.unknownRegister(name), at: offset)
  }
}
