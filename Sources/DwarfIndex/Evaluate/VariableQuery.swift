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
    return session.read { reader in
      guard let die = reader.die(DIEReference(raw: variable.die)) else {
        return .unavailable(reason: "its debug info cannot be read")
      }
      let frameOwner = frameOwner(of: function, index)
      var context = self.context(at: address, entry: frameOwner.entry)
      switch Self.look(die, at: address.raw) {
      case .constant(let location): return .found(location)
      case .unavailable(let reason): return .unavailable(reason: reason)
      case .expression(let operations):
        if operations.contains(where: \.needsFrame) {
          let owner = frameOwner.die.flatMap { reader.die(DIEReference(raw: $0)) }
          let frame = FrameRules(reader, function: owner, context: context)
          context.frameBase = frame.frameBase
          context.canonicalFrameAddress = frame.canonicalFrameAddress
        }
        var planner = LocationPlanner(context)
        do throws(LocationPlanner.Failure) {
          return .found(try planner.plan(operations))
        } catch {
          return .unavailable(reason: error.reason)
        }
      }
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
    case unavailable(String)
  }

  /// What the DIE says about the place of its variable.
  private static func look(_ die: DIE, at address: UInt64) -> Look {
    switch die.location(DwarfAttribute.location, at: address) {
    case .expression(let operations) where !operations.isEmpty: return .expression(operations)
    case .expression: return .unavailable("optimised out here")
    case .unreadable: return .unavailable("its DWARF expression cannot be read")
    case .elsewhere(let ranges): return .unavailable(describe(ranges, die.unit))
    case .missing: break
    }
    if let value = die.constant(DwarfAttribute.constValue) { return .constant(.value(.constant(value))) }
    if let bytes = die.block(DwarfAttribute.constValue), !bytes.isEmpty, bytes.count <= 1024 {
      return .constant(LocationPlanner.constant(bytes))
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
      return (type, ReturnValue(types).location(of: type))
    }
  }

  /// The global variable of that name; where several units have one, the first with a place.
  func global(named name: String, unit: String?) -> GlobalVariable? {
    guard let index else { return nil }
    let records = SiteQuery(index).variables(named: name, unit: unit)
    // The shortest path that ends in `unit` is the closest to what was asked.
    let sorted = records.sorted {
      index.stringBytes($0.unitName).byteCount < index.stringBytes($1.unitName).byteCount
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
    case .unavailable(let reason): variable.place = .unavailable(reason: reason)
    case .expression(let operations):
      var context = self.context(at: LinkAddress(0), entry: nil)
      // The file's own addresses are wanted, not where they are at run time.
      context.isPositionIndependent = false
      var planner = LocationPlanner(context)
      do throws(LocationPlanner.Failure) {
        switch try planner.plan(operations) {
        case .memory(_, .constant(let address)):
          variable.place = .address(LinkAddress(UInt64(bitPattern: address)))
        case .memory(_, let plan): variable.place = .threadLocal(plan)
        case .value, .pieces: variable.place = .unavailable(reason: "it is not in memory")
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
    for block in inner where block.contains(address) { collect(block, depth: depth + 1) }
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
