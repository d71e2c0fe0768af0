import BPFObject
import TraceIR

// Statistics: each CPU's own share, changed by atomic operations, because a program may be preempted by
// another one on the same CPU.
extension CodeWriter {
  mutating func writeAggregate(_ global: GlobalID, _ keys: [Operand], _ operand: Operand) {
    let table = module.table(global)
    guard let layout = table.statistic else { return }
    let (found, done) = (code.makeLabel(), code.makeLabel())
    if keys.isEmpty {
      code.emit(.store(.word, .r10, -8, immediate: 0))
      lookUpOnly(table.map)
      code.jump(if: .equal, .r0, 0, to: done)
    } else {
      writeKey(table, keys)
      lookUp(table)
      code.jump(if: .notEqual, .r0, 0, to: found)
      insertZeros(table, global)
      lookUpNew(table, global)
      code.jump(if: .notEqual, .r0, 0, to: found)
      lose(.mapBusy)
      code.jump(to: done)
    }
    code.place(found)
    code.emit(.move(.r3, .r0))
    load(operand, into: .r1)
    writeStatistic(layout, shared.program.globals[global.index].statistics)
    code.place(done)
  }

  private mutating func lookUpOnly(_ map: MapReference) {
    code.loadMap(.r1, map)
    stackAddress(.r2, -8)
    code.call(.mapLookupElement)
  }

  /// A new element on all CPUs; one that another thread made meanwhile is as good.
  private mutating func insertZeros(_ table: Table, _ global: GlobalID) {
    let present = code.makeLabel()
    makingRoom(table, global) { writer in
      writer.update(table, .noExist) { writer in writer.code.loadMapValue(.r3, ModuleMaps.zeros) }
    }
    code.jump(if: .equal, .r0, -17, to: present)
    writeUpdateCheck(global)
    code.place(present)
  }

  /// Adds the value in `r1` to the statistic at `r3`; uses all of `r0`–`r5`.
  private mutating func writeStatistic(_ layout: StatisticLayout, _ needs: StatisticNeeds) {
    if let count = layout.countOffset {
      code.emit(.move(.r2, 1))
      code.emit(.atomic(.add, .double, .r3, Int16(count), .r2))
    }
    if let sum = layout.sumOffset { code.emit(.atomic(.add, .double, .r3, Int16(sum), .r1)) }
    for (offset, mask) in [(layout.maximumOffset, Int64.min), (layout.minimumOffset, Int64.max)] {
      guard let offset else { continue }
      code.loadConstant(.r2, mask)
      code.emit(.arithmetic(.xor, .r2, .r1))
      raiseMaximum(offset)
    }
    if let squares = layout.squaresOffset { addSquare(squares) }
    for (index, shape) in needs.histograms.enumerated() {
      let offset = layout.histogramOffsets[index]
      switch shape {
      case .log: writeLogBucket()
      case .linear(let low, let high, let step): writeLinearBucket(low, high, step, shape.bucketCount)
      }
      count(bucketAt: offset, of: shape.bucketCount)
    }
  }

  /// `*(r3 + offset) = max(*(r3 + offset), r2)`, unsigned.
  ///
  /// Another thread on this CPU can come between only when it preempts within three instructions; eight times
  /// in a row does not happen.
  private mutating func raiseMaximum(_ offset: Int) {
    let done = code.makeLabel()
    code.emit(.load(.double, .r0, .r3, Int16(offset)))
    for _ in 0..<8 {
      code.jump(if: .greaterOrEqual, .r0, .r2, to: done)
      code.emit(.move(.r4, .r0))
      code.emit(.atomic(.compareExchange, .double, .r3, Int16(offset), .r2))
      code.jump(if: .equal, .r0, .r4, to: done)
    }
    code.place(done)
  }

