import BPFObject
import CKernelABI
import Glibc
import Platform
package import TargetModel

/// One piece of data in a process.
package struct WatchedAddress: Hashable, Sendable {
  /// As the process sees it.
  package var address: UInt64
  package var watch: DataWatch
  /// What `bpf_get_attach_cookie` answers.
  package var cookie: UInt64

  package init(address: UInt64, watch: DataWatch, cookie: UInt64) {
    self.address = address
    self.watch = watch
    self.cookie = cookie
  }
}

extension KernelSession {
  /// Runs a `perfEvent` program at accesses of the process `pid` to `addresses`, in all of its threads, those to come and
  /// its children.
  ///
  /// The processor has four debug registers, which a thread's watches share with debuggers.
  /// - Throws: ``KernelError`` for `perf_event_open(2)`; nothing stays behind then.
  package func watch(
    _ program: BPFProgram,
    _ addresses: [WatchedAddress],
    pid: Int32
  ) throws(KernelError) -> Attachment {
    var parts: [any AttachmentPart] = []
    var seen: Set<Int32> = []
    // A thread that is being started while we look inherits from its maker, or is seen in the next round.
    while true {
      let threads = threads(of: pid).filter { seen.insert($0).inserted }
      if threads.isEmpty { break }
      for thread in threads {
        for address in addresses {
          guard let event = try breakpoint(address, thread: thread) else { break }
          parts.append(try PerfEvent(program, on: event, cookie: address.cookie))
        }
      }
    }
    guard !parts.isEmpty || addresses.isEmpty else { throw .gone(pid: pid) }
    return Attachment(parts)
  }

  private func threads(of pid: Int32) -> [Int32] {
    let entries = (try? DirectoryListing("/proc/\(pid)/task").entries) ?? []
    return entries.compactMap { Int32($0.name) }
  }

  /// Nil when the thread has ended.
  private func breakpoint(_ place: WatchedAddress, thread: Int32) throws(KernelError) -> Descriptor? {
    let raw = ck_open_breakpoint(
      place.address,
      UInt64(place.watch.byteCount),
      place.watch.isWriteOnly ? 1 : 0,
      thread
    )
    if raw >= 0 { return Descriptor(raw) }
    if errno == ESRCH { return nil }
    let subject = "data at 0x\(String(place.address, radix: 16)) of thread \(thread)"
    let advice: String? =
      switch errno {
      case ENOSPC: "the processor's debug registers are taken: there are four, for all watches of a thread"
      case ENOENT, EOPNOTSUPP: "this machine has no debug registers for watches"
      default: nil
      }
    throw .last("perf_event_open", on: subject, advice: advice)
  }
}
