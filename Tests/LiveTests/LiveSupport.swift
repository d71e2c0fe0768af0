import Foundation
import KernelBridge
import TestSupport
import Testing

extension Tag {
  /// Traces real programs, and needs what that takes.
  @Tag static var live: Self
}

/// Every live test, one at a time: they share two CPUs, and some count what a whole machine does.
@Suite(.tags(.live), .serialized) enum LiveTests {}

/// What a live test needs of the machine.
enum Requirement: Sendable {
  /// eBPF programs at uprobes.
  case probes
  /// A file, such as a program or a library of Debian's.
  case file(String)
  /// A script of ours whose first line of output is a file that then exists: `build-psql`.
  case script(String)
  /// A program in `PATH`, such as a compiler.
  case tool(String)
  /// QEMU, and Linux 6.1 to boot in it.
  case oldKernel

  /// Nil when it is there.
  var missing: String? {
    switch self {
    case .probes:
      guard getuid() == 0 else { return "root" }
      let session = KernelSession()
      for feature in [KernelFeature.loadPrograms, .ringBuffer] {
        if case .missing(let reason) = session.features.state(of: feature) {
          return "\(feature.title): \(reason)"
        }
      }
      return nil
    case .file(let path):
      return FileManager.default.fileExists(atPath: path) ? nil : path
    case .script(let name):
      let made = try? run("\(Package.root)/Scripts/\(name)", [])
      return made?.status == 0 ? nil : "Scripts/\(name): \(made?.output ?? "")"
    case .tool(let name):
      return (try? run("which", [name]))?.status == 0 ? nil : name
    case .oldKernel:
      guard (try? run("qemu-system-x86_64", ["--version"]))?.status == 0 else { return "qemu-system-x86" }
      let found = try? run("\(Package.root)/Scripts/qemu-run", ["--kernel"])
      return found?.status == 0 ? nil : "the kernel image of linux-image-cloud-amd64"
    }
  }
}

/// Cancels a test with the name of what is missing, so that it is counted as skipped and not as passed.
struct Requires: TestTrait, SuiteTrait, TestScoping {
  let requirements: [Requirement]

  func provideScope(
    for test: Test,
    testCase: Test.Case?,
    performing function: @Sendable () async throws -> Void
  ) async throws {
    for requirement in requirements {
      if let missing = requirement.missing { try Test.cancel("needs \(missing)") }
    }
    try await function()
  }
}

extension Trait where Self == Requires {
  static func requires(_ requirements: Requirement...) -> Self { Requires(requirements: requirements) }
}

/// A server that a script of `Scripts` starts, stopped and removed with this value.
final class PrivateServer {
  let directory: String
  private let script: String

  /// `script`: `postgres-cluster` or `mariadb-server`.
  init(_ script: String) throws {
    self.script = "\(Package.root)/Scripts/\(script)"
    let started = try run(self.script, ["start"])
    guard started.status == 0 else { throw CommandFailure(command: script, output: started.output) }
    directory = started.output.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  deinit { _ = try? run(script, ["stop", directory]) }
}

/// The search path with `directory` first.
func searchPath(first directory: String) -> [String: String] {
  ["PATH": directory + ":" + (ProcessInfo.processInfo.environment["PATH"] ?? "")]
}

/// The number in the first column of each line, by the rest of the line; lines that begin otherwise are left out.
func counts(_ lines: [String]) -> [String: Int] {
  var result: [String: Int] = [:]
  for line in lines {
    let fields = line.split(separator: " ", maxSplits: 1)
    guard fields.count == 2, let count = Int(fields[0]) else { continue }
    result[fields[1].trimmingCharacters(in: .whitespaces)] = count
  }
  return result
}
