import TargetModel

extension ContextField: BinaryCoded {
  /// The fields without values; a field's number is its index here.
  private static let plain: [ContextField] = [
    .pid, .tid, .ppid, .pgrp, .sid, .uid, .euid, .gid, .egid, .execname, .pexecname, .cpu,
    .realtimeNanoseconds,
    .monotonicNanoseconds, .cycles, .jiffies, .target, .instructionPointer, .returnValue, .isUserMode,
    .currentTask, .argumentsStart, .argumentsEnd, .environmentStart, .environmentEnd,
  ]

  init(from reader: inout BinaryReader) throws(CodingFailure) {
    switch Int(try reader.readTag()) {
    case let index where index < Self.plain.count: self = Self.plain[index]
    case 254: self = .argument(try reader.value())
    case 255: self = .site(try reader.value())
    default: throw reader.malformed
    }
  }

  func write(to writer: inout BinaryWriter) {
    switch self {
    case .pid, .tid, .ppid, .pgrp, .sid, .uid, .euid, .gid, .egid, .execname, .pexecname, .cpu,
      .realtimeNanoseconds, .monotonicNanoseconds, .cycles, .jiffies, .target, .instructionPointer,
      .returnValue,
      .isUserMode, .currentTask, .argumentsStart, .argumentsEnd, .environmentStart, .environmentEnd:
      writer.write(tag: UInt8(clamping: Self.plain.firstIndex(of: self) ?? 253))
    case .argument(let index): writer.write(case: 254, index)
    case .site(let text): writer.write(case: 255, text)
    }
  }
}

extension FormatString: BinaryCoded {
  init(from reader: inout BinaryReader) throws(CodingFailure) { self.init(try reader.value()) }

  func write(to writer: inout BinaryWriter) { writer.write(pieces) }
}

extension FormatString.Piece: BinaryCoded {
  init(from reader: inout BinaryReader) throws(CodingFailure) {
    switch try reader.readTag() {
    case 0: self = .text(try reader.value())
    case 1: self = .directive(try reader.value())
    default: throw reader.malformed
    }
  }

  func write(to writer: inout BinaryWriter) {
    switch self {
    case .text(let text): writer.write(case: 0, text)
    case .directive(let directive): writer.write(case: 1, directive)
    }
  }
}

extension FormatString.Directive: BinaryCoded {
  init(from reader: inout BinaryReader) throws(CodingFailure) {
    let flag: String = try reader.value()
    guard flag.count < 2 else { throw reader.malformed }
    self.init(
      flag: flag.first,
      width: try reader.value(),
      precision: try reader.value(),
      conversion: try reader.value()
    )
  }

  func write(to writer: inout BinaryWriter) {
    writer.write(flag.map { String($0) } ?? "", width, precision, conversion)
  }
}

extension FormatString.Directive.Size: BinaryCoded {
  init(from reader: inout BinaryReader) throws(CodingFailure) {
    switch try reader.readTag() {
    case 0: self = .none
    case 1: self = .fixed(try reader.value())
    case 2: self = .dynamic
    default: throw reader.malformed
    }
  }

  func write(to writer: inout BinaryWriter) {
    switch self {
    case .none: writer.write(tag: 0)
    case .fixed(let size): writer.write(case: 1, size)
    case .dynamic: writer.write(tag: 2)
    }
  }
}
