import CEventLoop
import Glibc

/// Waits for several descriptors at once (epoll(7)).
package struct EventLoop: ~Copyable {
  private let epoll: OwnedFD

  package init() throws(SystemError) { epoll = try OwnedFD(event: ce_epoll_create(), "epoll_create1") }

  /// Reports `tag` whenever `descriptor` is readable, until it is closed.
  package func add(_ descriptor: CInt, tag: UInt64) throws(SystemError) {
    guard ce_epoll_add(epoll.raw, descriptor, tag) == 0 else {
      throw SystemError("epoll_ctl", on: "descriptor \(descriptor)", code: errno)
    }
  }

  /// Reports `tag` once each time that somebody wakes the waiters of `descriptor`, until it is closed.
  package func add(wakeUpsOf descriptor: CInt, tag: UInt64) throws(SystemError) {
    guard ce_epoll_add_edge(epoll.raw, descriptor, tag) == 0 else {
      throw SystemError("epoll_ctl", on: "descriptor \(descriptor)", code: errno)
    }
  }

  /// No longer reports `descriptor`.
  package func remove(_ descriptor: CInt) { _ = ce_epoll_remove(epoll.raw, descriptor) }

  /// The CPU that this thread runs on at the moment.
  package static var currentCPU: Int { max(0, Int(ce_cpu())) }

  /// Waits until something is readable, at most `timeoutMilliseconds` (-1: for ever); gives the tags.
  package func wait(timeoutMilliseconds: Int) -> [UInt64] {
    var tags = [UInt64](repeating: 0, count: 16)
    let count = unsafe ce_epoll_wait(epoll.raw, &tags, CInt(clamping: timeoutMilliseconds))
    return Array(tags.prefix(max(0, Int(count))))
  }
}

/// A clock that makes a descriptor readable (timerfd_create(2)).
package struct TimerDescriptor: ~Copyable {
  private let file: OwnedFD

  package init() throws(SystemError) { file = try OwnedFD(event: ce_timer_open(), "timerfd_create") }

  /// For ``EventLoop/add(_:tag:)``.
  package var raw: CInt { file.raw }

  /// Rings after `first` nanoseconds, then every `interval`; once when that is 0.
  package func start(first: UInt64, interval: UInt64) throws(SystemError) {
    guard ce_timer_set(file.raw, max(1, first), interval) == 0 else {
      throw SystemError("timerfd_settime", on: "a timer of \(interval) ns", code: errno)
    }
  }

  /// How often it rang since this was last asked.
  package func takeExpirations() -> UInt64 { ce_timer_read(file.raw) }
}

/// SIGINT, SIGTERM, SIGHUP and SIGQUIT as something to read instead of something that happens (signalfd(2)).
///
/// They stay blocked until ``release()``, also in children that do not set their mask.
package struct SignalDescriptor: ~Copyable {
  private let file: OwnedFD

  package init() throws(SystemError) { file = try OwnedFD(event: ce_signal_open(), "signalfd") }

  /// From now on the signals wait, for a descriptor to be made that tells of them.
  package static func hold() { _ = ce_signal_block() }

  /// For ``EventLoop/add(_:tag:)``.
  package var raw: CInt { file.raw }

  /// The number of the next signal that came.
  package func next() -> CInt? {
    let number = ce_signal_read(file.raw)
    return number > 0 ? number : nil
  }

  /// From now on the signals end the process again.
  package func release() { ce_signal_unblock() }
}

/// A process to wait for; its descriptor becomes readable when it exits (pidfd_open(2)).
package struct ProcessDescriptor: ~Copyable {
  private let file: OwnedFD

  package init(pid: Int32) throws(SystemError) {
    file = try OwnedFD(event: ce_process_open(pid), "pidfd_open", on: "process \(pid)")
  }

  /// For ``EventLoop/add(_:tag:)``.
  package var raw: CInt { file.raw }
}

extension OwnedFD {
  /// Takes over what a system call gave.
  fileprivate init(event raw: CInt, _ call: String, on subject: String = "") throws(SystemError) {
    guard raw >= 0 else { throw SystemError(call, on: subject, code: errno) }
    self.init(adopting: raw)
  }
}
