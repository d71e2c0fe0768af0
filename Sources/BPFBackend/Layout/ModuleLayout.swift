import BPFObject
import TraceIR

/// Where the script's data lies, the same for every program of a module.
struct ModuleLayout {
  /// How one array or statistic is kept.
  struct Table {
    let map: MapReference
    let key: FieldLayout
    /// The maps of short keys, from the shortest on, and where the length of their string is.
    let shorts: [(map: MapReference, layout: KeyLayout.Short)]
    let lengthOffset: Int
    /// Nil for statistics.
    let value: ValueType?
    let statistic: StatisticLayout?
    /// Where the key is put together in scratch memory; nil: on the stack.
    let keyOffset: Int?
    /// Where in scratch memory the keys of a slice are put together, padded; nil when nobody asks for slices.
    let patternOffset: Int?
    /// Of an array that wraps.
    let wrapping: Wrapping?
    /// Of a tally.
    let tally: Tally?
  }

  /// How a tally is kept.
  struct Tally {
    let global: GlobalID
    let layout: TallyLayout
    /// Where its words are, among the scalars.
    let wordsOffset: Int
  }

  /// How an array that wraps knows its oldest element.
  struct Wrapping {
    /// Where an element's birth is (``ElementLayout``).
    let birthOffset: Int
    let ring: AgeRing
    /// The map of the ring.
    let map: MapReference
    /// Where the positions in it are, among the scalars.
    let positionsOffset: Int
    /// Where in scratch memory a new entry of the ring is put together; the array's keys are put together in it.
    let entryOffset: Int
  }

  /// Byte positions in scratch memory that every program knows.
  enum Scratch {
    /// 64 bits, nonzero while a pool slot is claimed.
    static let busy = 0
    /// Bytes in the output buffer, 32 bits.
    static let cursor = 8
    /// Records in the output buffer, 32 bits.
    static let recordCount = 12
    /// What string subprograms are asked and what they remember: ``TextWork``.
    static let work = 16
    static let firstFree = work + TextWork.byteCount
  }

  /// Bytes behind a key with strings: the kernel writes a NUL behind one that is read where it belongs.
  static let keySlack = 8
  /// Keys up to this size are put together on the stack.
  static let maximumStackKey = 24

  let scalars: ScalarLayout
  let limits: Limits
  let field: StringField
  let regexes: RegexImage
  /// By global; nil for scalars and what the kernel side does not use.
  private(set) var tables: [Table?] = []
  /// Where string values are put together before they go into a map; kept padded with zeros between hits.
  let valueOffset: Int?
  /// First byte of scratch memory that programs lay out for themselves.
  private(set) var privateOffset = Scratch.firstFree

  /// Bytes of a string while a program works on it: a field, and room for the NUL that helpers append.
  var slotByteCount: Int { (4 + field.capacity + 1 + 7) & ~7 }

  /// What a length is masked with before it is used: never changes it, and shows the verifier a bound.
  var lengthMask: Int32 { Int32((field.capacity + 1).roundedUpToPowerOfTwo - 1) }

  /// Bytes after all that is laid out in a value, which no program touches: a masked length added to a masked
  /// position still ends inside.
  var tailByteCount: Int { 2 * Int(lengthMask) + 128 }

  /// Bytes from a string's length on that subprograms may touch: a masked position, and a masked length behind it.
  var textByteCount: Int { 2 * Int(lengthMask) + 72 }

  init(_ program: TraceProgram) {
    scalars = ScalarLayout(program)
    limits = program.limits
    field = StringField(program.limits)
    regexes = RegexImage(program)
    let hasTextValues = program.globals.contains { global in
      if case .array(_, .string) = global.kind { return global.isUsedInKernel }
      return false
    }
    valueOffset = hasTextValues ? privateOffset : nil
    // A birth may come behind the string.
    if hasTextValues { privateOffset += field.byteCount + 8 }
    var names = MapNames()
    let sliced = program.slicedGlobals
    for (index, global) in program.globals.enumerated() {
      let id = GlobalID(index)
      tables.append(makeTable(id, global, isSliced: sliced.contains(id), &names))
    }
  }

  private mutating func makeTable(
    _ id: GlobalID,
    _ global: Global,
    isSliced: Bool,
    _ names: inout MapNames
  ) -> Table? {
    guard global.isUsedInKernel else { return nil }
    let value: ValueType?
    switch global.kind {
    case .scalar: return nil
    case .array(_, let type): value = type
    case .statistic, .statisticArray: value = nil
    }
    let layout = KeyLayout(global, limits)
    let key = layout.fields
    // Strings are put together in place, which takes the room behind them.
    let fitsOnStack = key.byteCount <= Self.maximumStackKey && !key.types.contains(.string)
    let isOnStack = fitsOnStack && !global.wraps
    let slack = key.types.contains(.string) ? Self.keySlack : 0
    let map = MapReference(names.unique(global.name))
    let wrapping = wrapping(id, global, slack: slack, &names)
    let ownKey = isOnStack || wrapping != nil ? nil : reserve(key.byteCount + slack)
    let keyOffset = wrapping.map { $0.entryOffset + AgeRing.keyOffset } ?? ownKey
    let patternOffset = isSliced ? reserve(key.byteCount) : nil
    let table = Table(
      map: map,
      key: key,
      shorts: layout.shorts.map { (MapReference(names.unique(global.name)), $0) },
      lengthOffset: layout.lengthOffset,
      value: value,
      statistic: value == nil ? StatisticLayout(global.statistics) : nil,
      keyOffset: keyOffset,
      patternOffset: patternOffset,
      wrapping: wrapping,
      tally: tally(id, global)
    )
    return table
  }