  /// Adds the square of `r1` in three parts that carry nothing into each other.
  private mutating func addSquare(_ offset: Int) {
    code.emit(.move(.r0, .r1))
    writeMagnitude(.r0, sign: .r2)
    // r0 = high half, r2 = low half of the magnitude.
    code.emit(.move(.r2, .r0, width: .bits32))
    code.emit(.arithmetic(.shiftRight, .r0, 32))
    code.emit(.move(.r4, .r2))
    code.emit(.arithmetic(.multiply, .r4, .r2))
    code.emit(.move(.r5, .r4, width: .bits32))
    code.emit(.atomic(.add, .double, .r3, Int16(offset), .r5))
    code.emit(.arithmetic(.shiftRight, .r4, 32))
    // The middle: twice the mixed product (below 2⁶⁴, as the magnitude is at most 2⁶³) and what was carried.
    code.emit(.arithmetic(.multiply, .r2, .r0))
    code.emit(.arithmetic(.shiftLeft, .r2, 1))
    code.emit(.arithmetic(.add, .r2, .r4))
    code.emit(.move(.r5, .r2, width: .bits32))
    code.emit(.atomic(.add, .double, .r3, Int16(offset + 8), .r5))
    code.emit(.arithmetic(.shiftRight, .r2, 32))
    code.emit(.arithmetic(.multiply, .r0, .r0))
    code.emit(.arithmetic(.add, .r0, .r2))
    code.emit(.atomic(.add, .double, .r3, Int16(offset + 16), .r0))
  }

  /// `r0` = bucket of `r1`, without branches: the exponent by halving, 6 times.
  private mutating func writeLogBucket() {
    code.emit(.move(.r0, .r1))
    writeMagnitude(.r0, sign: .r4)
    code.emit(.move(.r2, 0))
    for shift in [32, 16, 8, 4, 2, 1] as [Int32] {
      // r5 = shift if r0 >> shift is not zero, else 0.
      code.emit(.move(.r5, .r0))
      code.emit(.arithmetic(.shiftRight, .r5, shift))
      code.emit(.negate(.r5))
      code.emit(.arithmetic(.shiftRight, .r5, 63))
      if shift > 1 { code.emit(.arithmetic(.multiply, .r5, shift)) }
      code.emit(.arithmetic(.shiftRight, .r0, .r5))
      code.emit(.arithmetic(.add, .r2, .r5))
    }
    // r0 is now 1, or 0 for the value 0: bucket 64 + (exponent + r0), mirrored below zero.
    code.emit(.arithmetic(.add, .r2, .r0))
    code.emit(.arithmetic(.xor, .r2, .r4))
    code.emit(.arithmetic(.subtract, .r2, .r4))
    code.emit(.arithmetic(.add, .r2, 64))
    code.emit(.move(.r0, .r2))
    // -2⁶³ alone would be bucket 0 of 127 in steps; the mask keeps the verifier sure as well.
    code.emit(.arithmetic(.and, .r0, 127))
  }

  private mutating func writeLinearBucket(_ low: Int64, _ high: Int64, _ step: Int64, _ bucketCount: Int) {
    let done = code.makeLabel()
    let above = code.makeLabel()
    code.emit(.move(.r0, 0))
    code.loadConstant(.r2, low)
    code.jump(if: .signedLess, .r1, .r2, to: done)
    code.loadConstant(.r4, high)
    code.emit(.move(.r0, Int32(bucketCount - 1)))
    code.jump(if: .signedGreater, .r1, .r4, to: above)
    code.emit(.move(.r0, .r1))
    code.emit(.arithmetic(.subtract, .r0, .r2))
    code.loadConstant(.r4, max(1, step))
    code.emit(.arithmetic(.divide, .r0, .r4))
    code.emit(.arithmetic(.add, .r0, 1))
    code.place(above)
    code.place(done)
  }

  private mutating func count(bucketAt offset: Int, of bucketCount: Int) {
    let valid = code.makeLabel()
    code.jump(if: .less, .r0, Int32(bucketCount), to: valid)
    code.emit(.move(.r0, Int32(bucketCount - 1)))
    code.place(valid)
    code.emit(.arithmetic(.shiftLeft, .r0, 3))
    code.emit(.arithmetic(.add, .r0, .r3))
    code.emit(.arithmetic(.add, .r0, Int32(offset)))
    code.emit(.move(.r2, 1))
    code.emit(.atomic(.add, .double, .r0, 0, .r2))
  }
}
