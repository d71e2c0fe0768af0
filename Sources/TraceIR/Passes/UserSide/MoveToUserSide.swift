/// Moves to the user side what depends on the text of a call chain or on the name of an address.
///
///     %0 = user_stack                          %0 = user_stack
///     %1 = user_stack_text %0, 4       ⇒       emit 0, %0
///     add @n[%1], 1                          record 0 (long)
///                                              %1 = load $0
///                                              %2 = user_stack_text %1, 4
///                                              add @n[%2], 1
///
/// The kernel copies registers and stack; chains and names are made of them on the user side
/// (docs/decisions/0080-values-of-the-user-side.md). A global that takes part belongs to the user side, in all probes; an
/// `if` that asks for a chain moves with all that is in it, and the kernel reads beforehand what is asked there of the
/// traced program. Where that cannot be done nothing is moved, and the backend refuses the program.
package let moveToUserSide = Pass("move-to-user-side") { program in
  let roots = program.kernelSideRoots
  var globals: Set<Int> = []
  while true {
    let found = roots.map { UserSideSteps(program[$0], globals: globals) }
    if found.contains(where: \.isImpossible) { return program }
    let all = found.reduce(into: globals) { $0.formUnion($1.globals) }
    if all == globals {
      guard found.contains(where: \.needsUserSide), !program.callsTouch(globals) else { return program }
      return moved(program, zip(roots, found)) ?? program
    }
    globals = all
  }
}

/// Nil when something would have to be on both sides.
private func moved(
  _ program: TraceProgram,
  _ found: some Sequence<(BodyPlace, UserSideSteps)>
) -> TraceProgram? {
  var program = program
  for (place, steps) in found where steps.needsUserSide {
    var mover = StepMover(program[place], steps, firstRecord: program.records.count)
    guard let body = mover.move() else { return nil }
    program[place] = body
    program.records += mover.records
  }
  return program
}

/// Which body of a probe is meant.
private struct BodyPlace {
  var probe: Int
  var isEntry: Bool
}

extension TraceProgram {
  /// Whether what hits do is only done when their records are read.
  package var recordsTouchGlobals: Bool {
    records.contains { record in
      var found = false
      record.handler.block.forEach { if $0.operation.global != nil { found = true } }
      return found
    }
  }

  /// The bodies where kernel-side code begins.
  fileprivate var kernelSideRoots: [BodyPlace] {
    probes.indices.filter { probes[$0].trigger.isKernelSide }.flatMap { index in
      [BodyPlace(probe: index, isEntry: false)]
        + (probes[index].entryBody == nil ? [] : [BodyPlace(probe: index, isEntry: true)])
    }
  }

  fileprivate subscript(place: BodyPlace) -> Body {
    get { place.isEntry ? probes[place.probe].entryBody ?? Body() : probes[place.probe].body }
    set {
      if place.isEntry {
        probes[place.probe].entryBody = newValue
      } else {
        probes[place.probe].body = newValue
      }
    }
  }

  /// Whether functions that kernel-side code calls use any of these globals.
  fileprivate func callsTouch(_ globals: Set<Int>) -> Bool {
    let called = functionsReached(from: kernelSideRoots.map { self[$0] })
    return called.contains { index in
      var found = false
      functions[index].body.block.forEach { instruction in
        if let global = instruction.operation.global, globals.contains(global.index) { found = true }
      }
      return found
    }
  }
}
