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

  /// Lets them take half of what is free; elements that are made as they come do not count.
  ///
  /// - Throws: ``KernelError/tooLittleMemory(_:)``.
  func check(available: () -> Int?) throws(KernelError) {
    let sizes = maps.map { $0.flags.contains(.noPreallocation) ? 0 : $0.byteCount(cpuCount: cpuCount) }
    let total = sizes.reduce(0, +)
    guard total > Self.unquestionedByteCount, let free = available(), total > free / 2,
      let largest = zip(maps, sizes).max(by: { $0.1 < $1.1 })
    else { return }
    throw .tooLittleMemory(
      "the script's maps take \(total >> 20) MB at once (\(largest.1 >> 20) MB for '\(largest.0.name)'), more than half of "
        + "the \(free >> 20) MB that are free: use 'limit' in each 'foreach' of probes, arrays with [N], or a smaller "
        + "MAXMAPENTRIES or MAXSTRINGLEN"
    )
  }
}
