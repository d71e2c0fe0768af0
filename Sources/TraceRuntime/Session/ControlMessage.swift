import Platform
import TraceIR

/// What a kernel-side probe wants of the session, read from the control ring.
enum ControlMessage {
  case exit
  case abort
  case fault(ScriptFault)
  case warning(ByteString)
  case system(ByteString)
  case conditionsChanged
  case switchFile
  /// Of a later version, or cut short.
  case unknown

  /// Reads one item as ``RecordWire`` and ``ControlRecord`` say.
  init(_ item: RawSpan) {
    guard let kind = item.load(at: 0, as: UInt16.self).flatMap({ ControlRecord(rawValue: $0) }) else {
      self = .unknown
      return
    }
    var reader = RecordFields(offset: RecordWire.headerByteCount)
    switch kind {
    case .exit: self = .exit
    case .abort: self = .abort
    case .conditionsChanged: self = .conditionsChanged
    case .switchFile: self = .switchFile
    case .warning: self = .warning(reader.readString(item))
    case .system: self = .system(reader.readString(item))
    case .fault:
      let code = FaultCode(rawValue: reader.readLong(item)) ?? .raised
      let location = Int(reader.readLong(item))
      let subject = reader.readLong(item)
      let message = reader.readString(item)
      self = .fault(
        ScriptFault(code, subject: subject, message: message, location: location < 0 ? nil : location)
      )
    }
  }
}

/// A position among the fields of a record; what lies past the end reads as 0 and "".
package struct RecordFields {
  package var offset: Int

  package init(offset: Int) { self.offset = offset }

  mutating func readLong(_ record: RawSpan) -> Int64 {
    defer { offset += 8 }
    return record.load(at: offset, as: Int64.self) ?? 0
  }

  mutating func readString(_ record: RawSpan) -> ByteString {
    guard let length = record.load(at: offset, as: UInt32.self), offset >= 0 else {
      offset = max(offset, record.byteCount)
      return ByteString()
    }
    let start = offset + 4
    let end = min(start + Int(length), record.byteCount)
    offset = min((start + Int(length) + 7) & ~7, record.byteCount)
    return ByteString(record.extracting(start..<end).copied())
  }
}
