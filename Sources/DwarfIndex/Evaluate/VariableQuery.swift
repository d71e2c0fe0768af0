import ELF
import TargetModel

extension ImageCore {
  /// Parameters, then the locals whose scope holds `address`; an inner variable hides an outer one.
  func variables(of function: FunctionMatch, at address: LinkAddress) -> [ScopedVariable] {
    guard let raw = function.die else { return [] }
    return session.read { reader in
      guard let die = reader.die(DIEReference(raw: raw)) else { return [] }
      var collector = VariableCollector(address: address.raw)
      collector.collect(die, depth: 0)
      return collector.variables
    }
  }

  /// Where `variable` is when the instruction at `address` is about to run.
  func location(
    of variable: ScopedVariable,
    in function: FunctionMatch,
    at address: LinkAddress
  ) -> VariableLocation {
    let index = function.isInlineInstance ? self.index : nil
    let definition = typeDefinitions
    return session.read { reader in
      guard let die = reader.die(DIEReference(raw: variable.die)) else {
        return .unavailable(reason: "its debug info cannot be read")
      }
      let frameOwner = frameOwner(of: function, index)
      let context = self.context(at: address, entry: frameOwner.entry)
      let owner = frameOwner.die.flatMap { reader.die(DIEReference(raw: $0)) }
      let place = place(of: die, in: owner, context, reader)
      guard context.isAtEntry, variable.isParameter, !function.isInlineInstance, let owner else {
        return place.answer
      }
      let types = TypeReader(reader: reader, definition: definition)
      return entryPlace(of: die, as: place, in: owner, function, types)
    }
  }

  /// Where DWARF puts a variable.
  private enum Place {
    case found(ValueLocation)
    case unavailable(String)
    /// It has places, but at other addresses.
    case elsewhere(String)
    /// Its place counts from a frame that does not exist yet.
    case inFutureFrame

    var answer: VariableLocation {
      switch self {
      case .found(let location): .found(location)
      case .unavailable(let reason), .elsewhere(let reason): .unavailable(reason: reason)
      case .inFutureFrame: .unavailable(reason: "the function has no frame base here")
      }
    }
  }

  private func place(
    of die: DIE,
    in owner: DIE?,
    _ context: LocationPlanner.Context,
    _ reader: DwarfReader,
    depth: Int = 0
  ) -> Place {
    var context = context
    context.callerValue = owner.map { owner in callerValue(owner, context, reader) }
    let plain = context
    context.pointee = { die in
      guard depth < 4,
        case .found(let target) = self.place(of: die, in: owner, plain, reader, depth: depth + 1)
      else {
        return nil
      }
      return target
    }
    switch Self.look(die, at: context.address) {
    case .constant(let location): return .found(location)
    case .unavailable(let reason): return .unavailable(reason)
    case .elsewhere(let reason): return .elsewhere(reason)
    case .expression(let operations):
      if operations.contains(where: \.needsFrame) {
        let frame = FrameRules(reader, function: owner, context: context)
        context.frameBase = frame.frameBase
        context.canonicalFrameAddress = frame.canonicalFrameAddress
        if context.isAtEntry, frame.frameBase == nil { return .inFutureFrame }
      }
      var planner = LocationPlanner(context)
      do throws(LocationPlanner.Failure) {
        return .found(try planner.plan(operations))
      } catch {
        return .unavailable(error.reason)
      }
    }
  }

  /// What tells of parameters that only the callers of `owner` know.
  private func callerValue(
    _ owner: DIE,
    _ context: LocationPlanner.Context,
    _ reader: DwarfReader
  ) -> (DIE) -> Result<LocationPlan, LocationPlanner.Failure> {
    { parameter in
      guard let calls = self.callTables.table(around: owner) else {
        return .failure(LocationPlanner.Failure("its debug info cannot be read"))
      }
      return CallerValues(reader, calls, of: owner, at: context).value(of: parameter)
    }
  }

  /// Where a parameter is at the function's entry, when DWARF tells only of later: a slot of the frame that is
  /// yet to be made, or parts that are yet to be taken from a register.
  private func entryPlace(
    of die: DIE,
    as place: Place,
    in owner: DIE,
    _ function: FunctionMatch,
    _ types: TypeReader
  ) -> VariableLocation {
    switch place {
    case .found(let location) where !location.isBelowCaller(abi): return place.answer
    case .unavailable: return place.answer
    case .elsewhere:
      // clang says nothing of a structure until it has been taken apart. A scalar without a place at the
      // entry was not passed, or is not the argument any more.
      guard let type = TypeReader.reference(die.reference(DwarfAttribute.type)),
        ABIClasses(types).isStructure(type)
      else { return place.answer }
    case .found, .inFutureFrame: break
    }
    if isOptimisedCopy(function.entry) {
      return .unavailable(reason: "what the callers of this optimised copy pass is not known")
    }
    let arguments = EntryArguments(owner, types, abi) { parameter in
      guard case .expression(let operations) = Self.look(parameter, at: function.entry.raw) else {
        return false
      }
      return operations.last?.code == DwarfOpcode.deref
    }
    guard let arguments else { return .unavailable(reason: "its calling convention is not known") }
    do throws(LocationPlanner.Failure) {
      return .found(try arguments.location(of: die))
    } catch {
      return .unavailable(reason: error.reason)
    }
  }

