import Platform

/// Symbols by hash of their name: chains in table order, so that building is linear for any names.
struct NameIndex: Sendable {
  private var heads: [UInt32]
  private var next: [UInt32]
  private let mask: UInt32

  init(_ table: ELFSymbolTable) {
    let size = max(16, table.count.nextPowerOfTwo)
    mask = UInt32(size - 1)
    heads = [UInt32](repeating: 0, count: size)
    next = [UInt32](repeating: 0, count: table.count)
    // Backwards, because each insertion goes to the front of its chain. 0 ends a chain: entries count from 1.
    for part in table.parts.reversed() {
      for index in part.indices.reversed() {
        guard let entry = part.entry(at: index), entry.nameOffset != 0 else { continue }
        let bucket = Int(part.hashedName(entry).hash & mask)
        next[index] = heads[bucket]
        heads[bucket] = UInt32(index + 1)
      }
    }
  }

  /// Entries that may be called `name`, in table order.
  func candidates(_ name: String, in table: ELFSymbolTable) -> [Int] {
    let hash = name.withRawSpan { $0.hashedString(at: 0, terminator: 0).hash }
    var found: [Int] = []
    var link = heads[Int(hash & mask)]
    while link != 0 {
      found.append(Int(link - 1))
      link = next[Int(link - 1)]
    }
    return found.filter { index in
      guard let part = table.parts.first(where: { $0.indices.contains(index) }),
        let entry = part.entry(at: index)
      else { return false }
      return part.hashedName(entry).hash == hash
    }
  }
}

/// Defined functions, objects and labels by ascending address.
struct AddressIndex: Sendable {
  private var keys: [UInt64] = []
  private var symbols: [UInt32] = []

  init(_ table: ELFSymbolTable) {
    for part in table.parts {
      for index in part.indices {
        guard let entry = part.entry(at: index), entry.nameOffset != 0 else { continue }
        let isPlaced = entry.section != 0 && UInt32(entry.section) != ELFConstant.indexAbsolute
        // STT_NOTYPE, STT_OBJECT, STT_FUNC, STT_GNU_IFUNC.
        guard isPlaced, entry.kind <= 2 || entry.kind == 10 else { continue }
        keys.append(entry.value)
        symbols.append(UInt32(index))
      }
    }
    sortByKey()
  }

  /// How many symbols are at or below `address`.
  func upperBound(of address: UInt64) -> Int {
    var low = 0
    var high = keys.count
    while low < high {
      let middle = (low + high) / 2
      if keys[middle] <= address { low = middle + 1 } else { high = middle }
    }
    return low
  }

  func address(at position: Int) -> UInt64 { keys[position] }
  func symbolIndex(at position: Int) -> Int { Int(symbols[position]) }

  /// Radix sort, 11 bits at a time, low to high: keeps table order among equals, and linear.
  private mutating func sortByKey() {
    let bits = 64 - (keys.max() ?? 0).leadingZeroBitCount
    var otherKeys = keys
    var otherSymbols = symbols
    for shift in stride(from: UInt64(0), to: UInt64(bits), by: 11) {
      var starts = [Int](repeating: 0, count: 2049)
      for key in keys { starts[Int(key >> shift & 2047) + 1] += 1 }
      for digit in 1..<2049 { starts[digit] += starts[digit - 1] }
      for position in keys.indices {
        let digit = Int(keys[position] >> shift & 2047)
        otherKeys[starts[digit]] = keys[position]
        otherSymbols[starts[digit]] = symbols[position]
        starts[digit] += 1
      }
      swap(&keys, &otherKeys)
      swap(&symbols, &otherSymbols)
    }
  }
}

extension Int {
  fileprivate var nextPowerOfTwo: Int {
    self <= 1 ? 1 : 1 << (Int.bitWidth - (self - 1).leadingZeroBitCount)
  }
}
