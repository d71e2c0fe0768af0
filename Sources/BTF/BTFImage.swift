package import Platform

/// The types of one kernel or object file, found by number or by name.
///
/// Nothing is copied: what is asked for is decoded where it lies, with the help of a ``BTFIndex``. The input is not
/// trusted: numbers that lead nowhere give nil.
package struct BTFImage: Sendable {
  /// Of 32-bit words.
  private let types: SharedBytes
  private let strings: SharedBytes
  package let index: BTFIndex

  /// Takes a whole `.BTF` section in the machine's byte order (little endian).
  ///
  /// `kept` is an index that an earlier run made; another one is made where it does not fit.
  /// - Throws: ``BTFError`` when bytes are missing or make no sense.
  package init(_ bytes: SharedBytes, kept: SharedBytes? = nil) throws(BTFError) {
    let header = try BTFHeader(bytes.span)
    guard let types = try? bytes.slice(offset: header.typeOffset, count: header.typeByteCount),
      let strings = try? bytes.slice(offset: header.stringOffset, count: header.stringByteCount)
    else { throw .sectionOutOfBounds }
    self.types = types
    self.strings = strings
    let known = kept.flatMap { BTFIndex(kept: $0, types: types.span, strings: strings.span) }
    index = if let known { known } else { try BTFIndex(types: types.span, strings: strings.span) }
  }

  /// Types, `void` included.
  package var typeCount: Int { index.typeCount }

  /// A word of the type section; 0 outside.
  private func word(_ place: Int) -> UInt32 { types.span.load(at: 4 * place, as: UInt32.self) ?? 0 }
}

// MARK: Records

extension BTFImage {
  /// The type with that number; nil for `void` and numbers out of range.
  package func record(_ id: BTFTypeID) -> BTFRecord? {
    guard id.raw > 0, id.raw < typeCount else { return nil }
    let place = index.start(Int(id.raw))
    let info = word(place + 1)
    guard let kind = BTFKind(rawValue: UInt8(truncatingIfNeeded: info >> 24) & 0x1f) else { return nil }
    return BTFRecord(
      id: id,
      kind: kind,
      nameOffset: word(place),
      count: Int(info & 0xffff),
      flag: info >> 31 != 0,
      sizeOrType: word(place + 2),
      trailing: place + 3
    )
  }

  /// The `index`-th group of `width` trailing words of `record`.
  func element(_ index: Int, of record: BTFRecord, width: Int) -> [UInt32] {
    let start = record.trailing + index * width
    return (start..<start + width).map(word)
  }

  /// The trailing word of kinds that have one.
  package func detail(of record: BTFRecord) -> UInt32 { word(record.trailing) }

  /// The string at `offset`; empty when it is out of bounds.
  package func string(_ offset: UInt32) -> String {
    strings.span.string(at: Int(offset)) ?? ""
  }

  /// The name of `record`; nil when anonymous.
  package func name(of record: BTFRecord) -> String? {
    record.nameOffset == 0 ? nil : string(record.nameOffset)
  }

  /// The first type of one of `kinds` with that name, in the order of `kinds`.
  package func find(_ name: String, _ kinds: BTFKind...) -> BTFTypeID? {
    let same = index.candidates(for: name).compactMap { record(BTFTypeID($0)) }
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
      guard strings.span.byte(at: place) == byte else { return false }
      place += 1
    }
    return strings.span.byte(at: place) == 0
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
      let words = element(index, of: record, width: 2)
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
    guard let typedef = find(BTFIndex.tracepointPrefix + name, .typedef), let types = prototype(typedef)
    else {
      return nil
    }
    let named = function("__traceiter_" + name) ?? function("__bpf_trace_" + name)
    guard let named, named.parameters.count == types.parameters.count else {
      return Array(types.parameters.dropFirst())
    }
    return Array(named.parameters.dropFirst())
  }

  /// Whether BTF knows a tracepoint of that name.
  package func hasTracepoint(_ name: String) -> Bool {
    find(BTFIndex.tracepointPrefix + name, .typedef) != nil
  }

  /// The names of all tracepoints that BTF knows.
  package var tracepointNames: [String] {
    index.tracepoints.compactMap { record(BTFTypeID($0)) }.map { typedef in
      String(string(typedef.nameOffset).dropFirst(BTFIndex.tracepointPrefix.count))
    }
  }
}
