import Foundation
import TestSupport

/// The package's own folder, build products and scripts.
enum Package {
  static let root: String = {
    var path = URL(fileURLWithPath: #filePath)
    while path.path != "/",
      !FileManager.default.fileExists(atPath: path.appendingPathComponent("Package.swift").path)
    {
      path.deleteLastPathComponent()
    }
    return path.path
  }()

  /// The utrace under test: `UTRACE`, or the debug build beside the tests.
  static let utrace = ProcessInfo.processInfo.environment["UTRACE"] ?? "\(root)/.build/debug/utrace"

  /// Its library of functions and aliases: `UTRACE_TAPSET`, or that of the package.
  static let tapset = ProcessInfo.processInfo.environment["UTRACE_TAPSET"] ?? "\(root)/Tapset"

  /// A program of TestPrograms; all of them are built when the first is asked for.
  static func program(_ name: String) -> String { "\(programs)/\(name)" }

  private static let programs: String = {
    let made = try? run("make", ["-s", "-C", "\(root)/TestPrograms"])
    guard made?.status == 0 else {
      fatalError("make -C TestPrograms must succeed: \(made?.output ?? "no make")")
    }
    return "\(root)/.build/test-programs"
  }()

  /// A script of Examples.
  static func example(_ name: String) -> String { "\(root)/Examples/\(name)" }
}

/// What a finished process left.
struct Outcome {
  let status: Int32
  let output: String
  let errors: String

  /// The lines of the output, without empty ones.
  var lines: [String] { output.split(separator: "\n").map(String.init) }

  /// The lines without those of a test program that was the command of `-c`: `ready PID`, `done N hits …`.
  var scriptLines: [String] { lines.filter { !$0.hasPrefix("ready ") && !$0.hasPrefix("done ") } }

  /// The lines of messages, without those of `-v`.
  var messages: [String] { errors.split(separator: "\n").map(String.init).filter { !$0.hasPrefix("Pass ") } }
}

/// A process that runs beside the test.
final class RunningProcess {
  private let process = Process()
  private let input = Pipe()
  private let outputFile: String
  private let errorFile: String
  private let scratch: ScratchDirectory

  var pid: Int32 { process.processIdentifier }
  var isRunning: Bool { process.isRunning }

  init(_ command: String, _ arguments: [String], environment: [String: String] = [:]) throws {
    scratch = try ScratchDirectory()
    outputFile = try scratch.write("", to: "out")
    errorFile = try scratch.write("", to: "err")
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [command] + arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    process.standardInput = input
    process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: outputFile))
    process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: errorFile))
    try process.run()
  }

  deinit { if process.isRunning { kill(pid, SIGKILL) } }

  var output: String { text(ofFile: outputFile) }
  var errors: String { text(ofFile: errorFile) }

  func send(_ text: String) { input.fileHandleForWriting.write(Data(text.utf8)) }
  func closeInput() { try? input.fileHandleForWriting.close() }
  func signal(_ number: Int32) { kill(pid, number) }

  /// Waits until `condition` holds; false when it has not within `seconds`.
  func wait(seconds: Double = 20, until condition: (RunningProcess) -> Bool) -> Bool {
    let deadline = Date().addingTimeInterval(seconds)
    while Date() < deadline {
      if condition(self) { return true }
      usleep(10_000)
    }
    return condition(self)
  }

  /// Sends SIGINT, as Ctrl-C does, and waits for the end.
  func interrupt() -> Outcome {
    signal(SIGINT)
    return finish()
  }

  /// Waits for the end, by SIGKILL when it takes longer than `seconds`.
  func finish(seconds: Double = 60) -> Outcome {
    if !wait(seconds: seconds, until: { !$0.isRunning }) { kill(pid, SIGKILL) }
    process.waitUntilExit()
    return Outcome(status: process.terminationStatus, output: output, errors: errors)
  }
}

/// Runs utrace to its end.
func utrace(
  _ arguments: [String],
  of program: String = Package.utrace,
  seconds: Double = 60,
  environment: [String: String] = [:],
  input: String = ""
) throws -> Outcome {
  let process = try RunningProcess(program, arguments, environment: environment)
  process.send(input)
  process.closeInput()
  return process.finish(seconds: seconds)
}

/// Starts utrace and waits until its probes are live.
func startUtrace(_ arguments: [String], environment: [String: String] = [:]) throws -> RunningProcess {
  let process = try RunningProcess(Package.utrace, ["-v"] + arguments, environment: environment)
  guard process.wait(until: { $0.errors.contains("Pass 5: starting") || !$0.isRunning }), process.isRunning
  else {
    throw CommandFailure(command: "utrace", output: process.output + process.errors)
  }
  return process
}

/// What is in a file, or nothing when there is none.
///
/// Bytes that are no UTF-8 become U+FFFD instead of making it all nothing.
func text(ofFile path: String) -> String {
  // Data(contentsOf:) believes that a file of /proc ends where its first read(2) does.
  let data = (try? FileHandle(forReadingFrom: URL(fileURLWithPath: path)))?.readDataToEndOfFile()
  return data.map { String(decoding: $0, as: UTF8.self) } ?? ""
}
