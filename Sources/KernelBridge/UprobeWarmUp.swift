import BPFObject
import CKernelABI
import Dispatch
import Glibc
import TargetModel

/// Takes the wait for a session's first uprobe while other work is going on.
///
/// Every registration of a uprobe takes `dup_mmap_sem` for writing (Linux, kernel/events/uprobes.c,
/// `register_for_each_vma`). It is a per-CPU semaphore: the first writer after a pause waits for an RCU grace
/// period, 4 to 14 ms here, and those after it for nothing (0.02 ms). So a thread registers a uprobe in an empty
/// memory file, which nobody maps, and takes it back at once.
enum UprobeWarmUp {
  /// Starts the thread and returns; failures are for the real registration to report.
  static func start(_ types: KernelBTF) {
    // Threads of Dispatch block signals, so that those still arrive where the session waits for them.
    DispatchQueue.global(qos: .userInteractive).async {
      guard let program = FeatureProbe(tracefs: nil, types: types).emptyProgram(.uprobeMulti(isReturn: false))
      else {
        return
      }
      let file = ck_memory_file()
      guard file >= 0 else { return }
      let descriptor = Descriptor(file)
      let path = "/proc/self/fd/\(descriptor.raw)"
      let site = AttachSite(path: path, offset: .init(0), cookie: 0)
      _ = try? UprobeMulti.link(program, path: path, sites: [site], pid: nil)
    }
  }
}