  /// gcc's copies of a function with other parameters.
  private func isOptimisedCopy(_ entry: LinkAddress) -> Bool {
    let symbols = binary.symbols.symbols(at: entry) + (info.main?.symbols.symbols(at: entry) ?? [])
    return symbols.contains { symbol in
      [".isra.", ".constprop.", ".part."].contains { symbol.name.contains($0) }
    }
  }

  /// The function with code of its own around an inlined instance, or the function itself.
  private func frameOwner(
    of function: FunctionMatch,
    _ index: IndexFile?
  ) -> (entry: LinkAddress?, die: UInt64?) {
    guard function.isInlineInstance else { return (function.entry, function.die) }
    guard let record = index?.function(containing: function.entry.raw) else { return (nil, nil) }
    return (LinkAddress(record.entry), record.die == 0 ? nil : record.die)
  }

  private enum Look {
    case constant(ValueLocation)
    case expression([DwarfOperation])
    case elsewhere(String)
    case unavailable(String)
  }

  /// What the DIE says about the place of its variable.
  private static func look(_ die: DIE, at address: UInt64) -> Look {
    switch die.location(DwarfAttribute.location, at: address) {
    case .expression(let operations) where !operations.isEmpty: return .expression(operations)
    case .expression: return .unavailable("optimised out here")
    case .unreadable: return .unavailable("its DWARF expression cannot be read")
    case .elsewhere(let ranges): return .elsewhere(describe(ranges, die.unit))
    case .missing: break
    }
    if let value = die.constant(DwarfAttribute.constValue) { return .constant(.value(.constant(value))) }
    if let bytes = die.block(DwarfAttribute.constValue), !bytes.isEmpty, bytes.count <= 1024 {
      return .constant(LocationPlanner.constant(bytes))
    }
    // gcc writes an array of characters as the string that it is.
    if let text = die.string(DwarfAttribute.constValue), text.utf8.count <= 1024 {
      return .constant(LocationPlanner.constant(Array(text.utf8) + [0]))
    }
    return .unavailable("optimised out")
  }

  /// “optimised out here; known at lines 12–19”.
  private static func describe(_ ranges: [Range<UInt64>], _ unit: DIE?) -> String {
    let lines = ranges.prefix(64).flatMap { range in
      [unit?.line(at: range.lowerBound), unit?.line(at: range.upperBound &- 1)].compactMap { $0 }
    }
    guard let first = lines.min(), let last = lines.max() else { return "optimised out here" }
    if first == last { return "optimised out here; known at line \(first)" }
    return "optimised out here; known at lines \(first)–\(last)"
  }

  /// Type and place of what a function returns.
  func returnValue(of function: FunctionMatch) -> (type: TypeReference?, location: ValueLocation?) {
    guard let raw = function.die else { return (nil, nil) }
    let definition = typeDefinitions
    return session.read { reader in
      let types = TypeReader(reader: reader, definition: definition)
      let die = reader.die(DIEReference(raw: raw))
      guard let type = TypeReader.reference(die?.reference(DwarfAttribute.type)) else {
        return die.flatMap { GoResult(types).first(of: $0) } ?? (nil, nil)
      }
      return (type, ReturnValue(types, abi).location(of: type))
    }
  }

  /// The global variable of that name; where several units have one, the first with a place.
  func global(named name: String, unit: String?) -> GlobalVariable? {
    guard let index else { return nil }
    let records = SiteQuery(index).variables(named: name, unit: unit)
    // The shortest path that ends in `unit` is the closest to what was asked; what belongs to no unit comes last.
    let sorted = records.sorted { left, right in
      if left.unitName == 0 || right.unitName == 0 { return right.unitName == 0 && left.unitName != 0 }
      return index.stringBytes(left.unitName).byteCount < index.stringBytes(right.unitName).byteCount
    }
    var fallback: GlobalVariable?
    for record in sorted {
      let variable = session.read { global(record, name: name, unit: index.string(record.unitName), $0) }
      guard let variable else { continue }
      guard case .unavailable = variable.place else {
        return variable
      }
      fallback = fallback ?? variable
    }
    return fallback
  }

