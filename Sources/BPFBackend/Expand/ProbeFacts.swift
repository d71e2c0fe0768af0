import TargetModel
import TraceIR

/// What is fixed about the probe whose code is made.
struct ProbeFacts {
  /// What the program hangs on, which says what its context is.
  enum Context: Hashable {
    case userRegisters, tracepointWords
    /// A perf event's: the registers at the access, which may be the kernel's, and the address.
    case dataAccess
    /// A perf event's: the registers of what it interrupted, the kernel or a program.
    case sample

    /// Whether it may run in an interrupt, in the middle of another hit on this CPU.
    var interrupts: Bool {
      switch self {
      case .tracepointWords, .sample: true
      case .userRegisters, .dataAccess: false
      }
    }
  }

  let index: Int
  let context: Context
  /// Number of sites; 1 for others.
  private(set) var siteCount: Int
  private(set) var descriptions: [SiteDescription]
  /// How many loads the site describes that has most of them.
  private(set) var mostLoads = 0
  /// Those that count from the load before them, at some site.
  private(set) var chainedLoads: Set<Int> = []
  let isReturn: Bool
  let entrySlots: [ValueType]
  /// Where the stack pointer of the entry is told, when the entry is not where the probe is.
  let entryStackPointer: FrameOffset?
  /// Where that is told at the entry, when its program runs behind the function's first instructions.
  let entryStackPointerAtSites: FrameOffset?
  /// Whether the probe is in the function that was entered: hits leave what was kept, more of them may come.
  var isWithinEntered: Bool { entryStackPointer != nil && !isReturn }
  /// Whether a hit counts whose entry was not seen; what was kept there is 0 then.
  let isEntryOptional: Bool
  /// The processes that it is meant for; nil: all.
  let filter: ProcessFilter?
  /// Whether the shell is none of its business in which the command of `-c` waits.
  var waitsForCommand: Bool {
    context.interrupts && (filter?.scope == .target || filter?.scope == .family)
  }
  /// Index of the program that they run, into ``TraceProgram/executables``.
  let executable: Int?

  /// Nil for probes of the user side.
  init?(_ probe: Probe, index: Int, _ executables: [String]) {
    self.index = index
    executable = probe.trigger.processes?.executable.flatMap { executables.firstIndex(of: $0) }
    entrySlots = probe.entrySlots
    entryStackPointer = probe.entryPoint?.stackPointer
    entryStackPointerAtSites = probe.entryPoint?.stackPointerAtSites
    isEntryOptional = probe.entryPoint?.isOptional ?? false
    switch probe.trigger {
    case .userSites(let sites, let kind, let scope):
      filter = ProcessFilter(scope)
      context = kind == .data ? .dataAccess : .userRegisters
      siteCount = sites.count
      descriptions = sites.map(\.description)
      isReturn = kind == .functionReturn
    case .tracepoint(_, _, let description, let filter):
      self.filter = filter
      context = .tracepointWords
      siteCount = 1
      descriptions = [description]
      isReturn = false
    case .sample(_, let description, let filter):
      self.filter = filter
      context = .sample
      siteCount = 1
      descriptions = [description]
      isReturn = false
    case .begin, .end, .error, .timer, .never, .event, .running: return nil
    }
    for description in descriptions where !description.loads.isEmpty {
      mostLoads = max(mostLoads, description.loads.count)
      for (index, load) in description.loads.enumerated() where load.base == .previous {
        chainedLoads.insert(index)
      }
    }
  }

  /// The same where the functions are entered: which of those places was hit does not matter when it is none of the
  /// probe's own.
  var atEntry: ProbeFacts {
    guard entryStackPointer != nil else { return self }
    var facts = self
    facts.siteCount = 1
    facts.descriptions = Array(descriptions.prefix(1))
    facts.mostLoads = 0
    facts.chainedLoads = []
    return facts
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
