import Diagnostics
import StapSyntax

/// From probe declarations to groups of sites.
extension Elaborator {
  /// Adds the probes of one file.
  mutating func addProbes(of script: Script) {
    for case .probe(let probe) in script.declarations { add(probe) }
  }

  private mutating func add(_ probe: ProbeDeclaration) {
    let isTapset = symbols.tapsetSources.contains(probe.range.source)
    for point in probe.points {
      let found = expand(point)
      for expanded in found {
        add(expanded, of: probe, point, ownBody: isTapset ? nil : probe.body.range)
      }
      if point.presence == .sufficient, !found.isEmpty { break }
    }
  }

  /// Adds one draft for each group of sites of `expanded`.
  mutating func add(
    _ expanded: ExpandedPoint,
    of probe: ProbeDeclaration,
    _ point: ProbePoint,
    ownBody: SourceRange?
  ) {
    let pieces = expanded.prologues + [probe.body] + expanded.epilogues
    let written = probe.body.writtenNames
    for piece in pieces { linkCalls(of: piece) }
    var collector = TargetCollector(symbols: symbols)
    for piece in pieces { collector.collect(piece) }
    let questions = SiteQuestions(collector, environment.registers)
    var grouper = SiteGrouper(questions, separatesPrograms: collector.walksValues)
    let name = expanded.scriptPoint ?? point.text
    grouper.add(expanded.candidates, scriptPoint: name)
    for group in GroupMerger.merged(grouper.groups) {
      drafts.append(
        ProbeDraft(
          name: name,
          trigger: group.trigger,
          entry: group.entry,
          conditions: expanded.conditions,
          pieces: pieces,
          writtenNames: written,
          context: group.context(id: drafts.count),
          range: probe.range,
          ownBody: ownBody
        )
      )
    }
  }
}
