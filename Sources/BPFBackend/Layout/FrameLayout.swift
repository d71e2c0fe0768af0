import BPFObject
import TraceIR

/// Where a variable lives.
enum Home: Hashable {
  /// Nobody reads it.
  case unused
  case register(BPFRegister)
  /// Offset from the frame pointer.
  case stack(Int16)
  /// Offset in scratch memory.
  case scratch(Int)
}

/// Where everything lies while one program runs.
///
/// Frames stay at 48 bytes: from 56 on, Linux 6.13 gives a program that may sleep a stack that its next run on
/// that CPU overwrites (measured on 6.18). `may_goto` takes 16 of them for itself.
struct FrameLayout {
  private(set) var homes: [Home]
  let demand: FrameDemand
  var liveness: Liveness { demand.liveness }
  /// Holds the context after the first call.
  let contextRegister: BPFRegister?
  /// Holds the address of scratch memory; nil when the program needs none.
  let scratchRegister: BPFRegister?
  /// Holds the address of the entry frame.
  let entryRegister: BPFRegister?
  /// Bytes of scratch memory from its start, common areas included.
  private(set) var scratchByteCount: Int
  private(set) var outputOffset = 0
  private(set) var controlOffset = 0
  /// A ``TokenState``, and where a token goes that nobody wants.
  private(set) var tokenOffset = 0
  private(set) var spareTokenOffset = 0
  /// Words of ``RegexImage/Word``, and the text that groups are in.
  private(set) var matchOffset = 0
  private(set) var subjectOffset = 0
  /// Where in scratch memory the next round of a loop finds where to go on.
  private(set) var resumeOffset = 0
  /// Where the variables of each recursion lie, byte positions in scratch memory.
  private(set) var regions: [Range<Int>] = []
  /// Where their frames lie.
  private(set) var framesOffset = 0
  /// How many there are: the activation that was called from outside has none.
  var frameCount: Int { max(0, module.limits.maxNesting - 1) }
  /// Where ``WalkState`` begins.
  private(set) var stateOffset = 0
  /// Of all variables, values first.
  let types: [ValueType]
  private let values: Int
  /// Variables of recursions, and strings that are read into keys.
  private var isPlaced: Set<Int> = []
  private var keyHomes: Set<ValueID> = []
  private let module: ModuleLayout

  /// Lays out `body`; scratch memory is claimed only when something needs it.
  init(_ body: ExpandedBody, _ demand: FrameDemand, _ module: ModuleLayout) {
    let lean = FrameLayout(body, demand, module, hasScratch: demand.needsScratch)
    let spills = lean.homes.contains { if case .scratch = $0 { true } else { false } }
    let isEnough = demand.needsScratch || !spills
    self = isEnough ? lean : FrameLayout(body, demand, module, hasScratch: true)
  }

  private init(
    _ body: ExpandedBody,
    _ demand: FrameDemand,
    _ module: ModuleLayout,
    hasScratch: Bool
  ) {
    var free: [BPFRegister] = [.r9, .r8, .r7, .r6]
    self.demand = demand
    self.module = module
    types = body.values + body.locals
    values = body.values.count
    contextRegister = demand.needsContext ? free.popLast() : nil
    scratchRegister = hasScratch ? free.popLast() : nil
    entryRegister = demand.usesEntrySlots ? free.popLast() : nil
    homes = Array(repeating: .unused, count: types.count)
    scratchByteCount = module.privateOffset
    placeBuffers()
    placeRegions(body.regions)
    placeKeys(KeyHomes(body, module))
    assign(registers: free)
  }

  private mutating func placeKeys(_ found: KeyHomes) {
    for (value, offset) in found.offsets where liveness.interval(value).useCount > 0 {
      homes[value.index] = .scratch(offset)
      isPlaced.insert(value.index)
      keyHomes.insert(value)
    }
  }

  /// Everything of a recursion is in scratch memory: the verifier sees a loop in which nothing it knows changes.
  private mutating func placeRegions(_ all: [RecursionRegion]) {
    for region in all {
      let start = scratchByteCount
      let members = Array(region.values) + region.locals.map { $0 + values }
      assign(members, longs: SlotPool(free: []), keepsRounds: false)
      scratchByteCount = max(scratchByteCount, start + 8)
      regions.append(start..<scratchByteCount)
    }
    let pinned = all.flatMap { region in region.pinned.map { $0.index + values } }
    var places = SlotPool(free: [])
    for index in Set(pinned).sorted() where types[index] == .long && homes[index] == .unused {
      homes[index] = addScratch(8, to: &places, liveness.intervals[index])
    }
    framesOffset = scratchByteCount
    scratchByteCount += frameCount * (regions.map { $0.count }.max() ?? 0)
    isPlaced = Set(pinned.filter { types[$0] == .long })
    for region in all { isPlaced.formUnion(region.values) }
    for region in all { isPlaced.formUnion(region.locals.map { $0 + values }) }
  }

