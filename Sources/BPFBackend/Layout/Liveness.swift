import TraceIR

/// From where to where in the code each value and local is needed.
///
/// Values come first in the numbering of variables, locals after them.
struct Liveness: StepVisitor {
  /// One variable's life.
  struct Interval {
    var first = Int.max
    var last = -1
    var useCount = 0
    /// Positions of assignments, ascending.
    var stores: [Int] = []
    fileprivate var touches: [Int] = []
  }

  private(set) var intervals: [Interval]
  private let valueCount: Int
  private var position = 0
  /// Position of each loop's start, in the order of the code.
  private(set) var loopStarts: [Int] = []
  private var openLoops: [Int] = []
  private var loops: [ClosedRange<Int>] = []
  /// Values that are copies of a local.
  private var copies: [(value: ValueID, local: LocalID)] = []
  /// The local that a value is another name of: not assigned while the value is needed.
  private(set) var aliases: [ValueID: LocalID] = [:]

  init(_ body: ExpandedBody) {
    valueCount = body.values.count
    intervals = Array(repeating: Interval(), count: body.values.count + body.locals.count)
    visit(body.steps)
    for loop in loops { extend(over: loop) }
    for copy in copies { join(copy.value, copy.local) }
  }

  func interval(_ value: ValueID) -> Interval { intervals[value.index] }
  func index(_ local: LocalID) -> Int { valueCount + local.index }

  /// Whether `local` has a value already when the loop of that number begins.
  func isLive(_ local: LocalID, atLoop number: Int) -> Bool {
    let interval = intervals[index(local)]
    return interval.first < loopStarts[number] && interval.last >= loopStarts[number]
  }

  /// Whether a variable goes from one round of a loop to another.
  func isCarried(_ interval: Interval) -> Bool {
    loopStarts.contains { interval.first < $0 && interval.last >= $0 }
  }

  private mutating func extend(over loop: ClosedRange<Int>) {
    for index in intervals.indices where intervals[index].first < loop.lowerBound {
      if intervals[index].touches.contains(where: loop.contains) {
        intervals[index].last = max(intervals[index].last, loop.upperBound)
      }
    }
  }

  private mutating func join(_ value: ValueID, _ local: LocalID) {
    let copy = intervals[value.index]
    let index = index(local)
    guard copy.last >= copy.first,
      !intervals[index].stores.contains(where: { $0 > copy.first && $0 <= copy.last })
    else { return }
    intervals[index].last = max(intervals[index].last, copy.last)
    aliases[value] = local
  }

  private mutating func touch(_ index: Int, isUse: Bool) {
    intervals[index].first = min(intervals[index].first, position)
    intervals[index].last = max(intervals[index].last, position)
    intervals[index].touches.append(position)
    if isUse { intervals[index].useCount += 1 }
  }

  mutating func willVisit(_ step: Step) {
    position += 1
    if case .operation(.loadLocal(let value, let local)) = step.action { copies.append((value, local)) }
  }

  mutating func willEnterLoop() {
    position += 1
    openLoops.append(position)
    loopStarts.append(position)
  }

  mutating func didLeaveLoop() {
    position += 1
    if let start = openLoops.popLast() { loops.append(start...position) }
  }

  mutating func see(_ operand: Operand) {
    if case .value(let value) = operand { touch(value.index, isUse: true) }
  }

  mutating func see(result: ValueID) { touch(result.index, isUse: false) }

  mutating func see(loaded local: LocalID) { touch(index(local), isUse: true) }

  mutating func see(stored local: LocalID) {
    touch(index(local), isUse: false)
    intervals[index(local)].stores.append(position)
  }
}
