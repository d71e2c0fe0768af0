import Foundation
import Testing

@testable import Platform

@Suite("GlobPattern") struct GlobPatternTests {
  private static let patterns = [
    "", "*", "?", "a", "a*", "*a", "a*b*c", "a?c", "[abc]", "[a-c]x", "[!a-c]", "[^a]*", "[]]", "[!]]",
    "[]-a]",
    "[a-", "[", "a[", "\\*", "a\\", "[[:digit:]]*", "[[:alpha:][:digit:]_]", "[[:nope:]]", "[a\\]b]", "**a**",
    "*a*a*a*b", "[z-a]", "[--0]", "[a-]", "?*?", "foo.*.part.[0-9]",
  ]
  private static let names = [
    "", "a", "b", "ab", "abc", "aXbYc", "ac", "abbbc", "x", "ax", "cx", "]", "-", "[", "a[", "[a-", "*",
    "a\\", "9z",
    "_", ":]", "aaaaaaaaaaaaaaaaaaaaaaaaaac", "aab", "xa", "foo.cold.part.7", "foo.part.7", "ü", "\u{7f}",
  ]

  @Test(arguments: patterns)
  func agreesWithTheCLibrary(_ pattern: String) {
    let compiled = GlobPattern(pattern)
    for name in GlobPatternTests.names {
      let expected = fnmatch(pattern, name, 0) == 0
      // Unfinished escapes, ranges and unknown classes match nothing in glibc; here they stand for themselves.
      if ["a\\", "[a-", "[[:nope:]]"].contains(pattern) { continue }
      #expect(compiled.matches(name) == expected, "pattern '\(pattern)', name '\(name)'")
      #expect(GlobPattern.matches(name, pattern: pattern) == expected, "pattern '\(pattern)', name '\(name)'")
    }
  }

  @Test func literalsLoseTheirQuotes() {
    #expect(GlobPattern("a\\*b").literal == "a*b")
    #expect(GlobPattern("a*b").literal == nil)
    #expect(GlobPattern("a*b").hasWildcards)
  }

  @Test func twoStarsSpanComponents() {
    #expect(["**", "a**", "*a**b", "***"].allSatisfy { GlobPattern.spansComponents($0) })
    #expect(!["", "*", "a*b*", "*?*", "ab"].contains { GlobPattern.spansComponents($0) })
  }

  @Test func starsDoNotExplode() {
    let name = String(repeating: "a", count: 5000)
    #expect(!GlobPattern(String(repeating: "*a", count: 50) + "b").matches(name))
  }
}
