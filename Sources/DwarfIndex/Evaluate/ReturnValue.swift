import TargetModel

/// Where a function leaves its result (System V psABI for x86-64, section 3.2.3).
struct ReturnValue {
  private let classes: ABIClasses
  private static let rax = 0
  private static let rdx = 1

  init(_ types: TypeReader) { classes = ABIClasses(types) }

  /// The place of a result at the return; nil when it is in a vector or x87 register, or unknown.
  func location(of type: TypeReference) -> ValueLocation? {
    let (passing, byteCount) = classes.passing(of: type)
    switch passing {
    case .registers(let eightbytes):
      return .eightbytes(eightbytes, byteCount, in: [Self.rax, Self.rdx])
    case .memory, .reference:
      return usesHiddenPointer(for: type) ? .memory(.user, address: .register(Self.rax)) : nil
    case .nothing, .unknown: return nil
    }
  }

  /// Whether the caller passes the address for the result, in front of the arguments.
  func usesHiddenPointer(for type: TypeReference) -> Bool {
    let (passing, _) = classes.passing(of: type)
    switch passing {
    // long double by itself is returned in st(0), its complex kind in st(0) and st(1).
    case .memory: return classes.isStructure(type)
    case .reference: return true
    case .registers, .nothing, .unknown: return false
    }
  }
}
