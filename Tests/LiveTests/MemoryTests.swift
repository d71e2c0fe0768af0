import Foundation
import TestSupport
import Testing

extension LiveTests {
  /// What a session takes that has translated its script itself.
  @Suite(.requires(.probes), .timeLimit(.minutes(2))) struct MemoryTests {
    @Test(
      "no session keeps the debug information that it was translated with",
      arguments: ["O2", "zlib", "split"]
    )
    func noSessionKeepsDebugInformation(_ variant: String) throws {
      let program = Package.program("targets-\(variant)")
      let script =
        "probe process(\"\(program)\").function(\"*\") { println($$parms) } probe begin { println(\"on\") }"
      let tracer = try RunningProcess(Package.utrace, ["--no-cache", "-w", "-e", script])
      #expect(tracer.wait { $0.output.contains("on") }, "\(tracer.errors)")
      let isFree = tracer.wait(seconds: 5) { !text(ofFile: "/proc/\($0.pid)/maps").contains(program) }
      #expect(isFree, "\(text(ofFile: "/proc/\(tracer.pid)/maps"))")
      #expect(tracer.interrupt().status == 0)
    }
  }
}
