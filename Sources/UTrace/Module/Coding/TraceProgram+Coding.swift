import TargetModel
import TraceIR

// How module files hold a program.

extension ValueType: BinaryCoded {}
extension UserSiteKind: BinaryCoded {}

extension GlobalID: BinaryCoded {
  init(from reader: inout BinaryReader) throws(CodingFailure) { self.init(try reader.value()) }
  func write(to writer: inout BinaryWriter) { writer.write(index) }
}

extension FunctionID: BinaryCoded {
  init(from reader: inout BinaryReader) throws(CodingFailure) { self.init(try reader.value()) }
  func write(to writer: inout BinaryWriter) { writer.write(index) }
}

extension RecordID: BinaryCoded {
  init(from reader: inout BinaryReader) throws(CodingFailure) { self.init(try reader.value()) }
  func write(to writer: inout BinaryWriter) { writer.write(index) }
}

extension LocalID: BinaryCoded {
  init(from reader: inout BinaryReader) throws(CodingFailure) { self.init(try reader.value()) }
  func write(to writer: inout BinaryWriter) { writer.write(index) }
}

extension ValueID: BinaryCoded {
  init(from reader: inout BinaryReader) throws(CodingFailure) { self.init(try reader.value()) }
  func write(to writer: inout BinaryWriter) { writer.write(index) }
}

extension TraceProgram: BinaryCoded {
  init(from reader: inout BinaryReader) throws(CodingFailure) {
    self.init()
    globals = try reader.value()
    functions = try reader.value()
    probes = try reader.value()
    records = try reader.value()
    files = try reader.value()
    locations = try reader.value()
    limits = try reader.value()
  }

  func write(to writer: inout BinaryWriter) {
    writer.write(globals, functions, probes, records, files, locations, limits)
  }
}

extension ScriptLocation: BinaryCoded {
  init(from reader: inout BinaryReader) throws(CodingFailure) {
    self.init(file: try reader.value(), line: try reader.value(), column: try reader.value())
  }

  func write(to writer: inout BinaryWriter) { writer.write(file, line, column) }
}

extension Limits: BinaryCoded {
  init(from reader: inout BinaryReader) throws(CodingFailure) {
    self.init()
    maxStringLength = try reader.value()
    maxAction = try reader.value()
    maxNesting = try reader.value()
    maxErrors = try reader.value()
    maxSkipped = try reader.value()
    maxMapEntries = try reader.value()
    maxTryLock = try reader.value()
    tryLockDelay = try reader.value()
    maxBacktrace = try reader.value()
    maxUprobes = try reader.value()
    maxMemory = try reader.value()
    fileByteCount = try reader.value()
    ringByteCount = try reader.value()
    stackByteCount = try reader.value()
    ignoresErrors = try reader.value()
  }

  func write(to writer: inout BinaryWriter) {
    writer.write(maxStringLength, maxAction, maxNesting, maxErrors, maxSkipped, maxMapEntries)
    writer.write(maxTryLock, tryLockDelay, maxBacktrace, maxUprobes, maxMemory, fileByteCount)
    writer.write(ringByteCount, stackByteCount, ignoresErrors)
  }
}

extension Global: BinaryCoded {
  init(from reader: inout BinaryReader) throws(CodingFailure) {
    self.init(
      name: try reader.value(),
      kind: try reader.value(),
      maximumEntries: try reader.value(),
      wraps: try reader.value(),
      initialLong: try reader.value(),
      initialString: try reader.value(),
      statistics: try reader.value()
    )
    keyBounds = try reader.value()
    isUsedInKernel = try reader.value()
    isWalkedInKernel = try reader.value()
    isTally = try reader.value()
  }

  func write(to writer: inout BinaryWriter) {
    writer.write(name, kind, maximumEntries, wraps, initialLong, initialString, statistics)
    writer.write(keyBounds, isUsedInKernel, isWalkedInKernel, isTally)
  }
}

extension Global.Kind: BinaryCoded {
  init(from reader: inout BinaryReader) throws(CodingFailure) {
    switch try reader.readTag() {
    case 0: self = .scalar(try reader.value())
    case 1: self = .statistic
    case 2: self = .array(keys: try reader.value(), value: try reader.value())
    case 3: self = .statisticArray(keys: try reader.value())
    default: throw reader.malformed
    }
  }

  func write(to writer: inout BinaryWriter) {
    switch self {
    case .scalar(let type): writer.write(case: 0, type)
    case .statistic: writer.write(tag: 1)
    case .array(let keys, let value): writer.write(case: 2, keys, value)
    case .statisticArray(let keys): writer.write(case: 3, keys)
    }
  }
}

