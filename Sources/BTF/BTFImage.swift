/// The types of one kernel or object file, found by number or by name.
///
/// Opening walks the records once and hashes their names; everything else is decoded when asked for. The input
/// is not trusted: numbers that lead nowhere give nil.
package struct BTFImage: Sendable {
  /// The type section; BTF consists of 32-bit words.
  let words: [UInt32]
  let strings: [UInt8]
  /// Word where the type with that number starts; number 0 (`void`) has none.
  private let starts: [UInt32]
  private let names: NameTable

  /// Decodes `.BTF` in the machine's byte order (little endian).
  package init(typeWords: [UInt32], strings: [UInt8]) throws(BTFError) {
    guard strings.first == 0, strings.last == 0 else { throw .unterminatedStrings }
    words = typeWords
    self.strings = strings
    starts = try Self.walk(typeWords)
    names = NameTable(words: typeWords, starts: starts, strings: strings)
  }

  /// Types, `void` included.
  package var typeCount: Int { starts.count }

  private static func walk(_ words: [UInt32]) throws(BTFError) -> [UInt32] {
    var starts: [UInt32] = [0]
    starts.reserveCapacity(words.count / 8)
    var place = 0
    while place < words.count {
      guard place + 3 <= words.count else { throw .truncatedType(starts.count) }
      let info = words[place + 1]
      let number = UInt8(truncatingIfNeeded: info >> 24) & 0x1f
      guard let kind = BTFKind(rawValue: number) else { throw .unknownKind(number, type: starts.count) }
      let end = place + 3 + kind.trailingWordCount(Int(info & 0xffff))
      guard end <= words.count else { throw .truncatedType(starts.count) }
      starts.append(UInt32(place))
      place = end
    }
    return starts
  }
}

// MARK: Records

extension BTFImage {
  /// The type with that number; nil for `void` and numbers out of range.
  package func record(_ id: BTFTypeID) -> BTFRecord? {
    guard id.raw > 0, id.raw < starts.count else { return nil }
    let place = Int(starts[Int(id.raw)])
    let info = words[place + 1]
    guard let kind = BTFKind(rawValue: UInt8(truncatingIfNeeded: info >> 24) & 0x1f) else { return nil }
    return BTFRecord(
      id: id,
      kind: kind,
      nameOffset: words[place],
      count: Int(info & 0xffff),
      flag: info >> 31 != 0,
      sizeOrType: words[place + 2],
      trailing: place + 3
    )
  }

  /// The `index`-th group of `width` trailing words of `record`.
  func element(_ index: Int, of record: BTFRecord, width: Int) -> ArraySlice<UInt32> {
    let start = record.trailing + index * width
    return words[start..<start + width]
  }

  /// The trailing word of kinds that have one.
  package func detail(of record: BTFRecord) -> UInt32 { words[record.trailing] }

  /// The string at `offset`; empty when it is out of bounds.
  package func string(_ offset: UInt32) -> String {
    guard offset < strings.count else { return "" }
    let rest = strings[Int(offset)...]
    return String(decoding: rest.prefix { $0 != 0 }, as: UTF8.self)
  }

  /// The name of `record`; nil when anonymous.
  package func name(of record: BTFRecord) -> String? {
    record.nameOffset == 0 ? nil : string(record.nameOffset)
  }

  /// The first type of one of `kinds` with that name, in the order of `kinds`.
  package func find(_ name: String, _ kinds: BTFKind...) -> BTFTypeID? {
    let same = names.candidates(for: Array(name.utf8)).compactMap { record(BTFTypeID($0)) }
      .filter { matches($0.nameOffset, name) }
    for kind in kinds {
      let ids = same.filter { $0.kind == kind }.map(\.id.raw)
      if let first = ids.min() { return BTFTypeID(first) }
    }
    return nil
  }

  /// Whether the string at `offset` is `name`.
  func matches(_ offset: UInt32, _ name: String) -> Bool {
    var place = Int(offset)
    for byte in name.utf8 {
      guard place < strings.count, strings[place] == byte else { return false }
      place += 1
    }
    return place < strings.count && strings[place] == 0
  }

  /// Looks through typedefs and qualifiers; nil for `void`, and for chains that never end.
  package func resolved(_ id: BTFTypeID) -> BTFRecord? {
    var id = id
    for _ in 0..<64 {
      guard let record = record(id) else { return nil }
      guard record.kind.isTransparent else { return record }
      id = record.target
    }
    return nil
  }

  /// The names that begin with `prefix`, with their types, in the order of the image.
  package func types(_ kind: BTFKind, prefix: String) -> [(name: String, id: BTFTypeID)] {
    let wanted = Array(prefix.utf8)
    var found: [(String, BTFTypeID)] = []
    for number in starts.indices.dropFirst() {
      let place = Int(starts[number])
      guard UInt8(truncatingIfNeeded: words[place + 1] >> 24) & 0x1f == kind.rawValue else { continue }
      let offset = Int(words[place])
      guard offset < strings.count, strings[offset...].starts(with: wanted) else { continue }
      found.append((string(words[place]), BTFTypeID(UInt32(number))))
    }
    return found
  }
}

// MARK: Functions

extension BTFImage {
  /// Result and parameters of a function, a prototype, or a pointer to one.
  package func prototype(_ id: BTFTypeID) -> BTFPrototype? {
    guard var record = resolved(id) else { return nil }
    for _ in 0..<2 where record.kind == .function || record.kind == .pointer {
      guard let next = resolved(record.target) else { return nil }
      record = next
    }
    guard record.kind == .functionPrototype else { return nil }
    let parameters = (0..<record.count).map { index in
      let words = Array(element(index, of: record, width: 2))
      return BTFParameter(name: words[0] == 0 ? nil : string(words[0]), type: BTFTypeID(words[1]))
    }
    return BTFPrototype(result: record.target, parameters: parameters)
  }

  /// The prototype of the function with that name.
  package func function(_ name: String) -> BTFPrototype? { find(name, .function).flatMap(prototype) }

  /// The arguments of a kernel tracepoint, as raw and BTF tracepoint programs get them.
  ///
  /// The typedef `btf_trace_NAME` (include/trace/bpf_probe.h) exists for each tracepoint but has no parameter
  /// names; the stub that the same macro makes, `__bpf_trace_TEMPLATE`, has them, though only under the name of
  /// the event class. `__traceiter_NAME` (include/linux/tracepoint.h) has both. The first parameter of all
  /// three is the kernel's own.
  package func tracepoint(_ name: String) -> [BTFParameter]? {
    guard let typedef = find("btf_trace_" + name, .typedef), let types = prototype(typedef) else {
      return nil
    }
    let named = function("__traceiter_" + name) ?? function("__bpf_trace_" + name)
    guard let named, named.parameters.count == types.parameters.count else {
      return Array(types.parameters.dropFirst())
    }
    return Array(named.parameters.dropFirst())
  }

  /// The names of all tracepoints that BTF knows.
  package var tracepointNames: [String] {
    let prefix = "btf_trace_"
    return types(.typedef, prefix: prefix).map { String($0.name.dropFirst(prefix.count)) }
  }
}
