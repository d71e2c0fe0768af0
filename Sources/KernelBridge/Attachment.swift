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

/// Programs attached to sites; detached when it goes away, the last ones first.
///
/// Nothing is pinned: links live as long as their descriptors, so the end of the process, even by SIGKILL, detaches
/// all. The one exception is the tracefs way (kernels without uprobe_multi): its event definitions outlive us,
/// disarmed; their names carry our process ID, and the next session removes those of dead processes.
package struct Attachment: ~Copyable {
  /// The last ones first, which is the order in which they are released.
  private var parts: [any AttachmentPart]

  init(_ parts: [any AttachmentPart]) { self.parts = parts.reversed() }

  /// An attachment of nothing, to add others to.
  package init() { parts = [] }

  /// Takes over what `other` holds.
  package mutating func add(_ other: consuming Attachment) { parts = other.parts + parts }

  /// How many kernel links or events this is.
  package var linkCount: Int { parts.count }
}

/// A kernel object that detaches in its `deinit`.
protocol AttachmentPart: AnyObject, Sendable {}

extension Descriptor: AttachmentPart {}
