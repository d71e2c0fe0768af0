import Diagnostics
import StapSyntax

/// `.function(…)` and what stands behind it, component by component.
struct FunctionRequest: Sendable {
  /// What of the function is meant, when it is not its entry or return.
  enum Part: Sendable {
    case label(ProbePoint.Component)
    /// `.callee("g")`: functions that it calls; `depth` levels of them.
    case callees(ProbePoint.Component, pattern: String, depth: Int, modifiers: Set<String>)
  }

  var component: ProbePoint.Component
  var modifiers: Set<String> = []
  var part: Part?

  private static let modifiers: Set<String> = ["call", "exported", "inline", "return"]
  private static let parts: Set<String> = ["callee", "callees", "label", "maxactive"]
  /// Levels of callees that anyone would wait for.
  private static let deepest: Int64 = 8

  /// Reads the components from `.function` on.
  static func read(_ components: ArraySlice<ProbePoint.Component>) -> Result<Self, PointProblem> {
    guard let function = components.first else { preconditionFailure("'.function' was seen there") }
    guard function.string != nil || function.number != nil else {
      return .failure(PointProblem(.needsString(function)))
    }
    var request = Self(component: function)
    for component in components.dropFirst() {
      if let problem = request.add(component) { return .failure(PointProblem(problem)) }
    }
    return .success(request)
  }

  private mutating func add(_ component: ProbePoint.Component) -> Diagnostic? {
    let name = component.name.text
    // stapprobes(3stap): unused for process probes; the kernel keeps as many as it needs.
    if name == "maxactive", part == nil { return nil }
    if Self.modifiers.contains(name), component.argument == nil { return add(modifier: name, component) }
    guard part == nil else { return .unexpectedComponent(component, near: Self.modifiers) }
    switch name {
    case "label":
      guard component.string != nil else { return .needsString(component) }
      part = .label(component)
    case "callee":
      guard let pattern = component.string else { return .needsString(component) }
      part = .callees(component, pattern: pattern, depth: 1, modifiers: [])
    case "callees":
      let depth = component.argument == nil ? 1 : component.number
      guard let depth, depth > 0, depth <= Self.deepest else { return .calleeDepth(component) }
      part = .callees(component, pattern: "*", depth: Int(depth), modifiers: [])
    default: return .unexpectedComponent(component, near: Self.modifiers.union(Self.parts))
    }
    return nil
  }

  /// A modifier belongs to what stands before it.
  private mutating func add(modifier: String, _ component: ProbePoint.Component) -> Diagnostic? {
    switch part {
    case nil: modifiers.insert(modifier)
    case .label: return .unexpectedComponent(component)
    case .callees(let callee, let pattern, let depth, let known):
      guard modifier != "exported" else { return .unexpectedComponent(component) }
      part = .callees(callee, pattern: pattern, depth: depth, modifiers: known.union([modifier]))
    }
    return nil
  }
}
