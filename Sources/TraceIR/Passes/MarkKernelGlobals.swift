/// Finds out which globals kernel-side code touches, since the others need no map, which it goes over, and which are
/// tallies.
///
///     global @n: long = 0              ⇒     global @n: long = 0, user side
package let markKernelGlobals = Pass("mark-kernel-globals") { program in
  var program = program
  var touched: Set<Int> = []
  var walked: Set<Int> = []
  for body in program.kernelSideBodies {
    body.block.forEach { instruction in
      guard let global = instruction.operation.global else { return }
      touched.insert(global.index)
      if instruction.operation.isWalk { walked.insert(global.index) }
    }
  }
  let tallies = program.tallies
  for index in program.globals.indices {
    program.globals[index].isUsedInKernel = touched.contains(index)
    program.globals[index].isWalkedInKernel = walked.contains(index)
    program.globals[index].isTally = tallies.contains(index)
  }
  return program
}

extension Operation {
  /// Whether it goes over the elements of an array, rather than to one of them.
  fileprivate var isWalk: Bool {
    switch self {
    case .foreach: true
    case .contains(_, _, let keys), .delete(_, let keys), .extract(_, _, _, let keys),
      .histogramBucket(_, _, _, let keys, _), .packHistogram(_, _, _, let keys, _, _):
      keys.contains { $0 == nil }
    default: false
    }
  }
}

extension TraceProgram {
  /// Arrays of numbers to whose elements kernel-side code adds and which it reads one by one, while the user side does not
  /// set or delete single ones; as indices of globals.
  fileprivate var tallies: Set<Int> {
    var counted: Set<Int> = []
    var others: Set<Int> = []
    for body in kernelSideBodies {
      body.block.forEach { instruction in
        switch instruction.operation {
        case .addElement(_, let global, _, _): counted.insert(global.index)
        case .loadElement: break
        case .contains(_, _, let keys) where keys.allSatisfy { $0 != nil }: break
        case let operation: if let global = operation.global { others.insert(global.index) }
        }
      }
    }
    forEachInstruction { instruction in
      switch instruction.operation {
      case .storeElement(let global, _, _): others.insert(global.index)
      case .delete(let global, let keys) where keys.contains { $0 != nil }: others.insert(global.index)
      default: break
      }
    }
    return counted.subtracting(others).filter {
      globals[$0].kind == .array(keys: [.long], value: .long) && !globals[$0].wraps
    }
  }

  /// All code that runs in the kernel.
  package var kernelSideBodies: [Body] {
    let kernelSide = probes.filter(\.trigger.isKernelSide)
    let roots = kernelSide.map(\.body) + kernelSide.compactMap(\.entryBody)
    return roots + functionsReached(from: roots).sorted().map { functions[$0].body }
  }

  /// Statistics that kernel-side probes read, as indices of globals.
  package var statisticsReadInKernel: Set<Int> {
    var found: Set<Int> = []
    for body in kernelSideBodies {
      body.block.forEach { instruction in
        switch instruction.operation {
        case .aggregate, .delete: break
        case let operation: if let global = operation.global { found.insert(global.index) }
        }
      }
    }
    return found.filter { index in
      switch globals[index].kind {
      case .statistic, .statisticArray: true
      case .scalar, .array: false
      }
    }
  }
}
