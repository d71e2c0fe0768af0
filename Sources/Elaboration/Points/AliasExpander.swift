import Diagnostics
import Platform
import StapSyntax
import Tapset

/// A point after its aliases are gone.
struct ExpandedPoint {
  var candidates: [ProbeCandidate]
  var conditions: [Expression]
  /// Innermost, that is nearest to the event, first.
  var prologues: [Statement]
  /// Outermost first.
  var epilogues: [Statement]
  /// What was found and cannot be probed.
  var refused: [RefusedSite] = []
  /// The point as the script wrote it, with the name of the alias in the place of a pattern; nil: no alias was named.
  var scriptPoint: String?
}

/// Replaces aliases by what they stand for (stap(1), "PROBE ALIASES"; stapprobes(3stap), "SYNTAX").
extension Elaborator {
  /// Everything that one point stands for; a required one that stands for nothing is an error.
  mutating func expand(_ point: ProbePoint) -> [ExpandedPoint] {
    let (found, problems) = expand(point, depth: 0)
    if found.isEmpty, point.presence == .required {
      for problem in problems { report(problem) }
    }
    return found
  }

  private mutating func expand(_ point: ProbePoint, depth: Int) -> ([ExpandedPoint], [Diagnostic]) {
    guard depth < 32 else { return ([], [.aliasLoop(point)]) }
    linkTapset(aliasFor: point)
    let matches = aliases(matching: point)
    var (result, problems) = expandFamilies(matching: point)
    guard !matches.isEmpty || !result.isEmpty else { return expandFamily(point) }
    for match in matches {
      let (found, failures) = expand(match, for: point, depth: depth)
      result += found
      problems += failures
    }
    return (result, result.isEmpty || !point.hasWildcard ? problems : [])
  }

  /// One alias in the place of the components that name it; what follows them is put behind its points.
  private mutating func expand(
    _ match: AliasMatch,
    for point: ProbePoint,
    depth: Int
  ) -> ([ExpandedPoint], [Diagnostic]) {
    let alias = symbols.aliases[match.alias].declaration
    var result: [ExpandedPoint] = []
    var problems: [Diagnostic] = []
    for base in alias.points {
      var derived = base
      derived.components += point.components[match.length...]
      let (found, failures) = expand(derived, depth: depth + 1)
      if found.isEmpty, base.presence == .required { problems += failures.map { $0.blaming(point) } }
      result += found.map { $0.wrapped(in: alias, point, match) }
      if base.presence == .sufficient, !found.isEmpty { break }
    }
    return (result, problems)
  }

  /// A pattern in the first component names families too: `b*` is `begin`.
  private mutating func expandFamilies(matching point: ProbePoint) -> ([ExpandedPoint], [Diagnostic]) {
    guard let head = point.components.first?.name, head.text.contains("*"),
      !GlobPattern.spansComponents(head.text)
    else {
      return ([], [])
    }
    var result: [ExpandedPoint] = []
    let families = ProbeFamily.all.filter { $0.isPublic && GlobPattern.matches($0.head, pattern: head.text) }
    for family in families {
      var named = point
      named.components[0].name = Name(family.head, head.range)
      for var found in expandFamily(named).0 {
        found.scriptPoint = named.text
        result.append(found)
      }
    }
    return (result, [])
  }

  private mutating func expandFamily(_ point: ProbePoint) -> ([ExpandedPoint], [Diagnostic]) {
    guard let head = point.components.first else { return ([], []) }
    guard let family = ProbeFamily.named(head.name.text) else {
      // A family that the tapset has a part of is missing that one point only.
      let isKnown =
        ProbeFamily.unsupported.contains(head.name.text)
        && !tapset.aliasNames.contains { $0.prefix { $0 != "." } == head.name.text }
      let names = ProbeFamily.all.map(\.head) + tapset.aliasNames + symbols.aliases.flatMap(\.names)
      return ([], [isKnown ? .unsupportedProbe(point) : .noSuchProbe(point, near: names)])
    }
    let resolution = family.resolve(point, environment)
    guard !resolution.candidates.isEmpty else { return ([], resolution.problems) }
    for warning in resolution.warnings { report(warning) }
    let conditions = point.condition.map { [$0] } ?? []
    let expanded = ExpandedPoint(
      candidates: resolution.candidates,
      conditions: conditions,
      prologues: [],
      epilogues: [],
      refused: resolution.refused
    )
    return ([expanded], resolution.problems)
  }

