import TargetModel
import TraceIR

/// Which probes of a tracepoint are reached by a look at its number instead of one after the other.
///
/// `probe syscall.*` is 349 programs; run in turn they cost each system call of the machine 21 us to find the one that it is
/// for. A dispatcher is one program that jumps (`bpf_tail_call`) to the program of the number.
struct DispatchPlan {
  /// Probes with a number each, no two with the same.
  struct Group {
    let tracepoint: String
    let number: NumberGuard.Number
    /// Indices into ``TraceProgram/probes``.
    fileprivate(set) var probes: [UInt32: Int] = [:]
  }

  /// Fewer are attached one by one.
  static let leastProbes = 3

  private(set) var groups: [Group] = []
  /// Those to which probes may still be added, in the order in which a hit is to see them.
  private var open: [Group] = []

  /// Looks at the kernel-side probes, which come in the order in which a hit sees them.
  ///
  /// The order stays: two probes of one number go into two groups, and a probe of the tracepoint without a number ends the
  /// groups before it.
  init(_ program: TraceProgram) {
    for (index, probe) in program.probes.enumerated() {
      guard case .tracepoint(.tracepoint(let name), _, _, _) = probe.trigger else { continue }
      if let found = NumberGuard(probe) { add(index, found) } else { close { $0.tracepoint == name } }
    }
    close { _ in true }
  }

  private mutating func add(_ probe: Int, _ found: NumberGuard) {
    close { $0.tracepoint == found.tracepoint && $0.number != found.number }
    let place = open.firstIndex { $0.tracepoint == found.tracepoint && $0.probes[found.wanted] == nil }
    if let place {
      open[place].probes[found.wanted] = probe
    } else {
      open.append(Group(tracepoint: found.tracepoint, number: found.number, probes: [found.wanted: probe]))
    }
  }

  private mutating func close(_ isMeant: (Group) -> Bool) {
    groups += open.filter { isMeant($0) && $0.probes.count >= Self.leastProbes }
    open.removeAll(where: isMeant)
  }
}
