package import TargetModel
import TraceIR

extension Machine {
  /// Does a complex operation; true when it was `abort()`.
  mutating func perform(
    _ operation: ComplexOperation,
    _ step: Step,
    _ unit: CodeUnit,
    _ frame: Frame
  ) throws(ScriptFault) -> Bool {
    switch operation {
    case .compareStrings(let result, let relation, let left, let right):
      let holds = relation.holds(string(left, unit, frame), string(right, unit, frame))
      longs[frame.longs + Int(result)] = holds ? 1 : 0
    case .concatenate(let result, let parts): concatenate(result, parts, unit, frame)
    case .matchRegex(let result, let subject, let table):
      let subject = string(subject, unit, frame)
      match = table.match(subject.bytes).map { RegexMatch(subject: subject, bounds: $0) }
      longs[frame.longs + Int(result)] = match == nil ? 0 : 1
    case .formatSite(let result, let slot, let operands):
      var text = ByteBuffer()
      if let formats = context.site?.formats, formats.indices.contains(slot) {
        text.append(formats[slot], keys(operands, unit, frame))
      }
      set(.string(result), .string(ByteString(text.bytes)), frame)
    case .printDynamic(let directive, let width, let precision, let value):
      var directive = directive
      directive.resolve(
        width: width.map { long($0, unit, frame) },
        precision: precision.map { long($0, unit, frame) }
      )
      output.append(datum(value, unit, frame), as: directive)
    case .printMemory(let directive, let width, let precision, let address):
      try printMemory(directive, width, precision, long(address, unit, frame), step, unit, frame)
    case .intrinsic(let result, let intrinsic, let operands):
      return try performIntrinsic(intrinsic, keys(operands, unit, frame), result, step, frame)
    case .context(let result, let field): setContext(result, field, frame)
    case .read(let result, let plan, let inputs):
      do {
        let inputs = keys(inputs, unit, frame).map(\.long)
        longs[frame.longs + Int(result)] = try context.evaluate(plan, inputs: inputs)
      } catch {
        throw error.located(at: step.place)
      }
    case .storeEntry(let index, let value):
      while context.entrySlots.count <= index { context.entrySlots.append(.long(0)) }
      context.entrySlots[index] = datum(value, unit, frame)
    case .loadEntry(let result, let index):
      let slots = context.entrySlots
      set(result, slots.indices.contains(index) ? slots[index] : .long(0), frame)
    case .printBuckets(let shape, let parts):
      let buckets = parts.flatMap { string($0, unit, frame).unpackedLongs }
      if buckets.contains(where: { $0 > 0 }) { output.append(buckets, of: shape) }
    case .emit(let record, let operands): try emit(record, operands, unit, frame)
    case .call: break
    case .loadGlobal, .storeGlobal, .addGlobal, .loadElement, .storeElement, .addElement, .contains, .delete,
      .aggregate, .extract, .histogramBucket, .foreach, .printHistogram,
      .packHistogram:
      try performGlobal(operation, step, unit, frame)
    }
    return false
  }

  private mutating func concatenate(_ result: Int32, _ parts: [Int32], _ unit: CodeUnit, _ frame: Frame) {
    var bytes: [UInt8] = []
    for part in parts where bytes.count < stringLimit { bytes += string(part, unit, frame).bytes }
    strings[frame.strings + Int(result)] = ByteString(bytes).cut(to: stringLimit)
  }

  private mutating func setContext(_ result: Slot, _ field: ContextField, _ frame: Frame) {
    switch result {
    case .long(let number): longs[frame.longs + Int(number)] = context.long(field)
    case .string(let number):
      var text = context.text(field)
      if case .site(let part) = field, let site = context.site { text = ByteString(site.text(part)) }
      strings[frame.strings + Int(number)] = text.cut(to: stringLimit)
    }
  }

  /// `%m` and `%M`: the precision says how many bytes, `#` means user memory.
  private mutating func printMemory(
    _ directive: PrintfDirective,
    _ width: Int32?,
    _ precision: Int32?,
    _ address: Int64,
    _ step: Step,
    _ unit: CodeUnit,
    _ frame: Frame
  ) throws(ScriptFault) {
    var directive = directive
    directive.resolve(
      width: width.map { long($0, unit, frame) },
      precision: precision.map { long($0, unit, frame) }
    )
    let isUser = directive.flag == "#"
    let count = max(1, directive.precision ?? 1)
    guard
      let bytes = context.read(isUser ? .user : .kernel, at: UInt64(bitPattern: address), byteCount: count)
    else { throw ScriptFault(isUser ? .userRead : .kernelRead, subject: address, location: step.place) }
    output.append(ByteString(bytes), as: directive)
  }
}

extension ByteBuffer {
  /// Prints a value of either type.
  mutating func append(_ value: Datum, as directive: PrintfDirective) {
    switch value {
    case .long(let value): append(value, as: directive)
    case .string(let text): append(text, as: directive)
    }
  }
}

extension ScriptFault {
  /// The same, at a place when it has none yet.
  func located(at place: Int?) -> ScriptFault {
    var fault = self
    fault.location = location ?? place
    return fault
  }
}

extension Relation {
  fileprivate func holds(_ left: ByteString, _ right: ByteString) -> Bool {
    switch self {
    case .equal: left == right
    case .notEqual: left != right
    case .less: left < right
    case .lessOrEqual: left <= right
    case .greater: left > right
    case .greaterOrEqual: left >= right
    }
  }
}

extension SiteDescription {
  /// One of its strings.
  package func text(_ part: SiteText) -> String {
    switch part {
    case .probePoint: probePoint
    case .scriptPoint: scriptPoint
    case .function: function
    case .name: name
    case .provider: provider
    case .probeType: probeType
    case .sourceLine: sourceLine
    }
  }
}
