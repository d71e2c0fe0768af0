import TargetModel
import TestSupport
import TraceIR

/// Writes random, well-typed code, the same for the same seed.
struct RandomScript {
  /// Globals: three longs, two strings, arrays, statistics.
  static let globals =
    [scalar("l0"), scalar("l1", initial: 7), scalar("l2", initial: -5)]
    + [scalar("s0", .string), scalar("s1", .string, text: "start")]
    + [array("a", .long, limit: 6), array("b", .string), array("c", .string, .long, of: .string)]
    + [
      Global(name: "d", kind: .statistic, maximumEntries: 1),
      Global(name: "e", kind: .statisticArray(keys: [.string]), maximumEntries: 8),
    ]

  private var random: SeededGenerator
  private var body = BodyBuilder()
  private var longs: [Operand] = []
  private var texts: [Operand] = []
  private var longLocals: [LocalID] = []
  private var textLocals: [LocalID] = []
  private var loopDepth = 0
  private let records: [[ValueType]]

  init(seed: UInt64, records: [[ValueType]]) {
    random = SeededGenerator(seed: seed)
    self.records = records
    for _ in 0..<3 { longLocals.append(body.local(.long)) }
    for _ in 0..<2 { textLocals.append(body.local(.string)) }
  }

  /// A whole body.
  static func body(seed: UInt64, records: [[ValueType]]) -> Body {
    var script = RandomScript(seed: seed, records: records)
    script.body.location = 0
    script.longs.append(script.body.argument())
    script.statements(Int.random(in: 4...24, using: &script.random), depth: 0)
    return script.body.finished
  }

