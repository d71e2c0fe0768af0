import MachineCode
import Platform
import StapSyntax
import TargetModel

/// Puts sites together whose answers to all questions are the same plans.
///
/// Thousands of functions end as a handful of groups: what differs between them, such as the names in `$$parms`,
/// is text of the site and not code.
struct SiteGrouper {
  /// Sites that share a program.
  struct Group {
    var kind: Kind
    var sites: [ProbeSite]
    var processes: ProcessScope
    var scope: any TargetScope
    var answers: [TargetQuery: TargetAnswer]
    var slots: [TargetQuery: Int]
    /// Set for what has no site to share.
    var single: ElaboratedTrigger?
    /// What must hold at a hit for it to be one.
    var condition: ElaboratedExpression?
    /// The body walks on from values by the types of one program.
    var separatesPrograms: Bool
    var arguments: ArgumentPlaces
    /// Where registers are kept that its answers read as they were at the entry.
    var entry: EntryPoint?
  }

  /// How a group is triggered.
  enum Kind: Hashable {
    case instruction
    case functionReturn
    case data
    /// Never shared.
    case single(Int)
  }

  /// Where the body's `long_arg(n)` are.
  struct ArgumentPlaces: Hashable {
    let abi: CallingABI
    /// Nil when it reads none there.
    let stack: LocationPlan?
  }

  private struct Key: Hashable {
    let kind: Kind
    let processes: ProcessScope
    let path: String
    /// In its text form.
    let condition: String?
    let meanings: [TargetMeaning]
    let arguments: ArgumentPlaces
    /// Where the stack pointer of the entry is told, when something is kept from there.
    let entryStackPointer: FrameOffset?
  }

  private let questions: SiteQuestions
  private let separatesPrograms: Bool
  private(set) var groups: [Group] = []
  private var indexes: [Key: Int] = [:]
  /// Everything that was filed, as long as it may have to be filed anew.
  private var landed: [Landed] = []
  private var sharesCaptures = false

  /// One site and its answers.
  private struct Landed {
    let kind: Kind
    let site: ProbeSite
    let processes: ProcessScope
    let scope: any TargetScope
    let condition: ElaboratedExpression?
    let answers: [TargetAnswer]

    init(
      _ kind: Kind,
      _ site: ProbeSite,
      _ processes: ProcessScope,
      _ candidate: ProbeCandidate,
      _ answers: [TargetAnswer]
    ) {
      self.kind = kind
      self.site = site
      self.processes = processes
      scope = candidate.scope
      condition = candidate.condition
      self.answers = answers
    }
  }

  /// - Parameter separatesPrograms: whether the body walks on from values by the types of one program.
  init(_ questions: SiteQuestions, separatesPrograms: Bool) {
    self.questions = questions
    self.separatesPrograms = separatesPrograms
  }

  private var queries: [TargetQuery] { questions.queries }
  private var registers: RegisterFile { questions.registers }

  /// How many sites are asked in a row by one thread.
  private static let grain = 64

  /// Asks all questions at each site and files it with its like.
  mutating func add(_ candidates: [ProbeCandidate], scriptPoint: String) {
    let asked = SideBySide.map(candidates, grain: Self.grain) { [questions] in questions.ask($0) }
    for (candidate, answers) in asked { add(candidate, answers, scriptPoint) }
  }

  private mutating func add(_ candidate: ProbeCandidate, _ answers: [TargetAnswer], _ scriptPoint: String) {
    switch candidate.trigger {
    case .session(.running(let filter, var description)):
      description.scriptPoint = scriptPoint
      addSingle(.running(filter, description: description), candidate, answers)
    case .session(.sample(let sampling, var description, let filter)):
      description.scriptPoint = scriptPoint
      addSingle(.sample(sampling, description: description, in: filter), candidate, answers)
    case .session(let trigger): addSingle(trigger, candidate, answers)
    case .tracepoint(let hook, let argumentCount, var description, let filter):
      description.scriptPoint = scriptPoint
      description.formats = Self.formats(answers)
      let trigger = ElaboratedTrigger.tracepoint(
        hook,
        argumentCount: argumentCount,
        description: description,
        in: filter
      )
      addSingle(trigger, candidate, answers)
    case .instruction(var site, let processes):
      site.description.scriptPoint = scriptPoint
      add(Landed(.instruction, site, processes, candidate, answers))
    case .functionReturn(var site, let processes):
      site.description.scriptPoint = scriptPoint
      add(Landed(.functionReturn, site, processes, candidate, answers))
    case .data(var site, let processes):
      site.description.scriptPoint = scriptPoint
      add(Landed(.data, site, processes, candidate, answers))
    }
  }

  private static func formats(_ answers: [TargetAnswer]) -> [SiteFormat] {
    answers.compactMap { answer in
      guard case .text = answer.meaning else { return nil }
      return answer.format
    }
  }

