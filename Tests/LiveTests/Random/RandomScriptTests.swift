import Foundation
import TestSupport
import Testing

extension LiveTests {
  /// The translator never lies: what it accepts runs in the kernel, and prints what the interpreter prints.
  ///
  /// `Scripts/random` runs many more.
  @Suite(.requires(.probes), .timeLimit(.minutes(10))) struct RandomScriptTests {
    /// `UTRACE_RANDOM_SCRIPTS` of them (300), from seed `UTRACE_RANDOM_SEED` (0) on.
    @Test("random scripts do in the kernel what they do in the interpreter")
    func agreement() throws {
      let scratch = try ScratchDirectory()
      var tally = RandomTally()
      for batch in RandomBatch.wanted(count: "UTRACE_RANDOM_SCRIPTS", default: 300) {
        if case .same = try batch.verdict(in: scratch) {
          tally.same += batch.scripts.count
          continue
        }
        for script in batch.alone {
          let verdict = try script.verdict(in: scratch)
          try tally.count(verdict, script, scratch)
        }
      }
      tally.expectGood()
    }

    @Test("scripts that failed once agree", arguments: try KeptScript.all())
    func kept(_ script: KeptScript) throws {
      let verdict = try script.batch.verdict(in: ScratchDirectory())
      if case .same = verdict { return }
      Issue.record("\(verdict)")
    }
  }
}

/// A script of `Tests/Golden/random`.
struct KeptScript: CustomTestStringConvertible {
  let name: String
  let batch: RandomBatch

  var testDescription: String { name }

  static func all() throws -> [KeptScript] {
    let directory = "\(Package.root)/Tests/Golden/random"
    let names = try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
    return names.enumerated().map { number, name in
      let text = text(ofFile: "\(directory)/\(name)")
      return KeptScript(name: name, batch: RandomBatch(kept: text, number: UInt64(number)))
    }
  }
}

/// What came of random scripts.
struct RandomTally {
  var same = 0
  private var refused: [String] = []
  private var failures: [String] = []

  /// Counts the verdict on one script, and makes a failing one smaller.
  mutating func count(_ verdict: Verdict, _ batch: RandomBatch, _ scratch: ScratchDirectory) throws {
    switch verdict {
    case .same: same += 1
    case .refused(let text): refused.append("seed \(batch.seeds[0]): \(text)")
    case .rejected, .different:
      let directory = try batch.keep("whole")
      let small = try batch.shrunk(like: verdict, in: scratch)
      _ = try small.keep("small")
      let failure = try small.verdict(in: scratch).failure ?? verdict.failure ?? ""
      failures.append("seed \(batch.seeds[0]), in \(directory): \(failure)\n\(small.keptText)")
    }
  }

  /// Counts one that cannot be made smaller here.
  mutating func count(_ failure: String) { failures.append(failure) }

  /// No rejection, no difference, and hardly any that translation refuses.
  func expectGood() {
    let summary = "\(same) agree, \(refused.count) refused, \(failures.count) fail"
    print("random scripts:", summary)
    #expect(failures.isEmpty, "\(summary):\n\(failures.prefix(5).joined(separator: "\n"))")
    #expect(refused.count * 100 <= same, "\(summary):\n\(refused.prefix(5).joined(separator: "\n"))")
  }
}

extension RandomBatch {
  /// As many batches as the environment asks for, from seed `UTRACE_RANDOM_SEED` (0) on.
  static func wanted(count name: String, default usual: UInt64) -> [RandomBatch] {
    let environment = ProcessInfo.processInfo.environment
    let count = environment[name].flatMap { UInt64($0) } ?? usual
    let first = (environment["UTRACE_RANDOM_SEED"].flatMap { UInt64($0) } ?? 0) / UInt64(size)
    let batches = (count + UInt64(size) - 1) / UInt64(size)
    return (first..<first + max(1, batches)).map { RandomBatch(number: $0) }
  }
}
