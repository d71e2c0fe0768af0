/// How globals lie in kernel maps: written by a backend and read by the runtime, which do not know each other.
///
/// Integers are little endian, every field starts at a multiple of 8. A string field is a 32-bit byte count,
/// then the bytes, then zeros to the end of the field, so that equal strings are equal bytes.
package struct StringField: Hashable, Sendable {
  /// Most bytes of text.
  package let capacity: Int

  /// A field for strings below `limits.maxStringLength`, or for those of at most `bound` bytes.
  package init(_ limits: Limits, bound: Int? = nil) {
    let whole = max(1, limits.maxStringLength - 1)
    capacity = min(max(1, bound ?? whole), whole)
  }

  /// Bytes of the field, length and padding included.
  package var byteCount: Int { (4 + capacity + 7) & ~7 }
}

/// Keys or values side by side.
package struct FieldLayout: Hashable, Sendable {
  package let offsets: [Int]
  package let types: [ValueType]
  /// What a string in each place can hold; nil for longs.
  package let fields: [StringField?]
  package let byteCount: Int

  /// Lays out `types` in order; strings are at most as long as `bounds` says, if it is not empty.
  package init(_ types: [ValueType], _ limits: Limits, bounds: [Int] = []) {
    let fields = types.enumerated().map { index, type in
      let bound = bounds.indices.contains(index) ? bounds[index] : nil
      return type == .string ? StringField(limits, bound: bound) : nil
    }
    self.init(types, fields, last: nil)
  }

  /// Lays out `fields` in order, but one of them behind the others.
  fileprivate init(_ types: [ValueType], _ fields: [StringField?], last: Int?) {
    var offsets = [Int](repeating: 0, count: types.count)
    var end = 0
    for column in types.indices.filter({ $0 != last }) + (last.map { [$0] } ?? []) {
      offsets[column] = end
      end += fields[column]?.byteCount ?? 8
    }
    self.offsets = offsets
    self.types = types
    self.fields = fields
    byteCount = end
  }

  /// The first byte behind a field.
  package func end(of column: Int) -> Int { offsets[column] + (fields[column]?.byteCount ?? 8) }
}

/// How the keys of an array lie in its map, or in its maps.
///
/// The kernel hashes and compares every byte of a key, the zeros behind a short string too, so that a key of 520 bytes
/// costs more than all else that a hit does. An array with one string as long as that among its keys has several maps: each
/// for the elements whose string is not longer than so much, whose keys end where the others go on, and one for the rest.
package struct KeyLayout: Hashable, Sendable {
  /// The keys whose string is short, but too long for the one before.
  package struct Short: Hashable, Sendable {
    /// Most bytes of the string.
    package let capacity: Int
    /// Bytes of a key.
    package let byteCount: Int
  }

  /// Of the whole key; in an array of several maps the long string comes last.
  package let fields: FieldLayout
  /// From the shortest on; empty when there is one map.
  package let shorts: [Short]
  /// Where the length of the long string is, 32 bits; of no meaning when there is one map.
  package let lengthOffset: Int

  /// A string field of so many bytes makes the shortest key; each next one has four times as many.
  private static let shortestFieldByteCount = 64

  /// Lays out the keys of `global`.
  ///
  /// Each map has room for all elements. So an array whose size the script sets, or that is made smaller than usual, has
  /// one map, which is full when the array is; and so has one that kernel-side code goes over.
  package init(_ global: Global, _ limits: Limits) {
    let inOrder = FieldLayout(global.keyTypes, limits, bounds: global.keyBounds)
    // Fields that are not longer than two short ones are not worth another map.
    let long = inOrder.fields.indices.filter {
      inOrder.fields[$0]?.byteCount ?? 0 > 2 * Self.shortestFieldByteCount
    }
    let isLarge =
      global.maximumEntries == limits.maxMapEntries && limits.maxMapEntries >= Limits().maxMapEntries
    guard long.count == 1, isLarge, !global.wraps, !global.isWalkedInKernel, global.isUsedInKernel else {
      fields = inOrder
      shorts = []
      lengthOffset = 0
      return
    }
    fields = FieldLayout(global.keyTypes, inOrder.fields, last: long[0])
    let start = fields.offsets[long[0]]
    lengthOffset = start
    let whole = fields.byteCount - start
    shorts = sequence(first: Self.shortestFieldByteCount) { $0 * 4 }.prefix { 2 * $0 < whole }.map {
      Short(capacity: $0 - 4, byteCount: start + $0)
    }
  }
}

/// One CPU's share of a statistic: 64-bit words that start as zero and only grow, so that a reader may merge
/// them at any time.
///
/// Minimum and maximum are kept as unsigned numbers whose zero means "nothing yet": `maximum` is the value with
/// its sign bit flipped, `minimum` the complement of that; both are merged by unsigned maximum. The square of
/// each value is added as three partial sums (bits 0–31, 32–63, 64–127), which cannot overflow before 2³²
/// values.
///
/// Words that nobody asks for are not there. How many values there were, which tells an empty statistic, is kept by
/// itself or is the sum of a histogram's buckets.
package struct StatisticLayout: Hashable, Sendable {
  package let countOffset: Int?
  package let sumOffset: Int?
  package let minimumOffset: Int?
  package let maximumOffset: Int?
  /// Three words of squares, when variance is asked for.
  package let squaresOffset: Int?
  /// The first bucket of each histogram, in the order of ``StatisticNeeds/histograms``.
  package let histogramOffsets: [Int]
  package let byteCount: Int

  /// Lays out what `needs` asks for.
  package init(_ needs: StatisticNeeds) {
    var end = 0
    func place(_ wordCount: Int) -> Int {
      defer { end += 8 * wordCount }
      return end
    }
    func place(ifAsked fields: StatisticField...) -> Int? {
      needs.fields.contains(where: fields.contains) ? place(1) : nil
    }
    countOffset = needs.fields.isEmpty && !needs.histograms.isEmpty ? nil : place(1)
    sumOffset = place(ifAsked: .sum, .average, .variance)
    minimumOffset = place(ifAsked: .min)
    maximumOffset = place(ifAsked: .max)
    squaresOffset = needs.variance ? place(3) : nil
    histogramOffsets = needs.histograms.map { place($0.bucketCount) }
    byteCount = end
  }
}

