import Diagnostics
import TestSupport

@testable import StapSyntax

/// Random trees, such as the parser could have made: parentheses stand where the text needs them.
struct ScriptGenerator {
  private var random: SeededGenerator
  private var budget = 0
  private let place = SourceRange(SourceID(index: 0), 0..<0)

  init(seed: UInt64) { random = SeededGenerator(seed: seed) }

  mutating func script() -> Script { Script(many(1...6) { $0.declaration() }) }

  // MARK: - Choices

  private mutating func pick(_ count: Int) -> Int { Int.random(in: 0..<count, using: &random) }

  private mutating func chance(_ part: Int) -> Bool { pick(part) == 0 }

  private mutating func one<Item>(of items: [Item]) -> Item { items[pick(items.count)] }

  private mutating func many<Item>(_ counts: ClosedRange<Int>, _ make: (inout Self) -> Item) -> [Item] {
    (0..<Int.random(in: counts, using: &random)).map { _ in make(&self) }
  }

  private mutating func maybe<Item>(_ part: Int, _ make: (inout Self) -> Item) -> Item? {
    chance(part) ? make(&self) : nil
  }

  private mutating func name() -> Name {
    Name(one(of: ["a", "b", "foo", "_x1", "printer", "hist", "v$w", "stringy", "Next"]), place)
  }

  private mutating func literal() -> Literal { chance(2) ? string() : Literal(.number(number()), place) }

  private mutating func string() -> Literal {
    let texts = [
      "", "x", "a\"b", "\\", "tab\tnew\nline", "käse €", "\u{10ffff}\u{10ff80}", "\0001", "%d %s", "/*", "%)",
    ]
    return Literal(.string(one(of: texts)), place)
  }

  private mutating func number() -> Int64 {
    one(of: [0, 1, 7, 8, 42, -1, 1 << 40, .max, .min, Int64(bitPattern: random.next())])
  }

  // MARK: - Declarations

  private mutating func declaration() -> Declaration {
    budget = 60
    switch pick(6) {
    case 0: return .global(global())
    case 1: return .function(function())
    case 2: return .alias(alias())
    case 3: return .embeddedC(EmbeddedC(text: " int x; { \" ", range: place))
    default: return .probe(ProbeDeclaration(points: many(1...3) { $0.point() }, body: block(), range: place))
    }
  }

  private mutating func global() -> GlobalDeclaration {
    let wraps = chance(3)
    let size = maybe(3) { Int64($0.pick(1000) + 1) }
    return GlobalDeclaration(
      name: name(),
      isPrivate: chance(2),
      wraps: wraps,
      maximumSize: size,
      initialValue: wraps || size != nil ? nil : maybe(2) { $0.literal() },
      range: place
    )
  }

  private mutating func function() -> FunctionDeclaration {
    let names = ["p", "q", "r"].prefix(pick(4))
    return FunctionDeclaration(
      name: name(),
      isPrivate: chance(3),
      result: type(),
      parameters: names.map { .init(name: Name($0, place), type: type()) },
      priority: maybe(3) { Int64($0.pick(9) + 1) },
      body: chance(5) ? .embeddedC(EmbeddedC(text: "", range: place)) : .block(block()),
      range: place
    )
  }

  private mutating func type() -> DeclaredType? { maybe(2) { $0.chance(2) ? .long : .string } }

  private mutating func alias() -> AliasDeclaration {
    let isEpilogue = chance(3)
    let names = many(1...2) { generator in
      var name = generator.point()
      name.presence = .required
      name.condition = nil
      return name
    }
    return AliasDeclaration(
      names: names,
      points: many(1...2) { $0.point() },
      prologue: isEpilogue ? nil : block(),
      epilogue: isEpilogue ? block() : maybe(2) { $0.block() },
      range: place
    )
  }

  private mutating func point() -> ProbePoint {
    ProbePoint(
      components: many(1...4) { generator in
        let names = ["begin", "process", "function", "return", "a*b", "*", "**", "sys*64_x", "probe"]
        return .init(
          name: Name(generator.one(of: names), generator.place),
          argument: generator.maybe(3) { $0.literal() }
        )
      },
      presence: one(of: [.required, .required, .optional, .sufficient]),
      condition: maybe(4) { $0.expression() },
      range: place
    )
  }

