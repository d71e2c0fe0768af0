import BPFObject
import TargetModel
import TraceIR

// `sprintf`, as far as it is joining texts and plain numbers.
extension CodeWriter {
  mutating func writeFormat(
    _ result: ValueID,
    _ format: FormatString,
    _ operands: [Operand]
  ) throws(BPFBackendError) {
    guard let slot = slot(of: result) else { return }
    storeScratch(.word, slot, immediate: 0)
    var rest = operands[...]
    for piece in format.pieces {
      switch piece {
      case .text(let text): append(.literal(shared.literals.bytes(text)), toSlot: slot)
      case .directive(let directive):
        let isPrefixed = directive.flag == "#" && directive.conversion == .hexadecimal
        guard directive.flag == nil || isPrefixed, directive.width == .none, directive.precision == .none,
          let operand = rest.popFirst()
        else { throw unsupported("a flag, width or precision in 'sprintf'") }
        try append(operand, isPrefixed ? .pointer : directive.conversion, toSlot: slot)
      }
    }
  }

  private mutating func append(
    _ operand: Operand,
    _ conversion: FormatString.Directive.Conversion,
    toSlot slot: Int
  ) throws(BPFBackendError) {
    switch conversion {
    case .string: append(text(operand), toSlot: slot)
    case .decimal, .signed, .unsigned:
      scratchAddress(.r1, slot)
      load(operand, into: .r2)
      code.emit(.move(.r3, conversion == .unsigned ? 0 : 1))
      code.call(subprogram(.appendDecimal))
    case .hexadecimal, .pointer:
      if conversion == .pointer { append(.literal(Array("0x".utf8)), toSlot: slot) }
      scratchAddress(.r1, slot)
      load(operand, into: .r2)
      code.call(subprogram(.appendHexadecimal))
    case .binary, .character, .octal, .upperHexadecimal, .memory, .memoryHexadecimal:
      throw unsupported("'%\(conversion.rawValue)' in 'sprintf'")
    }
  }
}
