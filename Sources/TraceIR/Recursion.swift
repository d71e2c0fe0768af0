extension TraceProgram {
  /// By function: those that it calls or falls back to, in the order of the text.
  private var callees: [[Int]] {
    functions.map { function in
      var found: [Int] = []
      function.body.block.forEach { instruction in
        if case .call(_, let callee, _) = instruction.operation { found.append(callee.index) }
      }
      return found + (function.fallback.map { [$0.index] } ?? [])
    }
  }

  /// All functions, each behind those that it calls, unless these call it in turn.
  package var functionsCalleesFirst: [Int] {
    let callees = callees
    var order: [Int] = []
    var isSeen = [Bool](repeating: false, count: functions.count)
    // Not by recursion: functions may call one another thousands deep.
    for root in functions.indices where !isSeen[root] {
      isSeen[root] = true
      var path = [(function: root, next: 0)]
      while let (function, next) = path.last {
        if next < callees[function].count {
          path[path.count - 1].next += 1
          let callee = callees[function][next]
          if !isSeen[callee] {
            isSeen[callee] = true
            path.append((callee, 0))
          }
        } else {
          order.append(function)
          path.removeLast()
        }
      }
    }
    return order
  }

  /// How deep blocks stand in blocks when the code of functions stands where they are called: by function.
  ///
  /// One that calls itself is counted once.
  package var nestingDepths: [Int] {
    var depths = [Int](repeating: 0, count: functions.count)
    for index in functionsCalleesFirst {
      depths[index] = functions[index].body.block.nestingDepth(depths)
      let fallback = functions[index].fallback.map { depths[$0.index] } ?? 0
      depths[index] = max(depths[index], fallback)
    }
    return depths
  }

  /// Functions that may be called again before they return, as indices: they call themselves, directly or not.
  package var recursiveFunctions: Set<Int> {
    let callees = callees
    return Set(
      functions.indices.filter { function in
        var reached: Set<Int> = []
        var pending = callees[function]
        while let callee = pending.popLast() {
          if callee == function { return true }
          if reached.insert(callee).inserted { pending += callees[callee] }
        }
        return false
      }
    )
  }
}

extension Block {
  /// The same for a block, with the depths of the functions that it calls.
  package func nestingDepth(_ functions: [Int]) -> Int {
    instructions.reduce(1) { deepest, instruction in
      var depth = 1
      if case .call(_, let function, _) = instruction.operation { depth += functions[function.index] }
      instruction.operation.forEachBlock { depth = max(depth, 1 + $0.nestingDepth(functions)) }
      return max(deepest, depth)
    }
  }
}
