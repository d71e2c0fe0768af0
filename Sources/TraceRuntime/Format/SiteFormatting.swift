import TargetModel
import TraceIR

extension ByteBuffer {
  /// Prints a site's format: its text with the captured values in the holes.
  mutating func append(_ format: SiteFormat, _ values: [Datum]) {
    for piece in format.pieces {
      switch piece {
      case .text(let text): append(text)
      case .value(let index, let presentation):
        if values.indices.contains(index) { append(values[index], presentation) }
      }
    }
  }

  private mutating func append(_ value: Datum, _ presentation: SiteFormat.Presentation) {
    switch presentation {
    case .decimal: append(decimal: value.long)
    case .unsigned: append(value.long, as: PrintfDirective(.unsigned))
    case .hexadecimal: append(value.long, as: PrintfDirective(.pointer))
    case .character: append(value.long, as: PrintfDirective(.character, flag: "#"))
    case .boolean: append(value.long == 0 ? "false" : "true")
    case .string: append(value.string)
    case .enumerator(let names):
      if let name = names[value.long] { append(name) } else { append(decimal: value.long) }
    case .float(let byteCount): append(float: value.long, byteCount: byteCount)
    }
  }

  private mutating func append(float bits: Int64, byteCount: Int) {
    if byteCount == 4 {
      append("\(Float(bitPattern: UInt32(truncatingIfNeeded: bits)))")
    } else {
      append("\(Double(bitPattern: UInt64(bitPattern: bits)))")
    }
  }
}
