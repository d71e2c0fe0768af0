import Diagnostics
import Platform

extension TranslationOptions {
  /// The script's text and what it is called: `-e`, standard input, or a file.
  /// - Throws: ``SystemError`` when it cannot be read.
  func readScript() throws(SystemError) -> SourceFile {
    if let expression { return SourceFile(name: "<input>", text: Array(expression.utf8)) }
    let path = arguments.first ?? "-"
    if path == "-" { return SourceFile(name: "<stdin>", text: try StandardStream.readInput()) }
    return SourceFile(name: path, text: try readSmallFile(path))
  }

  /// What `$1`, `@1` and `$#` see.
  var scriptArguments: [String] { expression == nil ? Array(arguments.dropFirst()) : arguments }
}

/// Where tapsets are.
enum TapsetDirectories {
  /// The directories of `-I`, then ours: `Tapset` beside the executable, two levels above it (a build directory of the
  /// source tree), or `../share/utrace/tapset`.
  static func search(_ includes: [String], environment: Environment) -> [String] {
    includes + (environment["UTRACE_TAPSET"].map { [$0] } ?? [installed].compactMap { $0 })
  }

  /// Where ours was looked for, when it is at none of these places.
  static func missing(_ environment: Environment) -> [String] {
    environment["UTRACE_TAPSET"] != nil || installed != nil ? [] : Array(places.prefix(2))
  }

  private static var installed: String? {
    places.first { (try? FileStatus(of: $0))?.kind == .directory }.map { (try? Paths.canonical($0)) ?? $0 }
  }

  private static var places: [String] {
    guard let executable = try? Paths.linkTarget("/proc/self/exe"), var folder = Paths.parent(of: executable)
    else { return [] }
    var places = [Paths.join(folder, "../share/utrace/tapset")]
    for _ in 0..<5 {
      places.append(Paths.join(folder, "Tapset"))
      guard let parent = Paths.parent(of: folder) else { break }
      folder = parent
    }
    return places
  }
}