  /// When the plans of texts make more groups than this, texts share captures.
  private static let mostExactGroups = 16

  private mutating func add(_ landed: Landed) {
    if !sharesCaptures { self.landed.append(landed) }
    file(landed)
    guard !sharesCaptures, indexes.count > Self.mostExactGroups else { return }
    sharesCaptures = true
    groups.removeAll { $0.single == nil }
    indexes = [:]
    for landed in self.landed { file(landed) }
    self.landed = []
  }

  private mutating func file(_ landed: Landed) {
    var site = landed.site
    let entry = entryPoint(for: landed)
    var answers = entry == nil ? landed.answers.map(\.withoutEntry) : landed.answers
    if sharesCaptures {
      answers = answers.map { SharedCaptures.shared($0, registers, &site.description.loads) }
    }
    site.description.formats = Self.formats(answers)
    let path = separatesPrograms ? site.path : ""
    let key = Key(
      kind: landed.kind,
      processes: landed.processes,
      path: path,
      condition: landed.condition?.text,
      meanings: answers.map(\.meaning),
      arguments: argumentPlaces(landed.scope),
      entryStackPointer: entry?.stackPointer
    )
    if let index = indexes[key] {
      groups[index].sites.append(site)
      groups[index].addEntry(entry)
      return
    }
    indexes[key] = groups.count
    var group = group(landed.kind, [site], landed.processes, landed.scope, answers)
    group.condition = landed.condition
    group.entry = entry
    groups.append(group)
  }

  /// Where registers are kept for the answers that read them as they were at the entry; nil: they are not.
  private func entryPoint(for landed: Landed) -> EntryPoint? {
    let kept = landed.answers.reduce(into: Set<Int>()) { $0.formUnion($1.entryRegisters) }
    // A program for each kind of frame would be dozens.
    guard !kept.isEmpty, !sharesCaptures || landed.answers.contains(where: \.isKeptNumber) else { return nil }
    var entry = landed.scope.entryPoint(keeping: X86Registers(dwarf: kept))
    entry?.isOptional = landed.answers.allSatisfy(\.toleratesMissingEntry)
    return entry
  }

  private func argumentPlaces(_ scope: any TargetScope) -> ArgumentPlaces {
    let inRegisters = scope.abi == .x86_64 ? registers.arguments.count : 0
    let isOnStack = questions.lastArgument > inRegisters
    return ArgumentPlaces(abi: scope.abi, stack: isOnStack ? scope.stackArguments : nil)
  }

  private mutating func addSingle(
    _ trigger: ElaboratedTrigger,
    _ candidate: ProbeCandidate,
    _ answers: [TargetAnswer]
  ) {
    var group = group(.single(groups.count), [], .target, candidate.scope, answers, trigger)
    group.condition = candidate.condition
    groups.append(group)
  }

  private func group(
    _ kind: Kind,
    _ sites: [ProbeSite],
    _ processes: ProcessScope,
    _ scope: any TargetScope,
    _ answers: [TargetAnswer],
    _ trigger: ElaboratedTrigger? = nil
  ) -> Group {
    var slots: [TargetQuery: Int] = [:]
    for (query, answer) in zip(queries, answers) {
      if case .text = answer.meaning { slots[query] = slots.count }
    }
    let known = Dictionary(zip(queries, answers)) { first, _ in first }
    return Group(
      kind: kind,
      sites: sites,
      processes: processes,
      scope: scope,
      answers: known,
      slots: slots,
      single: trigger,
      separatesPrograms: separatesPrograms,
      arguments: argumentPlaces(scope)
    )
  }
}

extension SiteGrouper.Group {
  /// Adds the entry of one more site's function.
  fileprivate mutating func addEntry(_ other: EntryPoint?) {
    for site in other?.sites ?? [] where entry?.sites.contains(where: { $0.isSamePlace(as: site) }) == false {
      entry?.sites.append(site)
    }
  }

  /// What makes the group's probe run.
  var trigger: ElaboratedTrigger {
    switch kind {
    case .instruction: .userInstruction(sites, processes)
    case .functionReturn: .userReturn(sites, processes)
    case .data: .userData(sites, processes)
    case .single: single ?? .never
    }
  }

  func context(id: Int) -> ProbeContext {
    var isInKernel = false
    if case .tracepoint = single { isInKernel = true }
    var hasEntry = kind == .functionReturn
    // The return of a system call, whose entry is another tracepoint.
    if case .tracepoint("sys_exit", _, _, _) = single { hasEntry = true }
    return ProbeContext(
      id: id,
      scope: scope,
      isReturn: kind == .functionReturn,
      hasEntry: hasEntry,
      isInKernel: isInKernel,
      condition: condition,
      siteCount: max(1, sites.count),
      answers: answers,
      slots: slots
    )
  }
}

extension ProbeSite {
  fileprivate func isSamePlace(as other: ProbeSite) -> Bool {
    fileOffset == other.fileOffset && path == other.path
  }
}
