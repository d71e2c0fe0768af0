import Diagnostics
import Platform
import StapSyntax
import TargetModel

/// `.function("f").label("l")`: labels of the source.
enum LabelProbes {
  /// The labels that `component` matches in any of `functions`.
  static func resolve(
    _ component: ProbePoint.Component,
    in functions: [ProgramFunction],
    _ place: ProbePlace
  ) -> ProbeResolution {
    let pattern = component.string ?? ""
    let point = SitePoint(place: place)
    var result = ProbeResolution()
    var names: Set<String> = []
    for function in functions {
      for label in function.variables?.labels() ?? [] {
        names.insert(label.name)
        guard GlobPattern.matches(label.name, pattern: pattern) else { continue }
        add(label, of: function, point, to: &result)
      }
    }
    result.reportRefused(component)
    if result.candidates.isEmpty, result.problems.isEmpty {
      let near = nearestNames(to: pattern, among: names.sorted())
      result.problems.append(.noSuchLabel(component, known: names.sorted(), near: near))
    }
    return result
  }

  private static func add(
    _ label: ProgramLabel,
    of function: ProgramFunction,
    _ point: SitePoint,
    to result: inout ProbeResolution
  ) {
    let program = point.place.program
    let text = "process(\"\(program.path)\").function(\"\(function.sourceText)\").label(\"\(label.name)\")"
    let standing = ProbeAddress.standing(at: label.address, isFunctionStart: false, program)
    guard standing.refusal == nil else {
      result.refused.append(RefusedSite(name: label.name, point: text, standing: standing))
      return
    }
    let source = label.line.map { "\(function.file):\($0)" } ?? ""
    guard var found = point.candidate(function, at: label.address, standing, text: text, source: source)
    else {
      return
    }
    found.symbol = { nil }
    result.candidates.append(found)
  }
}
