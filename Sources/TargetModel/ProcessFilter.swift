/// Which processes a probe on a kernel event runs in, when the event is everybody's.
package struct ProcessFilter: Hashable, Sendable {
  package var scope: ProcessScope
  /// The program that they run, as it can be opened here; nil: any.
  package var executable: String?

  package init(_ scope: ProcessScope, executable: String? = nil) {
    self.scope = scope
    self.executable = executable
  }
}

extension ProcessFilter: CustomStringConvertible {
  /// What follows a probe in the text forms of programs.
  package var description: String {
    let limit = scope == .target ? " of the target" : scope.description
    return limit + (executable.map { " running \($0)" } ?? "")
  }
}
