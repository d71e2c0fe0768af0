import TargetModel
import TraceIR

// `$$vars`, `$x$` and their kin as strings: the site's format becomes one of `sprintf`.
extension Expander {
  /// Sites with other variables than most that are told apart by comparing.
  private static let maximumSites = 128
  /// Enumerators that are told apart by comparing.
  private static let maximumEnumerators = 64

  mutating func siteFormat(
    slot: Int,
    _ operands: [Operand],
    _ location: Int?,
    into steps: inout [Step]
  ) throws(BPFBackendError) -> Operand {
    var groups: [SiteFormat: [Int]] = [:]
    for (site, description) in facts.descriptions.enumerated() {
      let format = description.formats.indices.contains(slot) ? description.formats[slot] : SiteFormat([])
      groups[format, default: []].append(site)
    }
    var ordered = groups.sorted { ($0.value.count, $1.value[0]) > ($1.value.count, $0.value[0]) }
    guard !ordered.isEmpty else { return .string("") }
    let most = ordered.removeFirst()
    guard !ordered.isEmpty else { return try text(most.key, operands, location, into: &steps) }
    guard ordered.reduce(0, { $0 + $1.value.count }) <= Self.maximumSites else {
      throw unsupported("storing a text of variables that differ from site to site", location)
    }
    let site = site(location, into: &steps)
    let cases = ordered.map { (sites: $0.value, format: $0.key) }
    return try choose(.string, location, into: &steps) { (expander, index) throws(BPFBackendError) in
      guard index < cases.count else {
        var other: [Step] = []
        let text = try expander.text(most.key, operands, location, into: &other)
        return Choice(condition: nil, steps: other, value: text)
      }
      var then: [Step] = []
      let text = try expander.text(cases[index].format, operands, location, into: &then)
      return Choice(condition: (site, .isOne(cases[index].sites.map(Int64.init))), steps: then, value: text)
    }
  }

  // MARK: Choices

  /// What an operand is compared with.
  enum Test {
    case isOne([Int64])
    /// Less, as signed numbers.
    case isBelow(Int64)
  }

  /// One of several ways to make a value: taken when an operand passes a test; nil: else.
  struct Choice {
    let condition: (Operand, Test)?
    let steps: [Step]
    let value: Operand
  }

  /// A value that is made in one of several ways; asks for the next way until it gets one without a condition.
  mutating func choose(
    _ type: ValueType,
    _ location: Int?,
    into steps: inout [Step],
    _ make: (inout Expander, Int) throws(BPFBackendError) -> Choice
  ) throws(BPFBackendError) -> Operand {
    let result = makeLocal(type)
    var choices: [Choice] = []
    repeat {
      let outside = (numbering, readTexts)
      choices.append(try make(&self, choices.count))
      (numbering, readTexts) = outside
    } while choices.last?.condition != nil
    var made: [Step] = []
    for choice in choices.reversed() {
      let store = Step(action: .operation(.storeLocal(result, choice.value)), location: location)
      let then = choice.steps + [store]
      guard let (operand, condition) = choice.condition else {
        made = then
        continue
      }
      var test: [Step] = []
      let passes: Operand
      switch condition {
      case .isOne(let numbers): passes = isOne(of: numbers, operand, location, into: &test)
      case .isBelow(let number):
        passes = operation(.long, location, into: &test) { .binary($0, .less, operand, .long(number)) }
      }
      made = test + [Step(action: .branch(passes, then: then, else: made), location: location)]
    }
    steps += made
    return operation(type, location, into: &steps) { .loadLocal($0, result) }
  }

  private mutating func isOne(
    of numbers: [Int64],
    _ operand: Operand,
    _ location: Int?,
    into steps: inout [Step]
  ) -> Operand {
    var result: Operand?
    for number in numbers {
      let isEqual = operation(.long, location, into: &steps) { .binary($0, .equal, operand, .long(number)) }
      guard let before = result else {
        result = isEqual
        continue
      }
      result = operation(.long, location, into: &steps) { .binary($0, .or, before, isEqual) }
    }
    return result ?? .long(0)
  }

  // MARK: Pieces

  private mutating func text(
    _ format: SiteFormat,
    _ operands: [Operand],
    _ location: Int?,
    into steps: inout [Step]
  ) throws(BPFBackendError) -> Operand {
    var pieces: [FormatString.Piece] = []
    var values: [Operand] = []
    for piece in format.pieces {
      switch piece {
      case .text(let text): pieces.append(.text(text))
      case .value(let index, let presentation):
        guard operands.indices.contains(index) else { continue }
        let shown = try show(operands[index], presentation, location, into: &steps)
        pieces += shown.pieces
        values.append(shown.value)
      case .computed(let plan, let presentation):
        let value = try expand(plan, operands, location, into: &steps)
        let shown = try show(value, presentation, location, into: &steps)
        pieces += shown.pieces
        values.append(shown.value)
      case .chosen(let index, let choices, let others):
        guard operands.indices.contains(index) else { continue }
        let shown = try choose(.string, location, into: &steps) { (expander, way) throws(BPFBackendError) in
          let choice = choices.indices.contains(way) ? choices[way] : nil
          var made: [Step] = []
          let format = SiteFormat(choice?.pieces ?? others)
          let text = try expander.text(format, operands, location, into: &made)
          let condition = choice.map { (operands[index], Test.isOne($0.keys)) }
          return Choice(condition: condition, steps: made, value: text)
        }
        pieces.append(.conversion(.string))
        values.append(shown)
      }
    }
    return operation(.string, location, into: &steps) { .format($0, FormatString(pieces), values) }
  }

