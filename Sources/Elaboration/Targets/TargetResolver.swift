import TargetModel

/// What a question means at one site.
///
/// Equal meanings can share a program.
enum TargetMeaning: Hashable, Sendable {
  case value(LocationPlan, isEntry: Bool)
  /// A format of the site with these values.
  case text([TargetCapture])
  case siteText(SiteText)
  /// The ID of the reason only: sites that lack a variable for different reasons still lack it.
  case unavailable(String)
}

/// The whole answer to a question.
struct TargetAnswer: Sendable {
  var meaning: TargetMeaning
  /// What is printed in the place of ``TargetMeaning/text(_:)``.
  var format: SiteFormat?
  /// The type of the value, when it has one that a script may walk on with.
  var type: TargetType?
  var problem: TargetProblem?

  /// Whether what it finds depends on what is in memory.
  var readsMemory: Bool {
    switch meaning {
    case .value(let plan, _): plan.loadsMemory
    case .text(let captures): captures.contains { $0.kind != .number || $0.plan.loadsMemory }
    case .siteText, .unavailable: false
    }
  }

  /// The registers that it reads, by DWARF number; `atEntry`: those that a return probe reads at the entry only.
  func registers(atEntry: Bool) -> Set<Int> {
    switch meaning {
    case .value(let plan, let isEntry): atEntry && !isEntry ? [] : plan.registers
    case .text(let captures):
      captures.reduce(into: []) { result, capture in
        if !atEntry || capture.isEntry { capture.plans.forEach { result.formUnion($0.registers) } }
      }
    case .siteText, .unavailable: []
    }
  }

  /// The registers that it reads as they were at the function's entry, by DWARF number.
  var entryRegisters: Set<Int> {
    switch meaning {
    case .value(let plan, _): plan.entryRegisters
    case .text(let captures):
      captures.flatMap(\.plans).reduce(into: []) { $0.formUnion($1.entryRegisters) }
    case .siteText, .unavailable: []
    }
  }

  /// Whether it is a number that is told by the function's entry.
  var isKeptNumber: Bool {
    if case .value(let plan, _) = meaning { plan.readsEntry } else { false }
  }

  /// Whether the rest of the answer can be had where nothing was kept from the entry.
  var toleratesMissingEntry: Bool {
    switch meaning {
    case .value(let plan, _): !plan.readsEntry
    case .text(let captures):
      captures.allSatisfy { $0.kind != .number || !$0.plan.readsEntry || !$0.plan.loadsMemory }
    case .siteText, .unavailable: true
    }
  }

  /// A text with `?` for everything that is told by the function's entry.
  var withoutEntry: TargetAnswer {
    guard case .text(let captures) = meaning, var format else { return self }
    let stays = captures.map { $0.kind != .isKept && !$0.plans.contains { $0.readsEntry } }
    guard stays.contains(false) else { return self }
    format.pieces = format.pieces.map { piece in
      if case .chosen(let index, _, _) = piece, !stays[index] { .text("?") } else { piece }
    }
    var count = 0
    format.renumber(
      stays.map { isKept in
        defer { if isKept { count += 1 } }
        return count
      }
    )
    var result = self
    result.meaning = .text(zip(captures, stays).filter(\.1).map(\.0))
    result.format = format
    return result
  }

  init(_ meaning: TargetMeaning, format: SiteFormat? = nil, type: TargetType? = nil) {
    self.meaning = meaning
    self.format = format
    self.type = type
  }

  init(_ pretty: TargetPretty) {
    self.init(.text(pretty.captures), format: pretty.format)
  }

  init(_ problem: TargetProblem) {
    meaning = .unavailable(problem.id)
    self.problem = problem
  }
}

extension TargetScope {
  /// Answers `query`; `start` is the object that the query's root means, where the caller knows it better.
  func answer(_ query: TargetQuery, from start: TargetObject? = nil) -> TargetAnswer {
    do throws(TargetProblem) {
      if case .variable(let name) = query.root {
        if let text = text(name), query.steps.isEmpty { return TargetAnswer(.siteText(text)) }
        if name.hasPrefix("$$") { return try answer(listing: name, query) }
      }
      if let start { return try answer(start, query) }
      return try answer(root(of: query), query)
    } catch {
      return TargetAnswer(error)
    }
  }