extension StatisticNeeds: BinaryCoded {
  init(from reader: inout BinaryReader) throws(CodingFailure) {
    self.init()
    variance = try reader.value()
    varianceShift = try reader.value()
    histograms = try reader.value()
    fields = try reader.value()
  }

  func write(to writer: inout BinaryWriter) { writer.write(variance, varianceShift, histograms, fields) }
}

extension HistogramShape: BinaryCoded {
  init(from reader: inout BinaryReader) throws(CodingFailure) {
    switch try reader.readTag() {
    case 0: self = .log
    case 1: self = .linear(low: try reader.value(), high: try reader.value(), step: try reader.value())
    default: throw reader.malformed
    }
  }

  func write(to writer: inout BinaryWriter) {
    switch self {
    case .log: writer.write(tag: 0)
    case .linear(let low, let high, let step): writer.write(case: 1, low, high, step)
    }
  }
}

extension Function: BinaryCoded {
  init(from reader: inout BinaryReader) throws(CodingFailure) {
    self.init(
      name: try reader.value(),
      parameters: try reader.value(),
      result: try reader.value(),
      body: try reader.value(),
      fallback: try reader.value()
    )
  }

  func write(to writer: inout BinaryWriter) { writer.write(name, parameters, result, body, fallback) }
}

extension Probe: BinaryCoded {
  init(from reader: inout BinaryReader) throws(CodingFailure) {
    self.init(name: try reader.value(), trigger: try reader.value(), body: try reader.value())
    entryBody = try reader.value()
    entryPoint = try reader.value()
    entrySlots = try reader.value()
    arming = try reader.value()
  }

  func write(to writer: inout BinaryWriter) {
    writer.write(name, trigger, body, entryBody, entryPoint, entrySlots, arming)
  }
}

extension Trigger: BinaryCoded {
  init(from reader: inout BinaryReader) throws(CodingFailure) {
    switch try reader.readTag() {
    case 0: self = .begin(order: try reader.value())
    case 1: self = .end(order: try reader.value())
    case 2: self = .error(order: try reader.value())
    case 3: self = .timer(nanoseconds: try reader.value(), randomization: try reader.value())
    case 4: self = .never
    case 5: self = .userSites(try reader.value(), try reader.value(), in: try reader.value())
    case 6:
      self = .tracepoint(
        try reader.value(),
        argumentCount: try reader.value(),
        description: try reader.value(),
        in: try reader.value()
      )
    case 7: self = .running(try reader.value(), description: try reader.value())
    case 8: self = .event(try reader.value())
    case 9:
      self = .sample(try reader.value(), description: try reader.value(), in: try reader.value())
    default: throw reader.malformed
    }
  }

  func write(to writer: inout BinaryWriter) {
    switch self {
    case .begin(let order): writer.write(case: 0, order)
    case .end(let order): writer.write(case: 1, order)
    case .error(let order): writer.write(case: 2, order)
    case .timer(let nanoseconds, let randomization): writer.write(case: 3, nanoseconds, randomization)
    case .never: writer.write(tag: 4)
    case .userSites(let sites, let kind, let processes): writer.write(case: 5, sites, kind, processes)
    case .tracepoint(let hook, let argumentCount, let description, let filter):
      writer.write(case: 6, hook, argumentCount, description, filter)
    case .running(let filter, let description): writer.write(case: 7, filter, description)
    case .event(let event): writer.write(case: 8, event)
    case .sample(let sampling, let description, let filter):
      writer.write(case: 9, sampling, description, filter)
    }
  }
}

extension KernelHook: BinaryCoded {
  init(from reader: inout BinaryReader) throws(CodingFailure) {
    switch try reader.readTag() {
    case 0: self = .tracepoint(try reader.value())
    case 1: self = .functionEntry(try reader.value())
    default: throw reader.malformed
    }
  }

  func write(to writer: inout BinaryWriter) {
    switch self {
    case .tracepoint(let name): writer.write(case: 0, name)
    case .functionEntry(let name): writer.write(case: 1, name)
    }
  }
}

extension RecordLayout: BinaryCoded {
  init(from reader: inout BinaryReader) throws(CodingFailure) {
    self.init(fields: try reader.value(), handler: try reader.value())
  }

  func write(to writer: inout BinaryWriter) { writer.write(fields, handler) }
}

extension Body: BinaryCoded {
  init(from reader: inout BinaryReader) throws(CodingFailure) {
    self.init()
    locals = try reader.value()
    values = try reader.value()
    block = try reader.value()
  }

  func write(to writer: inout BinaryWriter) { writer.write(locals, values, block) }
}
