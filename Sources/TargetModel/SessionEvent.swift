/// What somebody does to the session itself: uses one of its files or types something.
///
/// Source: stapprobes(3stap), "PROCFS" and "INPUT". The probe and whoever acts exchange a text, `$value`.
package struct SessionEvent: Hashable, Sendable {
  /// What is done.
  package enum Kind: Hashable, Sendable, CaseIterable {
    /// Somebody reads a file: the probe says what is in it.
    case fileRead
    /// Somebody has written to a file.
    case fileWrite
    /// Standard input has another character, or another line.
    case inputCharacter, inputLine
  }

  package var kind: Kind
  /// The file's, below the session's directory; empty for standard input.
  package var path: String
  /// Of the file, as chmod(1) counts them.
  package var permissions: Int
  /// The most that a reader gets.
  package var byteCount: Int

  package init(_ kind: Kind, path: String = "", permissions: Int = 0, byteCount: Int = 0) {
    self.kind = kind
    self.path = path
    self.permissions = permissions
    self.byteCount = byteCount
  }
}

extension SessionEvent: CustomStringConvertible {
  /// How the text forms of programs name it.
  package var description: String {
    switch kind {
    case .fileRead: "read of file \(path), at most \(byteCount) bytes"
    case .fileWrite: "write to file \(path)"
    case .inputCharacter: "character of input"
    case .inputLine: "line of input"
    }
  }
}
