import Diagnostics
import StapSyntax
import TargetModel

/// Probes on what somebody does to the session: files to read and to write, standard input (stapprobes(3stap),
/// "PROCFS" and "INPUT").
enum EventProbes {
  /// `procfs("PATH").umask(N).read.maxsize(N)`, `procfs.write`.
  static let file: @Sendable (ProbePoint, ElaborationEnvironment) -> ProbeResolution = {
    point,
    environment in
    let head = point.components[0]
    guard head.argument == nil || head.string != nil else { return .failed(.needsString(head)) }
    let path = head.string ?? "command"
    if let problem = problem(path, head) { return .failed(problem) }
    var numbers: [String: Int64] = [:]
    var kind: SessionEvent.Kind?
    for component in point.components.dropFirst() {
      switch component.name.text {
      case "read" where kind == nil && component.argument == nil: kind = .fileRead
      case "write" where kind == nil && component.argument == nil: kind = .fileWrite
      case "umask" where kind == nil && numbers["umask"] == nil, "maxsize" where numbers["maxsize"] == nil:
        guard let number = component.number, limits[component.name.text]?.contains(number) ?? false else {
          return .failed(.fileNumber(component, limits[component.name.text] ?? 0...0))
        }
        numbers[component.name.text] = number
      default: return .failed(.unexpectedComponent(component))
      }
    }
    guard let kind, kind == .fileRead || numbers["maxsize"] == nil else {
      return .failed(.fileNeedsDirection(at: point.range))
    }
    let all = kind == .fileRead ? 0o444 : 0o222
    let event = SessionEvent(
      kind,
      path: path,
      permissions: all & ~Int(numbers["umask"] ?? 0o077),
      byteCount: Int(numbers["maxsize"] ?? 0)
    )
    return candidate(event, "procfs", environment)
  }

  /// `__input.char`, `__input.line`: what the tapset's `input` probes are made of.
  static let input: @Sendable (ProbePoint, ElaborationEnvironment) -> ProbeResolution = {
    point,
    environment in
    guard point.components.count == 2 else { return .failed(.unsupportedProbe(point)) }
    switch point.components[1].name.text {
    case "char": return candidate(SessionEvent(.inputCharacter), "input", environment)
    case "line": return candidate(SessionEvent(.inputLine), "input", environment)
    default: return .failed(.unexpectedComponent(point.components[1]))
    }
  }

  private static let limits: [String: ClosedRange<Int64>] = ["umask": 0...0o777, "maxsize": 1...(1 << 30)]

  /// A path stays below the session's directory.
  private static func problem(_ path: String, _ head: ProbePoint.Component) -> Diagnostic? {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    if parts.contains(where: { $0.isEmpty || $0 == "." || $0 == ".." }) || path.utf8.contains(0) {
      return .filePath(head, "it is a name, or names with '/' in between")
    }
    if path == "__stdin" {
      return .filePath(head, "standard input is probed by 'input.char' and 'input.line'")
    }
    return nil
  }

  private static func candidate(
    _ event: SessionEvent,
    _ family: String,
    _ environment: ElaborationEnvironment
  ) -> ProbeResolution {
    var scope = EmptyScope(family: family, kernel: environment.kernel?.types)
    scope.hasEventText = true
    return .found([ProbeCandidate(trigger: .session(.event(event)), scope: scope)])
  }
}

extension Diagnostic {
  fileprivate static func fileNeedsDirection(at range: SourceRange) -> Diagnostic {
    let message = "a 'procfs' probe is one of '.read', which may have a '.maxsize(N)', or of '.write'"
    return Diagnostic(.error, "file-probe", message, at: range)
  }

  fileprivate static func fileNumber(
    _ component: ProbePoint.Component,
    _ range: ClosedRange<Int64>
  ) -> Diagnostic {
    let limits =
      component.name.text == "umask"
      ? "0 to 0777" : "\(range.lowerBound) to \(range.upperBound)"
    let message = "'.\(component.name.text)' takes a number from \(limits)"
    return Diagnostic(.error, "file-probe", message, at: component.range)
  }

  fileprivate static func filePath(_ head: ProbePoint.Component, _ advice: String) -> Diagnostic {
    let message = "\(head.argument?.text ?? "") is no path of a 'procfs' probe: \(advice)"
    return Diagnostic(.error, "file-probe", message, at: head.range)
  }
}
