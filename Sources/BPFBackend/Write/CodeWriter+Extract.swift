import BPFObject
import TraceIR

// Reading and clearing statistics in a probe: the shares of all CPUs, one after the other.
extension CodeWriter {
  /// As many as Linux can be built for; without `may_goto` what the verifier can follow.
  private var maximumCPUCount: Int32 { shared.target.hasMayGoto ? 8192 : 1024 }

  mutating func writeExtract(
    _ result: ValueID,
    _ field: StatisticField,
    _ global: GlobalID,
    _ keys: [Operand?]
  ) throws(BPFBackendError) {
    let table = module.table(global)
    guard field != .variance else { throw unsupported("'@variance'") }
    guard shared.target.possibleCPUCount <= maximumCPUCount else {
      throw unsupported("reading a statistic of more than \(maximumCPUCount) CPUs without may_goto")
    }
    writeKey(table, try wholeKey(keys, table))
    if keys.isEmpty { code.emit(.store(.word, .r10, -8, immediate: 0)) }
    merge(table, .mergeCount)
    guard let kind = field.subprogram else { return store(.r0, result) }
    let present = code.makeLabel()
    code.jump(if: .notEqual, .r0, 0, to: present)
    raise(.emptyAggregate, subject: 0)
    code.place(present)
    if isUnused(result) { return }
    if field == .average {
      // The count goes where a value on its way into the map would wait: nothing else is there now.
      code.emit(.store(.double, .r10, extractOffset(table), .r0))
    }
    merge(table, kind)
    if field == .average {
      code.emit(.load(.double, .r1, .r10, extractOffset(table)))
      writeSignedDivision(isRemainder: false)
    }
    store(.r0, result)
  }

  private func extractOffset(_ table: Table) -> Int16 {
    Int16(table.keyOffset == nil ? -max(8, table.key.byteCount) - 8 : -8)
  }

  private mutating func merge(_ table: Table, _ kind: Subprogram) {
    code.loadMap(.r1, table.map)
    if table.key.types.isEmpty { stackAddress(.r2, -8) } else { loadKey(table, .r2) }
    code.call(subprogram(kind))
  }

  /// `r0` = the sum or the unsigned maximum of one word of all CPUs, decoded.
  mutating func writeMerge(_ offset: Int, isSum: Bool) {
    code.emit(.move(.r8, 0))
    forEachCPU { writer, next in
      writer.code.emit(.load(.double, .r1, .r0, Int16(offset)))
      if isSum { return writer.code.emit(.arithmetic(.add, .r8, .r1)) }
      writer.code.jump(if: .lessOrEqual, .r1, .r8, to: next)
      writer.code.emit(.move(.r8, .r1))
    }
    decode(offset)
    code.emit(.move(.r0, .r8))
    code.emit(.exit)
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
  private mutating func forEachCPU(_ body: @escaping (inout CodeWriter, Assembler.Label) -> Void) {
    code.emit(.move(.r6, .r1))
    code.emit(.move(.r7, .r2))
    writeUnknownZero(.r9)
    repeatRounds { writer, next, done in
      writer.code.jump(if: .greaterOrEqual, .r9, writer.maximumCPUCount, to: done)
      writer.code.emit(.move(.r1, .r6))
      writer.code.emit(.move(.r2, .r7))
      writer.code.emit(.move(.r3, .r9))
      writer.code.emit(.arithmetic(.add, .r9, 1))
      writer.code.call(.mapLookupPerCPUElement)
      writer.code.jump(if: .equal, .r0, 0, to: done)
      body(&writer, next)
    }
  }

  /// Takes back what ``StatisticLayout`` does to minimum and maximum.
  private mutating func decode(_ offset: Int) {
    if offset == StatisticLayout.minimumOffset { code.emit(.arithmetic(.xor, .r8, -1)) }
    guard offset == StatisticLayout.minimumOffset || offset == StatisticLayout.maximumOffset else { return }
    code.loadConstant(.r1, Int64.min)
    code.emit(.arithmetic(.xor, .r8, .r1))
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

extension StatisticField {
  /// What merges the field; nil for the count, which is merged anyway.
  fileprivate var subprogram: Subprogram? {
    switch self {
    case .count, .variance: nil
    case .sum, .average: .mergeSum
    case .min: .mergeMinimum
    case .max: .mergeMaximum
    }
  }
}