/// How the value of an array's element lies in its map.
package struct ElementLayout: Hashable, Sendable {
  /// Behind the value, in an array that wraps: 64 bits that grow from element to element.
  ///
  /// Of a statistic they are in the share of the CPU that made it, 0 in the others.
  package let birthOffset: Int?
  package let byteCount: Int

  /// Lays out an element of `global`.
  package init(_ global: Global, _ limits: Limits) {
    let value =
      switch global.kind {
      case .scalar(let type), .array(_, let type): FieldLayout([type], limits).byteCount
      case .statistic, .statisticArray: StatisticLayout(global.statistics).byteCount
      }
    birthOffset = global.wraps ? value : nil
    byteCount = value + (global.wraps ? 8 : 0)
  }
}

/// Where the scalars lie in the one array map that holds them all, after the control words and the locks.
package struct ScalarLayout: Hashable, Sendable {
  /// Session state: a ``SessionState``, 32 bits.
  package static let stateOffset = 0
  /// Run-time errors so far, 32 bits.
  package static let errorCountOffset = 4
  /// `target()`, 64 bits.
  package static let targetOffset = 8
  /// Skipped hits so far, 64 bits, added atomically.
  package static let skippedOffset = 16
  /// What to add to CLOCK_MONOTONIC to get nanoseconds since 1970, 64 bits.
  package static let realtimeBiasOffset = 24
  /// Seconds east of Greenwich when the session began, 64 bits, and the zone's name as a string field.
  package static let timeZoneOffset = 32
  package static let timeZoneNameOffset = 40
  package static let timeZoneNameCapacity = 20
  /// 1 while the reader of the data ring sleeps and wants to be woken, 32 bits.
  package static let readerAsleepOffset = 64
  /// 1 while the command of `-c` waits for its start, 32 bits.
  package static let commandWaitsOffset = 68
  /// 1 from a change of a global that conditions of probes read until the user side takes note, 32 bits.
  package static let conditionsChangedOffset = 72
  package static let controlByteCount = 80
  /// What one CPU may keep in its cache without another one's writes taking it away.
  package static let cacheLineByteCount = 64
  /// How many counters a lock has for those that share it: a power of two; CPUs beyond it share a counter.
  package static let sharedCounterCount = 64

  /// Which probes take which locks.
  package let locks: LockPlan
  /// Per lock: 64 bits that are 0 while nobody holds it exclusively.
  ///
  /// Else they say who does: a CPU's number and 1, or ``userSideHolder``. Each counter of those that share it follows
  /// in a cache line of its own.
  package let lockOffsets: [Int]
  /// The holder's number when it is a probe of the user side.
  package static let userSideHolder: UInt64 = 1 << 32

  /// 64 bits: how many elements were ever made in arrays that wrap; nil without such an array.
  package let birthCountOffset: Int?
  /// By global: the positions in the ``AgeRing`` of an array that wraps; nil for all others.
  package let agePositionOffsets: [Int?]
  /// By global: the words that a tally has beside its map (``TallyLayout``); nil for all others.
  package let tallyOffsets: [Int?]
  /// By global; nil for arrays and statistics.
  package let offsets: [Int?]
  package let byteCount: Int

  /// Lays out the scalars of `program`.
  package init(_ program: TraceProgram) {
    locks = LockPlan(program)
    var end = Self.controlByteCount
    var lockOffsets: [Int] = []
    let shared = locks.sharedLocks
    for lock in 0..<locks.lockCount {
      // The first one begins the line behind the control words, whatever their number.
      if lock == 0 { end = (end + Self.cacheLineByteCount - 1) & -Self.cacheLineByteCount }
      lockOffsets.append(end)
      end += Self.cacheLineByteCount * (shared.contains(lock) ? 1 + Self.sharedCounterCount : 1)
    }
    self.lockOffsets = lockOffsets
    offsets = program.globals.map { global in
      guard case .scalar(let type) = global.kind else { return nil }
      defer { end += type == .long ? 8 : StringField(program.limits).byteCount }
      return end
    }
    birthCountOffset = program.globals.contains(where: \.wraps) ? end : nil
    if birthCountOffset != nil { end += 8 }
    agePositionOffsets = program.globals.map { global in
      guard global.wraps else { return nil }
      defer { end += AgeRing.positionsByteCount }
      return end
    }
    tallyOffsets = program.globals.map { global in
      guard TallyLayout(global) != nil else { return nil }
      defer { end += TallyLayout.wordsByteCount }
      return end
    }
    byteCount = end
  }
}

/// What kernel-side probes check first.
package enum SessionState: UInt32, Sendable {
  /// Attached, but `begin` probes have not finished: hits are ignored.
  case starting = 0
  case running = 1
  /// `exit()` or an error too many: hits are ignored.
  case stopping = 2
}