  private func global(
    _ record: VariableRecord,
    name: String,
    unit: String,
    _ reader: DwarfReader
  ) -> GlobalVariable? {
    guard let die = reader.die(DIEReference(raw: record.die)) else { return nil }
    var variable = GlobalVariable(
      name: name,
      unit: unit,
      type: TypeReader.reference(die.reference(DwarfAttribute.type)),
      place: .unavailable(reason: "optimised out")
    )
    switch Self.look(die, at: 0) {
    case .constant(let location): variable.place = .constant(location)
    case .unavailable(let reason), .elsewhere(let reason): variable.place = .unavailable(reason: reason)
    case .expression(let operations):
      var context = self.context(at: LinkAddress(0), entry: nil)
      // The file's own addresses are wanted, not where they are at run time.
      context.isPositionIndependent = false
      var planner = LocationPlanner(context)
      do throws(LocationPlanner.Failure) {
        switch try planner.plan(operations) {
        case .memory(_, .constant(let address)):
          variable.place = .address(LinkAddress(UInt64(bitPattern: address)))
        case .memory:
          // Slots of the file are told from the instruction pointer, as if that were the file's address 0.
          context.isPositionIndependent = binary.header.isPositionIndependent
          var planner = LocationPlanner(context)
          guard case .memory(_, let plan) = try planner.plan(operations) else { break }
          variable.place = .threadLocal(plan)
        case .value, .pieces, .pointer: variable.place = .unavailable(reason: "it is not in memory")
        }
      } catch {
        variable.place = .unavailable(reason: error.reason)
      }
    }
    return variable
  }

  /// Finds what a declaration of a type stands for; a closure, so that it works inside of the session's lock.
  var typeDefinitions: (_ name: String, _ tag: UInt16) -> DIEReference? {
    let index = self.index
    return { name, tag in
      guard let index else { return nil }
      let tags =
        tag == DwarfTag.classType || tag == DwarfTag.structureType
        ? [DwarfTag.classType, DwarfTag.structureType] : [tag]
      return SiteQuery(index).types(named: name, tags: tags).first.map { DIEReference(raw: $0.die) }
    }
  }
}

/// Gathers the variables that one address can see.
private struct VariableCollector {
  let address: UInt64
  private(set) var variables: [ScopedVariable] = []

  init(address: UInt64) { self.address = address }

  mutating func collect(_ scope: DIE, depth: Int) {
    guard depth < 64 else { return }
    var inner: [DIE] = []
    for child in scope.children {
      switch child.tag {
      case DwarfTag.formalParameter: add(child, isParameter: depth == 0)
      case DwarfTag.variable: add(child, isParameter: false)
      case DwarfTag.lexicalBlock: inner.append(child)
      default: continue
      }
    }
    addStatics(of: scope)
    for block in inner where block.contains(address) { collect(block, depth: depth + 1) }
  }

  /// Static variables that a copy of a function has in common with the others: only their origin tells of them.
  private mutating func addStatics(of scope: DIE) {
    guard let origin = scope.reference(DwarfAttribute.abstractOrigin) else { return }
    let own = Set(scope.children.compactMap { $0.reference(DwarfAttribute.abstractOrigin)?.reference })
    for child in origin.children
    where child.tag == DwarfTag.variable && !own.contains(child.reference)
      && child.has(DwarfAttribute.location)
    {
      add(child, isParameter: false)
    }
  }

  private mutating func add(_ die: DIE, isParameter: Bool) {
    guard let name = die.name, !die.flag(DwarfAttribute.declaration) else { return }
    let variable = ScopedVariable(
      name: name,
      type: TypeReader.reference(die.reference(DwarfAttribute.type)),
      isParameter: isParameter,
      die: die.reference.raw
    )
    // Blocks come outermost first: what is already there is hidden. A parameter stays one.
    if let hidden = variables.firstIndex(where: { $0.name == name && !$0.isParameter }) {
      variables[hidden] = variable
    } else if let hidden = variables.firstIndex(where: { $0.name == name }), !isParameter {
      variables.remove(at: hidden)
      variables.append(variable)
    } else {
      variables.append(variable)
    }
  }
}

extension DwarfOperation {
  /// Whether it takes the CFA or the frame base.
  fileprivate var needsFrame: Bool {
    code == DwarfOpcode.fbreg || code == DwarfOpcode.callFrameCFA || nested.contains(where: \.needsFrame)
  }
}

extension ValueLocation {
  /// Whether it lies below what the caller has pushed, when the stack pointer is at the return address.
  fileprivate func isBelowCaller(_ abi: CallingABI) -> Bool {
    switch self {
    case .memory(_, let address): address.isBelowCaller(abi)
    case .value, .pieces, .pointer: false
    }
  }
}

extension LocationPlan {
  fileprivate func isBelowCaller(_ abi: CallingABI) -> Bool {
    switch self {
    case .register(RegisterFile.x86_64.stackPointer): true
    case .binary(.add, .register(RegisterFile.x86_64.stackPointer), .constant(let offset)):
      offset < abi.addressByteCount
    case .load(_, _, _, let address): address.isBelowCaller(abi)
    default: false
    }
  }
}
