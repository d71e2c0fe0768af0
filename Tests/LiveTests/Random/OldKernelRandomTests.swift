import Foundation
import TestSupport
import Testing

extension LiveTests {
  /// The same on Debian's 6.1, whose verifier knows less, and where loops are callbacks.
  @Suite(.tags(.qemu), .requires(.oldKernel), .timeLimit(.minutes(30))) struct OldKernelRandomTests {
    /// The kept ones, and `UTRACE_OLD_RANDOM_SCRIPTS` new ones from seed `UTRACE_RANDOM_SEED` (0) on.
    ///
    /// None without a wish: memory of `steps` that is not resident faults on 6.1, which the interpreter does not
    /// know. One boot runs up to 400.
    @Test("random scripts do on Linux 6.1 what they do in the interpreter")
    func agreement() throws {
      let scratch = try ScratchDirectory()
      var tally = RandomTally()
      let kept = try KeptScript.all()
      for (script, (_, verdict)) in zip(kept, try verdicts(kept.map(\.batch), scratch)) {
        if let failure = verdict.failure { tally.count("\(script.name): \(failure)") }
      }
      let count = "UTRACE_OLD_RANDOM_SCRIPTS"
      let isWanted = ProcessInfo.processInfo.environment[count] != nil
      var rest = isWanted ? RandomBatch.wanted(count: count, default: 0)[...] : []
      while !rest.isEmpty {
        let batches = Array(rest.prefix(20))
        rest = rest.dropFirst(batches.count)
        var suspects: [RandomBatch] = []
        for (batch, verdict) in try verdicts(batches, scratch) {
          if case .same = verdict { tally.same += batch.scripts.count } else { suspects += batch.alone }
        }
        for (script, verdict) in try verdicts(suspects, scratch) {
          guard let failure = verdict.failure else {
            try tally.count(verdict, script, scratch)
            continue
          }
          tally.count("seed \(script.seeds[0]), in \(try script.keep("old")): \(failure)")
        }
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
      let guest = try OldKernel(commands, files: files, seconds: 900)
      return try batches.map { batch in
        (batch, Verdict(user: try batch.expected(in: scratch), kernel: try guest.outcome(batch.name)))
      }
    }
  }
}

extension RandomBatch {
  fileprivate var name: String { "random-\(seeds[0])-\(seeds.count)" }
}
