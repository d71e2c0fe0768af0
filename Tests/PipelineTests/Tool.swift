import Foundation
import TestSupport

/// The utrace under test, run to its end.
struct Tool {
  /// What a run left.
  struct Outcome {
    let status: Int32
    let output: String
    let errors: String
  }

  /// The package's own folder.
  static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path(percentEncoded: false)

  /// `UTRACE`, or the debug build beside the tests.
  static let path = ProcessInfo.processInfo.environment["UTRACE"] ?? root + ".build/debug/utrace"

  /// Runs it in a scratch directory; `shell` is a command in which `"$@"` is utrace and its arguments.
  static func run(
    _ arguments: [String],
    in directory: ScratchDirectory? = nil,
    input: String = "",
    environment: [String: String] = [:],
    shell: String = "exec \"$@\""
  ) throws -> Outcome {
    let scratch = try ScratchDirectory()
    let process = Process()
    process.executableURL = URL(filePath: "/bin/sh")
    let timed = ["timeout", "-k", "1", "60", path] + arguments
    process.arguments = ["-c", shell, "sh"] + timed
    process.environment = ["PATH": "/usr/bin:/bin:/usr/sbin", "HOME": scratch.path, "LC_ALL": "C.UTF-8"]
      .merging(environment) { $1 }
    if let directory { process.currentDirectoryURL = URL(filePath: directory.path) }
    let (outputFile, errorFile) = (try scratch.write("", to: "out"), try scratch.write("", to: "err"))
    process.standardInput = FileHandle(forReadingAtPath: try scratch.write(input, to: "in"))
    process.standardOutput = FileHandle(forWritingAtPath: outputFile)
    process.standardError = FileHandle(forWritingAtPath: errorFile)
    try process.run()
    process.waitUntilExit()
    return Outcome(
      status: process.terminationStatus,
      output: try String(contentsOfFile: outputFile, encoding: .utf8),
      errors: try String(contentsOfFile: errorFile, encoding: .utf8)
    )
  }
}
