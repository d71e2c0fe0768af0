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
      count(bucketAt: offset)
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

  /// `r0` = bucket of `r1`, without branches: the bits of its magnitude are counted once all below the first are set.
  private mutating func writeLogBucket() {
    code.emit(.move(.r0, .r1))
    writeMagnitude(.r0, sign: .r4)
    for shift in [1, 2, 4, 8, 16, 32] as [Int32] {
      code.emit(.move(.r5, .r0))
      code.emit(.arithmetic(.shiftRight, .r5, shift))
      code.emit(.arithmetic(.or, .r0, .r5))
    }
    countBits()
    // Bucket 64 + that number, mirrored below zero.
    code.emit(.arithmetic(.xor, .r0, .r4))
    code.emit(.arithmetic(.subtract, .r0, .r4))
    code.emit(.arithmetic(.add, .r0, 64))
    // 0 … 127 anyway; the mask keeps the verifier sure.
    code.emit(.arithmetic(.and, .r0, 127))
  }

  /// `r0` = how many of its bits are set: sums of 2, 4 and 8 bits side by side, then all bytes by a multiplication.
  private mutating func countBits() {
    code.emit(.move(.r5, .r0))
    code.emit(.arithmetic(.shiftRight, .r5, 1))
    code.loadConstant(.r2, 0x5555_5555_5555_5555)
    code.emit(.arithmetic(.and, .r5, .r2))
    code.emit(.arithmetic(.subtract, .r0, .r5))
    code.emit(.move(.r5, .r0))
    code.emit(.arithmetic(.shiftRight, .r5, 2))
    code.loadConstant(.r2, 0x3333_3333_3333_3333)
    code.emit(.arithmetic(.and, .r5, .r2))
    code.emit(.arithmetic(.and, .r0, .r2))
    code.emit(.arithmetic(.add, .r0, .r5))
    code.emit(.move(.r5, .r0))
    code.emit(.arithmetic(.shiftRight, .r5, 4))
    code.emit(.arithmetic(.add, .r0, .r5))
    code.loadConstant(.r2, 0x0f0f_0f0f_0f0f_0f0f)
    code.emit(.arithmetic(.and, .r0, .r2))
    code.loadConstant(.r2, 0x0101_0101_0101_0101)
    code.emit(.arithmetic(.multiply, .r0, .r2))
    code.emit(.arithmetic(.shiftRight, .r0, 56))
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
    // In bounds anyway, which the verifier cannot know of a quotient.
    let valid = code.makeLabel()
    code.jump(if: .less, .r0, Int32(bucketCount), to: valid)
    code.emit(.move(.r0, Int32(bucketCount - 1)))
    code.place(valid)
  }

  /// One more in the bucket that `r0` says.
  private mutating func count(bucketAt offset: Int) {
    code.emit(.arithmetic(.shiftLeft, .r0, 3))
    code.emit(.arithmetic(.add, .r0, .r3))
    // Many histograms reach further than an instruction's offset.
    code.emit(.arithmetic(.add, .r0, Int32(offset)))
    code.emit(.move(.r2, 1))
    code.emit(.atomic(.add, .double, .r0, 0, .r2))
  }
}
