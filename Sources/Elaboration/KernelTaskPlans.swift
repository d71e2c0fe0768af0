import TargetModel

/// How a kernel-side probe finds what no helper tells about the current task.
///
/// Source: `struct task_struct`, `struct signal_struct`, `struct cred` (include/linux/sched.h, sched/signal.h,
/// cred.h); offsets come from the running kernel's BTF.
struct KernelTaskPlans {
  let types: any TypeSource

  /// The plan for one field; nil where a helper does it or BTF lacks the way.
  func plan(for field: ContextField) -> LocationPlan? {
    switch field {
    case .ppid: value(["real_parent", "tgid"])
    case .pgrp: identifier(ofKind: "PIDTYPE_PGID")
    case .sid: identifier(ofKind: "PIDTYPE_SID")
    case .euid: value(["cred", "euid", "val"])
    case .egid: value(["cred", "egid", "val"])
    case .pexecname: parentNameAddress
    case .argumentsStart: value(["mm", "arg_start"])
    case .argumentsEnd: value(["mm", "arg_end"])
    case .environmentStart: value(["mm", "env_start"])
    case .environmentEnd: value(["mm", "env_end"])
    default: nil
    }
  }

  /// Where the current thread's thread pointer is kept: glibc sets it by a system call, so the kernel knows it.
  ///
  /// Source: `struct thread_struct` (arch/x86/include/asm/processor.h).
  var threadPointer: LocationPlan? { value(["thread", "fsbase"]) }

  /// Where the code of the program that the process runs begins.
  var codeStart: LocationPlan? { value(["mm", "start_code"]) }

  /// The address of that program's name in its directory.
  var programName: LocationPlan? { value(["mm", "exe_file", "f_path", "dentry", "d_name", "name"]) }

  /// The address of the parent's `comm`.
  private var parentNameAddress: LocationPlan? {
    walk([.member("real_parent"), .member("comm")]) { walk throws(TargetProblem) in try walk.address() }
  }

  /// `signal->pids[kind]->numbers[0].nr`: the number in the first namespace, as SystemTap gives it.
  private func identifier(ofKind kind: String) -> LocationPlan? {
    guard let index = types.enumerator(named: kind) else { return nil }
    let steps: [TargetQuery.Step] = [
      .member("signal"), .member("pids"), .index(index), .member("numbers"), .index(0), .member("nr"),
    ]
    return walk(steps) { walk throws(TargetProblem) in try walk.value() }
  }

  func value(_ members: [String]) -> LocationPlan? {
    walk(members.map { .member($0) }) { walk throws(TargetProblem) in try walk.value() }
  }

  private func walk(
    _ steps: [TargetQuery.Step],
    _ result: (TargetWalk) throws(TargetProblem) -> LocationPlan
  ) -> LocationPlan? {
    guard let task = types.type(named: "struct task_struct") else { return nil }
    let start = TargetObject(
      location: .memory(.kernel, address: .currentTask),
      type: task,
      source: types,
      memory: .kernel
    )
    var walk = TargetWalk(start, name: "current")
    do throws(TargetProblem) {
      for step in steps { try walk.take(step) }
      return try result(walk)
    } catch {
      return nil
    }
  }
}
