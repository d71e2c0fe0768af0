import ArgumentParser
import Diagnostics
import Platform

/// Says what happened, on standard error: findings about the script, times of passes, failures.
struct Reporter {
  let options: PresentationOptions
  private(set) var hasWarned = false

  private let environment: Environment

  init(_ options: PresentationOptions, _ environment: Environment = .current()) {
    self.options = options
    self.environment = environment
  }

  /// Shows findings; notes and errors always, warnings unless `-w`.
  mutating func report(_ diagnostics: [Diagnostic], in sources: SourceSet) {
    let renderer = DiagnosticRenderer(
      sources: sources,
      usesColor: usesColor,
      width: StandardStream.error.columnCount
    )
    for diagnostic in diagnostics {
      if diagnostic.severity == .warning {
        if options.hidesWarnings { continue }
        hasWarned = true
      }
      let text = options.json ? renderer.json(diagnostic) + "\n" : renderer.text(diagnostic)
      StandardStream.error.write(text)
    }
  }

  /// One failure that no place in a script is to blame for.
  mutating func fail(_ id: String, _ message: String, notes: [String] = []) {
    let diagnostic = Diagnostic(.error, id, message, at: nil, notes: notes.map { .note($0) })
    report([diagnostic], in: SourceSet())
  }

  /// Something that no place in a script is to blame for, and that ends nothing.
  mutating func warn(_ id: String, _ message: String, notes: [String] = []) {
    let diagnostic = Diagnostic(.warning, id, message, at: nil, notes: notes.map { .note($0) })
    report([diagnostic], in: SourceSet())
  }

  /// Reports what is the matter with a module.
  /// - Returns: how to leave.
  mutating func fail(_ error: ModuleError) -> ExitCode {
    fail(error.id, error.message, notes: error.notes)
    return ExitCode(error.cause.status.rawValue)
  }

  /// A line of progress, with `-v`.
  func say(_ line: String) {
    if options.verbosity > 0 { StandardStream.error.write(line + "\n") }
  }

  /// Runs one pass and, with `-v`, says what it did and how long it took.
  func pass<Result, Failure: Error>(
    _ number: Int,
    _ work: () throws(Failure) -> Result,
    saying summary: (Result) -> String
  ) throws(Failure) -> Result {
    let start = Clock.monotonicNanoseconds()
    let result = try work()
    say(number, summary(result), since: start)
    return result
  }

  /// With `-v`, says what a pass did since `start`, a time of the monotonic clock.
  func say(_ number: Int, _ summary: @autoclosure () -> String, since start: UInt64) {
    guard options.verbosity > 0 else { return }
    let time = milliseconds(Clock.monotonicNanoseconds() - start)
    StandardStream.error.write("Pass \(number): \(summary()) in \(time)\n")
  }

  private var usesColor: Bool {
    !options.json && options.color.applies(environment)
  }
}

/// A time with its unit, to the microsecond.
func milliseconds(_ nanoseconds: UInt64) -> String {
  let microseconds = nanoseconds / 1000
  let fraction = String(microseconds % 1000)
  let padded = String(repeating: "0", count: 3 - fraction.count) + fraction
  return "\(microseconds / 1000).\(padded) ms"
}

extension ModuleError.Cause {
  /// How utrace leaves.
  fileprivate var status: Status {
    switch self {
    case .module: .scriptError
    case .system: .systemError
    }
  }
}
