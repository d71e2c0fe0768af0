import Platform

/// What is mapped executable in one process.
struct AddressSpace {
  /// Ascending, without overlaps.
  private(set) var regions: [MappedRegion] = []
  /// Whether it is known from its beginning or has been read whole: nothing is missing.
  var isComplete: Bool

  init(isComplete: Bool = false) { self.isComplete = isComplete }

  /// A later mapping takes the place of what was there.
  mutating func map(_ region: MappedRegion) {
    regions.removeAll { $0.start < region.end && region.start < $0.end }
    let index = regions.firstIndex { $0.start > region.start } ?? regions.endIndex
    regions.insert(region, at: index)
  }

  func region(containing address: UInt64) -> MappedRegion? {
    regions.first { $0.start <= address && address < $0.end }
  }
}

/// The address spaces of processes as they were when something was captured.
///
/// A process that began under our eyes is known by what the kernel reported; of any other the maps are read when it
/// is first asked for, and kept up to date from then on. A process that has ended is remembered for a while: its
/// last records may still be on their way.
final class AddressSpaces {
  private static let mostProcesses = 4096

  private let events: () -> [ProcessEvent]
  private var pending: ArraySlice<ProcessEvent> = []
  private var spaces: [Int32: AddressSpace] = [:]
  /// Processes that have ended, oldest first.
  private var ended: [Int32] = []

  init(events: @escaping () -> [ProcessEvent]) { self.events = events }

  /// The address space of `pid` at `time`; nil: now.
  func space(of pid: Int32, at time: UInt64?) -> AddressSpace {
    pending += events()
    while let event = pending.first, event.time <= time ?? .max {
      pending.removeFirst()
      apply(event)
    }
    if let known = spaces[pid], known.isComplete { return known }
    guard let maps = try? RunningProcess(pid: pid).maps() else { return spaces[pid] ?? AddressSpace() }
    var space = AddressSpace()
    for region in maps.regions where region.permissions.contains(.execute) { space.map(region) }
    space.isComplete = true
    spaces[pid] = space
    return space
  }

  private func apply(_ event: ProcessEvent) {
    switch event.change {
    case .mapped(let region): spaces[event.pid, default: AddressSpace()].map(region)
    case .forked(let parent): spaces[event.pid] = spaces[parent] ?? AddressSpace()
    case .executed: spaces[event.pid] = AddressSpace(isComplete: true)
    case .exited:
      ended.append(event.pid)
      if ended.count > Self.mostProcesses { spaces[ended.removeFirst()] = nil }
    }
  }
}