  /// - Parameter slack: bytes behind the key.
  private mutating func wrapping(
    _ id: GlobalID,
    _ global: Global,
    slack: Int,
    _ names: inout MapNames
  ) -> Wrapping? {
    guard let ring = AgeRing(global, limits), let birth = ElementLayout(global, limits).birthOffset,
      let positions = scalars.agePositionOffsets[id.index]
    else { return nil }
    return Wrapping(
      birthOffset: birth,
      ring: ring,
      map: MapReference(names.unique("ages_" + global.name)),
      positionsOffset: positions,
      entryOffset: reserve(ring.entryByteCount + slack)
    )
  }

  private func tally(_ id: GlobalID, _ global: Global) -> Tally? {
    guard let layout = TallyLayout(global), let offset = scalars.tallyOffsets[id.index] else { return nil }
    return Tally(global: id, layout: layout, wordsOffset: offset)
  }

  private mutating func reserve(_ byteCount: Int) -> Int {
    defer { privateOffset += byteCount }
    return privateOffset
  }

  /// Offset of a scalar in the value that holds them all.
  func scalarOffset(_ global: GlobalID) -> Int32 { Int32(scalars.offsets[global.index] ?? 0) }

  func table(_ global: GlobalID) -> Table {
    guard let table = tables[global.index] else {
      preconditionFailure("only arrays and statistics used in the kernel are looked up")
    }
    return table
  }
}

extension TraceProgram {
  /// Arrays of which a slice is asked for anywhere.
  fileprivate var slicedGlobals: Set<GlobalID> {
    var found: Set<GlobalID> = []
    forEachInstruction { instruction in
      let keys: [Operand?]
      switch instruction.operation {
      case .contains(_, _, let asked), .delete(_, let asked), .extract(_, _, _, let asked),
        .histogramBucket(_, _, _, let asked, _):
        keys = asked
      case .foreach(let walk): keys = walk.slice
      default: return
      }
      guard keys.contains(where: { $0 != nil }), let global = instruction.operation.global else { return }
      if keys.contains(where: { $0 == nil }) || instruction.operation.isForeach { found.insert(global) }
    }
    return found
  }
}

extension Operation {
  fileprivate var isForeach: Bool { if case .foreach = self { true } else { false } }
}

/// Names for maps: at most 15 characters that the kernel accepts, no two alike.
struct MapNames {
  private var taken: Set<String> = Set(ModuleMaps.all.map(\.name))

  mutating func unique(_ wanted: String) -> String {
    let allowed = wanted.filter { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
    var name = String(allowed.prefix(15))
    var number = 2
    while name.isEmpty || taken.contains(name) || ModuleMaps.isNumbered(name) {
      let suffix = "_\(number)"
      name = String(allowed.prefix(15 - suffix.count)) + suffix
      number += 1
    }
    taken.insert(name)
    return name
  }
}

/// The maps that are not the script's own.
enum ModuleMaps {
  static let scalars = MapReference("scalars")
  static let dataRing = MapReference("data_ring")
  static let controlRing = MapReference("control_ring")
  static let losses = MapReference("losses")
  static let literals = MapReference("literals")
  static let zeros = MapReference("zeros")
  static let taskScratch = MapReference("task_scratch")
  static let poolScratch = MapReference("pool_scratch")
  static let uprobePath = MapReference("uprobe_path")
  static let returnPath = MapReference("return_path")
  static let walkSlots = MapReference("walk_slots")
  static let regexes = MapReference("regexes")
  static let family = MapReference("family")
  static let familyPath = MapReference("family_path")
  static let executables = MapReference("executables")
  static let executablePath = MapReference("executable_path")

  static let all =
    [
      scalars, dataRing, controlRing, losses, literals, zeros, taskScratch, poolScratch,
      uprobePath, returnPath, regexes, walkSlots, family, familyPath, executables, executablePath,
    ] + RowClass.all.map(walkRows)

  static func walkRows(_ rowClass: RowClass) -> MapReference { MapReference("walk_rows_\(rowClass.number)") }

  private enum Numbered: String, CaseIterable {
    case sites, loads, places, entries, dispatch

    func callAsFunction(_ number: Int) -> MapReference { MapReference("\(rawValue)_\(number)") }
  }

  static func sites(_ probe: Int) -> MapReference { Numbered.sites(probe) }
  static func siteLoads(_ probe: Int) -> MapReference { Numbered.loads(probe) }
  static func siteIndex(_ probe: Int) -> MapReference { Numbered.places(probe) }
  static func entryFrames(_ probe: Int) -> MapReference { Numbered.entries(probe) }
  static func dispatcher(_ index: Int) -> MapReference { Numbered.dispatch(index) }

  /// Whether one of the maps that go by a number is or may be called so.
  static func isNumbered(_ name: String) -> Bool {
    Numbered.allCases.contains { kind in
      guard name.hasPrefix(kind.rawValue + "_") else { return false }
      let number = name.dropFirst(kind.rawValue.count + 1)
      return !number.isEmpty && number.allSatisfy(\.isNumber)
    }
  }

  /// Whether it is a ``dispatcher(_:)``.
  static func isDispatcher(_ map: MapSpec) -> Bool {
    map.kind == .programArray && map.name.hasPrefix(Numbered.dispatch.rawValue)
  }
}
