import ELF
import Platform
import TargetModel

/// Finds the file that a build ID names: `process("2675027b…")`.
///
/// Distributions keep links from `/usr/lib/debug/.build-id` to binaries (Fedora) or to their debug files only (Debian); what
/// processes execute now is looked through as well.
struct BuildIDSearch {
  private static let directory = "/usr/lib/debug/.build-id"

  private let digits: String

  /// Nil for a name that is no build ID: 16 hexadecimal digits or more.
  init?(_ name: String) {
    guard name.utf8.count >= 16, name.utf8.count % 2 == 0, name.allSatisfy(\.isHexDigit) else { return nil }
    digits = name.lowercased()
  }

  /// The file, links resolved.
  func files() -> Result<[String], ProgramProblem> {
    let link = "\(Self.directory)/\(digits.prefix(2))/\(digits.dropFirst(2))"
    if let path = try? Paths.canonical(link), has(path) { return .success([path]) }
    var seen: Set<String> = []
    for process in (try? RunningProcess.all()) ?? [] {
      for file in (try? process.loadedFiles()) ?? [] where seen.insert(file.openablePath).inserted {
        if has(file.openablePath) { return .success([file.openablePath]) }
      }
    }
    return .failure(
      ProgramProblem(
        "no file with the build ID '\(digits)'",
        notes: ["looked for below \(Self.directory), and in what processes execute now"]
      )
    )
  }

  private func has(_ path: String) -> Bool { (try? ELFFile(path: path))?.buildID?.description == digits }
}
