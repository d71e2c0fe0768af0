import Glibc
import Synchronization

/// One piece of work on a thread of its own.
///
/// Not a queue of Dispatch: its first use starts three threads, one after the other, before the work begins.
@safe package struct WorkerThread<Product: Sendable>: ~Copyable {
  private let task: Task
  /// Nil: nobody is left to be waited for.
  private var thread: pthread_t?

  /// What is usual, or twice of it; the C library's own choice is 2 MB where RLIMIT_STACK is unlimited.
  private static var stackByteCount: Int { 16 << 20 }

  /// Starts `work`; signals are blocked there, so that they arrive where the program waits for them.
  package init(_ work: @escaping @Sendable () -> Product) {
    task = Task(work)
    let argument = unsafe Unmanaged.passRetained(task as AnyTask)
    var started = pthread_t()
    // A thread begins with the signals blocked that are blocked where it is made.
    let code = FatalSignals.waiting {
      unsafe withUnsafeTemporaryAllocation(of: pthread_attr_t.self, capacity: 1) { attributes in
        guard let attributes = attributes.baseAddress else { return EAGAIN }
        unsafe pthread_attr_init(attributes)
        defer { unsafe pthread_attr_destroy(attributes) }
        unsafe pthread_attr_setstacksize(attributes, Self.stackByteCount)
        return unsafe pthread_create(
          &started,
          attributes,
          { argument in
            if let argument = unsafe argument {
              unsafe Unmanaged<AnyTask>.fromOpaque(argument).takeRetainedValue().run()
            }
            return nil
          },
          argument.toOpaque()
        )
      }
    }
    if code == 0 {
      thread = started
    } else {
      // No thread to be had: here and now, then.
      unsafe argument.release()
      task.run()
    }
  }

  deinit { if let thread { pthread_detach(thread) } }

  /// Waits until the work is done.
  package consuming func value() -> Product {
    if let thread { pthread_join(thread, nil) }
    thread = nil
    return task.product()
  }

  /// The work, then what came of it.
  private final class Task: AnyTask {
    private let work: @Sendable () -> Product
    private let result = Mutex<Product?>(nil)

    init(_ work: @escaping @Sendable () -> Product) { self.work = work }

    override func run() {
      let product = work()
      result.withLock { $0 = product }
    }

    func product() -> Product {
      guard let product = result.withLock({ $0 }) else { preconditionFailure("a joined thread is done") }
      return product
    }
  }
}

/// What a new thread is handed, whatever it makes.
private class AnyTask {
  func run() {}
}
