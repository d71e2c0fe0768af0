import Platform
import TraceIR

/// Keys and values of one global between ``Datum`` and the bytes that ``FieldLayout`` describes.
struct ElementCodec {
  let keyTypes: [ValueType]
  let isStatistic: Bool
  /// Most bytes of a string.
  let capacity: Int
  private let needs: StatisticNeeds
  private let statisticLayout: StatisticLayout
  private let keyLayout: FieldLayout
  private let valueType: ValueType
  private let field: StringField

  init(_ global: Global, _ limits: Limits) {
    field = StringField(limits)
    capacity = field.capacity
    keyTypes = global.keyTypes
    keyLayout = KeyLayout(global, limits).fields
    needs = global.statistics
    statisticLayout = StatisticLayout(needs)
    switch global.kind {
    case .scalar(let type), .array(_, let type):
      isStatistic = false
      valueType = type
    case .statistic, .statisticArray:
      isStatistic = true
      valueType = .long
    }
  }

  /// Keys side by side.
  func key(_ keys: [Datum]) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: keyLayout.byteCount)
    for (column, key) in keys.enumerated() where keyLayout.offsets.indices.contains(column) {
      let field = keyLayout.fields[column].map { padded(key.string, $0) } ?? self.field(key.long)
      bytes.replaceSubrange(keyLayout.offsets[column]..<keyLayout.end(of: column), with: field)
    }
    return bytes
  }

  func keys(_ bytes: RawSpan) -> [Datum] {
    zip(keyLayout.offsets, keyLayout.types).map { datum(bytes, $0, $1) }
  }

  /// A value as a field.
  func field(_ value: Datum) -> [UInt8] { valueType == .long ? field(value.long) : field(value.string) }

  func value(_ bytes: RawSpan) -> Datum { datum(bytes, 0, valueType) }

  private func field(_ value: Int64) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: value >> Int64(8 * $0)) }
  }

  /// Length, text, zeros.
  func field(_ text: ByteString) -> [UInt8] { padded(text, field) }

  private func padded(_ text: ByteString, _ field: StringField) -> [UInt8] {
    let text = text.cut(to: field.capacity)
    var bytes: [UInt8] = (0..<4).map { UInt8(truncatingIfNeeded: text.count >> (8 * $0)) }
    bytes += text.bytes
    return bytes + [UInt8](repeating: 0, count: field.byteCount - bytes.count)
  }

  private func datum(_ bytes: RawSpan, _ offset: Int, _ type: ValueType) -> Datum {
    switch type {
    case .long: return .long(bytes.load(at: offset, as: Int64.self) ?? 0)
    case .string:
      let count = min(Int(bytes.load(at: offset, as: UInt32.self) ?? 0), capacity)
      let start = min(offset + 4, bytes.byteCount)
      let end = min(start + count, bytes.byteCount)
      return .string(ByteString(bytes.extracting(start..<end).copied()))
    }
  }

  /// Adds a value to the share of the first CPU, which lies at the start of `shares`.
  func add(_ value: Int64, to shares: inout [UInt8]) {
    guard shares.count >= statisticLayout.byteCount else { return }
    var share = Statistic(needs)
    share.merge(words: words(of: shares.rawSpan, at: 0))
    share.add(value)
    let after = share.words.flatMap { word in field(Int64(bitPattern: word)) }
    shares.replaceSubrange(0..<after.count, with: after)
  }

  /// The shares of all CPUs, `stride` bytes apart, merged.
  func statistic(_ bytes: RawSpan, stride: Int, cpuCount: Int) -> Statistic {
    var result = Statistic(needs)
    for cpu in 0..<cpuCount {
      let start = cpu * stride
      // Most CPUs have never seen a given element.
      if let offset = statisticLayout.countOffset, bytes.load(at: start + offset, as: UInt64.self) ?? 0 == 0 {
        continue
      }
      result.merge(words: words(of: bytes, at: start))
    }
    return result
  }

  private func words(of bytes: RawSpan, at start: Int) -> [UInt64] {
    (0..<(statisticLayout.byteCount / 8)).map { bytes.load(at: start + 8 * $0, as: UInt64.self) ?? 0 }
  }
}
