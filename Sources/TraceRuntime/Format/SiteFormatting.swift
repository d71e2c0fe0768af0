import TargetModel
import TraceIR

extension ByteBuffer {
  /// Prints a site's format: its text with the captured values in the holes.
  mutating func append(_ format: SiteFormat, _ values: [Datum]) {
    append(format.pieces, values)
  }

  private mutating func append(_ pieces: [SiteFormat.Piece], _ values: [Datum]) {
    for piece in pieces {
      switch piece {
      case .text(let text): append(text)
      case .value(let index, let presentation):
        if values.indices.contains(index) { append(values[index], presentation) }
      case .computed(let plan, let presentation):
        append(.long(plan.value(from: values.map(\.long))), presentation)
      case .chosen(let index, let choices, let others):
        let value = values.indices.contains(index) ? values[index].long : 0
        append(choices.first { $0.keys.contains(value) }?.pieces ?? others, values)
      }
    }
  }

  private mutating func append(_ value: Datum, _ presentation: SiteFormat.Presentation) {
    switch presentation {
    case .decimal: append(decimal: value.long)
    case .unsigned: append(value.long, as: PrintfDirective(.unsigned))
    case .hexadecimal: append(value.long, as: PrintfDirective(.pointer))
    case .character:
      append("'")
      append(value.long, as: PrintfDirective(.character, flag: "#"))
      append("'")
    case .unicode: append(unicode: value.long)
    case .boolean: append(value.long == 0 ? "false" : "true")
    case .string: append(value.string.escaped(limit: Int.max, quoted: true))
    case .narrowed(let byteCount, let isSigned, let inner):
      append(.long(value.long.narrowed(to: byteCount, isSigned: isSigned)), inner)
    case .enumerator(let names):
      if let name = names[value.long] { append(name) } else { append(decimal: value.long) }
    case .float(let byteCount): append(float: value.long, byteCount: byteCount)
    }
  }

  private mutating func append(unicode number: Int64) {
    guard let scalar = UInt32(exactly: number).flatMap(Unicode.Scalar.init) else {
      return append(decimal: number)
    }
    // Control characters are 0x80 to 0x9f, too.
    guard scalar.value >= 0xa0 else { return append(.long(number), .character) }
    append("'")
    append(String(Character(scalar)))
    append("'")
  }

  private mutating func append(float bits: Int64, byteCount: Int) {
    if byteCount == 4 {
      append("\(Float(bitPattern: UInt32(truncatingIfNeeded: bits)))")
    } else {
      append("\(Double(bitPattern: UInt64(bitPattern: bits)))")
    }
  }
}

extension Int64 {
  /// The low bytes, extended to 64 bits.
  fileprivate func narrowed(to byteCount: Int, isSigned: Bool) -> Int64 {
    guard byteCount > 0, byteCount < 8 else { return self }
    let unused = Int64(64 - 8 * byteCount)
    if isSigned { return (self << unused) >> unused }
    return Int64(bitPattern: (UInt64(bitPattern: self) << UInt64(unused)) >> UInt64(unused))
  }
}
