import BPFObject
import TraceIR

// Reading and clearing statistics in a probe: the shares of all CPUs, and of all elements that a slice names, are
// merged in scratch memory (``Gathered``).
extension CodeWriter {
  /// As many as Linux can be built for; without `may_goto` what the verifier can follow.
  private var maximumCPUCount: Int { BPFTarget.maximumCPUCount(hasMayGoto: shared.target.hasMayGoto) }

  /// A function for each few words is not worth it: programs have 256 at most, and where loops are functions half of them.
  private static var fewestWords: Int { 8 }

  mutating func writeExtract(
    _ result: ValueID,
    _ field: StatisticField,
    _ global: GlobalID,
    _ keys: [Operand?]
  ) throws(BPFBackendError) {
    guard let layout = module.table(global).statistic else { return }
    try gather(global, keys, .fields(layout, squares: field == .variance))
    if field != .count {
      let present = code.makeLabel()
      loadState(.r1, WalkState.gathered + Gathered.count)
      code.jump(if: .notEqual, .r1, 0, to: present)
      raise(.emptyAggregate, subject: 0)
      code.place(present)
    }
    if isUnused(result) { return }
    loadGathered(field)
    store(.r0, result)
  }

  mutating func writeHistogramBucket(
    _ result: ValueID,
    _ shape: HistogramShape,
    _ global: GlobalID,
    _ keys: [Operand?],
    _ bucket: Operand
  ) throws(BPFBackendError) {
    guard let layout = module.table(global).statistic,
      let index = shared.program.globals[global.index].statistics.histograms.firstIndex(of: shape)
    else { return }
    let valid = code.makeLabel()
    load(bucket, into: .r0)
    code.jump(if: .less, .r0, Int32(shape.bucketCount), to: valid)
    raise(.histogramIndex, subject: 0)
    code.place(valid)
    code.emit(.arithmetic(.shiftLeft, .r0, 3))
    code.emit(.arithmetic(.add, .r0, Int32(layout.histogramOffsets[index])))
    storeState(.r0, WalkState.gathered + Gathered.bucketOffset)
    try gather(global, keys, .bucket(shareByteCount: layout.byteCount))
    loadGathered(.count)
    store(.r0, result)
  }

  /// Makes a string of buckets, 8 bytes each; the keys are one element's.
  mutating func writePackHistogram(
    _ result: ValueID,
    _ shape: HistogramShape,
    _ global: GlobalID,
    _ keys: [Operand?],
    first: Int,
    count: Int
  ) {
    let table = module.table(global)
    guard let layout = table.statistic, let slot = slot(of: result),
      let index = shared.program.globals[global.index].statistics.histograms.firstIndex(of: shape)
    else { return }
    storeScratch(.word, slot, immediate: Int32(8 * count))
    for bucket in 0..<count { storeScratch(.double, slot + 4 + 8 * bucket, immediate: 0) }
    let start = layout.histogramOffsets[index] + 8 * first
    putKeyTogether(table, keys)
    if count < Self.fewestWords {
      return inMapOfKey(table) { writer, map in
        let part = GatheredPart.bucket(shareByteCount: layout.byteCount)
        for bucket in 0..<count {
          writer.clearGathered()
          writer.storeState(Int32(start + 8 * bucket), WalkState.gathered + Gathered.bucketOffset)
          writer.loadElementKey(table, .r2)
          writer.gather(map, .r2, part)
          writer.loadState(.r0, WalkState.gathered + Gathered.count)
          writer.storeScratch(.double, slot + 4 + 8 * bucket, .r0)
        }
      }
    }
    let words = GatheredPart.words(offset: start, count: count)
    inMapOfKey(table) { writer, map in
      writer.loadElementKey(table, .r2)
      writer.code.loadMap(.r1, map)
      writer.scratchAddress(.r3, slot + 4)
      writer.code.call(writer.function(.gather(words)))
    }
  }

  // MARK: Merging

  /// Merges what `keys` name: nil matches anything.
  private mutating func gather(
    _ global: GlobalID,
    _ keys: [Operand?],
    _ part: GatheredPart
  ) throws(BPFBackendError) {
    guard shared.target.possibleCPUCount <= maximumCPUCount else {
      throw unsupported("reading a statistic of more than \(maximumCPUCount) CPUs without may_goto")
    }
    let table = module.table(global)
    clearGathered()
    if isSlice(keys) {
      writePattern(table, keys)
      return forEachElement(table, .gatherSlice(global, fixed: keys.map { $0 != nil }, part))
    }
    putKeyTogether(table, keys)
    inMapOfKey(table) { writer, map in
      writer.loadElementKey(table, .r2)
      writer.gather(map, .r2, part)
    }
  }

  /// Puts the key of an element together, or of a statistic that is no array.
  private mutating func putKeyTogether(_ table: Table, _ keys: [Operand?]) {
    if keys.isEmpty { return code.emit(.store(.word, .r10, -8, immediate: 0)) }
    writeKey(table, keys.compactMap { $0 })
  }

  private mutating func loadElementKey(_ table: Table, _ register: BPFRegister) {
    if table.key.types.isEmpty { return stackAddress(register, -8) }
    loadKey(table, register)
  }

  /// Merges the shares of one element.
  mutating func gather(_ map: MapReference, _ key: BPFRegister, _ part: GatheredPart) {
    if key != .r2 { code.emit(.move(.r2, key)) }
    code.loadMap(.r1, map)
    scratchAddress(.r3, layout.stateOffset + WalkState.gathered)
    code.call(function(.gather(part)))
  }

  /// All but ``Gathered/bucketOffset``.
  mutating func clearGathered() {
    for offset in stride(from: 0, to: Gathered.bucketOffset, by: 8) {
      storeState(0, WalkState.gathered + offset)
    }
  }

