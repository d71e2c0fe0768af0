import ELF
import Platform

/// A good file that a fuzzer's bytes damage: a few of them say where and how, so that libFuzzer changes what matters.
struct GoodFile {
  let bytes: [UInt8]
  /// What is worth changing: the header, the tables of segments and sections, and each section.
  let parts: [Range<Int>]

  init?(_ path: String) {
    guard let file = try? ELFFile(path: path), let bytes = try? readSmallFile(path) else { return nil }
    self.bytes = bytes
    var parts = [0..<64, bytes.count - min(bytes.count, file.sections.count * 64)..<bytes.count]
    for section in file.sections where section.type != ELFConstant.sectionNoBits {
      let start = Int(section.fileOffset)
      let end = start + Int(section.byteCount)
      if start < end, end <= bytes.count { parts.append(start..<end) }
    }
    self.parts = parts
  }

  /// Any other bytes, which are worth changing anywhere.
  init(bytes: [UInt8]) {
    self.bytes = bytes
    parts = [0..<min(bytes.count, 256), 0..<bytes.count]
  }

  /// The file after the changes that `recipe` tells, six bytes each: part, kind, place, value.
  func damaged(by recipe: ArraySlice<UInt8>) -> [UInt8] {
    var result = bytes
    var rest = recipe
    while rest.count >= 6 {
      let words = Array(rest.prefix(6))
      rest = rest.dropFirst(6)
      let part = parts[Int(words[0]) % parts.count]
      let place = part.lowerBound + (Int(words[2]) | Int(words[3]) << 8) % part.count
      let value = UInt16(words[4]) | UInt16(words[5]) << 8
      change(&result, words[1], place, value)
    }
    return result
  }

  private func change(_ result: inout [UInt8], _ kind: UInt8, _ place: Int, _ value: UInt16) {
    let wide = UInt64(bitPattern: Int64(Int16(bitPattern: value)))
    switch kind % 8 {
    case 0: put(&result, place, wide, 1)
    case 1: put(&result, place, wide, 2)
    case 2: put(&result, place, wide, 4)
    case 3: put(&result, place, wide, 8)
    // A LEB128 number of many bytes.
    case 4: for next in 0..<Int(value & 15) { put(&result, place + next, 0xff, 1) }
    case 5: for next in 0..<Int(value) { put(&result, place + next, 0, 1) }
    case 6:
      // What is elsewhere.
      let source = Int(value)
      for next in 0..<16 where source + next < bytes.count {
        put(&result, place + next, UInt64(bytes[source + next]), 1)
      }
    default:
      if value & 3 == 0 { result = Array(result.prefix(place)) } else { put(&result, place, wide << 48, 8) }
    }
  }

  private func put(_ result: inout [UInt8], _ place: Int, _ value: UInt64, _ count: Int) {
    for byte in 0..<count where place + byte < result.count {
      result[place + byte] = UInt8(truncatingIfNeeded: value >> (8 * UInt64(byte)))
    }
  }
}
