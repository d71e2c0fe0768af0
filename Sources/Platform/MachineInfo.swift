import Glibc

/// What uname(2) says of this machine.
package struct MachineInfo: Hashable, Sendable {
  /// `6.1.0-18-amd64`.
  package let kernelRelease: String
  /// `#1 SMP PREEMPT_DYNAMIC Debian 6.1.76-1 (2024-02-01)`: tells builds of one release apart.
  package let kernelVersion: String
  /// The kernel's name of the architecture, as in `Makefile`'s ARCH: `x86_64`, `arm64`.
  package let architecture: String

  /// Asks the kernel.
  package static var current: MachineInfo {
    var names = utsname()
    unsafe uname(&names)
    let machine = text(of: &names.machine)
    return MachineInfo(
      kernelRelease: text(of: &names.release),
      kernelVersion: text(of: &names.version),
      architecture: machine == "aarch64" ? "arm64" : machine
    )
  }

  private static func text<Field>(of field: inout Field) -> String {
    unsafe withUnsafeBytes(of: &field) { bytes in
      unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
  }
}
