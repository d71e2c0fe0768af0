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
    var pid: Int32?
    var scope: any TargetScope
    var answers: [TargetQuery: TargetAnswer]
    var slots: [TargetQuery: Int]
    /// Set for what has no site to share.
    var single: ElaboratedTrigger?
    /// The body walks on from values by the types of one program.
    var separatesPrograms: Bool
  }

  /// How a group is triggered.
  enum Kind: Hashable {
    case instruction
    case functionReturn
    /// Never shared.
    case single(Int)
  }

  private struct Key: Hashable {
    let kind: Kind
    let pid: Int32?
    let path: String
    let meanings: [TargetMeaning]
  }

  private let queries: [TargetQuery]
  private let separatesPrograms: Bool
  private(set) var groups: [Group] = []
  private var indexes: [Key: Int] = [:]

  init(queries: [TargetQuery], separatesPrograms: Bool) {
    self.queries = queries
    self.separatesPrograms = separatesPrograms
  }

  /// Asks all questions at one site and files it with its like.
  mutating func add(_ candidate: ProbeCandidate, scriptPoint: String) {
    let answers = queries.map { candidate.scope.answer($0) }
    let formats = answers.compactMap { answer -> SiteFormat? in
      guard case .text = answer.meaning else { return nil }
      return answer.format
    }
    switch candidate.trigger {
    case .session(let trigger):
      addSingle(trigger, candidate.scope, answers)
    case .tracepoint(let name, let argumentCount, var description):
      description.scriptPoint = scriptPoint
      description.formats = formats
      let trigger = ElaboratedTrigger.tracepoint(
        name: name,
        argumentCount: argumentCount,
        description: description
      )
      addSingle(trigger, candidate.scope, answers)
    case .instruction(var site, let pid):
      site.description.scriptPoint = scriptPoint
      site.description.formats = formats
      add(site, pid, .instruction, candidate.scope, answers)
    case .functionReturn(var site, let pid):
      site.description.scriptPoint = scriptPoint
      site.description.formats = formats
      add(site, pid, .functionReturn, candidate.scope, answers)
    }
  }

  private mutating func add(
    _ site: ProbeSite,
    _ pid: Int32?,
    _ kind: Kind,
    _ scope: any TargetScope,
    _ answers: [TargetAnswer]
  ) {
    let path = separatesPrograms ? site.path : ""
    let key = Key(kind: kind, pid: pid, path: path, meanings: answers.map(\.meaning))
    if let index = indexes[key] {
      groups[index].sites.append(site)
      return
    }
    indexes[key] = groups.count
    groups.append(group(kind, [site], pid, scope, answers))
  }

  private mutating func addSingle(
    _ trigger: ElaboratedTrigger,
    _ scope: any TargetScope,
    _ answers: [TargetAnswer]
  ) {
    groups.append(group(.single(groups.count), [], nil, scope, answers, trigger))
  }

  private func group(
    _ kind: Kind,
    _ sites: [ProbeSite],
    _ pid: Int32?,
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
      pid: pid,
      scope: scope,
      answers: known,
      slots: slots,
      single: trigger,
      separatesPrograms: separatesPrograms
    )
  }
}

extension SiteGrouper.Group {
  /// What makes the group's probe run.
  var trigger: ElaboratedTrigger {
    switch kind {
    case .instruction: .userInstruction(sites, pid: pid)
    case .functionReturn: .userReturn(sites, pid: pid)
    case .single: single ?? .never
    }
  }

  func context(id: Int) -> ProbeContext {
    var isInKernel = false
    if case .tracepoint = single { isInKernel = true }
    return ProbeContext(
      id: id,
      scope: scope,
      isReturn: kind == .functionReturn,
      isInKernel: isInKernel,
      siteCount: max(1, sites.count),
      answers: answers,
      slots: slots
    )
  }
}
