import TargetModel
import TraceIR

// How module files hold code.

extension UnaryOperation: BinaryCoded {}
extension BinaryOperation: BinaryCoded {}
extension Relation: BinaryCoded {}
extension StatisticField: BinaryCoded {}

extension Block: BinaryCoded {
  init(from reader: inout BinaryReader) throws(CodingFailure) { self.init(try reader.value()) }

  func write(to writer: inout BinaryWriter) { writer.write(instructions) }
}

extension Instruction: BinaryCoded {
  init(from reader: inout BinaryReader) throws(CodingFailure) {
    self.init(try reader.nested(), at: try reader.value())
  }

  func write(to writer: inout BinaryWriter) { writer.write(operation, location) }
}

extension Operand: BinaryCoded {
  init(from reader: inout BinaryReader) throws(CodingFailure) {
    switch try reader.readTag() {
    case 0: self = .value(try reader.value())
    case 1: self = .long(try reader.value())
    case 2: self = .string(try reader.value())
    default: throw reader.malformed
    }
  }

  func write(to writer: inout BinaryWriter) {
    switch self {
    case .value(let value): writer.write(case: 0, value)
    case .long(let number): writer.write(case: 1, number)
    case .string(let text): writer.write(case: 2, text)
    }
  }
}

extension ForeachOperation: BinaryCoded {
  init(from reader: inout BinaryReader) throws(CodingFailure) {
    self.init(
      global: try reader.value(),
      slice: try reader.value(),
      keys: try reader.value(),
      value: try reader.value(),
      order: try reader.value(),
      limit: try reader.value(),
      histogram: try reader.value(),
      body: try reader.value()
    )
  }

  func write(to writer: inout BinaryWriter) {
    writer.write(global, slice, keys, value, order, limit, histogram, body)
  }
}

extension ForeachOperation.Order: BinaryCoded {
  init(from reader: inout BinaryReader) throws(CodingFailure) {
    switch try reader.readTag() {
    case 0: self = .none
    case 1: self = .key(try reader.value(), descending: try reader.value())
    case 2: self = .value(descending: try reader.value())
    case 3: self = .statistic(try reader.value(), descending: try reader.value())
    default: throw reader.malformed
    }
  }

  func write(to writer: inout BinaryWriter) {
    switch self {
    case .none: writer.write(tag: 0)
    case .key(let index, let descending): writer.write(case: 1, index, descending)
    case .value(let descending): writer.write(case: 2, descending)
    case .statistic(let field, let descending): writer.write(case: 3, field, descending)
    }
  }
}

extension Operation: BinaryCoded {
  init(from reader: inout BinaryReader) throws(CodingFailure) {
    switch try reader.readTag() {
    case 0: self = .unary(try reader.value(), try reader.value(), try reader.value())
    case 1: self = .binary(try reader.value(), try reader.value(), try reader.value(), try reader.value())
    case 2:
      self = .compareStrings(try reader.value(), try reader.value(), try reader.value(), try reader.value())
    case 3: self = .concatenate(try reader.value(), try reader.value())
    case 4: self = .matchRegex(try reader.value(), try reader.value(), pattern: try reader.value())
    case 5: self = .format(try reader.value(), try reader.value(), try reader.value())
    case 6: self = .formatSite(try reader.value(), slot: try reader.value(), try reader.value())
    case 7: self = .loadLocal(try reader.value(), try reader.value())
    case 8: self = .storeLocal(try reader.value(), try reader.value())
    case 9: self = .loadGlobal(try reader.value(), try reader.value())
    case 10: self = .storeGlobal(try reader.value(), try reader.value())
    case 11: self = .addGlobal(try reader.value(), try reader.value(), try reader.value())
    case 12: self = .loadElement(try reader.value(), try reader.value(), try reader.value())
    case 13: self = .storeElement(try reader.value(), try reader.value(), try reader.value())
    case 14:
      self = .addElement(try reader.value(), try reader.value(), try reader.value(), try reader.value())
    case 15: self = .contains(try reader.value(), try reader.value(), try reader.value())
    case 16: self = .delete(try reader.value(), try reader.value())
    case 17: self = .aggregate(try reader.value(), try reader.value(), try reader.value())
    case 18: self = .extract(try reader.value(), try reader.value(), try reader.value(), try reader.value())
    case let tag: self = try Self.rest(tag, &reader)
    }
  }

