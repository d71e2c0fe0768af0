package import Diagnostics
import Platform
package import StapSyntax
import TargetModel

/// A probe point as `-l` prints it, with what its bodies may use as `-L` adds it.
package struct ListedProbe: Hashable, Sendable {
  /// As `-l` prints it: `process("/bin/x").function("f@file.c:12")`.
  package let point: String
  /// Script variables that aliases set, then target variables: `name:string`, `$a:int`.
  package let variables: [ListedVariable]
  /// What the kernel does at its instruction, or why there can be no probe; nil for what is no instruction.
  package let standing: SiteStanding?
  /// The symbol there, where the program calls the function otherwise: the compiler made several copies.
  package let symbol: String?

  package init(
    point: String,
    variables: [ListedVariable],
    standing: SiteStanding? = nil,
    symbol: String? = nil
  ) {
    self.point = point
    self.variables = variables
    self.standing = standing
    self.symbol = symbol
  }

  /// Whether a probe can be put there.
  package var isPossible: Bool { standing?.refusal == nil }

  /// What `-v` adds to the line: `# emulated, slid by 4`.
  package var remark: String {
    guard let standing else { return "" }
    return "  # " + standing.text + (symbol.map { " (\($0))" } ?? "")
  }

  /// The whole line of `-L`.
  package var text: String { ([point] + variables.map { "\($0.name):\($0.type)" }).joined(separator: " ") }
}

/// Everything that `points` can mean, sorted, lines by their numbers; patterns that mean nothing are errors.
///
/// Places that cannot be probed are among them, so that a listing can tell why. Variables take the details of debug
/// information, which can be slow to open: `withVariables` says whether anyone wants them.
package func listProbes(
  _ points: [ProbePoint],
  withVariables: Bool = true,
  sources: inout SourceSet,
  environment: ElaborationEnvironment
) -> Checked<[ListedProbe]> {
  var environment = environment
  environment.showsPlaces = true
  var elaborator = Elaborator(environment: environment, sources: sources)
  var found: Set<ListedProbe> = []
  for point in points { found.formUnion(elaborator.list(point, withVariables: withVariables)) }
  sources = elaborator.sources
  return Checked(found.sorted { $0.text.naturallyPrecedes($1.text) }, elaborator.diagnostics.all)
}

extension Elaborator {
  /// What one point means: aliases by their own names, all else by where it lands.
  fileprivate mutating func list(_ point: ProbePoint, withVariables: Bool) -> [ListedProbe] {
    linkTapset(aliasFor: point)
    let matches = aliases(matching: point)
    guard matches.isEmpty else { return matches.compactMap { list($0, of: point) } }
    return expand(point).flatMap { expanded in
      expanded.candidates.map { candidate in
        ListedProbe(
          point: candidate.trigger.point ?? point.text,
          variables: withVariables ? candidate.variables() : [],
          standing: candidate.standing,
          symbol: candidate.symbol()
        )
      } + expanded.refused.map { ListedProbe(point: $0.point, variables: [], standing: $0.standing) }
    }
  }

  /// One alias, when it lands somewhere; its variables are those of a probe without a body of its own.
  private mutating func list(_ match: AliasMatch, of point: ProbePoint) -> ListedProbe? {
    let alias = symbols.aliases[match.alias].declaration
    guard let name = alias.names.first(where: { $0.components.count >= match.length }) ?? alias.names.first
    else { return nil }
    var named = name
    named.components += point.components[match.length...]
    named.presence = .optional
    let expanded = expand(named)
    guard let first = expanded.first else { return nil }
    let before = drafts.count
    let empty = Statement(.block([]), point.range)
    add(first, of: ProbeDeclaration(points: [named], body: empty, range: point.range), named, ownBody: nil)
    var variables: [ListedVariable] = []
    if drafts.count > before {
      inferTypes()
      isFinal = true
      variables = walk(probe: drafts[before]).body.locals.map {
        ListedVariable(name: $0.name, type: $0.type.rawValue)
      }
      isFinal = false
    }
    return ListedProbe(point: named.text, variables: variables + (first.candidates.first?.variables() ?? []))
  }
}

extension ProbeCandidate.Trigger {
  /// The point as the site itself is called; nil for what has no site.
  fileprivate var point: String? {
    switch self {
    case .session(.running(_, let description)): description.probePoint
    case .session: nil
    case .instruction(let site, _), .functionReturn(let site, _), .data(let site, _):
      site.description.probePoint
    case .tracepoint(_, _, let description, _): description.probePoint
    }
  }
}
