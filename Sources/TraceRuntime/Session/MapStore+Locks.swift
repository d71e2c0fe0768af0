import KernelBridge
import Platform
import TraceIR

// The user side's half of the locks of globals: where they lie says ScalarLayout, who takes which LockPlan.
extension MapStore {
  /// Takes a lock exclusively; false when it is not to be had in time.
  ///
  /// Until ``release(_:)`` the thread is not preempted by others, if the machine lets us: kernel-side probes on other
  /// CPUs spin meanwhile.
  func acquire(_ lock: Int) -> Bool {
    urgency.begin()
    // Kernel-side holders are done in microseconds.
    let deadline = Clock.monotonicNanoseconds() &+ 10 &* UInt64(program.limits.lockNanoseconds)
    let offset = layout.lockOffsets[lock]
    while scalars.compareExchange(0, offset: offset, 0, ScalarLayout.userSideHolder) != 0 {
      if Clock.monotonicNanoseconds() > deadline {
        urgency.end()
        return false
      }
    }
    guard layout.locks.sharedLocks.contains(lock) else { return true }
    for counter in 1...ScalarLayout.sharedCounterCount {
      while scalars.loadCounter(0, offset: offset + counter * ScalarLayout.cacheLineByteCount) != 0 {
        if Clock.monotonicNanoseconds() > deadline {
          release(lock)
          return false
        }
      }
    }
    return true
  }

  /// Gives a lock back.
  func release(_ lock: Int) {
    scalars.storeRelease(0, offset: layout.lockOffsets[lock], 0)
    urgency.end()
  }

  /// Counts a hit of the user side that could not run, with those of the kernel side.
  func countSkippedHit() { _ = scalars.add(0, offset: ScalarLayout.skippedOffset, 1) }
}
