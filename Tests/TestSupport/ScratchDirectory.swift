import Foundation

/// A directory that lives as long as the test that made it.
package final class ScratchDirectory: Sendable {
  package let path: String

  /// Makes an empty directory.
  package init() throws {
    let base = FileManager.default.temporaryDirectory.path
    path = "\(base)/utrace-test-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Writes `text` to a file of that name here and gives its path.
  package func write(_ text: String, to name: String) throws -> String {
    try text.write(toFile: "\(path)/\(name)", atomically: true, encoding: .utf8)
    return "\(path)/\(name)"
  }

  /// Compiles C source with gcc and gives the program's path.
  package func compileC(_ source: String, to name: String, flags: [String] = ["-g", "-O2"]) throws -> String {
    let file = try write(source, to: name + ".c")
    let program = "\(path)/\(name)"
    let result = try run("gcc", flags + ["-o", program, file])
    guard result.status == 0 else { throw CommandFailure(command: "gcc", output: result.output) }
    return program
  }
}

/// A command of a test's set-up that failed.
package struct CommandFailure: Error, CustomStringConvertible {
  package let command: String
  package let output: String

  package init(command: String, output: String) {
    self.command = command
    self.output = output
  }

  package var description: String { "\(command) failed: \(output)" }
}

/// Runs a command found by PATH, waits for it, and gives its status and what it wrote to both outputs.
package func run(_ command: String, _ arguments: [String]) throws -> (status: Int32, output: String) {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
  process.arguments = [command] + arguments
  let pipe = Pipe()
  process.standardOutput = pipe
  process.standardError = pipe
  process.standardInput = FileHandle.nullDevice
  try process.run()
  let output = pipe.fileHandleForReading.readDataToEndOfFile()
  process.waitUntilExit()
  return (process.terminationStatus, String(decoding: output, as: UTF8.self))
}
