import TargetModel

/// Joins groups that differ only in which arguments they capture.
///
/// A pattern over a whole library meets functions of every arity. Where values only get printed, capturing what the
/// largest of them needs costs a few loads a hit and saves dozens of programs.
struct GroupMerger {
  /// Fewer groups than this are left alone.
  private static let enough = 8
  /// Most values that one hit captures for the sake of others.
  private static let mostCaptures = 14
  /// The same where all registers are captured anyhow.
  private static let mostOfAll = 32

  private struct Key: Hashable {
    let kind: SiteGrouper.Kind
    let processes: ProcessScope
    let condition: String?
    let meanings: [TargetQuery: TargetMeaning]
    let arguments: SiteGrouper.ArgumentPlaces
  }

  /// The same sites in fewer groups.
  static func merged(_ groups: [SiteGrouper.Group]) -> [SiteGrouper.Group] {
    guard groups.count > enough else { return groups }
    var result: [SiteGrouper.Group] = []
    var open: [Key: Int] = [:]
    for group in groups.sorted(by: { $0.sites.count > $1.sites.count }) {
      guard let key = key(of: group) else {
        result.append(group)
        continue
      }
      if let index = open[key], let (answers, sites) = join(result[index], group) {
        result[index].answers = answers
        result[index].sites += sites
      } else {
        open[key] = result.count
        result.append(group)
      }
    }
    return result
  }

  /// What groups that may be joined have in common; nil for a group whose captures are not for everybody.
  private static func key(of group: SiteGrouper.Group) -> Key? {
    var meanings: [TargetQuery: TargetMeaning] = [:]
    for (query, answer) in group.answers {
      guard case .text(let captures) = answer.meaning else {
        meanings[query] = answer.meaning
        continue
      }
      guard captures.allSatisfy({ $0.kind == .number && $0.plan.isCheapEverywhere }) else { return nil }
      meanings[query] = .text([])
    }
    guard !group.slots.isEmpty, !group.separatesPrograms, group.entry == nil else { return nil }
    return Key(
      kind: group.kind,
      processes: group.processes,
      condition: group.condition?.text,
      meanings: meanings,
      arguments: group.arguments
    )
  }

  /// The answers of both together, and the sites of the second as they are then; the first's stay.
  private static func join(
    _ first: SiteGrouper.Group,
    _ second: SiteGrouper.Group
  ) -> (answers: [TargetQuery: TargetAnswer], sites: [ProbeSite])? {
    var answers = first.answers
    var sites = second.sites
    for (query, slot) in first.slots {
      guard case .text(var captures) = first.answers[query]?.meaning,
        case .text(let added) = second.answers[query]?.meaning
      else { return nil }
      let positions = added.map { capture -> Int in
        if let index = captures.firstIndex(of: capture) { return index }
        captures.append(capture)
        return captures.count - 1
      }
      guard captures.count <= (first.captureCount > mostCaptures ? mostOfAll : mostCaptures) else {
        return nil
      }
      answers[query]?.meaning = .text(captures)
      for index in sites.indices { sites[index].description.formats[slot].renumber(positions) }
    }
    return (answers, sites)
  }
}

extension SiteGrouper.Group {
  /// How many values one hit captures for texts.
  fileprivate var captureCount: Int {
    answers.values.reduce(0) { count, answer in
      guard case .text(let captures) = answer.meaning else { return count }
      return count + captures.count
    }
  }
}

extension SiteFormat {
  /// Points every hole to the new position of its value.
  mutating func renumber(_ positions: [Int]) {
    pieces = pieces.map { $0.renumbered(positions) }
  }
}

extension SiteFormat.Piece {
  fileprivate func renumbered(_ positions: [Int]) -> SiteFormat.Piece {
    switch self {
    case .text: self
    case .value(let index, let presentation): .value(positions[index], presentation)
    case .computed(let plan, let presentation):
      .computed(plan.substituting(positions.map { .input($0) }), presentation)
    case .chosen(let index, let choices, let others):
      SiteFormat.Piece.chosen(positions[index], choices, else: others)
        .mapInner { $0.renumbered(positions) }
    }
  }
}
