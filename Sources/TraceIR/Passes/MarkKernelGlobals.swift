/// Finds out which globals kernel-side code touches, since the others need no map, and which it goes over.
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
  for index in program.globals.indices {
    program.globals[index].isUsedInKernel = touched.contains(index)
    program.globals[index].isWalkedInKernel = walked.contains(index)
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
