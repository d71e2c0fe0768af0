import TargetModel

// Plans that depend on who called the function: what to make of calls that nothing is known of, and of return
// addresses that the kernel has replaced.

extension LocationPlan {
  /// Whether it is a different value for each call of the function.
  var dependsOnCaller: Bool { callerSelection != nil }

  /// 1 where the caller tells the value, else 0; nil for a plan that does not depend on it.
  var isToldByCaller: LocationPlan? {
    guard case .selected(let key, let choices, _)? = callerSelection else { return nil }
    let keys = PlanChoice(keys: choices.flatMap(\.keys), plan: .constant(1))
    return .selected(by: key, from: [keys], else: .constant(0))
  }

  /// The plan with 0 in the place of what no caller tells: for values that are shown only where one does.
  var zeroIfUnknown: LocationPlan { replacing(.unknown, by: .constant(0)) }
}

extension ValueLocation {
  /// ``LocationPlan/isToldByCaller`` of the place.
  var isToldByCaller: LocationPlan? {
    switch self {
    case .memory(_, let plan), .value(let plan): plan.isToldByCaller
    case .pieces(let pieces): pieces.lazy.compactMap { $0.location?.isToldByCaller }.first
    case .pointer(let target, _): target.isToldByCaller
    }
  }
}

extension KernelTaskPlans {
  /// The plan with callers also told where the kernel has put its own return address on the stack, to see the
  /// function return.
  ///
  /// The kernel keeps what was there: for the innermost such function at the head of a list, with where on the stack it was.
  ///
  ///     u64[rsp] of 4638: 7    ⇒    (u64[rsp] of 4638: 4638; else what the list has for rsp) of 4638: 7
  func seeingReplacedReturns(_ plan: LocationPlan) -> LocationPlan {
    guard case .selected(let key, let choices, let other)? = plan.callerSelection,
      let load = key.returnAddress, case .load(_, _, _, let slot) = load,
      let task = value(["utask"]), let first = value(["utask", "return_instances"]),
      let stack = value(["utask", "return_instances", "stack"]),
      let original = value(["utask", "return_instances", "orig_ret_vaddr"])
    else { return plan }
    let isHere = LocationPlan.binary(.equal, stack, slot)
    let kept = key.replacing(load, by: original).when(isHere).when(first).when(task)
    let keys = PlanChoice(keys: choices.flatMap(\.keys), plan: key)
    let seen = LocationPlan.selected(by: key, from: [keys], else: kept)
    let selection = LocationPlan.selected(by: key, from: choices, else: other)
    return plan.replacing(selection, by: .selected(by: seen, from: choices, else: other))
  }
}

extension LocationPlan {
  /// The first part that is chosen by a return address.
  fileprivate var callerSelection: LocationPlan? {
    switch self {
    case .selected(let key, _, _) where key.returnAddress != nil: self
    case .selected, .constant, .register, .entryRegister, .threadPointer, .currentTask, .tracepointArgument,
      .input, .siteLoad:
      nil
    case .unary(_, let inner), .bits(let inner, _, _, _), .extend(let inner, _, _), .load(_, _, _, let inner):
      inner.callerSelection
    case .binary(_, let left, let right): left.callerSelection ?? right.callerSelection
    }
  }

  /// The read of the stack that makes it a return address as the file knows it.
  fileprivate var returnAddress: LocationPlan? {
    guard case .binary(.subtract, .load(.user, let byteCount, let isSigned, let slot), _) = self else {
      return nil
    }
    return .load(.user, byteCount: byteCount, isSigned: isSigned, address: slot)
  }

  /// The plan where `condition` is not 0, else 0.
  fileprivate func when(_ condition: LocationPlan) -> LocationPlan {
    .selected(
      by: .binary(.notEqual, condition, .constant(0)),
      from: [PlanChoice(keys: [1], plan: self)],
      else: .constant(0)
    )
  }
}