  private func answer(_ start: TargetObject, _ query: TargetQuery) throws(TargetProblem) -> TargetAnswer {
    var walk = TargetWalk(start, name: query.rootText, isPointed: query.root.isPointed)
    for step in query.steps { try walk.take(step) }
    if query.takesAddress {
      return TargetAnswer(.value(try walk.address(), isEntry: start.isEntry), type: addressType(walk, start))
    }
    if query.pretty != .none {
      var object = try walk.object()
      object.isEntry = start.isEntry
      var pretty = TargetPretty()
      pretty.addShown(object.followingPointer(), query.pretty)
      return TargetAnswer(pretty)
    }
    let plan = try walk.value()
    let type = walk.type.map { TargetType(source: start.source, type: $0, memory: start.memory) }
    return TargetAnswer(.value(plan, isEntry: start.isEntry), type: type)
  }

  private func answer(listing name: String, _ query: TargetQuery) throws(TargetProblem) -> TargetAnswer {
    guard let listing = TargetListing(rawValue: name), let list = self.listing(listing) else {
      throw TargetProblem(id: "no-such-variable", message: "'\(name)' means nothing here")
    }
    var pretty = TargetPretty()
    pretty.add(list, query.pretty)
    return TargetAnswer(pretty)
  }

  private func root(of query: TargetQuery) throws(TargetProblem) -> TargetObject {
    switch query.root {
    case .variable(let name):
      return try variable(String(name.dropFirst()), isEntry: query.isEntry).get()
    case .global(let specification, let module):
      let parts = specification.split(separator: "@", maxSplits: 1)
      let name = parts.first.map(String.init) ?? ""
      return try global(named: name, unit: parts.count > 1 ? String(parts[1]) : nil, module: module).get()
    case .cast(let name, let module): return try castObject(name, module)
    case .enumerator(let name, let module): return try enumerationObject(name, module)
    case .value:
      throw TargetProblem(
        id: "no-members",
        message: "nothing is known about what this value points to; use @cast"
      )
    }
  }

  /// `@cast(address, "type")`: an object of that type at the address, or, for a pointer type, the pointer itself.
  private func castObject(_ name: String, _ module: String?) throws(TargetProblem) -> TargetObject {
    let sources = typeSources(module: module)
    let (plain, stars) = name.splittingStars
    for (source, memory) in sources {
      guard let type = source.type(named: plain) else { continue }
      var location = ValueLocation.memory(memory, address: .input(0))
      for _ in 0..<max(0, stars - 1) {
        guard let address = location.read(byteCount: 8, isSigned: false) else { break }
        location = .memory(memory, address: address)
      }
      return TargetObject(location: location, type: type, source: source, memory: memory)
    }
    let place = module.map { " in \($0)" } ?? ""
    throw noSuchType("type '\(name)'\(place)", in: sources.map(\.source))
  }

  /// `@enumname(value, "type")`: the value as one of that enumeration.
  private func enumerationObject(_ name: String, _ module: String?) throws(TargetProblem) -> TargetObject {
    for (source, memory) in typeSources(module: module) {
      for spelling in [name, "enum " + name] {
        guard let type = source.type(named: spelling), case .enumeration = source.layout(of: type) else {
          continue
        }
        return TargetObject(location: .value(.input(0)), type: type, source: source, memory: memory)
      }
    }
    let place = module.map { " in \($0)" } ?? ""
    throw noSuchType("enumeration '\(name)'\(place)", in: typeSources(module: module).map(\.source))
  }

  private func noSuchType(_ what: String, in sources: [any TypeSource]) -> TargetProblem {
    let reasons = sources.compactMap { $0 as? MissingTypes }.flatMap(\.reasons)
    return TargetProblem(id: "no-such-type", message: "no \(what)", notes: reasons)
  }

  private func addressType(_ walk: TargetWalk, _ start: TargetObject) -> TargetType? {
    walk.type.map { TargetType(source: start.source, type: $0, memory: start.memory) }
  }
}

extension TargetObject {
  /// `$p$` of a pointer to a structure shows the structure.
  fileprivate func followingPointer() -> TargetObject {
    guard let type, case .pointer(let byteCount, let target?, _) = source.layout(of: type),
      case .structure = source.layout(of: target),
      let object = pointee(target, pointerByteCount: byteCount)
    else { return self }
    return object
  }
}

extension String {
  /// `struct x **` is `struct x` with two stars.
  fileprivate var splittingStars: (plain: String, stars: Int) {
    var rest = self[...]
    var stars = 0
    while let last = rest.last, last == "*" || last == " " {
      if last == "*" { stars += 1 }
      rest.removeLast()
    }
    return (String(rest), stars)
  }
}
