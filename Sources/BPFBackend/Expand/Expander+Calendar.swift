import TargetModel
import TraceIR

// Dates, as the interpreter computes them: from the number of days, in eras of 400 years of 146,097 days.
extension Expander {
  /// `ctime`, and with `isLocal` `tz_ctime`.
  mutating func calendarText(
    _ seconds: Operand,
    isLocal: Bool,
    _ location: Int?,
    into steps: inout [Step]
  ) -> Operand {
    guard isLocal else { return calendarText(seconds, location, into: &steps) }
    let offset = machine(.timeZoneOffset, location, into: &steps)
    let local = compute(.add, seconds, offset, location, into: &steps)
    let text = calendarText(local, location, into: &steps)
    let name = machine(.timeZoneName, location, into: &steps)
    return operation(.string, location, into: &steps) { .concatenate($0, [text, .string(" "), name]) }
  }

  private mutating func calendarText(
    _ seconds: Operand,
    _ location: Int?,
    into steps: inout [Step]
  ) -> Operand {
    var made: [Step] = []
    func compute(_ kind: BinaryOperation, _ left: Operand, _ right: Operand) -> Operand {
      self.compute(kind, left, right, location, into: &made)
    }
    func quotient(_ value: Operand, _ divisor: Int64) -> Operand { compute(.divide, value, .long(divisor)) }
    /// Towards minus infinity.
    func flooredQuotient(_ value: Operand, _ divisor: Int64) -> Operand {
      let isBelow = compute(.less, compute(.remainder, value, .long(divisor)), .long(0))
      return compute(.subtract, quotient(value, divisor), isBelow)
    }
    func flooredRest(_ value: Operand, _ quotient: Operand, _ divisor: Int64) -> Operand {
      compute(.subtract, value, compute(.multiply, quotient, .long(divisor)))
    }
    let day = flooredQuotient(seconds, 86_400)
    let time = flooredRest(seconds, day, 86_400)
    let fromThursday = compute(.add, day, .long(4))
    let weekday = flooredRest(fromThursday, flooredQuotient(fromThursday, 7), 7)
    let shifted = compute(.add, day, .long(719_468))
    let era = flooredQuotient(shifted, 146_097)
    let dayOfEra = flooredRest(shifted, era, 146_097)
    let leaps = compute(
      .add,
      compute(.subtract, quotient(dayOfEra, 36_524), quotient(dayOfEra, 1460)),
      compute(.subtract, dayOfEra, quotient(dayOfEra, 146_096))
    )
    let yearOfEra = quotient(leaps, 365)
    let yearStart = compute(
      .subtract,
      compute(.add, compute(.multiply, yearOfEra, .long(365)), quotient(yearOfEra, 4)),
      quotient(yearOfEra, 100)
    )
    let dayOfYear = compute(.subtract, dayOfEra, yearStart)
    let fromMarch = quotient(compute(.add, compute(.multiply, dayOfYear, .long(5)), .long(2)), 153)
    let isNextYear = compute(.greaterOrEqual, fromMarch, .long(10))
    let month = compute(
      .subtract,
      compute(.add, fromMarch, .long(2)),
      compute(.multiply, isNextYear, .long(12))
    )
    let monthStart = quotient(compute(.add, compute(.multiply, fromMarch, .long(153)), .long(2)), 5)
    let dayOfMonth = compute(.add, compute(.subtract, dayOfYear, monthStart), .long(1))
    let yearOfEras = compute(.add, yearOfEra, compute(.multiply, era, .long(400)))
    let year = compute(.add, yearOfEras, isNextYear)
    let names = [("SunMonTueWedThuFriSat", weekday), ("JanFebMarAprMayJunJulAugSepOctNovDec", month)]
      .map { names, index in
        let start = compute(.multiply, index, .long(3))
        return threeLetters(of: names, start, location, into: &made)
      }
    let minutes = quotient(time, 60)
    let parts = [
      dayOfMonth, quotient(time, 3600), compute(.remainder, minutes, .long(60)),
      compute(.remainder, time, .long(60)), year,
    ]
    steps += made
    return operation(.string, location, into: &steps) { .format($0, calendarFormat, names + parts) }
  }

  /// Those from `start` on; of several pieces where `names` is longer than strings can be.
  private mutating func threeLetters(
    of names: String,
    _ start: Operand,
    _ location: Int?,
    into steps: inout [Step]
  ) -> Operand {
    let width = StringField(program.limits).capacity / 3 * 3
    let found = stride(from: 0, to: names.count, by: width).map { first in
      let piece = String(names.dropFirst(first).prefix(width))
      // A start that is negative in one piece is behind its end.
      let before = Operand.long(Int64(first))
      let inPiece = first == 0 ? start : compute(.subtract, start, before, location, into: &steps)
      return operation(.string, location, into: &steps) {
        .intrinsic($0, .substr, [.string(piece), inPiece, .long(3)])
      }
    }
    if found.count == 1 { return found[0] }
    return operation(.string, location, into: &steps) { .concatenate($0, found) }
  }

  private mutating func compute(
    _ kind: BinaryOperation,
    _ left: Operand,
    _ right: Operand,
    _ location: Int?,
    into steps: inout [Step]
  ) -> Operand {
    operation(.long, location, into: &steps) { .binary($0, kind, left, right) }
  }

  /// Adds an operation that makes a value.
  mutating func operation(
    _ type: ValueType,
    _ location: Int?,
    into steps: inout [Step],
    _ make: (ValueID) -> Operation
  ) -> Operand {
    let value = makeValue(type)
    steps.append(Step(action: .operation(make(value)), location: location))
    return .value(value)
  }
}

/// `%s %s %2d %02d:%02d:%02d %d`.
private let calendarFormat: FormatString = {
  func number(_ flag: Character?, _ width: Int) -> FormatString.Piece {
    .directive(
      .init(flag: flag, width: width == 0 ? .none : .fixed(width), precision: .none, conversion: .decimal)
    )
  }
  let name = FormatString.Piece.directive(
    .init(flag: nil, width: .none, precision: .none, conversion: .string)
  )
  let space = FormatString.Piece.text(" ")
  let colon = FormatString.Piece.text(":")
  return FormatString([
    name, space, name, space, number(nil, 2), space, number("0", 2), colon, number("0", 2), colon,
    number("0", 2), space, number(nil, 0),
  ])
}()
