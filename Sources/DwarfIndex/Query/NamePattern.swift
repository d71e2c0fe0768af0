import Platform

/// The name part of a pattern: globs for the name and for the scopes around it.
struct NamePattern {
  let name: GlobPattern
  /// Of `ns::cls::f`: `ns`, `cls`.
  private let scopes: [GlobPattern]
  /// The whole pattern, for linkage names.
  private let whole: GlobPattern
  /// What every matching name begins with: bytes before the first wildcard.
  let prefix: String

  init(_ text: String) {
    let parts = Self.splitScopes(text)
    let last = parts.last ?? ""
    name = GlobPattern(last)
    scopes = parts.dropLast().filter { !$0.isEmpty }.map { GlobPattern($0) }
    whole = GlobPattern(text)
    prefix = String(last.prefix { !"*?[\\".contains($0) })
  }

  /// Splits at `::` outside of template brackets.
  private static func splitScopes(_ text: String) -> [String] {
    var parts = [""]
    var depth = 0
    var characters = text[...]
    while let character = characters.popFirst() {
      if character == "<" { depth += 1 }
      if character == ">" { depth -= 1 }
      if character == ":", depth == 0, characters.first == ":" {
        characters.removeFirst()
        parts.append("")
      } else {
        parts[parts.count - 1].append(character)
      }
    }
    return parts
  }

  /// Whether functions and variables can be looked up by their exact name.
  var literal: String? { name.literal }
  var hasScopes: Bool { !scopes.isEmpty }

  /// Whether the scopes of the pattern are the innermost of `scope`.
  func matches(scope: String) -> Bool {
    guard hasScopes else { return true }
    let actual = Self.splitScopes(scope)
    guard actual.count >= scopes.count else { return false }
    return zip(scopes.reversed(), actual.reversed()).allSatisfy { $0.matches($1) }
  }

  /// Whether a linkage name matches the whole pattern: only worth a try for a mangled one.
  func matches(linkageName: RawSpan) -> Bool { whole.matches(linkageName) }

  /// Looks like the result of name mangling.
  var isMangled: Bool { prefix.hasPrefix("_Z") || prefix.hasPrefix("_R") || prefix.hasPrefix("$s") }
}

/// The file part of a pattern: matches the end of a path, from a `/` on.
struct FilePattern {
  private let whole: GlobPattern
  private let suffix: GlobPattern

  init(_ text: String) {
    whole = GlobPattern(text)
    suffix = GlobPattern("*/" + text)
  }

  func matches(_ path: RawSpan) -> Bool { whole.matches(path) || suffix.matches(path) }

  func matches(_ path: String) -> Bool { whole.matches(path) || suffix.matches(path) }
}
