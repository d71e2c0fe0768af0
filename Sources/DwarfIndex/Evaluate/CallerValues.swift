import Synchronization
import TargetModel

/// What the callers of a function say of a parameter that gcc has done away with: the call sites of a copy
/// (`.isra`, `.constprop`) keep what the source passes (DWARF 5, section 3.4.2; `DW_OP_GNU_parameter_ref`).
///
/// Which call it was tells the return address, what the caller's registers held the call frame tables.
///
///     f(7, x) and f(9, y), of which only the second argument is passed    ⇒    the return address of (0x114a: 7; 0x1180: 9)
struct CallerValues {
  private let reader: DwarfReader
  private let calls: CallTable
  /// The function with code of its own around the site.
  private let function: DIE
  /// Of the site.
  private let context: LocationPlanner.Context

  private typealias Failure = LocationPlanner.Failure

  /// A function with more calls is looked at too often for what it tells.
  private static let mostCalls = 32

  init(
    _ reader: DwarfReader,
    _ calls: CallTable,
    of function: DIE,
    at context: LocationPlanner.Context
  ) {
    self.reader = reader
    self.calls = calls
    self.function = function
    self.context = context
  }

  /// The parameter as one value for each call.
  func value(of parameter: DIE) -> Result<LocationPlan, LocationPlanner.Failure> {
    guard let rules = UnwindRules(reader, context) else {
      return .failure(Failure("it is passed nowhere, and nothing tells here who called the function"))
    }
    let sites = calls.sites(calling: function)
    guard !sites.isEmpty else {
      return .failure(
        Failure("it is passed nowhere: only callers know it, and no call of this copy is known")
      )
    }
    var choices: [PlanChoice] = []
    for site in sites.prefix(Self.mostCalls) {
      guard let value = value(of: parameter, at: site, rules) else { continue }
      if let same = choices.firstIndex(where: { $0.plan == value.plan }) {
        choices[same].keys += value.keys
      } else {
        choices.append(value)
      }
    }
    let known = choices.reduce(0) { $0 + $1.keys.count }
    guard known == sites.count else {
      let calls = sites.count == 1 ? "the one call" : "\(sites.count - known) of \(sites.count) calls"
      return .failure(
        Failure("it is passed nowhere: only callers know it, and \(calls) of this copy cannot tell it")
      )
    }
    return .success(.selected(by: returnAddress(rules), from: choices, else: .unknown))
  }

  /// As a link address: what is on the stack less the load bias, also where that is 0.
  private func returnAddress(_ rules: UnwindRules) -> LocationPlan {
    let byteCount = context.abi.addressByteCount
    let place = rules.canonicalFrameAddress.offset(by: Int64(-byteCount))
    let address = LocationPlan.load(.user, byteCount: byteCount, isSigned: false, address: place)
    let pointer = LocationPlan.register(RegisterFile.x86_64.instructionPointer)
    let bias =
      context.isPositionIndependent
      ? pointer.offset(by: 0 &- Int64(bitPattern: context.address)) : .constant(0)
    return .binary(.subtract, address, bias)
  }

  /// What one call site says, over the registers at the probed instruction.
  private func value(of parameter: DIE, at site: CallTable.Site, _ rules: UnwindRules) -> PlanChoice? {
    guard let call = reader.die(site.call), !call.isTailCall,
      let returnAddress = call.callReturnAddress, returnAddress > 0,
      let expression = call.callValue(of: parameter, at: returnAddress - 1)
    else { return nil }
    var caller = context
    // A call that never returns may be the last instruction of its function.
    caller.address = returnAddress - 1
    caller.isAtEntry = false
    caller.callerValue = nil
    caller.pointee = nil
    let frame = FrameRules(reader, function: reader.die(site.caller), context: caller)
    caller.frameBase = frame.frameBase
    caller.canonicalFrameAddress = frame.canonicalFrameAddress
    var planner = LocationPlanner(caller)
    let plan: LocationPlan
    switch try? planner.plan(expression) {
    case .memory(_, let value), .value(let value): plan = value
    case .pieces, .pointer, nil: return nil
    }
    return inCallee(plan, from: caller.address, rules).map {
      PlanChoice(keys: [Int64(bitPattern: returnAddress)], plan: $0)
    }
  }

