import KernelBridge
import Platform

/// The target and the processes that it has started, for `--children`.
struct TargetFamily {
  private let target: Int32

  /// - Throws: ``KernelError`` without a target.
  init(_ target: Int32?) throws(KernelError) {
    guard let target else {
      throw .invalid("the script was translated with --children, which needs a target: -p PID or -c COMMAND")
    }
    self.target = target
  }

  /// Puts the family as it is now into the keys of `map`.
  ///
  /// The kernel adds the children of whatever is in there already. A child that a descendant starts while it is not yet
  /// there itself is found by looking again, until nothing is new. A descendant whose parent has ended belongs to
  /// process 1 and cannot be told from others.
  func enter(_ map: BPFMap) throws(KernelError) {
    try map.put(UInt32(bitPattern: target), UInt32(0))
    var known: Set<Int32> = [target]
    while true {
      let found = descendants(of: known).subtracting(known)
      if found.isEmpty { return }
      for pid in found { try map.put(UInt32(bitPattern: pid), UInt32(0)) }
      known.formUnion(found)
    }
  }

  private func descendants(of ancestors: Set<Int32>) -> Set<Int32> {
    var children: [Int32: [Int32]] = [:]
    for process in (try? RunningProcess.all()) ?? [] {
      guard let parent = try? process.parentID() else { continue }
      children[parent, default: []].append(process.pid)
    }
    var found = ancestors
    var open = Array(ancestors)
    while let pid = open.popLast() {
      for child in children[pid] ?? [] where found.insert(child).inserted { open.append(child) }
    }
    return found
  }
}
