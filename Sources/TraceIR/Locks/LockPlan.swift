/// Which probes must keep out of each other's way, so that what a probe does to the globals it touches is as if
/// it held their locks.
///
/// Most probes need nothing: an atomic addition, a `<<<`, one plain read or write is whole by itself. A probe that
/// makes two steps (reads, then writes; touches two globals) takes a lock *exclusively*; then all others that touch
/// one of its globals take the same lock: exclusively too when a kernel-side probe does, else *shared*, which only
/// keeps user-side probes out. No probe takes two locks, so that they cannot wait for each other in a circle.
///
/// What never counts:
/// - globals that nothing writes while kernel-side probes run (`begin` and `end` probes are alone);
/// - globals that are only added to, the result unused, and `<<<`: the order does not matter;
/// - arrays with `tid()` at the same place of every key, in probes of processes: each thread has its own part.
///
/// See docs/decisions/0008-locks.md.
package struct LockPlan: Hashable, Sendable {
  /// How a probe takes its lock.
  package enum Mode: Hashable, Sendable { case shared, exclusive }

  /// The lock that a body takes.
  package struct Use: Hashable, Sendable {
    /// Below ``LockPlan/lockCount``.
    package var lock: Int
    package var mode: Mode
  }

  /// By probe: what its body takes.
  package private(set) var bodies: [Use?]
  /// By probe: what its entry body takes.
  package private(set) var entries: [Use?]
  package private(set) var lockCount = 0
  /// Globals that take part, as indices.
  package private(set) var guarded: Set<Int> = []

  /// More locks than this are merged, which is always right.
  private static let maximumLockCount = 16

  /// Finds out what the probes of `program` need.
  package init(_ program: TraceProgram) {
    bodies = Array(repeating: nil, count: program.probes.count)
    entries = bodies
    guard program.needsKernel else { return }
    var survey = GlobalSurvey(program)
    guarded = survey.contended
    if guarded.isEmpty { return }
    let subjects = survey.subjects
    let demands = survey.demands(on: guarded)
    var groups = Groups(count: program.globals.count)
    for demand in demands where demand.isExclusive { groups.join(demand.globals) }
    let exclusive = demands.indices.filter { demands[$0].isExclusive }
    let locked = Set(exclusive.flatMap { demands[$0].globals.map { groups.root($0) } })
    let inKernel = Set(
      exclusive.filter { subjects[$0].isKernelSide }.flatMap { demands[$0].globals.map { groups.root($0) } }
    )
    let numbers = Dictionary(uniqueKeysWithValues: locked.sorted().enumerated().map { ($1, $0) })
    lockCount = min(locked.count, Self.maximumLockCount)
    for (subject, demand) in zip(subjects, demands) {
      guard let root = demand.globals.first.map({ groups.root($0) }), let number = numbers[root] else {
        continue
      }
      let isShared = subject.isKernelSide && !demand.isExclusive && !inKernel.contains(root)
      let use = Use(lock: number % Self.maximumLockCount, mode: isShared ? .shared : .exclusive)
      if subject.isEntry { entries[subject.probe] = use } else { bodies[subject.probe] = use }
    }
    settleMergedLocks(subjects)
  }

  /// A lock that somebody in the kernel takes exclusively cannot be shared; merging may have made such pairs.
  private mutating func settleMergedLocks(_ subjects: [GlobalSurvey.Subject]) {
    let kernelSide = subjects.filter(\.isKernelSide)
    let uses = kernelSide.compactMap { $0.isEntry ? entries[$0.probe] : bodies[$0.probe] }
    let exclusive = Set(uses.filter { $0.mode == .exclusive }.map(\.lock))
    for subject in kernelSide {
      if let use = bodies[subject.probe], !subject.isEntry, exclusive.contains(use.lock) {
        bodies[subject.probe]?.mode = .exclusive
      }
      if let use = entries[subject.probe], subject.isEntry, exclusive.contains(use.lock) {
        entries[subject.probe]?.mode = .exclusive
      }
    }
  }

  /// Locks that kernel-side probes share, which a user-side holder must wait for.
  package var sharedLocks: Set<Int> {
    Set((bodies + entries).compactMap { $0 }.filter { $0.mode == .shared }.map(\.lock))
  }
}

/// Globals that must have the same lock: union and find.
private struct Groups {
  private var parents: [Int]

  init(count: Int) { parents = Array(0..<count) }

  func root(_ member: Int) -> Int {
    var member = member
    while parents[member] != member { member = parents[member] }
    return member
  }

  mutating func join(_ members: Set<Int>) {
    guard let first = members.min() else { return }
    for member in members { parents[max(root(member), root(first))] = min(root(member), root(first)) }
  }
}
