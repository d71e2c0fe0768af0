import TargetModel

// How module files hold the words of TargetModel.

extension PlanMemory: BinaryCoded {}
extension PlanUnary: BinaryCoded {}
extension PlanBinary: BinaryCoded {}
extension SiteText: BinaryCoded {}
extension Intrinsic: BinaryCoded {}
extension FormatString.Directive.Conversion: BinaryCoded {}

extension BuildID: BinaryCoded {
  init(from reader: inout BinaryReader) throws(CodingFailure) { self.init(try reader.readBlob()) }

  func write(to writer: inout BinaryWriter) { writer.write(blob: bytes) }
}

extension FileOffset: BinaryCoded {
  init(from reader: inout BinaryReader) throws(CodingFailure) { self.init(try reader.readUnsigned()) }

  func write(to writer: inout BinaryWriter) { writer.write(unsigned: raw) }
}

extension LinkAddress: BinaryCoded {
  init(from reader: inout BinaryReader) throws(CodingFailure) { self.init(try reader.readUnsigned()) }

  func write(to writer: inout BinaryWriter) { writer.write(unsigned: raw) }
}

extension ProcessScope: BinaryCoded {
  init(from reader: inout BinaryReader) throws(CodingFailure) {
    switch try reader.readTag() {
    case 0: self = .target
    case 1: self = .family
    case 2: self = .process(try reader.value())
    default: throw reader.malformed
    }
  }

  func write(to writer: inout BinaryWriter) {
    switch self {
    case .target: writer.write(tag: 0)
    case .family: writer.write(tag: 1)
    case .process(let pid): writer.write(case: 2, pid)
    }
  }
}

extension ProcessFilter: BinaryCoded {
  init(from reader: inout BinaryReader) throws(CodingFailure) {
    self.init(try reader.value(), executable: try reader.value())
  }

  func write(to writer: inout BinaryWriter) { writer.write(scope, executable) }
}

extension SessionEvent.Kind: BinaryCoded {}

extension SessionEvent: BinaryCoded {
  init(from reader: inout BinaryReader) throws(CodingFailure) {
    self.init(
      try reader.value(),
      path: try reader.value(),
      permissions: try reader.value(),
      byteCount: try reader.value()
    )
  }

  func write(to writer: inout BinaryWriter) { writer.write(kind, path, permissions, byteCount) }
}

extension PerfSampling: BinaryCoded {
  init(from reader: inout BinaryReader) throws(CodingFailure) {
    self.init(
      type: try reader.value(),
      config: try reader.value(),
      count: try reader.value(),
      isFrequency: try reader.value()
    )
  }

  func write(to writer: inout BinaryWriter) { writer.write(type, config, count, isFrequency) }
}

extension ProbeSite: BinaryCoded {
  init(from reader: inout BinaryReader) throws(CodingFailure) {
    self.init(
      path: try reader.value(),
      buildID: try reader.value(),
      fileOffset: try reader.value(),
      linkAddress: try reader.value(),
      semaphore: try reader.value(),
      description: try reader.value(),
      watch: try reader.value()
    )
  }

  func write(to writer: inout BinaryWriter) {
    writer.write(path, buildID, fileOffset, linkAddress, semaphore, description, watch)
  }
}

extension EntryPoint: BinaryCoded {
  init(from reader: inout BinaryReader) throws(CodingFailure) {
    self.init(sites: try reader.value(), stackPointer: try reader.value())
    stackPointerAtSites = try reader.value()
    isOptional = try reader.value()
  }

  func write(to writer: inout BinaryWriter) {
    writer.write(sites, stackPointer, stackPointerAtSites, isOptional)
  }
}

extension FrameOffset: BinaryCoded {
  init(from reader: inout BinaryReader) throws(CodingFailure) {
    self.init(register: try reader.value(), byteCount: try reader.value())
  }

  func write(to writer: inout BinaryWriter) { writer.write(register, byteCount) }
}

extension DataWatch: BinaryCoded {
  init(from reader: inout BinaryReader) throws(CodingFailure) {
    self.init(
      byteCount: try reader.value(),
      isWriteOnly: try reader.value(),
      isAbsolute: try reader.value()
    )
  }

  func write(to writer: inout BinaryWriter) { writer.write(byteCount, isWriteOnly, isAbsolute) }
}

extension SiteDescription: BinaryCoded {
  init(from reader: inout BinaryReader) throws(CodingFailure) {
    self.init(
      probePoint: try reader.value(),
      scriptPoint: try reader.value(),
      function: try reader.value(),
      name: try reader.value(),
      provider: try reader.value(),
      probeType: try reader.value(),
      sourceLine: try reader.value(),
      formats: try reader.value(),
      loads: try reader.value()
    )
  }

  func write(to writer: inout BinaryWriter) {
    writer.write(probePoint, scriptPoint, function, name, provider, probeType, sourceLine, formats, loads)
  }
}

extension SiteLoad: BinaryCoded {
  init(from reader: inout BinaryReader) throws(CodingFailure) {
    let register: Int? = try reader.value()
    self.init(
      base: register.map { .register($0) } ?? .previous,
      offset: try reader.value(),
      byteCount: try reader.value()
    )
  }

  func write(to writer: inout BinaryWriter) {
    var register: Int?
    if case .register(let number) = base { register = number }
    writer.write(register, offset, byteCount)
  }
}

extension SiteFormat: BinaryCoded {
  init(from reader: inout BinaryReader) throws(CodingFailure) { self.init(try reader.value()) }

