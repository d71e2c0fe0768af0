import TargetModel

/// Finds out how long the strings can get that are keys of arrays, so that keys take no more room than that: hashing
/// and comparing MAXSTRINGLEN bytes costs more than all the rest of a hit.
///
///     global @n: array[string] of long          ⇒     global @n: array[string(15)] of long
///     %0 = context execname                           %0 = context execname
///     add @n[%0], 1                                   add @n[%0], 1
package let boundKeys = Pass("bound-keys") { program in
  guard program.globals.contains(where: { $0.keyTypes.contains(.string) }) else { return program }
  var bounds = StringBounds(program)
  bounds.settle()
  var program = program
  for index in program.globals.indices {
    let global = program.globals[index]
    let found = global.keyTypes.indices.map { column in
      global.keyTypes[column] == .string ? bounds[.key(GlobalID(index), column)] : 0
    }
    let isShorter = zip(global.keyTypes, found).contains { $0 == .string && $1 < bounds.capacity }
    program.globals[index].keyBounds = isShorter ? found : []
  }
  return program
}

/// The longest strings that each place of a program can hold: the least solution, so that keys that a `foreach` takes
/// out of an array and uses on it again do not lengthen it.
private struct StringBounds {
  /// Where strings are kept, apart from the values and locals of bodies.
  enum Place: Hashable {
    /// A scalar, or the elements of an array.
    case global(GlobalID)
    case key(GlobalID, Int)
    case slot(probe: Int, Int)
    case result(FunctionID)
  }

  /// A body of the program.
  struct Code {
    enum Role {
      case function(Int)
      case probe(Int)
      case entry(probe: Int)
      case arming, record
    }

    let role: Role
    let body: Body
    /// Where its values, and behind them its locals, begin in ``StringBounds/inBodies``.
    let base: Int

    init(_ role: Role, _ body: Body, _ count: inout Int) {
      self.role = role
      self.body = body
      base = count
      count += body.values.count + body.locals.count
    }

    func place(_ value: ValueID) -> Int { base + value.index }

    func place(_ local: LocalID) -> Int { base + body.values.count + local.index }
  }

  let program: TraceProgram
  /// The longest string there is.
  let capacity: Int
  /// Functions first, so that their numbers are their places; handlers of records last, from here on.
  private let codes: [Code]
  private let firstRecord: Int
  private var inBodies: [Int]
  private var known: [Place: Int] = [:]
  private var hasChanged = false
  private var round = 0
  private let siteTexts: [SiteText: Int]

  /// Strings that grow in a loop would take as many rounds as they have bytes.
  private static let mostRounds = 8

  init(_ program: TraceProgram) {
    self.program = program
    capacity = StringField(program.limits).capacity
    siteTexts = Self.siteTexts(program)
    var count = 0
    var codes: [Code] = []
    for (index, function) in program.functions.enumerated() {
      codes.append(Code(.function(index), function.body, &count))
    }
    for (index, probe) in program.probes.enumerated() {
      if let entry = probe.entryBody { codes.append(Code(.entry(probe: index), entry, &count)) }
      codes.append(Code(.probe(index), probe.body, &count))
      if let arming = probe.arming { codes.append(Code(.arming, arming, &count)) }
    }
    firstRecord = codes.count
    for record in program.records { codes.append(Code(.record, record.handler, &count)) }
    self.codes = codes
    inBodies = [Int](repeating: 0, count: count)
    for (index, global) in program.globals.enumerated() {
      known[.global(GlobalID(index))] = global.initialString.utf8.count
    }
  }

  subscript(_ place: Place) -> Int { min(known[place] ?? 0, capacity) }

  /// Goes over the program until nothing changes.
  mutating func settle() {
    repeat {
      hasChanged = false
      round += 1
      for code in codes { visit(code.body.block, code) }
    } while hasChanged
  }

  private mutating func raise(_ place: Place, to bound: Int) {
    guard bound > self[place] else { return }
    known[place] = round > Self.mostRounds ? capacity : bound
    hasChanged = true
  }

  /// The same for a value or a local.
  private mutating func raise(_ place: Int, to bound: Int) {
    guard bound > inBodies[place] else { return }
    inBodies[place] = round > Self.mostRounds ? capacity : min(bound, capacity)
    hasChanged = true
  }

  private func bound(_ operand: Operand, _ code: Code) -> Int {
    switch operand {
    case .long: 0
    case .string(let text): min(text.utf8.count, capacity)
    case .value(let value): inBodies[code.place(value)]
    }
  }

  // MARK: Code

  private mutating func visit(_ block: Block, _ code: Code) {
    for instruction in block.instructions {
      visit(instruction.operation, code)
      instruction.operation.forEachBlock { visit($0, code) }
    }
  }

