import Diagnostics
import Testing

@testable import StapSyntax

@Suite("Speed", .serialized) struct SpeedTests {
  /// A hundred lines of everyday script.
  static let script: String = {
    let probe = """
      probe process("psql").function("SendQuery").call, process("psql").function("SendQuery").return? {
        if (pid() != target() && !@defined($query)) next
        name = user_string($query)
        start[tid(), name] = gettimeofday_us()
        foreach ([t, q] in start- limit 10) {
          elapsed = gettimeofday_us() - start[t, q]
          times[q] <<< elapsed * 1000 / 3 + (t & 0xff)
          printf("%-20s %5d %s\\n", q, elapsed, @entry($query->text$))
        }
      }

      """
    return "global start, times\n" + String(repeating: probe, count: 10)
  }()

  @Test func aHundredLinesParseInTime() {
    let clock = ContinuousClock()
    var best = Duration.seconds(10)
    for _ in 0..<20 { best = min(best, clock.measure { #expect(Parsed(Self.script).product != nil) }) }
    print("parse of 101 lines: \(best)")
    // A debug build takes several times what a release build does.
    #expect(best < .milliseconds(20))
  }
}
