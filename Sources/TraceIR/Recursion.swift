extension TraceProgram {
  /// Functions that may be called again before they return, as indices: they call themselves, directly or not.
  package var recursiveFunctions: Set<Int> {
    let callees = functions.map { function -> [Int] in
      var found = function.fallback.map { [$0.index] } ?? []
      function.body.block.forEach { instruction in
        if case .call(_, let callee, _) = instruction.operation { found.append(callee.index) }
      }
      return found
    }
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
