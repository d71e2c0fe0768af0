import Glibc
import KernelBridge
import Platform
import TraceIR

// Arrays that wrap: a new element takes the place of the oldest one, as on the kernel side (``AgeRing``).
extension MapStore {
  /// Puts an element in; in an array that wraps the oldest one makes room.
  func put(_ global: GlobalID, _ map: any ElementMap, _ key: [UInt8], _ value: [UInt8]) throws(StoreError) {
    do {
      try map.update(key, value)
    } catch .system(let error, _) where error.code == E2BIG {
      guard let ages = ages(global) else { throw .full }
      makeRoom(global, map, ages)
      try? map.update(key, value)
    } catch {
      // Out of memory and the like: the kernel side counts such losses, here the element stays as it was.
      return
    }
  }

  /// What comes behind the value of an array that wraps: when the element came, or now; nothing for other arrays.
  func birth(_ global: GlobalID, _ map: any ElementMap, _ key: [UInt8], of element: [UInt8]?) -> [UInt8] {
    guard let offset = elements[global.index].birthOffset, let counter = layout.birthCountOffset
    else { return [] }
    if let element, element.count >= offset + 8 { return Array(element[offset..<offset + 8]) }
    let number = scalars.add(0, offset: counter, 1) &+ 1
    let birth = (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
    if let ages = ages(global) { remember(global, map, ages, birth + key) }
    return birth
  }

  /// The ring of an array that wraps.
  private func ages(_ global: GlobalID) -> Ages? {
    guard let map = ageMaps[global.index], let ring = AgeRing(program.globals[global.index], program.limits),
      let offset = layout.agePositionOffsets[global.index]
    else { return nil }
    return Ages(map: map, entryCount: UInt64(ring.entryCount), store: self, positionsOffset: offset)
  }

  /// Takes entries away, the oldest one first, until one's element is deleted.
  private func makeRoom(_ global: GlobalID, _ map: any ElementMap, _ ages: Ages) {
    while ages.tail != ages.head {
      let entry = ages[ages.tail]
      ages.tail &+= 1
      guard let entry, isAlive(global, map, entry) else { continue }
      try? map.delete(entry.key)
      return
    }
  }

  /// Puts an entry into the ring; when that is full, those of elements that were deleted make room.
  private func remember(_ global: GlobalID, _ map: any ElementMap, _ ages: Ages, _ entry: [UInt8]) {
    if ages.head &- ages.tail >= ages.entryCount {
      var kept = ages.head
      for age in 1...ages.entryCount {
        guard let entry = ages[ages.head &- age], isAlive(global, map, entry) else { continue }
        kept &-= 1
        ages.set(kept, entry.bytes)
      }
      ages.tail = kept
    }
    ages.set(ages.head, entry)
    ages.head &+= 1
  }

  /// Whether the element of an entry is the one that it was made for.
  private func isAlive(_ global: GlobalID, _ map: any ElementMap, _ entry: Ages.Entry) -> Bool {
    guard let offset = elements[global.index].birthOffset, let value = try? map.lookUp(entry.key) else {
      return false
    }
    // Of a statistic one CPU's share has it, the others have 0 there.
    let births = stride(from: 0, to: value.count, by: max(1, map.valueStride)).map {
      value.rawSpan.load(at: $0 + offset, as: UInt64.self) ?? 0
    }
    return births.reduce(0, |) == entry.birth
  }
}

/// A ring of ages in its map.
private struct Ages {
  struct Entry {
    let bytes: [UInt8]

    var birth: UInt64 { bytes.rawSpan.load(at: AgeRing.birthOffset, as: UInt64.self) ?? 0 }
    var key: [UInt8] { Array(bytes.dropFirst(AgeRing.keyOffset)) }
  }

  let map: BPFMap
  let entryCount: UInt64
  let store: MapStore
  let positionsOffset: Int

  var head: UInt64 {
    get { store.scalars.loadCounter(0, offset: positionsOffset + AgeRing.headOffset) }
    nonmutating set { store.scalars.store(0, offset: positionsOffset + AgeRing.headOffset, newValue) }
  }

  var tail: UInt64 {
    get { store.scalars.loadCounter(0, offset: positionsOffset + AgeRing.tailOffset) }
    nonmutating set { store.scalars.store(0, offset: positionsOffset + AgeRing.tailOffset, newValue) }
  }

  subscript(position: UInt64) -> Entry? { (try? map.lookUp(index(position))).map { Entry(bytes: $0) } }

  /// Sets the entry at a position.
  func set(_ position: UInt64, _ entry: [UInt8]) { try? map.update(index(position), entry) }

  private func index(_ position: UInt64) -> [UInt8] {
    let index = UInt32(truncatingIfNeeded: position % entryCount)
    return (0..<4).map { UInt8(truncatingIfNeeded: index >> (8 * $0)) }
  }
}
