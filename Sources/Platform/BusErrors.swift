import Glibc

/// What happens when a mapped file is truncated under us.
package enum BusErrors {
  /// From now on, lets pages of a mapping that lost the file behind them read as zeros.
  ///
  /// Without it they end the process with SIGBUS. Called once, by the program's entry; other causes of SIGBUS
  /// keep their meaning.
  package static func becomeZeros() {
    var action = sigaction()
    unsafe action.__sigaction_handler.sa_sigaction = { signal, info, _ in
      let pageSize: UInt = 4096
      guard let info = unsafe info, unsafe info.pointee.si_code == CInt(BUS_ADRERR),
        let address = unsafe info.pointee._sifields._sigfault.si_addr,
        let page = unsafe UnsafeMutableRawPointer(bitPattern: UInt(bitPattern: address) & ~(pageSize - 1)),
        unsafe mmap(
          page,
          Int(pageSize),
          PROT_READ,
          MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
          -1,
          0
        ) != MAP_FAILED
      else {
        Glibc.signal(signal, SIG_DFL)
        return
      }
    }
    action.sa_flags = SA_SIGINFO
    unsafe sigaction(SIGBUS, &action, nil)
  }
}
