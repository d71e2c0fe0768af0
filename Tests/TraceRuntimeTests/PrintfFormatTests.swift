import Foundation
import Testing
import TraceIR
import TraceRuntime

@Suite struct PrintfFormatTests {
  typealias Conversion = PrintfDirective.Conversion

  private func print(_ value: Int64, _ directive: PrintfDirective) -> String {
    var buffer = ByteBuffer()
    buffer.append(value, as: directive)
    return String(decoding: buffer.bytes, as: UTF8.self)
  }

  private func print(_ text: ByteString, _ directive: PrintfDirective) -> [UInt8] {
    var buffer = ByteBuffer()
    buffer.append(text, as: directive)
    return buffer.bytes
  }

  @Test(
    "numbers print as C prints them",
    arguments: [
      ("d", Conversion.decimal), ("u", .unsigned), ("o", .octal), ("x", .hexadecimal),
      ("X", .upperHexadecimal),
    ]
  )
  func agreesWithC(_ letter: String, _ conversion: Conversion) {
    let flags: [Character?] = letter == "d" ? [nil, "0", "-", "+", " "] : [nil, "0", "-", "#"]
    for value in [0, 1, -1, 42, 1234567, Int64.min, Int64.max] {
      for flag in flags where !(flag == "#" && value == 0) {
        for width in [0, 1, 5, 30] {
          for precision in [nil, 0, 1, 12] as [Int?] {
            let format =
              "%" + (flag.map(String.init) ?? "") + (width > 0 ? "\(width)" : "")
              + (precision.map { ".\($0)" } ?? "") + "ll" + letter
            let directive = PrintfDirective(conversion, flag: flag, width: width, precision: precision)
            #expect(print(value, directive) == String(format: format, value), "\(format) of \(value)")
          }
        }
      }
    }
  }

  @Test("pointers have 0x in front, also 0")
  func printsPointers() {
    #expect(print(0x1234abcd, PrintfDirective(.pointer)) == "0x1234abcd")
    #expect(print(0, PrintfDirective(.pointer)) == "0x0")
    #expect(print(0, PrintfDirective(.hexadecimal, flag: "#")) == "0x0")
    #expect(print(1, PrintfDirective(.pointer, width: 6)) == "   0x1")
  }

  @Test(
    "characters, escaped with #",
    arguments: [(0, "\\000"), (9, "\\t"), (42, "*"), (200, "\\310"), (39, "\\'")]
  )
  func printsCharacters(_ value: Int64, _ escaped: String) {
    #expect(print(value, PrintfDirective(.character, flag: "#")) == escaped)
    var buffer = ByteBuffer()
    buffer.append(value, as: PrintfDirective(.character))
    #expect(buffer.bytes == [UInt8(truncatingIfNeeded: value)])
  }

  @Test("binary values have 1, 2, 4 or 8 bytes, 8 without a width")
  func printsBinary() {
    var buffer = ByteBuffer()
    buffer.append(0x1234, as: PrintfDirective(.binary, width: 1))
    buffer.append(0x1234, as: PrintfDirective(.binary, width: 2))
    buffer.append(0xc0de_dbad, as: PrintfDirective(.binary))
    #expect(buffer.bytes == [0x34, 0x34, 0x12, 0xad, 0xdb, 0xde, 0xc0, 0, 0, 0, 0])
  }

  @Test("strings are padded and cut; flag 0 appends a NUL")
  func printsStrings() {
    #expect(print("abc", PrintfDirective(.string, width: 5)) == Array("  abc".utf8))
    #expect(print("abc", PrintfDirective(.string, flag: "-", width: 5)) == Array("abc  ".utf8))
    #expect(print("abc", PrintfDirective(.string, precision: 2)) == Array("ab".utf8))
    #expect(print("abc", PrintfDirective(.string, flag: "0")) == Array("abc\0".utf8))
    #expect(print(ByteString([255, 0, 1]), PrintfDirective(.string)) == [255, 0, 1])
  }

  @Test("memory prints raw or in hexadecimal")
  func printsMemory() {
    let bytes = ByteString([0x0a, 0xff])
    #expect(print(bytes, PrintfDirective(.memory, width: 4, precision: 2)) == [32, 32, 0x0a, 0xff])
    #expect(print(bytes, PrintfDirective(.memoryHexadecimal, width: 6)) == Array("  0aff".utf8))
  }
}
