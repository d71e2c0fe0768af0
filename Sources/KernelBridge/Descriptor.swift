import Glibc

/// Kernel objects that several parts share; closed when the last part lets go.
///
/// Maps and programs are asked for by name from many places, and Swift's collections hold no `~Copyable`
/// elements: hence a class, as the exception that ``Attachment`` and ``RingBuffer`` do not need.
final class Descriptor: Sendable {
  let raw: CInt

  init(_ raw: CInt) { self.raw = raw }

  deinit { close(raw) }
}
