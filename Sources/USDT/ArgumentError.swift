/// Why one argument of a USDT probe cannot be read; the others of its site can.
package struct ArgumentError: Error, Hashable, Sendable {
  /// What is wrong.
  package enum Reason: Hashable, Sendable {
    /// The text stops where something must follow, or goes on where it must end.
    case syntax(expected: String)
    case unknownRegister(String)
    /// A vector or x87 register: probes see general registers only.
    case unreadableRegister(String)
    case unknownSymbol(String)
    /// `@GOTPCREL` and the like; the linker resolved it and left no trace.
    case unsupportedModifier(String)
    case unsupportedSegment(String)
    /// Not 1, 2, 4 or 8 bytes (float: 4 or 8).
    case unsupportedSize(Int)
    /// `8(%rip)`: counts from the end of an instruction that the note does not show.
    case ripWithoutSymbol
    case unsupportedMachine(UInt16)
  }

  package let reason: Reason
  /// Where in the operand's text, in bytes.
  package let offset: Int
}

extension ArgumentError: CustomStringConvertible {
  package var description: String {
    switch reason {
    case .syntax(let expected): "expected \(expected)"
    case .unknownRegister(let name): "no register '%\(name)'"
    case .unreadableRegister(let name): "probes cannot read register '%\(name)'"
    case .unknownSymbol(let name): "no symbol '\(name)' in the symbol tables"
    case .unsupportedModifier(let name): "the address of '\(name)' is known to the linker only"
    case .unsupportedSegment(let name): "segment '%\(name)' is not supported"
    case .unsupportedSize(let count): "\(count)-byte values are not supported"
    case .ripWithoutSymbol: "an offset from %rip without a symbol"
    case .unsupportedMachine(let number): "unknown machine \(number)"
    }
  }
}
