/// Finds out which globals kernel-side code touches; the others need no map.
///
///     global @n: long = 0              ⇒     global @n: long = 0, user side
package let markKernelGlobals = Pass("mark-kernel-globals") { program in
  var program = program
  let kernelSide = program.probes.filter(\.trigger.isKernelSide)
  let roots = kernelSide.map(\.body) + kernelSide.compactMap(\.entryBody)
  let called = program.functionsReached(from: roots).map { program.functions[$0].body }
  var touched: Set<Int> = []
  for body in roots + called {
    body.block.forEach { instruction in
      if let global = instruction.operation.global { touched.insert(global.index) }
    }
  }
  for index in program.globals.indices { program.globals[index].isUsedInKernel = touched.contains(index) }
  return program
}
