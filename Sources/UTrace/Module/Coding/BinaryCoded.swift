/// A value that module files hold: written part by part, without names, and read back in the same order.
///
/// By hand and not by `Codable`: what the compiler makes for that looks up a conformance for each case of each enum
/// when the process first meets it, which took four milliseconds of the run of a small module. Writer and reader
/// must be of the same build, which ``ModuleSeal`` sees to; the bytes are not trusted.
protocol BinaryCoded {
  /// Reads one.
  init(from reader: inout BinaryReader) throws(CodingFailure)

  /// Appends its parts.
  func write(to writer: inout BinaryWriter)
}

/// Why bytes are not a value.
enum CodingFailure: Error, Equatable {
  /// The bytes end early, or a count is larger than what is left.
  case truncated(offset: Int)
  /// A number or a name that no value has.
  case malformed(offset: Int)
  /// Values inside values, deeper than any program nests.
  case tooDeep
}

// MARK: What the standard library has

extension Bool: BinaryCoded {
  init(from reader: inout BinaryReader) throws(CodingFailure) { self = try reader.readTag() != 0 }

  func write(to writer: inout BinaryWriter) { writer.write(tag: self ? 1 : 0) }
}

extension BinaryCoded where Self: FixedWidthInteger & SignedInteger {
  init(from reader: inout BinaryReader) throws(CodingFailure) {
    let number = try reader.readSigned()
    guard let value = Self(exactly: number) else { throw reader.malformed }
    self = value
  }

  func write(to writer: inout BinaryWriter) { writer.write(signed: Int64(self)) }
}

extension Int: BinaryCoded {}
extension Int32: BinaryCoded {}
extension Int64: BinaryCoded {}

extension UInt64: BinaryCoded {
  init(from reader: inout BinaryReader) throws(CodingFailure) { self = try reader.readUnsigned() }

  func write(to writer: inout BinaryWriter) { writer.write(unsigned: self) }
}

extension String: BinaryCoded {
  init(from reader: inout BinaryReader) throws(CodingFailure) { self = try reader.readText() }

  func write(to writer: inout BinaryWriter) { writer.write(text: self) }
}

extension Optional: BinaryCoded where Wrapped: BinaryCoded {
  init(from reader: inout BinaryReader) throws(CodingFailure) {
    self = try reader.readTag() == 0 ? nil : Wrapped(from: &reader)
  }

  func write(to writer: inout BinaryWriter) {
    writer.write(tag: self == nil ? 0 : 1)
    self?.write(to: &writer)
  }
}

extension Array: BinaryCoded where Element: BinaryCoded {
  init(from reader: inout BinaryReader) throws(CodingFailure) {
    let count = try reader.readCount()
    self = []
    // A count may lie about elements that are many bytes in memory for one byte here.
    reserveCapacity(Swift.min(count, 1 << 14))
    for _ in 0..<count { append(try Element(from: &reader)) }
  }

  func write(to writer: inout BinaryWriter) {
    writer.write(unsigned: UInt64(count))
    for element in self { element.write(to: &writer) }
  }
}

// MARK: What enums without values share

extension BinaryCoded where Self: CaseIterable & Equatable {
  init(from reader: inout BinaryReader) throws(CodingFailure) {
    let cases = Array(Self.allCases)
    let index = Int(try reader.readTag())
    guard index < cases.count else { throw reader.malformed }
    self = cases[index]
  }

  func write(to writer: inout BinaryWriter) {
    let index = Array(Self.allCases).firstIndex(of: self) ?? Int(UInt8.max)
    writer.write(tag: UInt8(clamping: index))
  }
}
