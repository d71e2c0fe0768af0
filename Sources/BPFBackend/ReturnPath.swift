package import BPFObject

/// Where the kernel keeps the return addresses that it replaced on the stack of the current task, to see functions
/// return (Linux, kernel/events/uprobes.c, `prepare_uretprobe`): a list from the innermost call outwards.
package enum ReturnPath {
  /// A member of a structure that is on the way.
  package enum Step: Int, CaseIterable, Sendable {
    case task, firstReturn, place, address, next

    package var place: (structure: String, member: String) {
      switch self {
      case .task: ("task_struct", "utask")
      case .firstReturn: ("uprobe_task", "return_instances")
      case .place: ("return_instance", "stack")
      case .address: ("return_instance", "orig_ret_vaddr")
      case .next: ("return_instance", "next")
      }
    }
  }
}

extension BPFModule {
  /// A map whose one value takes the byte offsets of ``ReturnPath/Step``, 64 bits each; nil when no stack is copied.
  package var returnPath: MapReference? {
    blueprint.maps.contains { $0.name == ModuleMaps.returnPath.name } ? ModuleMaps.returnPath : nil
  }
}
