import Platform

/// What the current process may do (capabilities(7)).
package struct Capabilities: Hashable, Sendable {
  /// Bits by number, as `CapEff` has them.
  package let effective: UInt64

  package init(effective: UInt64) { self.effective = effective }

  /// Those of this process, from /proc/self/status; none when that cannot be read.
  package static var current: Capabilities {
    guard let status = try? readSmallText("/proc/self/status") else { return Capabilities(effective: 0) }
    let line = status.split(separator: "\n").first { $0.hasPrefix("CapEff:") }
    let digits = line?.split(separator: "\t").last.map(String.init) ?? ""
    return Capabilities(effective: UInt64(digits, radix: 16) ?? 0)
  }

  package var canAdministrate: Bool { has(21) }
  package var canLoadPrograms: Bool { has(39) || canAdministrate }
  package var canMonitor: Bool { has(38) || canAdministrate }
  package var canTraceProcesses: Bool { has(19) || canAdministrate }

  /// Names of those that tracing needs and this process lacks.
  package var missingForTracing: [String] {
    var names: [String] = []
    if !canLoadPrograms { names.append("CAP_BPF") }
    if !canMonitor { names.append("CAP_PERFMON") }
    return names
  }

  private func has(_ number: UInt64) -> Bool { effective >> number & 1 != 0 }
}
