import Glibc
import KernelBridge
import Platform
import TraceIR

/// The elements of a tally (``TallyLayout``), in memory that we share with the programs that count.
///
/// A hit that is under way while all elements are deleted may put its key into a line that is not the first with room for
/// it any more. Nobody looks for it there, which is as if it had been counted before.
final class TallyMap: ElementMap {
  private let lines: MappedArray
  private let scalars: MappedArray
  private let layout: TallyLayout
  private let wordsOffset: Int

  /// - Throws: ``KernelError`` when the map is not as the layout says, or a map cannot be mapped.
  init(_ map: BPFMap, _ layout: TallyLayout, scalars: BPFMap, wordsOffset: Int) throws(KernelError) {
    lines = try MappedArray(map, count: layout.lineCount, byteCount: TallyLayout.lineByteCount)
    self.scalars = try MappedArray(scalars)
    self.layout = layout
    self.wordsOffset = wordsOffset
  }

  var cpuCount: Int { 1 }
  var valueStride: Int { 8 }
  var wholeValueByteCount: Int { 8 }

  // MARK: Slots

  /// Where an element is.
  private enum Slot: Equatable {
    case inTable(Int)
    /// That of ``TallyLayout/oddKey``.
    case odd
  }

  private var slotCount: Int { layout.lineCount * TallyLayout.slotsPerLine }

  /// Calls `body` with where a slot lies: the array, the value in it, the bytes from its start.
  private func at<Answer>(_ slot: Slot, _ body: (borrowing MappedArray, Int, Int) -> Answer) -> Answer {
    switch slot {
    case .inTable(let number):
      let (line, inLine) = number.quotientAndRemainder(dividingBy: TallyLayout.slotsPerLine)
      return body(lines, line, inLine * TallyLayout.slotByteCount)
    case .odd: return body(scalars, 0, wordsOffset + TallyLayout.oddSlotOffset)
    }
  }

  private func mark(_ slot: Slot) -> UInt64 {
    at(slot) { $0.loadCounter($1, offset: $2 + TallyLayout.markOffset) }
  }

  /// Writes `wanted` over a mark that is `expected`; gives the mark before.
  private func exchangeMark(_ slot: Slot, _ expected: UInt64, _ wanted: UInt64) -> UInt64 {
    at(slot) { $0.compareExchange($1, offset: $2 + TallyLayout.markOffset, expected, wanted) }
  }

  private func count(_ slot: Slot) -> UInt64 {
    at(slot) { $0.loadCounter($1, offset: $2 + TallyLayout.countOffset) }
  }

  private func setCount(_ slot: Slot, _ count: UInt64) {
    at(slot) { $0.storeRelease($1, offset: $2 + TallyLayout.countOffset, count) }
  }

  /// Adds to how many elements there are; gives how many there were.
  private func countElement(_ change: Int64) -> UInt64 {
    scalars.add(0, offset: wordsOffset + TallyLayout.elementCountOffset, UInt64(bitPattern: change))
  }

  /// The slots in which a key may be, in the order of the search, with the mark that it has there.
  private func places(of key: Int64) -> (mark: UInt64, slots: some Sequence<Slot>) {
    let mark = TallyLayout.mark(of: key)
    let first = layout.line(of: mark) * TallyLayout.slotsPerLine
    let slots = (mark == 0 ? 0..<1 : 0..<slotCount).lazy.map { [slotCount] in
      mark == 0 ? Slot.odd : .inTable((first + $0) % slotCount)
    }
    return (mark == 0 ? 1 : mark, slots)
  }

  /// The slot of a key.
  private func slot(of key: Int64) -> Slot? {
    let (mark, slots) = places(of: key)
    for slot in slots {
      let found = self.mark(slot)
      if found == mark { return slot }
      if found == 0 { return nil }
    }
    return nil
  }

  /// The slot of a key, which is taken for it if need be.
  private func makeSlot(of key: Int64) throws(KernelError) -> Slot {
    let (mark, slots) = places(of: key)
    for slot in slots {
      var found = self.mark(slot)
      if found == 0 {
        guard countElement(1) < UInt64(layout.maximumEntries) else {
          _ = countElement(-1)
          break
        }
        found = exchangeMark(slot, 0, mark)
        if found == 0 { return slot }
        _ = countElement(-1)
      }
      if found == mark { return slot }
    }
    throw .system(SystemError("insert", on: "an array that counts", code: E2BIG), advice: nil)
  }

  // MARK: Elements

  private func number(_ bytes: [UInt8]) -> Int64 { bytes.rawSpan.load(at: 0, as: Int64.self) ?? 0 }

  private func bytes(_ number: UInt64) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
  }

  func lookUp(_ key: [UInt8]) -> [UInt8]? {
    guard let slot = slot(of: number(key)) else { return nil }
    return bytes(count(slot))
  }

  func update(_ key: [UInt8], _ value: [UInt8]) throws(KernelError) {
    setCount(try makeSlot(of: number(key)), UInt64(bitPattern: number(value)))
  }

  func delete(_ key: [UInt8]) throws(KernelError) {
    throw .invalid("elements of an array that only counts are deleted all at once")
  }

  /// From the beginning of each run of full lines on, so that no key is left behind a slot that is free.
  func removeAll() {
    remove(.odd)
    let taken = takenSlots()
    // The first slot that is not taken.
    let free = taken.indices.first { taken[$0].number != $0 } ?? taken.count
    let next = (free / TallyLayout.slotsPerLine + 1) * TallyLayout.slotsPerLine
    for slot in taken where slot.number >= next { remove(.inTable(slot.number)) }
    for slot in taken where slot.number < next { remove(.inTable(slot.number)) }
  }

  /// The slots of the table that are taken, and by which marks.
  ///
  /// Copied at once, and in a plain loop, which is quick in debug builds, too: hits may be waiting for us.
  private func takenSlots() -> [(number: Int, mark: UInt64)] {
    let words = lines.words()
    var found: [(number: Int, mark: UInt64)] = []
    var (number, word) = (0, TallyLayout.markOffset / 8)
    while word < words.count {
      let mark = words[word]
      if mark != 0 { found.append((number, mark)) }
      number += 1
      word += TallyLayout.slotByteCount / 8
    }
    return found
  }

  private func remove(_ slot: Slot) {
    let mark = mark(slot)
    guard mark != 0, exchangeMark(slot, mark, 0) == mark else { return }
    // Not before: hits of the key would go on counting, for whoever takes the slot next. Those that take it before this are
    // as if they had come before the deletion, which is not over yet.
    setCount(slot, 0)
    _ = countElement(-1)
  }

  func forEach(_ body: (RawSpan, RawSpan) -> Void) {
    if mark(.odd) != 0 { visit(TallyLayout.oddKey, .odd, body) }
    for (number, mark) in takenSlots() {
      let key = TallyLayout.key(of: mark)
      // The others are found at once; these may have come too late (see above).
      let isElsewhere = layout.line(of: mark) != number / TallyLayout.slotsPerLine
      if isElsewhere, slot(of: key) != .inTable(number) { continue }
      visit(key, .inTable(number), body)
    }
  }

  private func visit(_ key: Int64, _ slot: Slot, _ body: (RawSpan, RawSpan) -> Void) {
    body(bytes(UInt64(bitPattern: key)).rawSpan, bytes(count(slot)).rawSpan)
  }
}
