import Glibc
import Synchronization
import Testing

@testable import Platform

@Suite("Threads for one piece of work") struct WorkerThreadTests {
  @Test("the work runs on another thread, and its value comes back") func givesValue() {
    let caller = pthread_self()
    let worker = WorkerThread { pthread_equal(pthread_self(), caller) == 0 ? "elsewhere" : "here" }
    let place = worker.value()
    #expect(place == "elsewhere")
  }

  @Test("small work is done at once, by whoever asks for it") func isDoneHere() {
    let caller = pthread_self()
    let worker = WorkerThread(isSmall: true) { pthread_equal(pthread_self(), caller) != 0 }
    let isHere = worker.value()
    #expect(isHere)
  }

  @Test("no signal is taken there, and all those of before are taken here") func blocksSignals() {
    @Sendable func isBlocked(_ signal: CInt) -> Bool {
      var mask = sigset_t()
      pthread_sigmask(SIG_SETMASK, nil, &mask)
      return sigismember(&mask, signal) == 1
    }
    let before = isBlocked(SIGINT)
    let worker = WorkerThread { isBlocked(SIGINT) }
    let wasBlocked = worker.value()
    #expect(wasBlocked)
    #expect(isBlocked(SIGINT) == before)
  }

  @Test("a thread that nobody waits for does its work all the same") func isDetached() {
    let done = Flag()
    do { _ = WorkerThread { done.raised.store(true, ordering: .releasing) } }
    for _ in 0..<5000 where !done.raised.load(ordering: .acquiring) { usleep(1000) }
    let isDone = done.raised.load(ordering: .acquiring)
    #expect(isDone)
  }

  private final class Flag: Sendable { let raised = Atomic(false) }
}
