import TargetModel

/// Where a function leaves its result (System V psABI for x86-64, section 3.2.3; for i386, section 2.2.4).
struct ReturnValue {
  private let classes: ABIClasses
  private let abi: CallingABI
  private static let rax = 0
  private static let rdx = 1

  init(_ types: TypeReader, _ abi: CallingABI) {
    classes = ABIClasses(types)
    self.abi = abi
  }

  /// The place of a result at the return; nil when it is in a vector or x87 register, or unknown.
  func location(of type: TypeReference) -> ValueLocation? {
    let (passing, byteCount) = classes.passing(of: type)
    if abi == .i386 { return i386Location(of: type, passing, byteCount) }
    switch passing {
    case .registers(let eightbytes):
      return .eightbytes(eightbytes, byteCount, in: [Self.rax, Self.rdx])
    case .memory, .reference:
      return usesHiddenPointer(for: type) ? .memory(.user, address: .register(Self.rax)) : nil
    case .nothing, .unknown: return nil
    }
  }

  /// eax, with edx above it; structures in memory, whose address is in eax; floating point in st(0).
  private func i386Location(
    of type: TypeReference,
    _ passing: ABIClasses.Passing,
    _ byteCount: Int
  ) -> ValueLocation? {
    if usesHiddenPointer(for: type) { return .memory(.user, address: .register(Self.rax)) }
    guard case .registers(let classes) = passing, classes.allSatisfy({ $0 == .integer }) else { return nil }
    guard byteCount > 4 else { return .value(.register(Self.rax)) }
    let low = LocationPlan.extend(.register(Self.rax), byteCount: 4, isSigned: false)
    let high = LocationPlan.binary(.shiftLeft, .register(Self.rdx), .constant(32))
    return byteCount == 8 ? .value(.binary(.or, low, high)) : nil
  }

  /// Whether the caller passes the address for the result, in front of the arguments.
  func usesHiddenPointer(for type: TypeReference) -> Bool {
    let (passing, _) = classes.passing(of: type)
    if abi == .i386 { return classes.isStructure(type) && passing != .nothing }
    switch passing {
    // long double by itself is returned in st(0), its complex kind in st(0) and st(1).
    case .memory: return classes.isStructure(type)
    case .reference: return true
    case .registers, .nothing, .unknown: return false
    }
  }
}
