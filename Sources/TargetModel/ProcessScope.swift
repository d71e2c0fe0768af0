/// Which processes a kernel-side probe runs in.
package enum ProcessScope: Hashable, Sendable {
  /// The session's target (`-p`, `-c`); every process in a session that has none.
  case target
  /// The target and what it starts, directly or not, also after exec: `--children`.
  case family
  /// The process with this ID, whatever the target is.
  case process(Int32)
}

extension ProcessScope: CustomStringConvertible {
  /// What follows a probe in the text forms of programs; empty for the usual case.
  package var description: String {
    switch self {
    case .target: ""
    case .family: " of the target's family"
    case .process(let pid): " of process \(pid)"
    }
  }
}
