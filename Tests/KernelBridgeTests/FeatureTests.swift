import BPFObject
import BTF
import KernelBridge
import TargetModel
import TestSupport
import Testing

@Suite(.tags(.kernel), .timeLimit(.minutes(1))) struct FeatureTests {
  let session = KernelSession()

  @Test("a kernel of 6.13 or later has what uprobes need", .needs(.loadPrograms))
  func newKernel() throws {
    let release = session.settings.release.split(separator: ".").compactMap { Int($0) }
    try #require(release.count >= 2)
    guard (release[0], release[1]) >= (6, 13) else { return }
    let expected: [KernelFeature] = [
      .uprobeMulti, .uprobeSession, .ringBuffer, .taskStorage, .loop, .mayGoto, .longJumps, .signedDivision,
      .copyFromUser, .copyFromUserString, .preemptDisable, .rawTracepoint,
    ]
    for feature in expected { #expect(session.features.state(of: feature) == .available) }
  }

  @Test("every feature answers, and what is missing says why")
  func answers() {
    for feature in KernelFeature.allCases {
      if case .missing(let reason) = session.features.state(of: feature) { #expect(!reason.isEmpty) }
    }
  }

  @Test("the kernel's BTF gives structures, functions and tracepoint arguments", .needs(.btf))
  func kernelTypes() throws {
    let types = try session.types.image()
    let source = BTFTypeSource(types)
    let type = try #require(source.type(named: "struct task_struct"))
    guard case .structure(let task) = source.layout(of: type) else {
      Issue.record("task_struct is no structure")
      return
    }
    #expect(task.members.contains { $0.name == "pid" })
    let arguments = try #require(types.tracepoint("sched_switch"))
    #expect(arguments.map(\.name) == ["preempt", "prev", "next", "prev_state"])
    #expect(source.spelling(of: source.reference(arguments[1].type)) == "struct task_struct *")
    #expect(source.spelling(of: source.reference(arguments[0].type)) == "bool")
    #expect(types.function("bpf_copy_from_user_str")?.parameters.count == 4)
    #expect(source.enumerator(named: "PIDTYPE_TGID") == 1)
    #expect(types.tracepointNames.contains("sys_enter"))
  }
}
