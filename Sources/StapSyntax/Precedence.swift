/// How tightly operators bind, loosest first (systemtap.md, section 1.6); parser and printer share it.
enum Precedence: Int, Comparable {
  case assignment, ternary, logicalOr, logicalAnd, or, xor, and, membership, comparison, shift, concatenation
  case additive, multiplicative, unary, increment, target, value

  static func < (left: Precedence, right: Precedence) -> Bool { left.rawValue < right.rawValue }

  /// The next tighter level.
  var tighter: Precedence { Precedence(rawValue: rawValue + 1) ?? .value }
}

extension BinaryOperator {
  /// As `init(rawValue:)`, which compares strings one after the other: most punctuation begins no operator.
  init?(spelling: String) {
    switch spelling.utf8.first {
    case UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "["),
      UInt8(ascii: "]"), UInt8(ascii: "{"), UInt8(ascii: "}"), UInt8(ascii: "?"), UInt8(ascii: ":"), nil:
      return nil
    default: self.init(rawValue: spelling)
    }
  }

  var precedence: Precedence {
    switch self {
    case .logicalOr: .logicalOr
    case .logicalAnd: .logicalAnd
    case .or: .or
    case .xor: .xor
    case .and: .and
    case .less, .greater, .lessOrEqual, .greaterOrEqual, .equal, .notEqual: .comparison
    case .shiftLeft, .shiftRight, .shiftRightLogical: .shift
    case .concatenate: .concatenation
    case .add, .subtract: .additive
    case .multiply, .divide, .remainder: .multiplicative
    }
  }
}

extension AssignmentOperator {
  /// Every spelling; `>>>=` does not exist.
  private static let modifying: [BinaryOperator] = [
    .add, .subtract, .multiply, .divide, .remainder, .shiftLeft, .shiftRight, .and, .or, .xor, .concatenate,
  ]

  init?(spelling: String) {
    if spelling == "<<<" {
      self = .aggregate
      return
    }
    guard spelling.utf8.last == UInt8(ascii: "=") else { return nil }
    if spelling.utf8.count == 1 {
      self = .set
      return
    }
    guard let found = BinaryOperator(spelling: String(spelling.dropLast())), Self.modifying.contains(found)
    else {
      return nil
    }
    self = .modify(found)
  }

  var spelling: String {
    switch self {
    case .set: "="
    case .aggregate: "<<<"
    case .modify(let binary): binary.rawValue + "="
    }
  }
}

extension Expression {
  /// The level at which this stands without parentheses.
  var precedence: Precedence {
    switch kind {
    case .assign: .assignment
    case .ternary: .ternary
    case .binary(let binary, _, _): binary.precedence
    case .membership: .membership
    case .regexMatch: .comparison
    case .unary: .unary
    case .increment: .increment
    case .target: .target
    case .literal, .identifier, .index, .call, .statistic, .histogram, .histogramIndex, .defined, .entry:
      .value
    case .probeWrite, .constant, .enumConstant, .enumName, .perfCounter, .dereference, .register: .value
    case .print, .embeddedC, .parenthesized: .value
    }
  }
}
