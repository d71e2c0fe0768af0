import Foundation
import TestSupport

/// What two sides made of the same scripts.
enum Verdict {
  /// The same output and the same errors.
  case same
  /// Translation says that it does not do it.
  case refused(String)
  /// Translation accepts it, the kernel does not.
  case rejected(String)
  /// Something was lost, and reported so: the kernel had no memory for an element at that moment.
  case lost(String)
  /// The two sides print or report something else.
  case different(String)

  init(user: Outcome, kernel: Outcome) {
    let all = user.errors + kernel.errors
    if user.status != 0 && !user.errors.contains("Number of errors")
      || kernel.errors.contains("[unsupported]") || kernel.errors.contains("this 'foreach' may walk")
    {
      self = .refused(all)
    } else if kernel.errors.contains("verifier") || kernel.status == 3 {
      self = .rejected(kernel.errors)
    } else if kernel.errors.contains(" lost") || kernel.errors.contains("skipped: ") {
      self = .lost(kernel.errors)
    } else if user.output != kernel.output {
      self = .different("output\n\(Self.firstDifference(user.output, kernel.output))\n\(all)")
    } else if Self.reports(user) != Self.reports(kernel) || user.status != kernel.status {
      self = .different("errors, status \(user.status) and \(kernel.status)\n\(all)")
    } else {
      self = .same
    }
  }

  /// What there is to say; nil when nothing is wrong.
  var failure: String? {
    switch self {
    case .same, .refused, .lost: nil
    case .rejected(let text): "rejected by the kernel: \(text)"
    case .different(let text): "different \(text)"
    }
  }

  /// Whether both are failures of the same kind.
  func isLike(_ other: Verdict) -> Bool {
    switch (self, other) {
    case (.rejected, .rejected), (.different, .different): true
    default: false
    }
  }

  /// Messages without the path of the script.
  private static func reports(_ outcome: Outcome) -> [String] {
    outcome.messages.map { $0.replacing(/at \S+\.stp:/, with: "at script:") }
  }

  private static func firstDifference(_ user: String, _ kernel: String) -> String {
    let sides = [user, kernel].map { $0.split(separator: "\n", omittingEmptySubsequences: false) }
    let common = zip(sides[0], sides[1]).prefix { $0 == $1 }.count
    let lines = sides.map { $0.dropFirst(max(0, common - 1)).prefix(3).joined(separator: "\n") }
    return "interpreter: \(lines[0])\nkernel: \(lines[1])"
  }
}

extension RandomBatch {
  /// A busy machine's verifier takes its time.
  static let seconds = 300.0

  /// Runs it on both sides here; again when something was lost.
  func verdict(in scratch: ScratchDirectory) throws -> Verdict {
    let verdict = try verdictOnce(in: scratch)
    guard case .lost = verdict else { return verdict }
    return try verdictOnce(in: scratch)
  }

  private func verdictOnce(in scratch: ScratchDirectory) throws -> Verdict {
    let program = Package.program("steps")
    let output = try scratch.write("", to: "out")
    let kernel = try scratch.write(kernelText(program: program), to: "kernel.stp")
    let traced = try utrace(settings + ["-w", "-o", output, "-c", program, kernel], seconds: Self.seconds)
    let found = Outcome(status: traced.status, output: text(ofFile: output), errors: traced.errors)
    return Verdict(user: try expected(in: scratch), kernel: found)
  }

  /// What the interpreter makes of it.
  func expected(in scratch: ScratchDirectory) throws -> Outcome {
    let script = try scratch.write(userText, to: "user.stp")
    return try utrace(settings + ["-w", script], seconds: Self.seconds)
  }

  /// The one script of this batch, as small as it can be to fail so.
  func shrunk(like verdict: Verdict, in scratch: ScratchDirectory) throws -> RandomBatch {
    var batch = self
    var shrinker = Shrinker { text in
      var smaller = self
      smaller.scripts[0].text = text
      return try smaller.verdict(in: scratch).isLike(verdict)
    }
    batch.scripts[0].text = try shrinker.smallest(scripts[0].text)
    return batch
  }

  /// Text for a file in `Tests/Golden/random`: the settings, then the script with its probes at `POINT0` and so on.
  var keptText: String {
    let points = (0..<scripts[0].probes).map { "POINT\($0)" }
    return "# \(settings.joined(separator: " "))\n\(scripts[0].text(at: points))"
  }

  /// Writes a failing script where it can be looked at; its directory.
  func keep(_ name: String) throws -> String {
    let directory = "/tmp/utrace-random-\(seeds[0])"
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    let texts = [
      ("user", userText), ("kernel", kernelText(program: Package.program("steps"))), ("kept", keptText),
    ]
    for (side, text) in texts {
      try text.write(toFile: "\(directory)/\(name)-\(side).stp", atomically: true, encoding: .utf8)
    }
    return directory
  }
}
