import Diagnostics
import StapSyntax
import TargetModel

/// One body and one group of sites, before its statements are converted.
struct ProbeDraft {
  /// As the script wrote the point.
  var name: String
  var trigger: ElaboratedTrigger
  /// Where what it reads of the function's entry is kept.
  var entry: EntryPoint?
  /// After `if`, of the point and of its aliases.
  var conditions: [Expression]
  /// Prologues of aliases, the probe's own body, epilogues.
  var pieces: [Statement]
  /// What the probe's own body assigns to.
  var writtenNames: Set<String>
  var context: ProbeContext
  var range: SourceRange
  /// The body that the user wrote; nil for a tapset's own probe.
  var ownBody: SourceRange?
}

/// What a group of sites answers to the questions of its body.
struct ProbeContext: Sendable {
  /// Tells groups apart.
  let id: Int
  /// Speaks for all sites of the group.
  let scope: any TargetScope
  let isReturn: Bool
  /// Whether values can be kept from an entry that came before.
  let hasEntry: Bool
  let isInKernel: Bool
  /// What the probe point itself demands of a hit, before the script does; evaluated at the entry for a return.
  let condition: ElaboratedExpression?
  let siteCount: Int
  let answers: [TargetQuery: TargetAnswer]
  /// Which format of the site is the answer to a question.
  let slots: [TargetQuery: Int]
}
