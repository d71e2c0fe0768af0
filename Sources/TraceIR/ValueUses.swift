/// How often each value of a body is used.
struct ValueUses {
  private var counts: [Int]

  init(_ body: Body) {
    var counts = [Int](repeating: 0, count: body.values.count)
    body.block.forEach { instruction in
      instruction.operation.forEachOperand { if case .value(let value) = $0 { counts[value.index] += 1 } }
    }
    self.counts = counts
  }

  subscript(_ value: ValueID) -> Int { counts[value.index] }

  /// Takes away the uses by one operation; those by its blocks stay.
  mutating func remove(_ operation: Operation) {
    operation.forEachOperand { if case .value(let value) = $0 { counts[value.index] -= 1 } }
  }
}