  // MARK: - Statements

  private mutating func block() -> Statement { Statement(.block(many(0...4) { $0.statement() }), place) }

  private mutating func statement() -> Statement {
    budget -= 1
    guard budget > 0 else { return Statement(.next, place) }
    return Statement(statementKind(), place)
  }

  private mutating func statementKind() -> Statement.Kind {
    switch pick(14) {
    case 0: return block().kind
    case 1: return .empty
    case 2: return .if(expression(), then: block(), else: maybe(2) { $0.statement() })
    case 3: return .if(expression(), then: Statement(.continue, place), else: nil)
    case 4: return .while(expression(), body: statement())
    case 5:
      return .for(
        initial: maybe(2) { $0.expression() },
        condition: maybe(2) { $0.expression() },
        step: maybe(2) { $0.expression() },
        body: statement()
      )
    case 6: return .foreach(foreach())
    case 7: return one(of: [.break, .continue, .next])
    case 8: return .return(maybe(2) { $0.expression() })
    case 9: return .delete(chance(2) ? Expression(.index(name(), patterns()), place) : variable())
    case 10: return .tryCatch(body: block(), message: maybe(2) { $0.name() }, handler: block())
    default: return .expression(expression())
    }
  }

  private mutating func foreach() -> Foreach {
    let keys = many(1...3) { $0.name() }
    let isHistogram = chance(5)
    let orders: [Foreach.SortBy] = [.key(pick(keys.count)), .value] + (isHistogram ? [] : [.statistic(.avg)])
    return Foreach(
      keys: keys,
      value: maybe(2) { $0.name() },
      base: isHistogram
        ? .histogram(Expression(.histogram(histogram()), place))
        : .array(name(), slice: maybe(3) { $0.patterns() }),
      sort: maybe(2) { ($0.one(of: orders), $0.chance(2) ? .ascending : .descending) },
      limit: maybe(3) { $0.expression() },
      body: statement()
    )
  }

  private mutating func patterns() -> [IndexPattern] {
    many(1...3) { $0.chance(4) ? .any($0.place) : .value($0.expression()) }
  }

  // MARK: - Expressions

  /// An expression that may stand where `level` is wanted.
  private mutating func expression(_ level: Precedence = .assignment) -> Expression {
    budget -= 1
    guard budget > 0 else { return variable() }
    let made = Expression(expressionKind(), place)
    return made.precedence < level ? Expression(.parenthesized(made), place) : made
  }

  private mutating func variable() -> Expression { Expression(.identifier(name().text), place) }

  private mutating func assignable() -> Expression {
    switch pick(3) {
    case 0: variable()
    case 1: Expression(.index(name(), many(1...2) { .value($0.expression()) }), place)
    default: Expression(.target(target()), place)
    }
  }

  private mutating func expressionKind() -> Expression.Kind {
    switch pick(20) {
    case 0, 1: return .literal(literal().value)
    case 2, 3: return assignable().kind
    case 4: return .call(name(), many(0...3) { $0.expression() })
    case 5: return .unary(one(of: [.plus, .minus, .not, .complement]), expression(.unary))
    case 6, 7, 8, 9: return binary()
    case 10: return .assign(one(of: Self.assignments), assignable(), expression())
    case 11: return .increment(.init(isDecrement: chance(2), isPrefix: chance(2)), assignable())
    case 12: return .ternary(expression(.logicalOr), then: expression(), else: expression(.ternary))
    case 13: return membership()
    case 14: return .regexMatch(expression(.comparison), pattern: string(), negated: chance(2))
    case 15: return .print(printCall())
    case 16: return .parenthesized(expression())
    default: return operatorKind()
    }
  }

  private static let assignments: [AssignmentOperator] =
    [.set, .aggregate, .modify(.add), .modify(.shiftRight), .modify(.concatenate), .modify(.xor)]

