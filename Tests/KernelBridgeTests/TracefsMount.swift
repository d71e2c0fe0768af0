import Foundation
import TestSupport

/// A tracefs mounted for one test, wherever the machine has it or not.
final class TracefsMount {
  let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory.path + "/utrace-tracefs-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    let result = try run("mount", ["-t", "tracefs", "tracefs", path])
    guard result.status == 0 else { throw CommandFailure(command: "mount", output: result.output) }
  }

  deinit {
    _ = try? run("umount", [path])
    rmdir(path)
  }

  /// The definitions of dynamic uprobe events.
  func events() throws -> String { try String(contentsOfFile: path + "/uprobe_events", encoding: .utf8) }

  func define(_ line: String) throws {
    let file = try required(FileHandle(forWritingAtPath: path + "/uprobe_events"))
    try file.write(contentsOf: Data((line + "\n").utf8))
    try file.close()
  }
}

private func required<Value>(_ value: Value?) throws -> Value {
  guard let value else { throw CommandFailure(command: "open", output: "uprobe_events") }
  return value
}
