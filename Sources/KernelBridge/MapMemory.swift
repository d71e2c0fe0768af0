import BPFObject

/// What maps take of the machine's memory as soon as they are made.
///
/// The kernel takes pages for a large map until none is left before it says no, and ends other programs to get them: a script
/// that asks for too much must be refused before.
struct MapMemory {
  let maps: [MapSpec]
  let cpuCount: Int

  /// Less than this is not worth a look.
  private static let unquestionedByteCount = 64 << 20

  init(_ maps: [MapSpec], cpuCount: Int = KernelSession.possibleCPUCount) {
    self.maps = maps
    self.cpuCount = cpuCount
  }

  /// The maps, which may take half of what is free.
  ///
  /// Elements that are made as they come do not count, and where memory is short those of hashes are.
  ///
  /// - Throws: ``KernelError/tooLittleMemory(_:)``.
  func fitted(available: () -> Int?) throws(KernelError) -> [MapSpec] {
    let sizes = maps.map { $0.flags.contains(.noPreallocation) ? 0 : $0.byteCount(cpuCount: cpuCount) }
    let total = sizes.reduce(0, +)
    guard total > Self.unquestionedByteCount, let free = available(), total > free / 2,
      let largest = zip(maps, sizes).max(by: { $0.1 < $1.1 })
    else { return maps }
    let lean = maps.map(\.withElementsAsTheyCome)
    if lean != maps { return try MapMemory(lean, cpuCount: cpuCount).fitted(available: available) }
    throw .tooLittleMemory(
      "the script's maps take \(total >> 20) MB at once (\(largest.1 >> 20) MB for '\(largest.0.name)'), more than half of "
        + "the \(free >> 20) MB that are free: use 'limit' in each 'foreach' of probes, arrays with [N], or a smaller "
        + "MAXMAPENTRIES or MAXSTRINGLEN"
    )
  }
}

extension MapSpec {
  /// The same, but a hash makes no element before it is needed; where each CPU has its share, some would be lost.
  fileprivate var withElementsAsTheyCome: MapSpec {
    guard kind == .hash else { return self }
    var lean = self
    lean.flags.insert(.noPreallocation)
    return lean
  }
}