  private mutating func binary() -> Expression.Kind {
    let all: [BinaryOperator] = [
      .logicalOr, .logicalAnd, .or, .xor, .and, .less, .greater, .lessOrEqual, .greaterOrEqual, .equal,
      .notEqual,
      .shiftLeft, .shiftRight, .shiftRightLogical, .concatenate, .add, .subtract, .multiply, .divide,
      .remainder,
    ]
    let operation = one(of: all)
    return .binary(operation, expression(operation.precedence), expression(operation.precedence.tighter))
  }

  private mutating func membership() -> Expression.Kind {
    let indexes = patterns()
    guard indexes.count == 1, case .value(let only) = indexes[0], only.precedence < .comparison else {
      return .membership(indexes, array: name())
    }
    return .membership([.value(Expression(.parenthesized(only), place))], array: name())
  }

  private mutating func operatorKind() -> Expression.Kind {
    switch pick(11) {
    case 0: return .statistic(one(of: StatisticOperator.allCases.dropLast()), variable(), shift: nil)
    case 1: return .statistic(.variance, variable(), shift: maybe(2) { Int64($0.pick(63)) })
    case 2: return .histogramIndex(histogram(), expression())
    case 3: return .defined(expression())
    case 4: return .entry(expression())
    case 5: return .probeWrite(Name(one(of: ["x", "$y"]), place))
    case 6: return one(of: [.constant(string()), .enumConstant(string()), .perfCounter(string())])
    case 7:
      let type = maybe(2) { $0.string() }
      return .enumName(expression(), type: type, module: type == nil ? nil : maybe(2) { $0.string() })
    case 8:
      return .dereference(
        chance(2) ? .kernel : .user,
        size: Literal(.number(8), place),
        address: expression()
      )
    case 9: return .register(chance(2) ? .kernel : .user, Literal(.number(7), place))
    default: return .embeddedC(EmbeddedC(text: " 1 ", range: place))
    }
  }

  private mutating func histogram() -> Histogram {
    let shape: Histogram.Shape = chance(2) ? .log : .linear(low: number(), high: number(), step: 5)
    return Histogram(statistic: variable(), shape: shape, range: place)
  }

  private mutating func target() -> TargetExpression {
    let root: TargetExpression.Root
    var steps: [TargetExpression.Step] = many(0...3) { generator in
      generator.chance(3)
        ? .index(generator.expression())
        : .member(Name(generator.one(of: ["m", "next", "in", "f_$x"]), generator.place))
    }
    switch pick(4) {
    case 0: root = .variable(one(of: ["$x", "$$vars", "$return", "$arg1"]))
    case 1: root = .cast(expression(), type: string(), module: maybe(2) { $0.string() })
    case 2: root = .global(string(), module: maybe(2) { $0.string() })
    default:
      root = .value(variable())
      // Anything else than a member would make it an element of an array.
      steps.insert(.member(Name("m", place)), at: 0)
    }
    return TargetExpression(
      root: root,
      steps: steps,
      pretty: one(of: [.none, .none, .shallow, .deep]),
      takesAddress: chance(5)
    )
  }

  private mutating func printCall() -> PrintCall {
    let values = many(2...3) { $0.expression() }
    switch pick(5) {
    case 0:
      return PrintCall(
        function: one(of: [.print, .sprint, .println, .sprintln]),
        format: nil,
        arguments: values
      )
    case 1:
      return PrintCall(
        function: .print,
        format: nil,
        arguments: [Expression(.histogram(histogram()), place)]
      )
    case 2: return PrintCall(function: one(of: [.printd, .sprintdln]), format: string(), arguments: values)
    case 3: return PrintCall(function: .printChar, format: nil, arguments: [values[0]])
    default:
      let format = Literal(.string("%d %-5s" + (values.count == 3 ? "%%%.*x" : "%%")), place)
      let padding = values.count == 3 ? [values[0]] : []
      return PrintCall(function: one(of: [.printf, .sprintf]), format: format, arguments: values + padding)
    }
  }
}
