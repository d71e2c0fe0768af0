import TargetModel

extension Operation {
  /// Whether it depends on nothing but its operands and the site, and changes nothing: it may as well run later,
  /// on the user side.
  var isMovable: Bool {
    switch self {
    case .unary, .compareStrings, .concatenate, .formatSite: true
    case .binary(_, .divide, _, let divisor), .binary(_, .remainder, _, let divisor): divisor.isNonzero
    case .binary: true
    case .format(_, let format, _): !format.readsMemory
    case .context(_, .site, _): true
    case .intrinsic(_, let intrinsic, _): intrinsic.isMovable
    default: false
    }
  }

  /// Whether nobody would notice if it did not run, as long as its value is not used.
  var isRemovable: Bool {
    switch self {
    case .loadLocal, .loadGlobal, .loadElement, .contains, .context, .loadEntry, .extract(_, .count, _, _):
      true
    default: isMovable
    }
  }

  /// Whether what follows in the same block cannot run.
  var isEnd: Bool {
    switch self {
    case .return, .next, .break, .continue: true
    case .if(_, let then, let otherwise): then.endsAlways && otherwise.endsAlways
    default: false
    }
  }
}

extension Block {
  /// Whether its end is never reached.
  var endsAlways: Bool { instructions.contains { $0.operation.isEnd } }

  /// Whether every way through it stores to `local`.
  func alwaysSets(_ local: LocalID) -> Bool {
    instructions.contains { instruction in
      switch instruction.operation {
      case .storeLocal(local, _): true
      case .if(_, let then, let otherwise): then.alwaysSets(local) && otherwise.alwaysSets(local)
      default: false
      }
    }
  }
}

extension Operand {
  /// Whether it is a constant other than 0.
  var isNonzero: Bool { if case .long(let value) = self { value != 0 } else { false } }
}

extension FormatString {
  /// Whether it has `%m` or `%M`.
  var readsMemory: Bool {
    pieces.contains { piece in
      if case .directive(let directive) = piece { directive.conversion.readsMemory } else { false }
    }
  }
}

extension FormatString.Directive.Conversion {
  /// `%m` and `%M`.
  var readsMemory: Bool { self == .memory || self == .memoryHexadecimal }
}

extension Intrinsic {
  /// Whether it is a function of its operands alone that cannot fail.
  var isMovable: Bool {
    switch self {
    case .strlen, .substr, .isinstr, .strpos, .strReplace, .strtol, .textStr, .textStrn, .stringQuoted,
      .isdigit, .ctime, .tzCtime, .tzName, .tzGmtoff, .errnoStr, .syscallName, .userStackText,
      .userStackAddress, .userStackCallers, .userAddressDetail, .userAddressText, .kernelAddressDetail,
      .histogramText:
      true
    default: false
    }
  }
}
