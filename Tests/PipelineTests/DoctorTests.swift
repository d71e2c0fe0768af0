import Foundation
import TestSupport
import Testing

@testable import KernelBridge
@testable import UTrace

@Suite("utrace doctor") struct DoctorTests {
  /// A machine that lacks `missing`.
  private func report(
    _ missing: Set<KernelFeature> = [],
    lockdown: String? = nil,
    isRoot: Bool = true
  ) -> DoctorReport {
    DoctorReport(
      version: "1.2.3",
      architecture: "x86_64",
      settings: KernelSettings(
        release: "6.1.0",
        lockdown: lockdown,
        unprivilegedBPFDisabled: 2,
        perfEventParanoid: 3,
        tracefs: isRoot ? "/sys/kernel/tracing" : nil,
        capabilities: Capabilities(effective: isRoot ? ~0 : 0)
      ),
      surroundings: Surroundings(
        userID: isRoot ? 0 : 1000,
        container: isRoot ? nil : "podman",
        hasFirstProcessIDs: isRoot,
        debugInfoServers: nil,
        caches: [("module cache", "/c/modules", isRoot ? nil : "Permission denied")]
      ),
      state: { missing.contains($0) ? .missing(reason: "not here") : .available }
    )
  }

  private func text(_ report: DoctorReport, width: Int?, isUnicode: Bool = true) -> String {
    DoctorTable(width: width, isUnicode: isUnicode).text(of: report)
  }

  @Test("an unprivileged user reads what is missing and what to do")
  func unprivileged() {
    let report = report([.loadPrograms], isRoot: false)
    #expect(!report.canTrace)
    #expect(
      text(report, width: nil, isUnicode: false) == """
        utrace 1.2.3 on Linux 6.1.0, x86_64

        This user
          NO user                       user 1000 lacks CAP_BPF and CAP_PERFMON: run utrace as root
          NO other users' processes     no CAP_SYS_PTRACE: -p takes your own processes only
          -- container                  podman; start it with --cap-add=BPF --cap-add=PERFMON --cap-add=SYS_PTRACE
          -- process IDs                of a namespace: pid() in scripts gives the kernel's numbers, -p takes those of here

        Needed for probes
          NO BPF programs               not here: run as root, or with CAP_BPF and CAP_PERFMON (since Linux 4.18)

        Kernel features
          -- not tried                  they take BPF programs to be found out

        Settings
          ok kernel type information    /sys/kernel/btf/vmlinux
          NO tracefs                    not mounted: mount -t tracefs tracefs /sys/kernel/tracing
          ok lockdown                   none
          -- perf_event_paranoid        3
          -- unprivileged_bpf_disabled  2

        Files
          NO module cache               /c/modules: Permission denied: every run starts from nothing; set XDG_CACHE_HOME to a directory of yours
          -- debuginfod                 not configured; DEBUGINFOD_URLS names servers of debug information

        Tracing does not work: run as root, or with CAP_BPF and CAP_PERFMON.

        """
    )
  }

  @Test("tracing works without what only makes it faster")
  func olderKernel() {
    let old: Set<KernelFeature> = [.uprobeMulti, .uprobeSession, .mayGoto, .stringFunctions]
    #expect(report(old).canTrace)
    #expect(text(report(old), width: nil).contains("  ✓ probes of processes\n"))
    #expect(!report([.ringBuffer]).canTrace)
    #expect(!report([.uprobeMulti, .uprobe]).canTrace)
  }

  @Test(
    "lockdown is judged by its level",
    arguments: [("none", "✓"), ("integrity", "·"), ("confidentiality", "✗")]
  )
  func lockdown(_ level: String, _ mark: String) {
    #expect(text(report(lockdown: level), width: nil).contains("  \(mark) lockdown"))
  }

  @Test("no line is wider than the terminal, but for words that are", arguments: [200, 80, 60, 50, 40])
  func widths(_ width: Int) {
    let missing = Set(KernelFeature.allCases).subtracting([.loadPrograms])
    for line in text(report(missing), width: width).split(separator: "\n") where line.count > width {
      #expect(line.split(separator: " ").count <= 2, "\(line)")
    }
  }

  @Test("the JSON form says the same")
  func json() throws {
    let data = Data(report([.mayGoto]).json.utf8)
    let object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    #expect(object["canTrace"] as? Bool == true)
    let checks = try #require(object["checks"] as? [[String: String]])
    let check = try #require(checks.first { $0["name"] == "may_goto" })
    #expect(check["state"] == "missing")
    #expect(check["advice"]?.contains("bpf_loop") == true)
  }

  @Test("root can trace here, nobody cannot", .enabled(if: geteuid() == 0))
  func live() throws {
    let root = try Tool.run(["doctor"])
    #expect(root.status == 0)
    #expect(root.output.contains("\nTracing works.\n"))
    let nobody = try Tool.run(
      ["doctor"],
      environment: ["XDG_CACHE_HOME": "/proc/nowhere"],
      shell: "exec setpriv --reuid=65534 --clear-groups \"$@\""
    )
    #expect(nobody.status == 3)
    #expect(nobody.output.contains("Tracing does not work: run as root"))
  }
}
