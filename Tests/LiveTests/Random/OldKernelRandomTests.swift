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
    ///
    /// They are translated here: the emulated CPU takes ten times as long for it.
    private func verdicts(
      _ batches: [RandomBatch],
      _ scratch: ScratchDirectory
    ) throws -> [(RandomBatch, Verdict)] {
      if batches.isEmpty { return [] }
      let modules = try ScratchDirectory()
      let built = try batches.map { try $0.build(in: modules) }
      let commands = zip(batches, built).filter { $1.status == 0 }.map { batch, _ in
        (batch.name, ["run", "-o", "/dev/fd/3", "/t/files/\(batch.name)"])
      }
      let guest = try OldKernel(commands, directory: modules.path, seconds: 1500)
      return try zip(batches, built).map { batch, built in
        let kernel = built.status == 0 ? try guest.outcome(batch.name) : built
        return (batch, Verdict(user: try batch.expected(in: scratch), kernel: kernel))
      }
    }
  }
}

extension RandomBatch {
  fileprivate var name: String { "random-\(seeds[0])-\(seeds.count)" }

  /// Writes its module for Linux 6.1 into `directory`, as ``name``.
  fileprivate func build(in directory: ScratchDirectory) throws -> Outcome {
    let program = Package.program("steps")
    let script = try directory.write(kernelText(program: program), to: "script.stp")
    let arguments = ["build", "-r", "6.1", "-o", "\(directory.path)/\(name)", "-w", "-c", program]
    return try utrace(arguments + settings + [script], of: OldKernel.quickest, seconds: Self.seconds)
  }
}
