import ELF
import Platform

/// What compilers say of themselves in the strings of a file.
enum Producers {
  /// Whether all of a program's code is known to be optimised: gcc wrote it, and has recorded `-O` each time.
  ///
  ///     GNU C++14 10.2.1 20210110 -mtune=generic -march=x86-64 -g -O3 -std=gnu++14
  static func areOptimising(_ file: ELFFile) -> Bool {
    guard let strings = try? file.contents(ofSectionNamed: ".debug_str") else { return false }
    return areOptimising(strings.span)
  }

  private static let gcc = Array("\0GNU ".utf8)
  private static let assembler = "GNU AS "
  /// In what clang, rustc, swiftc and their kin call themselves: they do not record their options.
  private static let others = Array(" version ".utf8)

  static func areOptimising(_ strings: RawSpan) -> Bool {
    guard strings.firstOccurrence(of: others.rawSpan, from: 0) == nil else { return false }
    var count = 0
    // The first string of a table begins it.
    var position = strings.byte(at: 0) == UInt8(ascii: "G") ? 0 : nil
    if position == nil { position = next(in: strings, from: 0) }
    while let start = position {
      guard let bytes = strings.stringBytes(at: start) else { return false }
      let text = String(copying: bytes)
      if text.hasPrefix("GNU "), !text.hasPrefix(assembler) {
        guard isOptimising(text) else { return false }
        count += 1
      }
      position = next(in: strings, from: start + bytes.byteCount)
    }
    return count > 0
  }

  /// Whether a compiler's name and options have one of `-O1`, `-O2`, `-Os`, … in them.
  static func isOptimising(_ producer: String) -> Bool {
    producer.split(separator: " ").contains { $0.hasPrefix("-O") && $0 != "-O0" }
  }

  private static func next(in strings: RawSpan, from offset: Int) -> Int? {
    strings.firstOccurrence(of: gcc.rawSpan, from: offset).map { $0 + 1 }
  }
}
