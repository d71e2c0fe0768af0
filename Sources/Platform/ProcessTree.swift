/// Which process is whose child, as `/proc` shows it at one moment.
package struct ProcessTree: Sendable {
  private var children: [Int32: [Int32]] = [:]

  /// Looks now; processes that end meanwhile are left out.
  package init() {
    for process in (try? RunningProcess.all()) ?? [] {
      guard let parent = try? process.parentID() else { continue }
      children[parent, default: []].append(process.pid)
    }
  }

  /// `ancestors`, their children, and so on.
  package func descendants(of ancestors: Set<Int32>) -> Set<Int32> {
    var found = ancestors
    var open = Array(ancestors)
    while let pid = open.popLast() {
      for child in children[pid] ?? [] where found.insert(child).inserted { open.append(child) }
    }
    return found
  }
}
