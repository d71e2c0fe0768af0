import Glibc
import Synchronization

/// One piece of work on a thread of its own.
///
/// Not a queue of Dispatch: its first use starts three threads, one after the other, before the work begins.
@safe package struct WorkerThread<Product: Sendable>: ~Copyable {
  private let task: Task

  /// What is usual, or twice of it; the C library's own choice is 2 MB where RLIMIT_STACK is unlimited.
  private static var stackByteCount: Int { 16 << 20 }

  /// Starts `work`; signals are blocked there, so that they arrive where the program waits for them.
  ///
  /// - Parameter isSmall: whether it takes less time than a thread (0.1 ms), or nothing would run beside it: it is done
  ///   here at once, then.
  package init(isSmall: Bool = false, _ work: @escaping @Sendable () -> Product) {
    task = Task(work)
    if isSmall {
      task.run()
      return
    }
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
      pthread_detach(started)
    } else {
      // No thread to be had: here and now, then.
      unsafe argument.release()
      task.run()
    }
  }

  /// Waits until the work is done.
  package consuming func value() -> Product { task.product() }

  /// The work, then what came of it.
  private final class Task: AnyTask {
    private let work: @Sendable () -> Product
    private let result = Mutex<Product?>(nil)
    private let done = Countdown(from: 1)

    init(_ work: @escaping @Sendable () -> Product) { self.work = work }

    override func run() {
      let product = work()
      result.withLock { $0 = product }
      done.step()
    }

    func product() -> Product {
      done.wait()
      guard let product = result.withLock({ $0 }) else {
        preconditionFailure("work that is done has a product")
      }
      return product
    }
  }
}

/// What a new thread is handed, whatever it makes.
private class AnyTask {
  func run() {}
}