  private mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &random) }

  private mutating func long() -> Operand {
    switch below(8) {
    case 0: return .long(Int64(below(10)) - 3)
    case 1: return .long(Int64(bitPattern: random.next()))
    default: return longs.randomElement(using: &random) ?? .long(1)
    }
  }

  private mutating func text() -> Operand {
    switch below(4) {
    case 0:
      return .string(["", "a", "ab", "start", "a somewhat longer literal, over thirty-two bytes"][below(5)])
    default: return texts.randomElement(using: &random) ?? .string("x")
    }
  }

  // MARK: Statements

  private mutating func statements(_ count: Int, depth: Int) {
    for _ in 0..<count { statement(depth) }
  }

  private mutating func statement(_ depth: Int) {
    switch below(20) {
    case 0...5: longExpression()
    case 6...9: textExpression()
    case 10, 11: assignment()
    case 12...14: element()
    case 15: emit()
    case 16, 17: if depth < 3 { branch(depth) }
    case 18: if depth < 3, loopDepth < 2 { loop(depth) }
    default: if depth < 3 { attempt(depth) }
    }
  }

  private mutating func longExpression() {
    let (a, b) = (long(), long())
    let (s, t) = (text(), text())
    let keys = [text(), long()]
    switch below(10) {
    case 0...3:
      let operation = BinaryOperation.allCases[below(BinaryOperation.allCases.count)]
      longs.append(body.long { .binary($0, operation, a, b) })
    case 4: longs.append(body.long { .unary($0, [.negate, .complement, .not][Int(a.hashValue & 1)], b) })
    case 5:
      let relations: [Relation] = [.equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual]
      let relation = relations[below(6)]
      longs.append(body.long { .compareStrings($0, relation, s, t) })
    case 6:
      let intrinsic = [Intrinsic.strlen, .isdigit, .isinstr, .strpos, .strtol, .stringat][below(6)]
      let second: [Operand] =
        switch intrinsic {
        case .isinstr, .strpos: [s, t]
        case .strtol: [s, .long([0, 8, 10, 16][below(4)])]
        case .stringat: [s, .long(Int64(below(9)) - 1)]
        default: [s]
        }
      longs.append(body.long { .intrinsic($0, intrinsic, second) })
    case 7: longs.append(body.long { .loadElement($0, GlobalID(5), [a]) })
    case 8: longs.append(body.long { .contains($0, GlobalID(7), keys) })
    default:
      let field = [StatisticField.count, .sum, .min, .max, .average][below(5)]
      let isPlain = below(2) == 0
      longs.append(body.long { .extract($0, field, GlobalID(isPlain ? 8 : 9), isPlain ? [] : [s]) })
    }
  }

  private mutating func textExpression() {
    let (s, t) = (text(), text())
    let (a, b) = (long(), long())
    switch below(6) {
    case 0, 1: texts.append(body.string { .concatenate($0, [s, t, .string("-")]) })
    case 2: texts.append(body.string { .intrinsic($0, .substr, [s, a, b]) })
    case 3:
      let conversions: [FormatString.Directive.Conversion] = [.decimal, .unsigned, .hexadecimal, .pointer]
      let number = FormatString.Directive(
        flag: nil,
        width: .none,
        precision: .none,
        conversion: conversions[below(4)]
      )
      let word = FormatString.Directive(flag: nil, width: .none, precision: .none, conversion: .string)
      let format = FormatString([.directive(number), .text(" and "), .directive(word)])
      texts.append(body.string { .format($0, format, [a, s]) })
    case 4: texts.append(body.string { .loadElement($0, GlobalID(7), [s, a]) })
    default: texts.append(body.string { .loadGlobal($0, GlobalID(3)) })
    }
  }

  private mutating func assignment() {
    let (a, s) = (long(), text())
    let global = GlobalID(below(3))
    switch below(7) {
    case 0: body.add(.storeGlobal(global, a))
    case 1: longs.append(body.long { .loadGlobal($0, global) })
    case 2: longs.append(body.long { .addGlobal($0, global, a) })
    case 3: body.add(.storeGlobal(GlobalID(3 + below(2)), s))
    case 4: body.add(.storeLocal(longLocals[below(3)], a))
    case 5: body.add(.storeLocal(textLocals[below(2)], s))
    default:
      longs.append(body.load(longLocals[below(3)]))
      texts.append(body.load(textLocals[below(2)]))
    }
  }

  private mutating func element() {
    let (a, b) = (long(), long())
    let (s, t) = (text(), text())
    switch below(8) {
    case 0: longs.append(body.long { .addElement($0, GlobalID(5), [a], b) })
    case 1: body.add(.storeElement(GlobalID(5), [a], b))
    case 2: longs.append(body.long { .addElement($0, GlobalID(6), [s], a) })
    case 3: body.add(.storeElement(GlobalID(7), [s, a], t))
    case 4: body.add(.aggregate(GlobalID(8), [], a))
    case 5: body.add(.aggregate(GlobalID(9), [s], a))
    case 6: body.add(.delete(GlobalID(5), [a]))
    default: if below(3) == 0 { body.add(.delete(GlobalID(below(10)), [])) }
    }
  }

  private mutating func emit() {
    let record = below(records.count)
    let operands = records[record].map { $0 == .long ? long() : text() }
    body.add(.emit(RecordID(record), operands))
  }

  // MARK: Blocks

  /// What is made inside is unknown outside.
  private mutating func block(
    _ count: Int,
    _ depth: Int,
    ending: (inout RandomScript) -> Void = { _ in }
  ) -> Block {
    let known = (longs, texts)
    let outer = body
    var inner = self
    var made = Block()
    made = inner.body.block { builder in
      var script = self
      script.body = builder
      script.statements(count, depth: depth + 1)
      ending(&script)
      builder = script.body
      random = script.random
    }
    body = inner.body
    _ = outer
    (longs, texts) = known
    return made
  }

  private mutating func branch(_ depth: Int) {
    let condition = long()
    let leaves = below(12)
    let then = block(1 + below(4), depth) { script in
      switch leaves {
      case 0: script.body.add(.next)
      case 1: script.body.add(.return(nil))
      case 2...4: if script.loopDepth > 0 { script.body.add(leaves == 2 ? .break : .continue) }
      default: break
      }
    }
    let other = below(2) == 0 ? Block() : block(1 + below(3), depth)
    body.add(.if(condition, then: then, else: other))
  }

  private mutating func loop(_ depth: Int) {
    let counter = body.local(.long)
    body.add(.storeLocal(counter, .long(0)))
    let limit = Int64(1 + below(6))
    var goesOn = Operand.long(0)
    let condition = body.block { body in
      let now = body.load(counter)
      goesOn = body.long { .binary($0, .less, now, .long(limit)) }
    }
    loopDepth += 1
    let inside = block(1 + below(4), depth)
    loopDepth -= 1
    let step = body.block { body in
      let now = body.load(counter)
      let next = body.long { .binary($0, .add, now, .long(1)) }
      body.add(.storeLocal(counter, next))
    }
    body.add(.loop(condition: condition, goesOn, body: inside, step: step))
  }

  private mutating func attempt(_ depth: Int) {
    let message = textLocals[below(2)]
    let thrown = text()
    let raises = below(2) == 0
    let tried = block(1 + below(4), depth) { script in
      if raises { script.body.add(.intrinsic(nil, .error, [thrown])) }
    }
    let handler = block(1 + below(2), depth)
    body.add(.tryCatch(tried, message: message, handler: handler))
  }
}
