/// What a path led to when somebody looked: whoever keeps what was made of a file asks later whether it is still so.
package struct FileFact: Hashable, Sendable {
  /// What tells whether a path still leads to the same bytes.
  package struct Identity: Hashable, Sendable {
    package var byteCount: Int
    package var modified: Int64
    /// Unlike the time above, nobody can set this one.
    package var changed: Int64
    package var inode: UInt64
    package var device: UInt64

    /// The parts of it, as a file that keeps them has them; times are in nanoseconds since 1970.
    package init(byteCount: Int, modified: Int64, changed: Int64, inode: UInt64, device: UInt64) {
      self.byteCount = byteCount
      self.modified = modified
      self.changed = changed
      self.inode = inode
      self.device = device
    }
  }

  package var path: String
  /// Nil: there was none.
  package var identity: Identity?

  /// Looks at `path` now.
  package init(_ path: String) {
    let identity = (try? FileStatus(of: path)).map { status in
      Identity(
        byteCount: status.byteCount,
        modified: status.modifiedNanoseconds,
        changed: status.changedNanoseconds,
        inode: status.inode,
        device: status.device
      )
    }
    self.init(path: path, identity: identity)
  }

  /// What was seen earlier.
  package init(path: String, identity: Identity?) {
    self.path = path
    self.identity = identity
  }

  /// Whether the path leads to the same now.
  package var isUnchanged: Bool { FileFact(path) == self }
}
