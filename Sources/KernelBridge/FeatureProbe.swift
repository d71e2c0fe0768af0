import BPFObject
import BTF
import CKernelABI
import Glibc
import Platform
import TargetModel

/// Tries features: loads the smallest program or creates the smallest map that needs one.
struct FeatureProbe {
  let tracefs: Tracefs?
  let types: KernelBTF

  func state(of feature: KernelFeature) -> FeatureState {
    switch feature {
    case .loadPrograms: load(writing: writeNothing)
    case .btf: exists("/sys/kernel/btf/vmlinux")
    case .ringBuffer: map(.ringBuffer("probe", byteCount: Int(getpagesize())))
    case .taskStorage: map(.taskStorage("probe", byteCount: 8))
    case .uprobe: exists("/sys/bus/event_source/devices/uprobe/type")
    case .kprobe: exists("/sys/bus/event_source/devices/kprobe/type")
    case .uprobeMulti: link(.uprobeMulti(isReturn: false))
    case .uprobeSession: link(.uprobeSession)
    case .tracefs: tracefs == nil ? .missing(reason: "tracefs is not mounted") : .available
    case .tracepoint: tracefs == nil ? .missing(reason: "tracefs is not mounted") : .available
    case .mayGoto: load(writing: writeMayGoto)
    case .loop: helper(.loop)
    case .longJumps: load(writing: writeLongJump)
    case .signedDivision: load(writing: writeSignedDivision)
    case .copyFromUser: load(isSleepable: true, writing: writeCopyFromUser)
    case .copyFromUserString: load(isSleepable: true, writing: writeCopyFromUserString)
    case .preemptDisable: load(writing: writePreemptDisable)
    case .stringFunctions: load(writing: writeStringCompare)
    case .rawTracepoint: load(.rawTracepoint("sched_switch"), writing: writeNothing)
    case .btfTracepoint: load(.btfTracepoint("sched_switch"), writing: writeNothing)
    case .fentry: load(.fentry(function: "ksys_read"), writing: writeNothing)
    case .cpuClock: cpuClock()
    case .probeWriteUser: helper(.probeWriteUser)
    case .sendSignal: helper(.sendSignal)
    }
  }

  private func exists(_ path: String) -> FeatureState {
    unsafe access(path, R_OK) == 0 ? .available : .missing(reason: "no \(path)")
  }

  private func failure(_ error: KernelError) -> FeatureState {
    guard case .system(let error, _) = error else { return .missing(reason: "\(error)") }
    return .missing(reason: "\(error.call): \(error.text)")
  }

  private func map(_ map: MapSpec) -> FeatureState {
    do {
      _ = try ProgramLoader(types: types).createMaps(ModuleBlueprint(maps: [map]))
      return .available
    } catch { return failure(error) }
  }

  private func cpuClock() -> FeatureState {
    let raw = ck_open_cpu_clock(1, -1, 0)
    guard raw >= 0 else { return .missing(reason: "perf_event_open: \(errorText(errno))") }
    close(raw)
    return .available
  }
}

// MARK: Programs

extension FeatureProbe {
  /// Loads what `write` wrote, followed by `exit`.
  private func load(
    _ kind: ProgramKind = .uprobe(isReturn: false),
    isSleepable: Bool = false,
    writing write: (inout Assembler) -> Void
  ) -> FeatureState {
    do {
      _ = try program(kind, isSleepable: isSleepable, writing: write)
      return .available
    } catch .verifier(let failure) {
      return .missing(reason: failure.tellingLines.last ?? errorText(failure.code))
    } catch { return failure(error) }
  }

  private func program(
    _ kind: ProgramKind,
    isSleepable: Bool = false,
    writing write: (inout Assembler) -> Void
  ) throws(KernelError) -> BPFProgram {
    var code = Assembler(program: "probe")
    write(&code)
    code.emit(.exit)
    guard let finished = try? code.finish() else { throw .invalid("a feature probe does not assemble") }
    let spec = ProgramSpec(name: "probe", kind: kind, isSleepable: isSleepable, code: finished)
    let module = try ProgramLoader(types: types).load(ModuleBlueprint(programs: [spec]))
    return try module.program("probe")
  }

  /// A helper is there when the verifier complains about its arguments and not about itself.
  private func helper(_ helper: BPFHelper) -> FeatureState {
    let state = load { $0.call(helper) }
    guard case .missing(let reason) = state else { return .available }
    let isUnknown = ["invalid func", "unknown func", "cannot use helper"].contains { reason.contains($0) }
    return isUnknown || !reason.contains("R") ? state : .available
  }

  /// Links to a directory: EBADF says that the kernel got as far as looking at the file.
  private func link(_ kind: ProgramKind) -> FeatureState {
    do {
      let program = try program(kind, writing: writeNothing)
      let site = AttachSite(path: "/", offset: .init(0), cookie: 0)
      _ = try UprobeMulti.link(program, path: "/", sites: [site], pid: nil)
      return .available
    } catch .system(let error, _) where error.code == EBADF {
      return .available
    } catch { return failure(error) }
  }
}

private func writeNothing(_ code: inout Assembler) { code.emit(.move(.r0, 0)) }

private func writeMayGoto(_ code: inout Assembler) {
  let end = code.makeLabel()
  code.mayGoto(end)
  code.place(end)
  code.emit(.move(.r0, 0))
}

/// Over an instruction: before 6.6 a distance of 0 passes for the old jump.
private func writeLongJump(_ code: inout Assembler) {
  let (middle, end) = (code.makeLabel(), code.makeLabel())
  code.emit(.move(.r0, 0))
  code.jump(if: .equal, .r1, 0, to: middle)
  code.longJump(to: end)
  code.place(middle)
  code.emit(.move(.r0, 0))
  code.place(end)
}

private func writeSignedDivision(_ code: inout Assembler) {
  code.emit(.move(.r0, 6))
  code.emit(.arithmetic(.signedDivide, .r0, -2))
  code.emit(.move(.r0, 0))
}

/// `r1` = eight bytes of stack, `r2` = 8, `r3` = address 0.
private func writeDestination(_ code: inout Assembler) {
  code.emit(.store(.double, .r10, -8, immediate: 0))
  code.emit(.move(.r1, .r10))
  code.emit(.arithmetic(.add, .r1, -8))
  code.emit(.move(.r2, 8))
  code.emit(.move(.r3, 0))
}

private func writeCopyFromUser(_ code: inout Assembler) {
  writeDestination(&code)
  code.call(.copyFromUser)
  code.emit(.move(.r0, 0))
}

private func writeCopyFromUserString(_ code: inout Assembler) {
  writeDestination(&code)
  code.emit(.move(.r4, 0))
  code.call(kernelFunction: "bpf_copy_from_user_str")
  code.emit(.move(.r0, 0))
}

private func writePreemptDisable(_ code: inout Assembler) {
  code.call(kernelFunction: "bpf_preempt_disable")
  code.call(kernelFunction: "bpf_preempt_enable")
  code.emit(.move(.r0, 0))
}

private func writeStringCompare(_ code: inout Assembler) {
  writeDestination(&code)
  code.emit(.move(.r2, .r1))
  code.call(kernelFunction: "bpf_strcmp")
  code.emit(.move(.r0, 0))
}
