import ELF
import TargetModel

/// What the operands of one site may refer to: the site itself, symbols, thread-local storage.
struct OperandSurroundings {
  let machine: UInt16
  let site: LinkAddress
  let isPositionIndependent: Bool
  /// Distance from the thread pointer to the file's thread-local block; nil where it is not fixed.
  let threadLocalOffset: Int64?
  /// Finds a symbol, local ones included.
  let symbol: (String) -> ELFSymbol?

  /// The run-time address of a link address, for a hit at the site itself.
  ///
  /// Plans know no load bias, but the instruction pointer at the hit is the site plus it.
  func plan(for address: LinkAddress) -> LocationPlan {
    guard isPositionIndependent else { return .constant(Int64(bitPattern: address.raw)) }
    let distance = Int64(bitPattern: address.raw &- site.raw)
    return LocationPlan.register(RegisterFile.x86_64.instructionPointer).offset(by: distance)
  }
}

/// `symbol + 8 - 4` of an operand: at most one address, and a number.
struct OperandExpression {
  /// An address within the file, still without load bias.
  var address: LinkAddress?
  var constant: Int64 = 0

  /// A number, or an address as a plan.
  func plan(_ surroundings: OperandSurroundings) -> LocationPlan {
    guard let address else { return .constant(constant) }
    return surroundings.plan(for: address.advanced(by: constant))
  }

  /// Consumes terms joined by `+` and `-`.
  static func parse(
    _ scanner: inout OperandScanner,
    _ surroundings: OperandSurroundings
  ) throws(ArgumentError) -> OperandExpression {
    var result = OperandExpression()
    var isNegative = false
    if scanner.take("-") { isNegative = true } else { _ = scanner.take("+") }
    while true {
      try result.addTerm(&scanner, isNegative: isNegative, surroundings)
      if scanner.take("+") {
        isNegative = scanner.take("-")
      } else if scanner.take("-") {
        isNegative = true
      } else {
        return result
      }
    }
  }

  private mutating func addTerm(
    _ scanner: inout OperandScanner,
    isNegative: Bool,
    _ surroundings: OperandSurroundings
  ) throws(ArgumentError) {
    guard let first = scanner.next else { throw scanner.error(.syntax(expected: "a number or a symbol")) }
    if isDigit(first) {
      let number = try scanner.takeNumber()
      constant = isNegative ? constant &- number : constant &+ number
      return
    }
    let start = scanner.position
    let name = scanner.takeName(extra: Array(".$@".utf8))
    guard !name.isEmpty else { throw scanner.error(.syntax(expected: "a number or a symbol")) }
    switch try OperandExpression.value(of: name, at: start, scanner, surroundings) {
    case .offset(let offset): constant = isNegative ? constant &- offset : constant &+ offset
    case .address(let link):
      if isNegative {
        // A difference of two addresses is a number, whatever the load bias.
        guard let minuend = address else { throw scanner.error(.syntax(expected: "an address"), at: start) }
        constant = constant &+ Int64(bitPattern: minuend.raw &- link.raw)
        address = nil
      } else {
        guard address == nil else { throw scanner.error(.syntax(expected: "one symbol only"), at: start) }
        address = link
      }
    }
  }

  private enum SymbolValue {
    case address(LinkAddress)
    /// From the thread pointer.
    case offset(Int64)
  }

  /// Looks up `name`, `name@tpoff`, `name@VERSION`.
  private static func value(
    of name: String,
    at offset: Int,
    _ scanner: OperandScanner,
    _ surroundings: OperandSurroundings
  ) throws(ArgumentError) -> SymbolValue {
    let parts = name.split(separator: "@", maxSplits: 1)
    let modifier = parts.count == 2 ? parts[1].lowercased() : ""
    guard !linkerModifiers.contains(modifier) else {
      throw scanner.error(.unsupportedModifier(name), at: offset)
    }
    let isThreadLocal = modifier == "tpoff" || modifier == "ntpoff"
    guard let symbol = surroundings.symbol(isThreadLocal ? String(parts[0]) : name) else {
      throw scanner.error(.unknownSymbol(name), at: offset)
    }
    guard isThreadLocal || symbol.kind == .threadLocal else { return .address(symbol.address) }
    guard let block = surroundings.threadLocalOffset else {
      throw scanner.error(.unsupportedModifier(name), at: offset)
    }
    return .offset(block &+ Int64(bitPattern: symbol.address.raw))
  }
}

/// Relocation operators whose result only the linker knows (GNU as manual, “x86 Dependent Features”).
private let linkerModifiers: Set<String> = [
  "dtpoff", "got", "gotoff", "gotpcrel", "gottpoff", "indntpoff", "plt", "pltoff", "size", "tlsdesc", "tlsgd",
  "tlsld", "tlsldm",
]