  /// The cases from 19 on.
  private static func rest(_ tag: UInt8, _ reader: inout BinaryReader) throws(CodingFailure) -> Operation {
    switch tag {
    case 19:
      .histogramBucket(
        try reader.value(),
        try reader.value(),
        try reader.value(),
        try reader.value(),
        try reader.value()
      )
    case 20: .if(try reader.value(), then: try reader.value(), else: try reader.value())
    case 21:
      .loop(
        condition: try reader.value(),
        try reader.value(),
        body: try reader.value(),
        step: try reader.value()
      )
    case 22: .foreach(try reader.value())
    case 23: .break
    case 24: .continue
    case 25: .return(try reader.value())
    case 26: .next
    case 27: .tryCatch(try reader.value(), message: try reader.value(), handler: try reader.value())
    case 28: .call(try reader.value(), try reader.value(), try reader.value())
    case 29: .intrinsic(try reader.value(), try reader.value(), try reader.value())
    case 30: .context(try reader.value(), try reader.value(), kernelPlan: try reader.value())
    case 31: .read(try reader.value(), try reader.value(), inputs: try reader.value())
    case 32: .storeEntry(slot: try reader.value(), try reader.value())
    case 33: .loadEntry(try reader.value(), slot: try reader.value())
    case 34: .print(try reader.value(), try reader.value())
    case 35: .printHistogram(try reader.value(), try reader.value(), try reader.value())
    case 36: .emit(try reader.value(), try reader.value())
    case 37:
      .packHistogram(
        try reader.value(),
        try reader.value(),
        try reader.value(),
        try reader.value(),
        first: try reader.value(),
        count: try reader.value()
      )
    case 38: .printBuckets(try reader.value(), try reader.value())
    default: throw reader.malformed
    }
  }

  func write(to writer: inout BinaryWriter) {
    switch self {
    case .unary(let value, let operation, let a): writer.write(case: 0, value, operation, a)
    case .binary(let value, let operation, let a, let b): writer.write(case: 1, value, operation, a, b)
    case .compareStrings(let value, let relation, let a, let b): writer.write(case: 2, value, relation, a, b)
    case .concatenate(let value, let parts): writer.write(case: 3, value, parts)
    case .matchRegex(let value, let a, let pattern): writer.write(case: 4, value, a, pattern)
    case .format(let value, let format, let parts): writer.write(case: 5, value, format, parts)
    case .formatSite(let value, let slot, let parts): writer.write(case: 6, value, slot, parts)
    case .loadLocal(let value, let local): writer.write(case: 7, value, local)
    case .storeLocal(let local, let a): writer.write(case: 8, local, a)
    case .loadGlobal(let value, let global): writer.write(case: 9, value, global)
    case .storeGlobal(let global, let a): writer.write(case: 10, global, a)
    case .addGlobal(let value, let global, let a): writer.write(case: 11, value, global, a)
    case .loadElement(let value, let global, let keys): writer.write(case: 12, value, global, keys)
    case .storeElement(let global, let keys, let a): writer.write(case: 13, global, keys, a)
    case .addElement(let value, let global, let keys, let a): writer.write(case: 14, value, global, keys, a)
    case .contains(let value, let global, let keys): writer.write(case: 15, value, global, keys)
    case .delete(let global, let keys): writer.write(case: 16, global, keys)
    case .aggregate(let global, let keys, let a): writer.write(case: 17, global, keys, a)
    case .extract(let value, let field, let global, let keys):
      writer.write(case: 18, value, field, global, keys)
    case .histogramBucket(let value, let shape, let global, let keys, let a):
      writer.write(case: 19, value, shape, global, keys, a)
    case .if(let condition, let then, let otherwise): writer.write(case: 20, condition, then, otherwise)
    case .loop(let condition, let operand, let body, let step):
      writer.write(case: 21, condition, operand, body, step)
    case .foreach(let walk): writer.write(case: 22, walk)
    case .break: writer.write(tag: 23)
    case .continue: writer.write(tag: 24)
    case .return(let a): writer.write(case: 25, a)
    case .next: writer.write(tag: 26)
    case .tryCatch(let body, let message, let handler): writer.write(case: 27, body, message, handler)
    case .call(let value, let function, let parts): writer.write(case: 28, value, function, parts)
    case .intrinsic(let value, let intrinsic, let parts): writer.write(case: 29, value, intrinsic, parts)
    case .context(let value, let field, let plan): writer.write(case: 30, value, field, plan)
    case .read(let value, let plan, let inputs): writer.write(case: 31, value, plan, inputs)
    case .storeEntry(let slot, let a): writer.write(case: 32, slot, a)
    case .loadEntry(let value, let slot): writer.write(case: 33, value, slot)
    case .print(let format, let parts): writer.write(case: 34, format, parts)
    case .printHistogram(let shape, let global, let keys): writer.write(case: 35, shape, global, keys)
    case .emit(let record, let parts): writer.write(case: 36, record, parts)
    case .packHistogram(let value, let shape, let global, let keys, let first, let count):
      writer.write(case: 37, value, shape, global, keys, first, count)
    case .printBuckets(let shape, let parts): writer.write(case: 38, shape, parts)
    }
  }
}