  /// An alias that a point names.
  struct AliasMatch {
    let alias: Int
    /// The one of its names that is meant.
    let name: ProbePoint
    /// How many components of the point name it.
    let length: Int
  }

  /// The aliases that a point names: those that match all of it, else those that match most of its start.
  func aliases(matching point: ProbePoint) -> [AliasMatch] {
    var matches: [AliasMatch] = []
    for index in symbols.aliases(forHead: point.components.first?.name.text ?? "") {
      for name in symbols.aliases[index].declaration.names {
        guard let length = point.lengthMatching(name) else { continue }
        matches.append(AliasMatch(alias: index, name: name, length: length))
        break
      }
    }
    let longest = matches.map(\.length).max() ?? 0
    return matches.filter { $0.length == longest }
  }
}

extension AliasSymbol {
  /// Its names as text.
  fileprivate var names: [String] { declaration.names.map(\.text) }
}

extension ExpandedPoint {
  /// Adds what `alias` wraps around a probe's body, and the condition of the point that named it.
  fileprivate func wrapped(
    in alias: AliasDeclaration,
    _ point: ProbePoint,
    _ match: Elaborator.AliasMatch
  ) -> ExpandedPoint {
    var result = self
    var written = point
    written.components.replaceSubrange(..<match.length, with: match.name.components)
    result.scriptPoint = written.text
    if let prologue = alias.prologue { result.prologues.append(prologue) }
    if let epilogue = alias.epilogue { result.epilogues.insert(epilogue, at: 0) }
    if let condition = point.condition { result.conditions.append(condition) }
    return result
  }
}

extension ProbePoint {
  /// Whether a component's name is a pattern.
  fileprivate var hasWildcard: Bool { components.contains { $0.name.text.contains("*") } }

  /// How many of the leading components name `alias`; nil when they do not.
  fileprivate func lengthMatching(_ alias: ProbePoint) -> Int? {
    Self.length(of: components[...], matching: alias.components[...])
  }

  private static func length(
    of point: ArraySlice<Component>,
    matching alias: ArraySlice<Component>
  ) -> Int? {
    guard let wanted = alias.first else { return 0 }
    guard let component = point.first else { return nil }
    if GlobPattern.spansComponents(component.name.text) {
      // `**` stands for any number of components: the longest way wins, so that it swallows the alias whole.
      for count in stride(from: alias.count, through: 1, by: -1) {
        let joined = alias.prefix(count).map(\.name.text).joined(separator: ".")
        guard matches(joined, component.name.text),
          let rest = length(of: point.dropFirst(), matching: alias.dropFirst(count))
        else { continue }
        return 1 + rest
      }
      return nil
    }
    guard component.argument?.value == wanted.argument?.value,
      GlobPattern.matches(wanted.name.text, pattern: component.name.text),
      let rest = length(of: point.dropFirst(), matching: alias.dropFirst())
    else { return nil }
    return 1 + rest
  }

  private static func matches(_ text: String, _ pattern: String) -> Bool {
    var simple = ""
    for letter in pattern where !(letter == "*" && simple.hasSuffix("*")) { simple.append(letter) }
    return GlobPattern.matches(text, pattern: simple)
  }
}

extension Diagnostic {
  /// A failure inside an alias is the fault of the point that named the alias.
  fileprivate func blaming(_ point: ProbePoint) -> Diagnostic {
    guard let range, range.source != point.range.source else { return self }
    return Diagnostic(
      severity,
      id,
      message,
      at: point.range,
      notes: notes + [.note("in an alias", at: range)]
    )
  }
}
