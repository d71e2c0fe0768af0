import TargetModel

/// Where functions of Go leave their results (Go 1.17 and later, “Go internal ABI specification”, x86-64).
///
/// Results are named by the DWARF as parameters with DW_AT_variable_parameter; a place is given for few of them.
struct GoResult {
  private let types: TypeReader
  /// RAX, RBX, RCX, RDI, RSI, R8, R9, R10, R11 by DWARF number.
  private static let registers = [0, 3, 2, 5, 4, 8, 9, 10, 11]

  init(_ types: TypeReader) { self.types = types }

  /// The first result of `function`: its type, and its place when it and all of it are in general registers.
  func first(of function: DIE) -> (type: TypeReference, location: ValueLocation?)? {
    let results = function.children.filter {
      $0.tag == DwarfTag.formalParameter && $0.flag(DwarfAttribute.variableParameter, isOwn: true)
    }
    guard let first = results.first, let type = TypeReader.reference(first.reference(DwarfAttribute.type))
    else {
      return nil
    }
    var words: [Int] = []
    guard flatten(type, into: &words, depth: 0), !words.isEmpty, words.count <= Self.registers.count else {
      return (type, nil)
    }
    if words.count == 1 { return (type, .value(.register(Self.registers[0]))) }
    // Each part is in a register of its own, in the order of memory; what lies between them is padding.
    var pieces: [ValueLocation.Piece] = []
    for (index, byteCount) in words.enumerated() {
      guard byteCount == 8 else { return (type, nil) }
      pieces.append(ValueLocation.Piece(bitCount: 64, location: .value(.register(Self.registers[index]))))
    }
    return (type, .pieces(pieces))
  }

  /// The sizes of the integers and pointers in a type; false when there is something else.
  private func flatten(_ type: TypeReference, into words: inout [Int], depth: Int) -> Bool {
    guard depth < 16, words.count < 16 else { return false }
    switch types.layout(of: type) {
    case .integer(let integer): words.append(integer.byteCount)
    case .pointer(let byteCount, _, _): words.append(byteCount)
    case .enumeration(let enumeration): words.append(enumeration.byteCount)
    case .structure(let structure):
      for member in structure.members where !flatten(member.type, into: &words, depth: depth + 1) {
        return false
      }
    case .array, .float, .void, .function, .opaque: return false
    }
    return true
  }
}
