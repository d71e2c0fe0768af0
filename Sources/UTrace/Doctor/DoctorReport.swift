import Diagnostics

/// What a look at machine and user has found, grouped as it is shown.
struct DoctorReport: Sendable {
  /// How something is.
  enum State: String, Sendable {
    case good = "ok"
    /// It is not there, and something does not work for that.
    case missing
    /// Neither good nor bad.
    case neutral = "info"
  }

  /// One thing that was looked at.
  struct Check: Sendable {
    var name: String
    var state: State
    var detail = ""
    /// What to do; only where something is missing.
    var advice: String?
  }

  /// Checks that belong together.
  struct Group: Sendable {
    var title: String
    var checks: [Check]
  }

  /// What all this is about: `utrace 0.1.0 on Linux 6.18.5, x86_64`.
  var title: String
  var groups: [Group]
  /// Whether scripts with probes of processes can run.
  var canTrace: Bool
  /// The last line: whether tracing works, and if not, what to do first.
  var verdict: String

  /// All of it as one object.
  var json: String {
    let checks = groups.flatMap { group in
      group.checks.map { check in
        JSONText.object(
          [
            ("group", JSONText.quoted(group.title)),
            ("name", JSONText.quoted(check.name)),
            ("state", JSONText.quoted(check.state.rawValue)),
            ("detail", JSONText.quoted(check.detail)),
          ] + (check.advice.map { [("advice", JSONText.quoted($0))] } ?? [])
        )
      }
    }
    return JSONText.object([
      ("title", JSONText.quoted(title)),
      ("canTrace", canTrace ? "true" : "false"),
      ("verdict", JSONText.quoted(verdict)),
      ("checks", JSONText.array(checks)),
    ])
  }
}