  private mutating func visit(_ operation: Operation, _ code: Code) {
    if let value = operation.definedValue, code.body.values[value.index] == .string {
      raise(code.place(value), to: result(of: operation, code))
    }
    switch operation {
    case .storeLocal(let local, let operand): raise(code.place(local), to: bound(operand, code))
    case .storeGlobal(let global, let operand): raise(.global(global), to: bound(operand, code))
    case .storeElement(let global, let keys, let operand):
      raise(global, keys, code)
      raise(.global(global), to: bound(operand, code))
    case .loadElement(_, let global, let keys), .addElement(_, let global, let keys, _),
      .aggregate(let global, let keys, _):
      raise(global, keys, code)
    // A key that is only looked for must fit too: cut, it could be found.
    case .contains(_, let global, let keys), .delete(let global, let keys),
      .extract(_, _, let global, let keys),
      .histogramBucket(_, _, let global, let keys, _), .printHistogram(_, let global, let keys),
      .packHistogram(_, _, let global, let keys, _, _):
      raise(global, keys, code)
    case .foreach(let walk): raise(walk, code)
    case .tryCatch(_, let message, _): if let message { raise(code.place(message), to: capacity) }
    case .call(_, let function, let operands):
      for overload in program.overloads(from: function) { raise(codes[overload.index], operands, code) }
    case .emit(let record, let operands): raise(codes[firstRecord + record.index], operands, code)
    case .return(let operand?):
      if case .function(let index) = code.role { raise(.result(FunctionID(index)), to: bound(operand, code)) }
    case .storeEntry(let slot, let operand):
      if case .entry(let probe) = code.role { raise(.slot(probe: probe, slot), to: bound(operand, code)) }
    default: break
    }
  }

  private mutating func raise(_ global: GlobalID, _ keys: [Operand?], _ code: Code) {
    for (column, key) in keys.enumerated() {
      if let key { raise(.key(global, column), to: bound(key, code)) }
    }
  }

  /// What is handed to a function or a record's handler comes in its first locals.
  private mutating func raise(_ callee: Code, _ operands: [Operand], _ code: Code) {
    for (index, operand) in operands.enumerated() {
      raise(callee.place(LocalID(index)), to: bound(operand, code))
    }
  }

  private mutating func raise(_ walk: ForeachOperation, _ code: Code) {
    raise(walk.global, walk.slice, code)
    guard walk.histogram == nil else { return }
    for (column, local) in walk.keys.enumerated() {
      raise(code.place(local), to: self[.key(walk.global, column)])
    }
    if let value = walk.value { raise(code.place(value), to: self[.global(walk.global)]) }
  }

  // MARK: Results

  private func result(of operation: Operation, _ code: Code) -> Int {
    switch operation {
    case .concatenate(_, let operands): operands.reduce(0) { min(capacity, $0 + bound($1, code)) }
    case .loadLocal(_, let local): inBodies[code.place(local)]
    case .loadGlobal(_, let global), .loadElement(_, let global, _): self[.global(global)]
    case .loadEntry(_, let slot):
      if case .probe(let probe) = code.role { self[.slot(probe: probe, slot)] } else { capacity }
    case .call(_, let function, _): program.overloads(from: function).map { self[.result($0)] }.max() ?? 0
    case .context(_, let field, _): bound(of: field)
    case .intrinsic(_, let intrinsic, let operands): bound(of: intrinsic, operands, code)
    case .format, .formatSite: capacity
    case .packHistogram(_, _, _, _, _, let count): min(capacity, 8 * count)
    default: 0
    }
  }

  private func bound(of field: ContextField) -> Int {
    switch field {
    case .execname, .pexecname: 15
    case .site(let text): siteTexts[text] ?? capacity
    default: 0
    }
  }

  private func bound(of intrinsic: Intrinsic, _ operands: [Operand], _ code: Code) -> Int {
    func limit(_ index: Int) -> Int {
      guard operands.indices.contains(index), case .long(let count) = operands[index] else { return capacity }
      return Int(clamping: max(0, count))
    }
    switch intrinsic {
    case .substr: return min(bound(operands[0], code), limit(2))
    case .userString, .kernelString, .userBytes, .kernelBytes: return limit(1)
    case .userStringOr, .kernelStringOr: return max(limit(1), bound(operands[2], code))
    default: return capacity
    }
  }

  /// The longest answers about a site, of all probes: functions are called from any.
  private static func siteTexts(_ program: TraceProgram) -> [SiteText: Int] {
    var longest: [SiteText: Int] = [:]
    func raise(_ text: SiteText, _ answer: String) {
      longest[text] = max(longest[text] ?? 0, answer.utf8.count)
    }
    for probe in program.probes {
      // Probes of the user side answer with their name; their types are short words.
      raise(.probePoint, probe.name)
      raise(.scriptPoint, probe.name)
      raise(.probeType, "sixteen letters.")
      for description in probe.trigger.descriptions {
        raise(.probePoint, description.probePoint)
        raise(.scriptPoint, description.scriptPoint)
        raise(.function, description.function)
        raise(.name, description.name)
        raise(.provider, description.provider)
        raise(.probeType, description.probeType)
        raise(.sourceLine, description.sourceLine)
      }
    }
    return longest
  }
}

extension Trigger {
  /// What is known of its sites.
  fileprivate var descriptions: [SiteDescription] {
    switch self {
    case .userSites(let sites, _, _): sites.map(\.description)
    case .tracepoint(_, _, let description, _), .running(_, let description),
      .sample(_, let description, _):
      [description]
    case .begin, .end, .error, .timer, .never, .event: []
    }
  }
}