  /// The plan with the caller's registers as they are found at the site; nil where one of them is lost.
  private func inCallee(
    _ plan: LocationPlan,
    from address: UInt64,
    _ rules: UnwindRules
  ) -> LocationPlan? {
    guard !plan.readsEntry else { return nil }
    var found: [Int: LocationPlan] = [:]
    for number in plan.registers {
      switch number {
      case RegisterFile.x86_64.instructionPointer:
        // Such a plan counts from the caller's address.
        let distance = Int64(bitPattern: address &- context.address)
        found[number] = LocationPlan.register(number).offset(by: distance)
      case RegisterFile.x86_64.stackPointer: found[number] = rules.canonicalFrameAddress
      default:
        guard rules.registers.indices.contains(number) else { return nil }
        switch rules.registers[number] {
        // What the caller says holds when the call has returned: a register that the ABI lets a callee use is named
        // only where gcc knows that this one does not (-fipa-ra).
        case .unchanged, .undefined: found[number] = .register(number)
        case .saved(let place):
          let byteCount = context.abi.addressByteCount
          found[number] = .load(.user, byteCount: byteCount, isSigned: false, address: place)
        case .value(let value): found[number] = value
        }
      }
    }
    return plan.replacing(registers: found)
  }
}

/// Which call sites of a unit call which of its functions; by ``DIEReference``, so that libdw's lock may be left.
struct CallTable: Sendable {
  /// A call, and the function with code of its own that it is in.
  struct Site {
    let call: DIEReference
    let caller: DIEReference
  }

  private var sites: [UInt64: [Site]] = [:]

  /// Looks through the code of a unit.
  init(_ unit: DIE) { collect(unit, depth: 0) }

  private mutating func collect(_ scope: DIE, depth: Int) {
    guard depth < 64 else { return }
    for child in scope.children where child.hasChildren {
      switch child.tag {
      case DwarfTag.subprogram:
        child.walkCode { inner in
          guard inner.tag == DwarfTag.callSite || inner.tag == DwarfTag.gnuCallSite,
            let callee = inner.callOrigin
          else { return }
          let site = Site(call: inner.reference, caller: child.reference)
          sites[callee.reference.raw, default: []].append(site)
        }
      case DwarfTag.namespace, DwarfTag.module, DwarfTag.structureType, DwarfTag.classType:
        collect(child, depth: depth + 1)
      default: continue
      }
    }
  }

  /// The calls of a function, by itself or by what it is a copy of.
  func sites(calling function: DIE) -> [Site] {
    let origin = function.reference(DwarfAttribute.abstractOrigin, isOwn: true)
    return [function, origin].compactMap { $0 }.flatMap { sites[$0.reference.raw] ?? [] }
  }
}

/// The call tables of the units that were asked for.
final class CallTables: Sendable {
  private let tables = Mutex<[UInt64: CallTable]>([:])

  /// The calls in the unit of `die`.
  func table(around die: DIE) -> CallTable? {
    let header = die.unitHeader.raw
    if let known = tables.withLock({ $0[header] }) { return known }
    guard let table = die.unit.map(CallTable.init) else { return nil }
    tables.withLock { $0[header] = table }
    return table
  }
}

extension DIE {
  /// What this call site says that `parameter` is, in the caller's words.
  fileprivate func callValue(of parameter: DIE, at address: UInt64) -> [DwarfOperation]? {
    let wanted = parameter.reference
    for child in children
    where child.tag == DwarfTag.callSiteParameter || child.tag == DwarfTag.gnuCallSiteParameter {
      let own =
        child.reference(DwarfAttribute.callParameter, isOwn: true)
        ?? child.reference(DwarfAttribute.abstractOrigin, isOwn: true)
      guard own?.reference == wanted else { continue }
      for attribute in [DwarfAttribute.callValue, DwarfAttribute.gnuCallSiteValue] {
        if case .expression(let operations) = child.location(attribute, at: address) { return operations }
      }
    }
    return nil
  }
}
