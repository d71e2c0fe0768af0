import TargetModel

/// Makes kernel-side probes send what they captured and leaves the printing to the user side.
///
///     probe … user sites                     probe … user sites
///       %0 = context site(function)            %2 = context tid
///       %1 = format "%s:", %0          ⇒       emit 0, %2
///       %2 = context tid                     record 0 (long)
///       print "%s %d\n", %1, %2                %0 = context site(function)
///                                              %1 = format "%s:", %0
///                                              %2 = load $0
///                                              print "%s %d\n", %1, %2
///
/// What only feeds printing and depends on nothing but captured values moves along: site texts, `formatSite`,
/// `sprintf`, `ctime`, concatenations, `?:`. What the kernel needs anyway is captured as it is.
package let outlinePrinting = Pass("outline-printing") { program in
  var program = program
  let kernelSide = program.probes.indices.filter { program.probes[$0].trigger.isKernelSide }
  let roots =
    kernelSide.map { program.probes[$0].body } + kernelSide.compactMap { program.probes[$0].entryBody }
  for index in program.functionsReached(from: roots).sorted() {
    program.functions[index].body = outlined(program.functions[index].body, &program)
  }
  for index in kernelSide {
    program.probes[index].body = outlined(program.probes[index].body, &program)
    if let entry = program.probes[index].entryBody {
      program.probes[index].entryBody = outlined(entry, &program)
    }
  }
  return program
}

private func outlined(_ body: Body, _ program: inout TraceProgram) -> Body {
  guard body.block.prints else { return body }
  var outliner = Outliner(body, firstRecord: program.records.count, program.limits)
  outliner.run()
  program.records += outliner.records
  return outliner.body
}

private struct Outliner {
  var body: Body
  private(set) var records: [RecordLayout] = []
  private let firstRecord: Int
  private let needs: KernelNeeds
  /// Of 8 bytes each; 0 when strings are shorter.
  private let bucketsPerString: Int

  init(_ body: Body, firstRecord: Int, _ limits: Limits) {
    self.body = body
    self.firstRecord = firstRecord
    needs = KernelNeeds(body)
    bucketsPerString = StringField(limits).capacity / 8
  }

  mutating func run() { body.block = outline(body.block) }

  private mutating func outline(_ block: Block) -> Block {
    var outlined: [Instruction] = []
    for var instruction in block.instructions {
      instruction.operation.mapBlocks { outline($0) }
      switch instruction.operation {
      case .print(let format, let operands):
        let (operands, reads) = readMemory(format, operands, instruction.location)
        outlined += reads
        outlined.append(send(operands, instruction.location) { .print(format, $0) })
      case .format(let result, let format, let operands) where format.readsMemory:
        let (operands, reads) = readMemory(format, operands, instruction.location)
        outlined += reads
        instruction.operation = .format(result, format, operands)
        outlined.append(instruction)
      case .printHistogram(let shape, let global, let keys):
        outlined += sendBuckets(shape, global, keys, instruction.location)
      default: outlined.append(instruction)
      }
    }
    return Block(outlined)
  }

  /// Makes a record whose handler does `show` with these operands; gives what sends it.
  private mutating func send(
    _ operands: [Operand],
    _ location: Int?,
    _ show: ([Operand]) -> Operation
  ) -> Instruction {
    var handler = HandlerBuilder(body, needs)
    let shown = operands.map { handler.gather($0) }
    handler.add(show(shown), location)
    records.append(RecordLayout(fields: handler.fieldTypes, handler: handler.finished))
    let record = RecordID(firstRecord + records.count - 1)
    return Instruction(.emit(record, handler.captured.map { .value($0) }), at: location)
  }

  /// The buckets go as strings, as they are now: the handler runs when others may have been added to.
  private mutating func sendBuckets(
    _ shape: HistogramShape,
    _ global: GlobalID,
    _ keys: [Operand?],
    _ location: Int?
  ) -> [Instruction] {
    guard bucketsPerString > 0 else { return [sendKeys(shape, global, keys, location)] }
    var result: [Instruction] = []
    var packed: [Operand] = []
    for first in stride(from: 0, to: shape.bucketCount, by: bucketsPerString) {
      let value = body.makeValue(.string)
      let count = min(bucketsPerString, shape.bucketCount - first)
      let pack = Operation.packHistogram(value, shape, global, keys, first: first, count: count)
      result.append(Instruction(pack, at: location))
      packed.append(.value(value))
    }
    return result + [send(packed, location) { .printBuckets(shape, $0) }]
  }

  /// Lets the handler read the buckets: no string could carry one.
  private mutating func sendKeys(
    _ shape: HistogramShape,
    _ global: GlobalID,
    _ keys: [Operand?],
    _ location: Int?
  ) -> Instruction {
    send(keys.compactMap { $0 }, location) { captured in
      var rest = captured[...]
      return .printHistogram(shape, global, keys.map { key in key.flatMap { _ in rest.popFirst() } })
    }
  }

  /// `%m` is given the bytes instead of their address: the handler cannot read memory.
  private mutating func readMemory(
    _ format: FormatString,
    _ operands: [Operand],
    _ location: Int?
  ) -> (operands: [Operand], reads: [Instruction]) {
    guard format.readsMemory else { return (operands, []) }
    var operands = operands
    var reads: [Instruction] = []
    var position = 0
    for case .directive(let directive) in format.pieces {
      let last = position + directive.operandCount - 1
      defer { position = last + 1 }
      guard directive.conversion.readsMemory, operands.indices.contains(last) else { continue }
      let count: Operand =
        switch directive.precision {
        case .none: .long(1)
        case .fixed(let count): .long(Int64(count))
        case .dynamic: operands[last - 1]
        }
      let bytes = body.makeValue(.string)
      let read: Intrinsic = directive.flag == "#" ? .userBytes : .kernelBytes
      reads.append(Instruction(.intrinsic(bytes, read, [operands[last], count]), at: location))
      operands[last] = .value(bytes)
    }
    return (operands, reads)
  }
}

extension Block {
  /// Whether some of it is for the user side.
  fileprivate var prints: Bool {
    instructions.contains { instruction in
      switch instruction.operation {
      case .print, .printHistogram: return true
      case .format(_, let format, _): return format.readsMemory
      default:
        var found = false
        instruction.operation.forEachBlock { if !found, $0.prints { found = true } }
        return found
      }
    }
  }
}
