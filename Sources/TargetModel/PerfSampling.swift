/// A clock or counter of the kernel that interrupts what runs, on every CPU (perf_event_open(2)).
package struct PerfSampling: Hashable, Sendable {
  /// `perf_event_attr.type` and `.config`.
  package var type: Int64
  package var config: Int64
  /// After so many events, or so many times a second.
  package var count: Int64
  package var isFrequency: Bool

  package init(type: Int64, config: Int64, count: Int64, isFrequency: Bool) {
    self.type = type
    self.config = config
    self.count = count
    self.isFrequency = isFrequency
  }

  /// The clock of each CPU.
  package static func clock(hertz: Int64) -> PerfSampling {
    PerfSampling(type: 1, config: 0, count: hertz, isFrequency: true)
  }
}

extension PerfSampling: CustomStringConvertible {
  /// How the text forms of programs name it.
  package var description: String {
    "sample of \(type):\(config) " + (isFrequency ? "at \(count) Hz" : "every \(count)")
  }
}
