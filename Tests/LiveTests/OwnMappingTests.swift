import Foundation
import TestSupport
import Testing

extension LiveTests {
  /// A tracer maps the files that it probes: the kernel must not set breakpoints in those mappings, too, which takes
  /// longer than in the traced programs and copies each probed page.
  @Suite(.requires(.probes), .timeLimit(.minutes(2))) struct OwnMappingTests {
    @Test("no page of a probed file is copied", arguments: ["O2", "debuglink", "split", "clang-O2"])
    func noPageOfAProbedFileIsCopied(_ variant: String) throws {
      let program = Package.program("targets-\(variant)")
      let script = "probe process(\"\(program)\").function(\"*\") { println($$parms) } probe begin { println(\"on\") }"
      let tracer = try RunningProcess(Package.utrace, ["--no-cache", "-w", "-e", script])
      #expect(tracer.wait { $0.output.contains("on") }, "\(tracer.errors)")
      let copied = copiedKilobytes(of: program, in: tracer.pid)
      let outcome = tracer.interrupt()
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(!copied.isEmpty && copied.allSatisfy { $0 == 0 }, "\(copied) kB")
    }

    /// `Anonymous` of each mapping of `path` (proc(5), smaps).
    private func copiedKilobytes(of path: String, in pid: Int32) -> [Int] {
      var isWanted = false
      return text(ofFile: "/proc/\(pid)/smaps").split(separator: "\n").compactMap { line in
        let words = line.split(separator: " ", omittingEmptySubsequences: true)
        if words.first?.last != ":" { isWanted = line.hasSuffix(path) }
        guard isWanted, words.first == "Anonymous:", words.count > 1 else { return nil }
        return Int(words[1])
      }
    }
  }
}