  /// The pieces of a format that show a value so, and what they take.
  private mutating func show(
    _ value: Operand,
    _ presentation: SiteFormat.Presentation,
    _ location: Int?,
    into steps: inout [Step]
  ) throws(BPFBackendError) -> (pieces: [FormatString.Piece], value: Operand) {
    switch presentation {
    case .decimal: return ([.conversion(.decimal)], value)
    case .unsigned: return ([.conversion(.unsigned)], value)
    case .hexadecimal: return ([.conversion(.pointer)], value)
    case .character: return ([.text("'"), .conversion(.character, flag: "#"), .text("'")], value)
    case .unicode: return try ([.conversion(.string)], unicode(value, location, into: &steps))
    case .string:
      // A second operand: cut anywhere.
      let quoted = operation(.string, location, into: &steps) {
        .intrinsic($0, .stringQuoted, [value, .long(1)])
      }
      return ([.conversion(.string)], quoted)
    case .boolean: return try show(value, [0: "false"], otherwise: "true", location, into: &steps)
    case .narrowed(let byteCount, let isSigned, let inner):
      let isWhole = byteCount <= 0 || byteCount >= 8
      let narrow: Operand =
        isWhole
        ? value
        : machine(.extend(value, byteCount: byteCount, isSigned: isSigned), location, into: &steps)
      return try show(narrow, inner, location, into: &steps)
    case .enumerator(let names):
      guard names.count <= Self.maximumEnumerators else {
        throw unsupported("storing the name of one of \(names.count) enumerators", location)
      }
      return try show(value, names, otherwise: nil, location, into: &steps)
    case .float: throw unsupported("storing the text of a floating-point variable", location)
    }
  }

  /// A character in quotes, as UTF-8, or the number of one that is none.
  private mutating func unicode(
    _ value: Operand,
    _ location: Int?,
    into steps: inout [Step]
  ) throws(BPFBackendError) -> Operand {
    // Up to each bound: how many bytes, 0 for a number, and what the first byte begins with.
    let ranges: [(end: Int64, byteCount: Int, prefix: Int64)] = [
      (0, 0, 0), (0xa0, 1, 0), (0x800, 2, 0xc0), (0xd800, 3, 0xe0), (0xe000, 0, 0), (0x1_0000, 3, 0xe0),
      (0x11_0000, 4, 0xf0),
    ]
    return try choose(.string, location, into: &steps) { (expander, index) throws(BPFBackendError) in
      let range = index < ranges.count ? ranges[index] : (end: 0, byteCount: 0, prefix: 0)
      let condition = index < ranges.count ? (value, Test.isBelow(range.end)) : nil
      var made: [Step] = []
      let bytes = (0..<range.byteCount).map { position in
        let isFirst = position == 0
        let shift = Int64(6 * (range.byteCount - 1 - position))
        let high = expander.operation(.long, location, into: &made) {
          .binary($0, .shiftRight, value, .long(shift))
        }
        if isFirst, range.prefix == 0 { return high }
        let low = expander.operation(.long, location, into: &made) {
          .binary($0, .and, high, .long(isFirst ? 0x1f : 0x3f))
        }
        return expander.operation(.long, location, into: &made) {
          .binary($0, .or, low, .long(isFirst ? range.prefix : 0x80))
        }
      }
      let format: [FormatString.Piece]
      switch range.byteCount {
      case 0: format = [.conversion(.decimal)]
      case 1: format = [.text("'"), .conversion(.character, flag: "#"), .text("'")]
      default:
        format = [.text("'")] + bytes.map { _ in .conversion(.character) } + [.text("'")]
      }
      let text = expander.operation(.string, location, into: &made) {
        .format($0, FormatString(format), range.byteCount == 0 ? [value] : bytes)
      }
      return Choice(condition: condition, steps: made, value: text)
    }
  }

  /// The name of a number; one without a name is `otherwise` or itself.
  private mutating func show(
    _ value: Operand,
    _ names: [Int64: String],
    otherwise: String?,
    _ location: Int?,
    into steps: inout [Step]
  ) throws(BPFBackendError) -> (pieces: [FormatString.Piece], value: Operand) {
    let sorted = names.sorted { $0.key < $1.key }
    let name = try choose(.string, location, into: &steps) { (expander, index) throws(BPFBackendError) in
      if index < sorted.count {
        let (key, name) = sorted[index]
        return Choice(condition: (value, .isOne([key])), steps: [], value: .string(name))
      }
      if let otherwise { return Choice(condition: nil, steps: [], value: .string(otherwise)) }
      var plain: [Step] = []
      let number = expander.operation(.string, location, into: &plain) {
        .format($0, FormatString([.conversion(.decimal)]), [value])
      }
      return Choice(condition: nil, steps: plain, value: number)
    }
    return ([.conversion(.string)], name)
  }
}

extension FormatString.Piece {
  fileprivate static func conversion(
    _ conversion: FormatString.Directive.Conversion,
    flag: Character? = nil
  ) -> FormatString.Piece {
    .directive(.init(flag: flag, width: .none, precision: .none, conversion: conversion))
  }
}
