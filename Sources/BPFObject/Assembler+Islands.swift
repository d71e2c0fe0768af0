// Long jumps for kernels without `gotol`: over islands, which are jumps between other code.
//
//     if r1 == 0 goto end                 if r1 == 0 goto hop
//     …                                   …
//     …                          ⇒        goto over
//     …                              hop: goto end
//     …                             over: …
//     end: …                         end: …
extension Assembler {
  /// A jump over more slots than this takes another way.
  ///
  /// 16 bits hold four times as much. But the kernel puts several instructions in the place of some (lookups in
  /// arrays, divisions, `may_goto`), and refuses a program in which that makes a jump too long ("cannot be patched
  /// due to 16-bit range").
  static let longestJump = 8191
  /// How far an island is from where a jump to it comes, at most: it may be moved by others.
  private static let reach = 6144
  private static let grid = 2048
  private static let mostRounds = 1000

  /// The same code in which no jump is too long.
  func withIslands() throws(AssemblyError) -> Assembler {
    var result = self
    for _ in 0..<Self.mostRounds where try !result.addIslands() { return result }
    throw .jumpTooFar(function: functions[0].name, distance: items.count)
  }

  /// Where a hop stands, and where it leads.
  private struct Hop: Hashable {
    let item: Int
    let target: Label
  }

  /// Shortens each jump that is too long once; false when there is none.
  private mutating func addIslands() throws(AssemblyError) -> Bool {
    let slots = slotsBefore()
    var hops: [Hop: Label] = [:]
    for item in items.indices {
      guard case .label(let target) = items[item].target, let place = labels[target.index],
        abs(slots[place] - slots[item]) > Self.longestJump
      else { continue }
      let cell =
        place > item
        ? (slots[item] + Self.reach) / Self.grid : (slots[item] - Self.reach + Self.grid - 1) / Self.grid
      let hop = Hop(item: firstItem(atSlot: cell * Self.grid, slots), target: target)
      let label = hops[hop] ?? makeLabel()
      hops[hop] = label
      items[item].target = .label(label)
    }
    if !hops.isEmpty { insert(hops) }
    return !hops.isEmpty
  }

  /// How many slots there are before each item, and before the end.
  private func slotsBefore() -> [Int] {
    var result = [0]
    result.reserveCapacity(items.count + 1)
    var count = 0
    for item in items {
      count += item.instruction.isWide ? 2 : 1
      result.append(count)
    }
    return result
  }

  private func firstItem(atSlot slot: Int, _ slots: [Int]) -> Int {
    var (low, high) = (0, slots.count - 1)
    while low < high {
      let middle = (low + high) / 2
      if slots[middle] < slot { low = middle + 1 } else { high = middle }
    }
    return low
  }

  private mutating func insert(_ hops: [Hop: Label]) {
    let islands = Dictionary(grouping: hops.sorted { $0.value.index < $1.value.index }, by: \.key.item)
    let jump = BPFInstruction(opcode: 0x05)
    var moved = [Int](repeating: 0, count: items.count + 1)
    var placed: [(Label, Int)] = []
    var result: [Item] = []
    for item in 0...items.count {
      if let island = islands[item] {
        let over = makeLabel()
        result.append(Item(instruction: jump, target: .label(over)))
        for (hop, label) in island {
          placed.append((label, result.count))
          result.append(Item(instruction: jump, target: .label(hop.target)))
        }
        placed.append((over, result.count))
      }
      moved[item] = result.count
      if item < items.count { result.append(items[item]) }
    }
    labels = labels.map { $0.map { moved[$0] } }
    for (label, place) in placed { labels[label.index] = place }
    for function in functions.indices {
      functions[function].start = functions[function].start.map { moved[$0] }
    }
    items = result
  }
}
