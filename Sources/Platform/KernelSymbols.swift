/// The functions of the running kernel and its modules, by address (/proc/kallsyms).
///
/// Empty where the kernel keeps its addresses to itself (kernel.kptr_restrict).
package struct KernelSymbols: Sendable {
  private struct Entry {
    var address: UInt64
    /// Of the name and the module behind it, in `text`.
    var start: Int
    var end: Int
  }

  /// A function and how far inside an address is.
  package struct Place: Hashable, Sendable {
    package var name: String
    package var offset: UInt64
    package var byteCount: UInt64
    /// `kernel` for the kernel itself.
    package var module: String
  }

  private var text: [UInt8] = []
  private var entries: [Entry] = []

  /// Those of this machine.
  package static func running() -> KernelSymbols {
    KernelSymbols((try? readSmallFile("/proc/kallsyms")) ?? [])
  }

  /// Reads lines of `ADDRESS TYPE NAME`, some with `[MODULE]` behind a tab.
  package init(_ text: [UInt8]) {
    self.text = text
    var start = 0
    while start < text.count {
      let end = text[start...].firstIndex(of: UInt8(ascii: "\n")) ?? text.count
      if let entry = entry(start, end) { entries.append(entry) }
      start = end + 1
    }
    // Of several names of one place the first stays first.
    entries = entries.enumerated().sorted {
      ($0.element.address, $0.offset) < ($1.element.address, $1.offset)
    }
    .map(\.element)
  }

  private func entry(_ start: Int, _ end: Int) -> Entry? {
    var address: UInt64 = 0
    var position = start
    while position < end, let digit = text[position].hexadecimalDigit {
      address = address << 4 | digit
      position += 1
    }
    // " t name": code only.
    guard address != 0, position + 3 < end, text[position + 2] == UInt8(ascii: " "),
      "tTwW".utf8.contains(text[position + 1])
    else { return nil }
    return Entry(address: address, start: position + 3, end: end)
  }

  /// What is at `address`; nil before the first function and far behind the last.
  package func place(of address: UInt64) -> Place? {
    let low = entries.countAtStart { $0.address <= address }
    guard low > 0 else { return nil }
    let next = low < entries.count ? entries[low].address : entries[low - 1].address &+ 4096
    guard address < next else { return nil }
    let start = entries[low - 1].address
    let first = entries[..<low].lastIndex { $0.address != start }.map { $0 + 1 } ?? 0
    let words = String(decoding: text[entries[first].start..<entries[first].end], as: UTF8.self)
      .split(separator: "\t")
    guard let name = words.first else { return nil }
    let module = words.count > 1 ? String(words[1].drop { $0 == "[" }.prefix { $0 != "]" }) : "kernel"
    return Place(name: String(name), offset: address &- start, byteCount: next &- start, module: module)
  }
}

extension UInt8 {
  fileprivate var hexadecimalDigit: UInt64? {
    switch self {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt64(self - UInt8(ascii: "0"))
    case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt64(self - UInt8(ascii: "a")) + 10
    default: nil
    }
  }
}