  func write(to writer: inout BinaryWriter) { writer.write(pieces) }
}

extension SiteFormat.Piece: BinaryCoded {
  init(from reader: inout BinaryReader) throws(CodingFailure) {
    switch try reader.readTag() {
    case 0: self = .text(try reader.value())
    case 1: self = .value(try reader.value(), try reader.value())
    case 2: self = .computed(try reader.value(), try reader.value())
    case 3: self = .chosen(try reader.value(), try reader.nested(), else: try reader.nested())
    default: throw reader.malformed
    }
  }

  func write(to writer: inout BinaryWriter) {
    switch self {
    case .text(let text): writer.write(case: 0, text)
    case .value(let index, let presentation): writer.write(case: 1, index, presentation)
    case .computed(let plan, let presentation): writer.write(case: 2, plan, presentation)
    case .chosen(let index, let choices, let others): writer.write(case: 3, index, choices, others)
    }
  }
}

extension SiteFormat.Piece.Choice: BinaryCoded {
  init(from reader: inout BinaryReader) throws(CodingFailure) {
    self.init(keys: try reader.value(), pieces: try reader.value())
  }

  func write(to writer: inout BinaryWriter) { writer.write(keys, pieces) }
}

extension SiteFormat.Presentation: BinaryCoded {
  init(from reader: inout BinaryReader) throws(CodingFailure) {
    switch try reader.readTag() {
    case 0: self = .decimal
    case 1: self = .unsigned
    case 2: self = .hexadecimal
    case 3: self = .character
    case 4: self = .boolean
    case 5: self = .string
    case 6:
      self = .narrowed(byteCount: try reader.value(), isSigned: try reader.value(), try reader.nested())
    case 7:
      var names: [Int64: String] = [:]
      for _ in 0..<(try reader.readCount()) { names[try reader.value()] = try reader.value() as String }
      self = .enumerator(names)
    case 8: self = .float(byteCount: try reader.value())
    case 9: self = .unicode
    default: throw reader.malformed
    }
  }

  func write(to writer: inout BinaryWriter) {
    switch self {
    case .decimal: writer.write(tag: 0)
    case .unsigned: writer.write(tag: 1)
    case .hexadecimal: writer.write(tag: 2)
    case .character: writer.write(tag: 3)
    case .boolean: writer.write(tag: 4)
    case .string: writer.write(tag: 5)
    case .narrowed(let byteCount, let isSigned, let inner): writer.write(case: 6, byteCount, isSigned, inner)
    case .enumerator(let names):
      writer.write(tag: 7)
      writer.write(unsigned: UInt64(names.count))
      for (number, name) in names.sorted(by: { $0.key < $1.key }) { writer.write(number, name) }
    case .float(let byteCount): writer.write(case: 8, byteCount)
    case .unicode: writer.write(tag: 9)
    }
  }
}

extension LocationPlan: BinaryCoded {
  init(from reader: inout BinaryReader) throws(CodingFailure) {
    switch try reader.readTag() {
    case 0: self = .constant(try reader.value())
    case 1: self = .register(try reader.value())
    case 2: self = .threadPointer
    case 3: self = .currentTask
    case 4: self = .tracepointArgument(try reader.value())
    case 5: self = .input(try reader.value())
    case 6: self = .unary(try reader.value(), try reader.nested())
    case 7: self = .binary(try reader.value(), try reader.nested(), try reader.nested())
    case 8:
      self = .load(
        try reader.value(),
        byteCount: try reader.value(),
        isSigned: try reader.value(),
        address: try reader.nested()
      )
    case 9:
      self = .bits(
        try reader.nested(),
        offset: try reader.value(),
        count: try reader.value(),
        isSigned: try reader.value()
      )
    case 10: self = .extend(try reader.nested(), byteCount: try reader.value(), isSigned: try reader.value())
    case 11: self = .siteLoad(try reader.value())
    case 12: self = .entryRegister(try reader.value())
    case 13:
      self = .selected(by: try reader.nested(), from: try reader.value(), else: try reader.nested())
    default: throw reader.malformed
    }
  }

  func write(to writer: inout BinaryWriter) {
    switch self {
    case .constant(let number): writer.write(case: 0, number)
    case .register(let number): writer.write(case: 1, number)
    case .threadPointer: writer.write(tag: 2)
    case .currentTask: writer.write(tag: 3)
    case .tracepointArgument(let index): writer.write(case: 4, index)
    case .input(let index): writer.write(case: 5, index)
    case .unary(let operation, let value): writer.write(case: 6, operation, value)
    case .binary(let operation, let left, let right): writer.write(case: 7, operation, left, right)
    case .load(let memory, let byteCount, let isSigned, let address):
      writer.write(case: 8, memory, byteCount, isSigned, address)
    case .bits(let value, let offset, let count, let isSigned):
      writer.write(case: 9, value, offset, count, isSigned)
    case .extend(let value, let byteCount, let isSigned): writer.write(case: 10, value, byteCount, isSigned)
    case .siteLoad(let index): writer.write(case: 11, index)
    case .entryRegister(let number): writer.write(case: 12, number)
    case .selected(let key, let choices, let other): writer.write(case: 13, key, choices, other)
    }
  }
}

extension PlanChoice: BinaryCoded {
  init(from reader: inout BinaryReader) throws(CodingFailure) {
    self.init(keys: try reader.value(), plan: try reader.nested())
  }

  func write(to writer: inout BinaryWriter) { writer.write(keys, plan) }
}
