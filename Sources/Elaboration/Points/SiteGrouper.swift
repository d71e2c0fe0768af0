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
    /// Where ``entry`` is.
    fileprivate var entryPlaces: Set<EntryPlace> = []
  }

  fileprivate struct EntryPlace: Hashable {
    let path: String
    let offset: FileOffset
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

  private var former: SiteFormer
  private(set) var groups: [Group] = []
  private var indexes: [SiteForm.Key: Int] = [:]
  /// Sites that wait to be filed, or were filed and may have to be filed anew.
  private var landed: [LandedSite] = []

  /// - Parameter separatesPrograms: whether the body walks on from values by the types of one program.
  init(_ questions: SiteQuestions, separatesPrograms: Bool) {
    former = SiteFormer(questions: questions, separatesPrograms: separatesPrograms)
  }

  private var queries: [TargetQuery] { former.questions.queries }

  /// How many sites are asked in a row by one thread.
  private static let grain = 64

  /// Asks all questions at each site and files it with its like.
  mutating func add(_ candidates: [ProbeCandidate], scriptPoint: String) {
    let asked = SideBySide.map(candidates, grain: Self.grain) { [former] in former.questions.ask($0) }
    for (candidate, answers) in asked { add(candidate, answers, scriptPoint) }
    fileWaiting()
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
      description.formats = answers.formats
      let trigger = ElaboratedTrigger.tracepoint(
        hook,
        argumentCount: argumentCount,
        description: description,
        in: filter
      )
      addSingle(trigger, candidate, answers)
    case .instruction(var site, let processes):
      site.description.scriptPoint = scriptPoint
      add(LandedSite(.instruction, site, processes, candidate, answers))
    case .functionReturn(var site, let processes):
      site.description.scriptPoint = scriptPoint
      add(LandedSite(.functionReturn, site, processes, candidate, answers))
    case .data(var site, let processes):
      site.description.scriptPoint = scriptPoint
      add(LandedSite(.data, site, processes, candidate, answers))
    }
  }

  /// When the plans of texts make more groups than this, texts share captures.
  private static let mostExactGroups = 16

  /// Files a site at once as long as all plans are exact, later with others.
  private mutating func add(_ site: LandedSite) {
    landed.append(site)
    guard !former.sharesCaptures else { return }
    file(former.form(site))
    guard indexes.count > Self.mostExactGroups else { return }
    former.sharesCaptures = true
    groups.removeAll { $0.single == nil }
    indexes = [:]
  }

  /// Files the sites that wait for it.
  private mutating func fileWaiting() {
    guard former.sharesCaptures else { return }
    for form in SideBySide.map(landed, grain: Self.grain, { [former] in former.form($0) }) { file(form) }
    landed = []
  }

  private mutating func file(_ form: SiteForm) {
    if let index = indexes[form.key] {
      groups[index].sites.append(form.site)
      groups[index].addEntry(form.entry)
      return
    }
    indexes[form.key] = groups.count
    let landed = form.landed
    var group = group(landed.kind, [form.site], landed.processes, landed.scope, form.answers)
    group.condition = landed.condition
    group.addEntry(form.entry)
    groups.append(group)
  }

  private mutating func addSingle(
    _ trigger: ElaboratedTrigger,
    _ candidate: ProbeCandidate,
    _ answers: [TargetAnswer]
  ) {
    fileWaiting()
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
      separatesPrograms: former.separatesPrograms,
      arguments: former.argumentPlaces(scope)
    )
  }
}

extension SiteGrouper.Group {
  /// Adds the entry of one more site's function.
  fileprivate mutating func addEntry(_ other: EntryPoint?) {
    guard var other else { return }
    other.sites.removeAll {
      !entryPlaces.insert(SiteGrouper.EntryPlace(path: $0.path, offset: $0.fileOffset)).inserted
    }
    if entry == nil { entry = other } else { entry?.sites += other.sites }
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
