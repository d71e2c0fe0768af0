import Foundation
import TestSupport
import Testing

extension LiveTests {
  /// The same on Debian's 6.1, whose verifier knows less, and where loops are callbacks.
  @Suite(.tags(.qemu), .requires(.oldKernel), .timeLimit(.minutes(30))) struct OldKernelRandomTests {
    /// `UTRACE_OLD_RANDOM_SCRIPTS` new ones (20) from seed `UTRACE_RANDOM_SEED` (0) on, and unless the seed is said,
    /// those that are kept.
    @Test("random scripts do on Linux 6.1 what they do in the interpreter")
    func agreement() throws {
      let scratch = try ScratchDirectory()
      var tally = RandomTally()
      let isCampaign = ProcessInfo.processInfo.environment["UTRACE_RANDOM_SEED"] != nil
      let kept = isCampaign ? [] : try KeptScript.all()
      let batches = RandomBatch.wanted(count: "UTRACE_OLD_RANDOM_SCRIPTS", default: 20).flatMap(\.halves)
      let verdicts = try verdicts(batches + kept.map(\.batch), scratch)
      for (script, (_, verdict)) in zip(kept, verdicts.suffix(kept.count)) {
        if let failure = verdict.failure { tally.count("\(script.name): \(failure)") }
      }
      var suspects: [RandomBatch] = []
      for (batch, verdict) in verdicts.prefix(batches.count) {
        if case .same = verdict { tally.same += batch.scripts.count } else { suspects += batch.alone }
      }
      for (script, verdict) in try self.verdicts(suspects, scratch) {
        guard let failure = verdict.failure else {
          try tally.count(verdict, script, scratch)
          continue
        }
        tally.count("seed \(script.seeds[0]), in \(try script.keep("old")): \(failure)")
      }
      tally.expectGood()
    }

    /// Runs each in one boot, and in the interpreter here.
    private func verdicts(
      _ batches: [RandomBatch],
      _ scratch: ScratchDirectory
    ) throws -> [(RandomBatch, Verdict)] {
      if batches.isEmpty { return [] }
      let commands = batches.map { batch in
        let script = "/t/files/\(batch.name).stp"
        return (batch.name, batch.settings + ["-w", "-o", "/dev/fd/3", "-c", "steps", script])
      }
      let files = batches.map { ("\($0.name).stp", $0.kernelText(program: "steps")) }
      let guest = try OldKernel(commands, files: files, seconds: 1500)
      return try batches.map { batch in
        (batch, Verdict(user: try batch.expected(in: scratch), kernel: try guest.outcome(batch.name)))
      }
    }
  }
}

extension RandomBatch {
  fileprivate var name: String { "random-\(seeds[0])-\(seeds.count)" }
}
