// What the operators of plans do with numbers: for all that computes plans on the user side.
extension PlanBinary {
  /// The operator on two numbers; division by zero gives 0, shifts use the low six bits.
  package func apply(_ left: Int64, _ right: Int64) -> Int64 {
    let unsignedLeft = UInt64(bitPattern: left)
    let unsignedRight = UInt64(bitPattern: right)
    switch self {
    case .add: return left &+ right
    case .subtract: return left &- right
    case .multiply: return left &* right
    case .divideSigned: return right == 0 ? 0 : left.dividedReportingOverflow(by: right).partialValue
    case .divideUnsigned: return right == 0 ? 0 : Int64(bitPattern: unsignedLeft / unsignedRight)
    case .remainderSigned:
      return right == 0 ? 0 : left.remainderReportingOverflow(dividingBy: right).partialValue
    case .remainderUnsigned: return right == 0 ? 0 : Int64(bitPattern: unsignedLeft % unsignedRight)
    case .and: return left & right
    case .or: return left | right
    case .xor: return left ^ right
    case .shiftLeft: return left &<< right
    case .shiftRightLogical: return Int64(bitPattern: unsignedLeft &>> unsignedRight)
    case .shiftRightArithmetic: return left &>> right
    case .equal: return left == right ? 1 : 0
    case .notEqual: return left != right ? 1 : 0
    case .lessSigned: return left < right ? 1 : 0
    case .lessOrEqualSigned: return left <= right ? 1 : 0
    }
  }
}

extension UInt64 {
  /// The low bits as a 64-bit number.
  package func extended(bitCount: Int, isSigned: Bool) -> Int64 {
    guard bitCount > 0 else { return 0 }
    guard bitCount < 64 else { return Int64(bitPattern: self) }
    let unused = UInt64(64 - bitCount)
    return isSigned
      ? Int64(bitPattern: self << unused) >> Int64(unused) : Int64(bitPattern: (self << unused) >> unused)
  }
}
