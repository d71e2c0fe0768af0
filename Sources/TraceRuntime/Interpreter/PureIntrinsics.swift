import Platform
import TargetModel
import TraceIR

/// Functions of their operands alone.
///
/// Source: manual pages `function::NAME` of SystemTap.
struct PureIntrinsics {
  let stringLimit: Int
  /// As it was when the session began (manual page `function::tz_ctime`).
  let zone: LocalTime.Zone

  /// The answer; nil for functions that are not pure.
  func answer(_ intrinsic: Intrinsic, _ operands: [Datum]) throws(ScriptFault) -> Datum? {
    switch intrinsic {
    case .strlen: return .long(Int64(operands[0].string.count))
    case .substr: return .string(substring(operands[0].string, operands[1].long, operands[2].long))
    case .stringat: return .long(try byte(of: operands[0].string, at: operands[1].long))
    case .isinstr: return .long(operands[0].string.firstIndex(of: operands[1].string) == nil ? 0 : 1)
    case .strpos: return .long(Int64(operands[0].string.firstIndex(of: operands[1].string) ?? -1))
    case .strReplace:
      return .string(replace(operands[0].string, operands[1].string, by: operands[2].string))
    case .strtol: return .long(operands[0].string.parsed(base: operands[1].long))
    case .isdigit: return .long(operands[0].string.bytes.first.map { (48...57).contains($0) } == true ? 1 : 0)
    case .textStr: return .string(operands[0].string.escaped(limit: stringLimit, quoted: false))
    case .textStrn:
      let limit = operands[1].long
      return .string(
        operands[0].string.escaped(
          limit: limit > 0 && limit < stringLimit ? Int(limit) : stringLimit,
          quoted: operands[2].long != 0
        )
      )
    case .stringQuoted: return .string(operands[0].string.escaped(limit: stringLimit, quoted: true))
    case .errnoStr: return .string(ByteString(NumberNames.errors.text(of: operands[0].long)))
    case .syscallName: return .string(ByteString(NumberNames.systemCalls.text(of: operands[0].long)))
    case .ctime: return .string(ByteString(calendarText(operands[0].long)))
    case .tzCtime, .tzName, .tzGmtoff: return zoned(intrinsic, operands)
    default: return nil
    }
  }

  private func zoned(_ intrinsic: Intrinsic, _ operands: [Datum]) -> Datum {
    switch intrinsic {
    case .tzName: return .string(ByteString(zone.name))
    case .tzGmtoff: return .long(-zone.secondsEastOfUTC)
    default:
      let seconds = (operands.first?.long ?? 0) &+ zone.secondsEastOfUTC
      return .string(ByteString(calendarText(seconds) + " " + zone.name))
    }
  }

  private func substring(_ text: ByteString, _ start: Int64, _ length: Int64) -> ByteString {
    guard start >= 0, length > 0, start < text.count else { return "" }
    let end = min(Int64(text.count), start &+ min(length, Int64(text.count)))
    return ByteString(Array(text.bytes[Int(start)..<Int(end)]))
  }

  /// 0 behind the end of the text; a fault where no text can be.
  private func byte(of text: ByteString, at index: Int64) throws(ScriptFault) -> Int64 {
    guard index >= 0, index <= stringLimit else { throw ScriptFault(.stringIndex, subject: index) }
    return index < text.count ? Int64(text.bytes[Int(index)]) : 0
  }

  private func replace(_ text: ByteString, _ old: ByteString, by new: ByteString) -> ByteString {
    guard !old.isEmpty else { return text }
    var result: [UInt8] = []
    var start = 0
    while let found = text.firstIndex(of: old, from: start), result.count <= stringLimit {
      result += text.bytes[start..<found] + new.bytes
      start = found + old.count
    }
    return ByteString(result + text.bytes[start...]).cut(to: stringLimit)
  }
}

extension ByteString {
  /// The number at the start of the text, as strtol(3) without white space and overflow: a minus sign, `0x` or `0` for base
  /// 16 and 8 when the base is 0, digits up to base 36; wraps.
  fileprivate func parsed(base: Int64) -> Int64 {
    var rest = bytes[...]
    let isNegative = rest.first == UInt8(ascii: "-")
    if isNegative { rest = rest.dropFirst() }
    guard base == 0 || 2...36 ~= base else { return 0 }
    var base = base
    let hasPrefix =
      rest.count > 2 && rest[rest.startIndex] == 48 && rest[rest.startIndex + 1] | 32 == UInt8(ascii: "x")
    if base == 0 { base = hasPrefix ? 16 : rest.first == 48 ? 8 : 10 }
    if base == 16, hasPrefix { rest = rest.dropFirst(2) }
    var value: Int64 = 0
    for byte in rest {
      guard let digit = Self.digit(byte), digit < base else { break }
      value = value &* base &+ Int64(digit)
    }
    return isNegative ? 0 &- value : value
  }

  private static func digit(_ byte: UInt8) -> Int? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): Int(byte - UInt8(ascii: "0"))
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): Int(byte - UInt8(ascii: "A")) + 10
    case UInt8(ascii: "a")...UInt8(ascii: "z"): Int(byte - UInt8(ascii: "a")) + 10
    default: nil
    }
  }
}

/// `Wed Jun 30 21:49:08 1993`: 24 characters for years of four digits.
///
/// The calendar is computed from the number of days (era of 400 years = 146,097 days).
func calendarText(_ seconds: Int64) -> String {
  let day = seconds.flooredQuotient(86_400)
  let time = seconds &- day &* 86_400
  let weekday = (day &+ 4).flooredRemainder(7)
  let shifted = day &+ 719_468
  let era = shifted.flooredQuotient(146_097)
  let dayOfEra = shifted &- era &* 146_097
  let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
  let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
  let monthFromMarch = (5 * dayOfYear + 2) / 153
  let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
  var text = ByteBuffer()
  text.append("\(weekdays[Int(weekday)]) \(months[Int(month) - 1]) ")
  text.append(dayOfYear - (153 * monthFromMarch + 2) / 5 + 1, as: PrintfDirective(.decimal, width: 2))
  text.append(" ")
  for (index, part) in [time / 3600, time / 60 % 60, time % 60].enumerated() {
    if index > 0 { text.append(":") }
    text.append(part, as: PrintfDirective(.decimal, flag: "0", width: 2))
  }
  text.append(" \(yearOfEra &+ era &* 400 &+ (month <= 2 ? 1 : 0))")
  return String(decoding: text.bytes, as: UTF8.self)
}

private let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
private let months = [
  "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
]

extension Int64 {
  fileprivate func flooredQuotient(_ divisor: Int64) -> Int64 {
    self / divisor - (self % divisor < 0 ? 1 : 0)
  }

  fileprivate func flooredRemainder(_ divisor: Int64) -> Int64 { self &- flooredQuotient(divisor) &* divisor }
}
