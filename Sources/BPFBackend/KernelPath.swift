package import BPFObject

/// Members of kernel structures whose byte offsets programs read from a map.
///
/// The offsets are looked up when the module is loaded and not when it is made, so that it runs on other kernels too.
package struct KernelPath: Hashable, Sendable {
  /// One member.
  package struct Step: Hashable, Sendable {
    /// Without `struct`.
    package let structure: String
    package let member: String

    init(_ structure: String, _ member: String) {
      self.structure = structure
      self.member = member
    }
  }

  /// Its one value takes the offset of each step, 64 bits each.
  package let map: MapReference
  package let steps: [Step]

  /// From the current task to the file offset of the uprobe that was hit; each member but the last is a pointer to the
  /// next structure.
  ///
  /// For siblings in one tracefs event, which share a cookie: the kernel's dispatcher leaves a pointer to what it
  /// dispatches in the task (Linux 3.10, commit a932b7381fb3 and after it, kernel/trace/trace_uprobe.c), and that knows
  /// the offset. The instruction pointer would need the mapping's start, and a return has none. See
  /// docs/decisions/0006-older-kernels.md.
  static let hitUprobe = KernelPath(
    map: ModuleMaps.uprobePath,
    steps: [
      Step("task_struct", "utask"), Step("uprobe_task", "vaddr"), Step("uprobe_dispatch_data", "tu"),
      Step("trace_uprobe", "offset"),
    ]
  )

  /// A task's process ID; and, from a task on, how many threads of its process live.
  static let family = KernelPath(
    map: ModuleMaps.familyPath,
    steps: [
      Step("task_struct", "tgid"), Step("task_struct", "signal"), Step("signal_struct", "live"),
    ]
  )

  /// From a task to the number and device of the file that it runs; the first three members are pointers to the next
  /// structure, and so is the fifth.
  static let executable = KernelPath(
    map: ModuleMaps.executablePath,
    steps: [
      Step("task_struct", "mm"), Step("mm_struct", "exe_file"), Step("file", "f_inode"),
      Step("inode", "i_ino"),
      Step("inode", "i_sb"), Step("super_block", "s_dev"),
    ]
  )

  /// From the current task to the return addresses that the kernel replaced on its stack, to see functions return
  /// (kernel/events/uprobes.c, `prepare_uretprobe`): a list from the innermost call outwards.
  static let replacedReturns = KernelPath(
    map: ModuleMaps.returnPath,
    steps: [
      Step("task_struct", "utask"), Step("uprobe_task", "return_instances"), Step("return_instance", "stack"),
      Step("return_instance", "orig_ret_vaddr"), Step("return_instance", "next"),
    ]
  )

  static let all = [hitUprobe, family, executable, replacedReturns]

  var mapSpec: MapSpec { .array(map.name, valueByteCount: 8 * steps.count, count: 1) }
}

extension BPFModule {
  /// The paths whose offsets the module waits for.
  package var kernelPaths: [KernelPath] { KernelPath.all.filter { present($0.map) != nil } }

  /// The map with that name, if the module has one.
  func present(_ map: MapReference) -> MapReference? {
    blueprint.maps.contains { $0.name == map.name } ? map : nil
  }
}
