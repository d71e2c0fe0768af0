import TargetModel
import TraceIR

/// What is fixed about the probe whose code is made.
struct ProbeFacts {
  /// What the program hangs on, which says what its context is.
  enum Context: Hashable { case userRegisters, tracepointWords }

  let index: Int
  let context: Context
  /// Number of sites; 1 for others.
  let siteCount: Int
  let descriptions: [SiteDescription]
  let isReturn: Bool
  let entrySlots: [ValueType]
  let processes: ProcessScope

  /// Nil for probes of the user side.
  init?(_ probe: Probe, index: Int) {
    self.index = index
    entrySlots = probe.entrySlots
    switch probe.trigger {
    case .userSites(let sites, let kind, let processes):
      self.processes = processes
      context = .userRegisters
      siteCount = sites.count
      descriptions = sites.map(\.description)
      isReturn = kind == .functionReturn
    case .tracepoint(_, _, let description):
      processes = .target
      context = .tracepointWords
      siteCount = 1
      descriptions = [description]
      isReturn = false
    case .begin, .end, .error, .timer, .never: return nil
    }
  }

  /// The answer at every site, when it is the same.
  func commonText(_ text: SiteText) -> String? {
    guard let first = descriptions.first?[text] else { return "" }
    return descriptions.allSatisfy { $0[text] == first } ? first : nil
  }

  /// Bytes of a string in the site table: as wide as the longest text needs, at most `capacity` and its count.
  func siteFieldByteCount(_ capacity: Int) -> Int {
    var longest = 0
    for description in descriptions {
      for text in SiteText.allCases { longest = max(longest, description[text].utf8.count) }
    }
    return (4 + min(longest, capacity) + 7) & ~7
  }
}

extension SiteDescription {
  subscript(_ text: SiteText) -> String {
    switch text {
    case .probePoint: probePoint
    case .scriptPoint: scriptPoint
    case .function: function
    case .name: name
    case .provider: provider
    case .probeType: probeType
    case .sourceLine: sourceLine
    }
  }
}
