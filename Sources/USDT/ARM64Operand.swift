import TargetModel

/// Operands as GNU as for AArch64 writes them; registers by DWARF number (AADWARF64, section 4.1).
struct ARM64Operand {
  let surroundings: OperandSurroundings

  /// Reads one operand; what follows it is the caller's business.
  func parse(_ scanner: inout OperandScanner) throws(ArgumentError) -> Operand {
    if scanner.take("[") { return .memory(try memory(&scanner)) }
    if scanner.take("#") { return .immediate(try number(&scanner)) }
    guard let first = scanner.next, isLetterOrDigit(first), !isDigit(first) else {
      return .immediate(try number(&scanner))
    }
    let start = scanner.position
    let name = scanner.takeName()
    if let register = try lookUp(name, scanner, at: start) {
      guard let dwarf = register.dwarf else { return .immediate(0) }
      return .register(dwarf: dwarf, byteOffset: 0, byteCount: register.byteCount)
    }
    scanner.position = start
    let value = try OperandExpression.parse(&scanner, surroundings)
    guard let address = value.address, surroundings.isPositionIndependent else {
      return .memory(value.plan(surroundings))
    }
    // Plans reach the instruction pointer by its x86-64 number only.
    throw scanner.error(.unknownSymbol(String(address.raw, radix: 16)), at: start)
  }

  private func number(_ scanner: inout OperandScanner) throws(ArgumentError) -> Int64 {
    let isNegative = scanner.take("-")
    let value = try scanner.takeNumber()
    return isNegative ? 0 &- value : value
  }

  /// `[x0]`, `[x0, 16]`, `[x0, #16]`, `[x0, x1, lsl 3]`, `[x0, w1, sxtw 2]`.
  private func memory(_ scanner: inout OperandScanner) throws(ArgumentError) -> LocationPlan {
    let base = try addressRegister(&scanner)
    guard base.byteCount == 8 else { throw scanner.error(.syntax(expected: "a 64-bit base register")) }
    var address = base.plan
    scanner.skipSpaces()
    if scanner.take(",") {
      scanner.skipSpaces()
      if let next = scanner.next, next == UInt8(ascii: "#") || next == UInt8(ascii: "-") || isDigit(next) {
        _ = scanner.take("#")
        address = address.offset(by: try number(&scanner))
      } else {
        address = .binary(.add, address, try index(&scanner))
      }
    }
    scanner.skipSpaces()
    try scanner.expect("]")
    return address
  }

  private func index(_ scanner: inout OperandScanner) throws(ArgumentError) -> LocationPlan {
    let register = try addressRegister(&scanner)
    var plan = register.plan
    scanner.skipSpaces()
    var operation = register.byteCount == 4 ? "uxtw" : "lsl"
    var shift: Int64 = 0
    if scanner.take(",") {
      scanner.skipSpaces()
      let start = scanner.position
      operation = scanner.takeName()
      guard ["lsl", "sxtw", "sxtx", "uxtw"].contains(operation) else {
        throw scanner.error(.syntax(expected: "lsl, sxtw, sxtx or uxtw"), at: start)
      }
      scanner.skipSpaces()
      if scanner.next != UInt8(ascii: "]") {
        _ = scanner.take("#")
        shift = try scanner.takeNumber()
      }
    }
    guard (0...4).contains(shift) else { throw scanner.error(.syntax(expected: "a shift of 0 to 4")) }
    if register.byteCount == 4 {
      plan = .extend(plan, byteCount: 4, isSigned: operation == "sxtw")
    }
    return shift == 0 ? plan : .binary(.shiftLeft, plan, .constant(shift))
  }

  private func addressRegister(
    _ scanner: inout OperandScanner
  ) throws(ArgumentError) -> (plan: LocationPlan, byteCount: Int) {
    let start = scanner.position
    let name = scanner.takeName()
    guard let register = try lookUp(name, scanner, at: start) else {
      throw scanner.error(.unknownRegister(name), at: start)
    }
    return (register.dwarf.map { .register($0) } ?? .constant(0), register.byteCount)
  }

  /// The DWARF number (nil for the zero register) and width; nil when `name` is no register.
  private func lookUp(
    _ name: String,
    _ scanner: OperandScanner,
    at offset: Int
  ) throws(ArgumentError) -> (dwarf: Int?, byteCount: Int)? {
    switch name {
    case "sp": return (31, 8)
    case "wsp": return (31, 4)
    case "xzr": return (nil, 8)
    case "wzr": return (nil, 4)
    case "fp": return (29, 8)
    case "lr": return (30, 8)
    default: break
    }
    guard let letter = name.first, let number = Int(name.dropFirst()), (0...31).contains(number) else {
      return nil
    }
    switch letter {
    case "x" where number < 31: return (number, 8)
    case "w" where number < 31: return (number, 4)
    case "b", "h", "s", "d", "q", "v": throw scanner.error(.unreadableRegister(name), at: offset)
    default: return nil
    }
  }
}
