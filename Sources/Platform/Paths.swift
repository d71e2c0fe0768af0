import Glibc

/// Questions about paths.
package enum Paths {
  /// The absolute path without symbolic links, `.` and `..` (realpath(3)).
  /// - Throws: ``SystemError`` when a part does not exist.
  package static func canonical(_ path: String) throws(SystemError) -> String {
    guard let text = unsafe realpath(path, nil) else { throw SystemError("realpath", on: path, code: errno) }
    defer { unsafe free(text) }
    return unsafe String(cString: text)
  }

  /// What a symbolic link says, unresolved; right for `/proc/PID/exe` of deleted files too.
  /// - Throws: ``SystemError`` for `readlink(2)`.
  package static func linkTarget(_ path: String) throws(SystemError) -> String {
    var code: CInt = 0
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: Int(PATH_MAX)) { buffer, filled in
      let count = unsafe buffer.withMemoryRebound(to: CChar.self) { text in
        unsafe text.baseAddress.map { unsafe readlink(path, $0, text.count) } ?? -1
      }
      if count < 0 { code = errno }
      filled = max(count, 0)
    }
    guard code == 0 else { throw SystemError("readlink", on: path, code: code) }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The current directory.
  /// - Throws: ``SystemError`` for `getcwd(2)`.
  package static func currentDirectory() throws(SystemError) -> String { try canonical(".") }

  /// The directory part; nil for the root and for a bare name.
  package static func parent(of path: String) -> String? {
    var bytes = Array(path.utf8)
    while bytes.count > 1 && bytes.last == slash { bytes.removeLast() }
    guard bytes != [slash], let last = bytes.lastIndex(of: slash) else { return nil }
    var end = last
    while end > 0 && bytes[end - 1] == slash { end -= 1 }
    return end == 0 ? "/" : String(decoding: bytes[..<end], as: UTF8.self)
  }

  /// The part after the last slash.
  package static func name(of path: String) -> String {
    let parts = path.split(separator: "/")
    return parts.last.map(String.init) ?? path
  }

  /// `name` below `directory`.
  package static func join(_ directory: String, _ name: String) -> String {
    if directory.isEmpty { return name }
    if directory.hasSuffix("/") { return directory + name }
    return "\(directory)/\(name)"
  }

  /// Finds a program as SystemTap's `process("NAME")` does.
  ///
  /// A name with a slash is a path, any other is the first readable regular file in PATH. The answer is
  /// canonical; nil when there is none.
  package static func findProgram(_ name: String, environment: Environment) -> String? {
    if name.utf8.contains(slash) {
      return FileStatus.isReadableFile(name) ? try? canonical(name) : nil
    }
    for directory in environment.list("PATH") {
      let candidate = join(directory, name)
      if FileStatus.isReadableFile(candidate) { return try? canonical(candidate) }
    }
    return nil
  }

  /// The existing paths that a file-name pattern stands for.
  ///
  /// `*`, `?`, `[…]` match within one component, `{a,b}` stands anywhere. Sorted, each once, not canonical. A name that starts with a dot needs a pattern that does.
  package static func expand(pattern: String) -> [String] {
    var found: Set<String> = []
    for alternative in expandBraces(pattern) {
      var candidates = [alternative.hasPrefix("/") ? "/" : ""]
      for component in alternative.split(separator: "/") {
        candidates = candidates.flatMap { children(of: $0, matching: String(component)) }
      }
      found.formUnion(candidates.filter { !$0.isEmpty })
    }
    return found.sorted()
  }

  /// `a{b,c{d,e}}` ⇒ `ab acd ace`; a brace without its partner stands for itself.
  package static func expandBraces(_ pattern: String) -> [String] {
    var results: [String] = []
    var pending = [Array(pattern.utf8)]
    // Each expansion multiplies: a limit keeps `{a,b}{a,b}…` from eating the machine.
    while let next = pending.popLast(), results.count + pending.count < 4096 {
      guard let group = firstBraceGroup(next) else {
        results.append(String(decoding: next, as: UTF8.self))
        continue
      }
      for part in group.parts.reversed() {
        pending.append(next[..<group.open] + part + next[(group.close + 1)...])
      }
    }
    return results
  }

  private static func children(of directory: String, matching component: String) -> [String] {
    guard GlobPattern.isGlob(component) else {
      let path = join(directory, component)
      return (try? FileStatus(of: path, followingLinks: false)) == nil ? [] : [path]
    }
    let pattern = GlobPattern(component)
    guard let listing = try? DirectoryListing(directory.isEmpty ? "." : directory) else { return [] }
    return listing.entries.filter { entry in
      (!entry.name.hasPrefix(".") || component.hasPrefix(".")) && pattern.matches(entry.name)
    }.map { join(directory, $0.name) }
  }

  /// The first balanced group that has a comma at its top level.
  private static func firstBraceGroup(_ text: [UInt8]) -> (open: Int, close: Int, parts: [[UInt8]])? {
    for open in text.indices where text[open] == UInt8(ascii: "{") {
      var depth = 0
      var parts: [[UInt8]] = [[]]
      for index in text.indices[open...] {
        let byte = text[index]
        if byte == UInt8(ascii: "}") { depth -= 1 }
        if depth == 0 && index > open {
          if parts.count > 1 { return (open, index, parts) }
          break
        }
        if byte == UInt8(ascii: ",") && depth == 1 {
          parts.append([])
        } else if index > open {
          parts[parts.count - 1].append(byte)
        }
        if byte == UInt8(ascii: "{") { depth += 1 }
      }
    }
    return nil
  }

  private static let slash = UInt8(ascii: "/")
}