  private mutating func placeBuffers() {
    resumeOffset = scratchByteCount
    if demand.runsInRounds { scratchByteCount += 8 }
    stateOffset = scratchByteCount
    if demand.usesState { scratchByteCount += WalkState.byteCount }
    placeStringStates()
    controlOffset = scratchByteCount
    if demand.sendsText { scratchByteCount += 32 + module.slotByteCount }
    outputOffset = scratchByteCount
    scratchByteCount += demand.output.bufferByteCount
  }

  private mutating func placeStringStates() {
    tokenOffset = scratchByteCount
    if demand.usesTokens { scratchByteCount += TokenState.textOffset + module.slotByteCount }
    spareTokenOffset = scratchByteCount
    if demand.usesTokens { scratchByteCount += module.slotByteCount }
    matchOffset = scratchByteCount
    if demand.usesRegex { scratchByteCount += 4 * module.regexes.wordCount }
    subjectOffset = scratchByteCount
    if demand.usesCaptures { scratchByteCount += module.slotByteCount }
  }

  /// Linear scan: longs into registers, then the stack, then scratch memory; strings into slots of it.
  private mutating func assign(registers: [BPFRegister]) {
    let stackSlots = stride(from: demand.frameByteCount, to: demand.arenaByteCount, by: -8)
      .map { Home.stack(Int16(-$0)) }
    let longs = SlotPool(free: stackSlots + registers.map { .register($0) })
    assign(types.indices.filter { !isPlaced.contains($0) }, longs: longs, keepsRounds: demand.runsInRounds)
    for (value, local) in liveness.aliases where liveness.interval(value).useCount > 0 {
      homes[value.index] = homes[liveness.index(local)]
    }
  }

  /// Gives homes to those of `variables` that need one.
  private mutating func assign(_ variables: [Int], longs: SlotPool, keepsRounds: Bool) {
    var longs = longs
    var carried = SlotPool(free: [])
    var texts = SlotPool(free: [])
    let order =
      variables
      .filter { isNeeded($0) }
      .sorted { liveness.intervals[$0].first < liveness.intervals[$1].first }
    for index in order {
      let interval = liveness.intervals[index]
      if types[index] == .long {
        if keepsRounds && liveness.isCarried(interval) {
          homes[index] = carried.take(interval) ?? addScratch(8, to: &carried, interval)
        } else {
          homes[index] = longs.take(interval) ?? addScratch(8, to: &longs, interval)
        }
      } else {
        homes[index] = texts.take(interval) ?? addScratch(module.slotByteCount, to: &texts, interval)
      }
    }
  }

  private func isNeeded(_ index: Int) -> Bool {
    let interval = liveness.intervals[index]
    guard index < values else { return interval.last >= 0 }
    return interval.useCount > 0 && liveness.aliases[ValueID(index)] == nil
      && demand.fused[ValueID(index)] == nil
  }

  private mutating func addScratch(
    _ byteCount: Int,
    to pool: inout SlotPool,
    _ interval: Liveness.Interval
  ) -> Home {
    let home = Home.scratch(scratchByteCount)
    scratchByteCount += byteCount
    pool.occupy(home, interval)
    return home
  }

  /// Whether it is read right into a key, of which no byte behind it may be anything but zero.
  func isInKey(_ value: ValueID) -> Bool { keyHomes.contains(value) }

  func home(_ value: ValueID) -> Home { homes[value.index] }
  func home(_ local: LocalID) -> Home { homes[values + local.index] }
}

/// Places of one kind, some taken until a position.
private struct SlotPool {
  private var free: [Home]
  private var taken: [(home: Home, last: Int)] = []

  init(free: [Home]) { self.free = free }

  mutating func take(_ interval: Liveness.Interval) -> Home? {
    free += taken.filter { $0.last < interval.first }.map(\.home)
    taken.removeAll { $0.last < interval.first }
    guard let index = free.lastIndex(where: \.isRegister) ?? free.indices.last else { return nil }
    let home = free.remove(at: index)
    occupy(home, interval)
    return home
  }

  mutating func occupy(_ home: Home, _ interval: Liveness.Interval) {
    taken.append((home, interval.last))
  }
}

extension Home {
  fileprivate var isRegister: Bool {
    if case .register = self { return true }
    return false
  }
}