  /// `r0` = the answer to `field`; 0 for an empty statistic.
  ///
  /// Uses `r1`–`r3`.
  mutating func loadGathered(_ field: StatisticField) {
    let start = WalkState.gathered
    if field == .count { return loadState(.r0, start + Gathered.count) }
    let done = code.makeLabel()
    loadState(.r1, start + Gathered.count)
    code.emit(.move(.r0, 0))
    code.jump(if: .equal, .r1, 0, to: done)
    switch field {
    case .count: break
    case .sum: loadState(.r0, start + Gathered.sum)
    case .min:
      loadState(.r0, start + Gathered.minimum)
      code.emit(.arithmetic(.xor, .r0, -1))
      flipSign(.r0)
    case .max:
      loadState(.r0, start + Gathered.maximum)
      flipSign(.r0)
    case .average:
      loadState(.r0, start + Gathered.sum)
      writeSignedDivision(isRemainder: false)
    case .variance:
      scratchAddress(.r1, layout.stateOffset + start)
      code.call(function(.variance))
    }
    code.place(done)
  }

  /// Takes back what ``StatisticLayout`` does to minimum and maximum.
  private mutating func flipSign(_ register: BPFRegister) {
    code.loadConstant(.r1, Int64.min)
    code.emit(.arithmetic(.xor, register, .r1))
  }

  /// `r1` a map, `r2` a key, `r3` a ``Gathered``: merges what all CPUs have.
  mutating func writeGather(_ part: GatheredPart) {
    code.emit(.move(.r8, .r3))
    forEachCPU { writer, next in
      switch part {
      case .bucket(let byteCount): writer.addBucket(byteCount, next)
      case .words(let offset, let count):
        for word in 0..<count { writer.addWord(offset + 8 * word, 8 * word) }
      case .fields(let layout, let squares): writer.mergeFields(layout, squares, next)
      }
    }
    finish(0)
  }

  /// Merges the share at `r0`, or goes to `next` when it is empty.
  private mutating func mergeFields(_ layout: StatisticLayout, _ squares: Bool, _ next: Assembler.Label) {
    guard let count = layout.countOffset else { preconditionFailure("who asks for a field has a count") }
    code.emit(.load(.double, .r1, .r0, Int16(count)))
    code.jump(if: .equal, .r1, 0, to: next)
    addWord(count, Gathered.count)
    if let sum = layout.sumOffset { addWord(sum, Gathered.sum) }
    if squares, let start = layout.squaresOffset {
      for offset in [0, 8, 16] { addWord(start + offset, Gathered.squares + offset) }
    }
    if let minimum = layout.minimumOffset { raiseWord(minimum, Gathered.minimum) }
    if let maximum = layout.maximumOffset { raiseWord(maximum, Gathered.maximum) }
  }

  private mutating func addWord(_ from: Int, _ to: Int) {
    code.emit(.load(.double, .r1, .r0, Int16(from)))
    code.emit(.load(.double, .r2, .r8, Int16(to)))
    code.emit(.arithmetic(.add, .r2, .r1))
    code.emit(.store(.double, .r8, Int16(to), .r2))
  }

  private mutating func raiseWord(_ from: Int, _ to: Int) {
    let lower = code.makeLabel()
    code.emit(.load(.double, .r1, .r0, Int16(from)))
    code.emit(.load(.double, .r2, .r8, Int16(to)))
    code.jump(if: .lessOrEqual, .r1, .r2, to: lower)
    code.emit(.store(.double, .r8, Int16(to), .r1))
    code.place(lower)
  }

  private mutating func addBucket(_ shareByteCount: Int, _ next: Assembler.Label) {
    code.emit(.load(.double, .r1, .r8, Int16(Gathered.bucketOffset)))
    code.jump(if: .greater, .r1, Int32(shareByteCount - 8), to: next)
    code.emit(.arithmetic(.add, .r0, .r1))
    addWord(0, Gathered.count)
  }

  /// Zeros for every CPU.
  mutating func writeClearShares() {
    code.emit(.move(.r8, .r3))
    forEachCPU { writer, _ in
      writer.code.emit(.move(.r1, .r0))
      writer.code.emit(.move(.r2, .r8))
      writer.code.loadMapValue(.r3, ModuleMaps.zeros)
      writer.code.call(.probeReadKernel)
    }
    finish(0)
  }

  /// Runs `body` with each CPU's share of the key `r2` of the map `r1` at `r0`.
  ///
  /// Ends at the first CPU that cannot exist, or at once when the key has no element. `body` may jump to its
  /// label, and use `r8`; `r6`, `r7` and `r9` are taken.
  mutating func forEachCPU(_ body: @escaping (inout CodeWriter, Assembler.Label) -> Void) {
    code.emit(.move(.r6, .r1))
    code.emit(.move(.r7, .r2))
    writeUnknownZero(.r9)
    repeatRounds { writer, next, done in
      writer.code.jump(if: .greaterOrEqual, .r9, Int32(writer.maximumCPUCount), to: done)
      writer.code.emit(.move(.r1, .r6))
      writer.code.emit(.move(.r2, .r7))
      writer.code.emit(.move(.r3, .r9))
      writer.code.emit(.arithmetic(.add, .r9, 1))
      writer.code.call(.mapLookupPerCPUElement)
      writer.code.jump(if: .equal, .r0, 0, to: done)
      body(&writer, next)
    }
  }

  mutating func writeClearStatistic(_ table: Table) {
    guard let layout = table.statistic else { return }
    code.emit(.store(.word, .r10, -8, immediate: 0))
    code.loadMap(.r1, table.map)
    stackAddress(.r2, -8)
    code.emit(.move(.r3, Int32(layout.byteCount)))
    code.call(subprogram(.clearShares))
  }
}
