import Platform
import Synchronization
package import TargetModel

/// One place of a file to probe.
package struct AttachSite: Hashable, Sendable {
  /// As the kernel is to open it.
  package var path: String
  package var offset: FileOffset
  /// The USDT semaphore that the kernel counts up while attached.
  package var semaphore: FileOffset?
  /// What `bpf_get_attach_cookie` answers; see ``ProgramKind/uprobe(isReturn:)`` for where it cannot.
  package var cookie: UInt64

  package init(path: String, offset: FileOffset, semaphore: FileOffset? = nil, cookie: UInt64) {
    self.path = path
    self.offset = offset
    self.semaphore = semaphore
    self.cookie = cookie
  }
}

/// Programs attached to sites; detached when it goes away, the last ones first, several at a time.
///
/// Nothing is pinned: links live as long as their descriptors, so the end of the process, even by SIGKILL, detaches
/// all. The one exception is the tracefs way (kernels without uprobe_multi): its event definitions outlive us,
/// disarmed; their names carry our process ID, and the next session removes those of dead processes.
package struct Attachment: ~Copyable {
  private let parts: PartQueue

  init(_ parts: [any AttachmentPart]) { self.parts = PartQueue(parts.reversed()) }

  /// An attachment of nothing, to add others to.
  package init() { parts = PartQueue([]) }

  /// Takes over what `other` holds.
  package mutating func add(_ other: consuming Attachment) { parts.putFirst(other.parts.takeAll()) }

  /// How many kernel links or events this is.
  package var linkCount: Int { parts.count }

  // A uprobe_multi link waits some 60 ms until no processor runs its program; waits side by side take as long as one.
  deinit {
    let parts = self.parts
    _ = FatalSignals.waiting { SideBySide.run(parts.count, threads: 32) { _ in parts.releaseFirst() } }
  }
}

/// A kernel object that detaches in its `deinit`.
protocol AttachmentPart: AnyObject, Sendable {}

extension Descriptor: AttachmentPart {}

/// The parts of an attachment in the order in which their release begins, the last ones attached first.
private final class PartQueue: Sendable {
  private let parts: Mutex<[any AttachmentPart]>

  init(_ parts: [any AttachmentPart]) { self.parts = Mutex(parts) }

  var count: Int { parts.withLock { $0.count } }

  func putFirst(_ others: [any AttachmentPart]) { parts.withLock { $0 = others + $0 } }

  func takeAll() -> [any AttachmentPart] {
    parts.withLock { parts in
      defer { parts = [] }
      return parts
    }
  }

  func releaseFirst() {
    // Outside of the lock, since that is where the waiting is.
    let first = parts.withLock { $0.isEmpty ? nil : $0.removeFirst() }
    _ = consume first
  }
}
