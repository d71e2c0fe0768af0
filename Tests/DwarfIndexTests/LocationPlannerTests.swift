import TargetModel
import Testing

@testable import DwarfIndex

@Suite("LocationPlanner") struct LocationPlannerTests {
  private static var context: LocationPlanner.Context {
    LocationPlanner.Context(
      address: 0x1000,
      isPositionIndependent: true,
      isAtEntry: true,
      frameBase: .register(6),
      canonicalFrameAddress: LocationPlan.register(7).offset(by: 8),
      threadBlock: .fixed(-64)
    )
  }

  private static func operation(
    _ code: UInt8,
    _ first: Int64 = 0,
    _ second: Int64 = 0,
    at offset: UInt64 = 0
  )
    -> DwarfOperation
  {
    DwarfOperation(
      code: code,
      first: UInt64(bitPattern: first),
      second: UInt64(bitPattern: second),
      offset: offset
    )
  }

  private static func plan(_ operations: [DwarfOperation], isAtEntry: Bool = true) -> ValueLocation? {
    var context = context
    context.isAtEntry = isAtEntry
    var planner = LocationPlanner(context)
    return try? planner.plan(operations)
  }

  /// An operation without references, which test arguments may be.
  struct Step: Sendable {
    let code: UInt8
    let first: Int64
    let second: Int64

    init(_ code: UInt8, _ first: Int64 = 0, _ second: Int64 = 0) {
      self.code = code
      self.first = first
      self.second = second
    }

    var operation: DwarfOperation { LocationPlannerTests.operation(code, first, second) }
  }

  @Test(
    "Simple expressions",
    arguments: [
      ([Step(0x55)], .value(.register(5))),
      ([Step(0x91, -20)], .memory(.user, address: .binary(.add, .register(6), .constant(-20)))),
      ([Step(0x9c)], .memory(.user, address: .binary(.add, .register(7), .constant(8)))),
      ([Step(0x75, 4), Step(0x9f)], .value(.binary(.add, .register(5), .constant(4)))),
      ([Step(0x35), Step(0x9f)], .value(.constant(5))),
      (
        [Step(0x75, 0), Step(0x06)],
        .memory(.user, address: .load(.user, byteCount: 8, isSigned: false, address: .register(5)))
      ),
      ([Step(0x03, 0x4000)], .memory(.user, address: .binary(.add, .register(16), .constant(0x3000)))),
      (
        [Step(0x0e, 16), Step(0xe0)],
        .memory(.user, address: .binary(.add, .threadPointer, .constant(-48)))
      ),
      ([Step(0x33), Step(0x35), Step(0x1c), Step(0x9f)], .value(.constant(-2))),
      (
        [Step(0x75, 0), Step(0x12), Step(0x1e), Step(0x9f)],
        .value(.binary(.multiply, .register(5), .register(5)))
      ),
      (
        [Step(0x31), Step(0x74, 0), Step(0x2b), Step(0x9f)],
        .value(.binary(.lessSigned, .register(4), .constant(1)))
      ),
    ] as [([Step], ValueLocation)]
  )
  func simple(_ steps: [Step], _ expected: ValueLocation) {
    #expect(Self.plan(steps.map(\.operation)) == expected)
  }

  @Test func pieces() {
    let location = Self.plan([
      Self.operation(0x50), Self.operation(0x93, 8), Self.operation(0x93, 4), Self.operation(0x75, 0),
      Self.operation(0x9d, 16, 8),
    ])
    let expected: [ValueLocation.Piece] = [
      ValueLocation.Piece(bitCount: 64, location: .value(.register(0))),
      ValueLocation.Piece(bitCount: 32, location: nil),
      ValueLocation.Piece(
        bitCount: 16,
        location: .memory(.user, address: .binary(.add, .register(5), .constant(1)))
      ),
    ]
    #expect(location == .pieces(expected))
  }

  @Test func gccWritesThreadLocalOffsetsBehindTheirOperator() {
    let right = Self.plan([Self.operation(0x0e, 64), Self.operation(0x9b, at: 9)])
    let wrong = Self.plan([Self.operation(0x9b), Self.operation(0x0e, 64, at: 1)])
    #expect(right == .memory(.user, address: .threadPointer))
    #expect(wrong == right)
  }

  @Test func entryValuesBehindTheEntryAreKept() {
    var entry = Self.operation(0xa3)
    entry.nested = [Self.operation(0x54)]
    let operations = [entry, Self.operation(0x9f)]
    #expect(Self.plan(operations) == .value(.register(4)))
    #expect(Self.plan(operations, isAtEntry: false) == .value(.entryRegister(4)))
    // What was in memory then may have changed.
    entry.nested = [Self.operation(0x74, 8), Self.operation(0x06)]
    #expect(Self.plan([entry, Self.operation(0x9f)], isAtEntry: false) == nil)
  }

  @Test func constantBranchesAreTaken() {
    // lit1 bra(+1) lit3 lit5 stack_value: lit3 is jumped over.
    let operations = [
      Self.operation(0x31, at: 0), Self.operation(0x28, 1, at: 1), Self.operation(0x33, at: 4),
      Self.operation(0x35, at: 5), Self.operation(0x9f, at: 6),
    ]
    #expect(Self.plan(operations) == .value(.constant(5)))
    let loop = [Self.operation(0x31, at: 0), Self.operation(0x28, -4, at: 1)]
    #expect(Self.plan(loop) == nil)
  }

  @Test func runTimeBranchesSelect() {
    // breg5 0, bra(+2), lit3, skip(+1), lit5, stack_value: 5 where rdi is not 0.
    let operations = [
      Self.operation(0x75, 0, at: 0), Self.operation(0x28, 4, at: 2), Self.operation(0x33, at: 5),
      Self.operation(0x2f, 1, at: 6), Self.operation(0x35, at: 9), Self.operation(0x9f, at: 10),
    ]
    let isTrue = LocationPlan.binary(.notEqual, .register(5), .constant(0))
    let difference = LocationPlan.binary(.subtract, .constant(5), .constant(3))
    #expect(
      Self.plan(operations)
        == .value(.binary(.add, .constant(3), .binary(.multiply, isTrue, difference)))
    )
  }

  @Test(
    "What cannot be planned",
    arguments: [
      [], [Step(0x9f)], [Step(0x22)], [Step(0x16)], [Step(0x15, 300)],
      [Step(0x61)],  // reg17: xmm0
      [Step(0x75, 0), Step(0x28, 0)], [Step(0x75, 0), Step(0x94, 3)], [Step(0xff)],
      [Step(0xfa)], [Step(0x97)], [Step(0xa0)],
      [Step(0x75, 0)]
        + Array(
          repeating: [Step(0x12), Step(0x22)],
          count: 40
        ).flatMap { $0 },
      Array(repeating: Step(0x31), count: 5000),
    ] as [[Step]]
  )
  func unplannable(_ steps: [Step]) {
    #expect(Self.plan(steps.map(\.operation)) == nil)
  }
}
