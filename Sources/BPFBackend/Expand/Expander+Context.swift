import TargetModel
import TraceIR

/// A read of a string or of the stack, which gives the same all through a hit: the thread that was hit waits.
struct TextRead: Hashable {
  let intrinsic: Intrinsic
  let operands: [Operand]
}

extension Intrinsic {
  fileprivate var readsText: Bool {
    switch self {
    case .userString, .userStringOr, .userBytes, .kernelString, .kernelStringOr, .kernelBytes, .userStack:
      true
    default: false
    }
  }
}

// Questions about the hit, and primitive functions that are no more than that.
extension Expander {
  mutating func expand(
    _ field: ContextField,
    _ plan: LocationPlan?,
    _ location: Int?,
    into steps: inout [Step]
  ) throws(BPFBackendError) -> Operand {
    switch field {
    case .pid: return upperHalf(.processAndThread, location, into: &steps)
    case .tid: return lowerHalf(.processAndThread, location, into: &steps)
    case .uid: return lowerHalf(.userAndGroup, location, into: &steps)
    case .gid: return upperHalf(.userAndGroup, location, into: &steps)
    case .cpu: return machine(.processor, location, into: &steps)
    case .realtimeNanoseconds: return machine(.realTime, location, into: &steps)
    case .monotonicNanoseconds, .cycles: return machine(.monotonicTime, location, into: &steps)
    case .jiffies: return machine(.jiffies, location, into: &steps)
    case .target: return machine(.target, location, into: &steps)
    case .currentTask: return machine(.currentTask, location, into: &steps)
    case .execname: return machine(.commandName, location, into: &steps)
    case .isUserMode: return isUserMode(location, into: &steps)
    case .instructionPointer:
      return try expand(.register(target.registers.instructionPointer), [], location, into: &steps)
    case .returnValue: return try expand(.register(target.registers.returnValue), [], location, into: &steps)
    case .argument(let number): return try expand(argument(number), [], location, into: &steps)
    case .site(let text): return siteText(text, location, into: &steps)
    case .ppid, .pgrp, .sid, .euid, .egid, .pexecname, .argumentsStart, .argumentsEnd, .environmentStart,
      .environmentEnd:
      guard let plan else { throw unsupported("'\(field)'", location) }
      let value = try expand(plan, [], location, into: &steps)
      return field.isString ? machine(.kernelText(value), location, into: &steps) : value
    }
  }

  /// A program's code runs with the lowest privilege, which the code segment says.
  private mutating func isUserMode(_ location: Int?, into steps: inout [Step]) -> Operand {
    switch facts.context {
    case .tracepointWords: return .long(0)
    case .userRegisters, .dataAccess: return .long(1)
    case .sample:
      let segment = RegisterFile.codeSegmentContextOffset
      let selector = machine(.register(contextOffset: segment), location, into: &steps)
      let privilege = machine(.binary(.and, selector, .long(3)), location, into: &steps)
      return machine(.binary(.and, privilege, .long(1)), location, into: &steps)
    }
  }

  /// By the ABI: registers first, then the stack above the return address.
  private func argument(_ number: Int) -> LocationPlan {
    if facts.context == .tracepointWords { return .tracepointArgument(number - 1) }
    let registers = target.registers
    if registers.arguments.indices.contains(number - 1) { return .register(registers.arguments[number - 1]) }
    let slot = LocationPlan.register(registers.stackPointer)
      .offset(by: Int64(8 * (number - registers.arguments.count)))
    return .load(.user, byteCount: 8, isSigned: false, address: slot)
  }

  private mutating func upperHalf(
    _ operation: MachineOperation,
    _ location: Int?,
    into steps: inout [Step]
  ) -> Operand {
    let whole = machine(operation, location, into: &steps)
    return machine(.binary(.shiftRightLogical, whole, .long(32)), location, into: &steps)
  }

  private mutating func lowerHalf(
    _ operation: MachineOperation,
    _ location: Int?,
    into steps: inout [Step]
  ) -> Operand {
    let whole = machine(operation, location, into: &steps)
    return machine(.extend(whole, byteCount: 4, isSigned: false), location, into: &steps)
  }

  private mutating func siteText(_ text: SiteText, _ location: Int?, into steps: inout [Step]) -> Operand {
    if let common = facts.commonText(text) { return .string(common) }
    let column = siteColumns.firstIndex(of: text) ?? siteColumns.count
    if column == siteColumns.count { siteColumns.append(text) }
    let site = site(location, into: &steps)
    return machine(.siteText(column: column, site: site), location, into: &steps)
  }

  /// The step for an intrinsic; nil when its result is known without one.
  mutating func expand(
    _ intrinsic: Intrinsic,
    _ result: ValueID?,
    _ operands: [Operand],
    _ location: Int?,
    _ frame: inout InlineFrame,
    into steps: inout [Step]
  ) throws(BPFBackendError) -> Action? {
    switch (intrinsic, operands.first) {
    case (.error, let text?): return .fault(.raised, subject: .long(0), text: text)
    case (.exit, _): return .control(.exit, site: site(location, into: &steps), text: nil)
    case (.abort, _): return .control(.abort, site: site(location, into: &steps), text: nil)
    case (.warn, let text?): return .control(.warning, site: site(location, into: &steps), text: text)
    case (.switchFile, _): return .control(.switchFile, site: site(location, into: &steps), text: nil)
    case (.system, let text?): return .control(.system, site: site(location, into: &steps), text: text)
    case (.register, .string(let name)?), (.uRegister, .string(let name)?):
      let value = try register(name, intrinsic == .register, location, into: &steps)
      if let result { frame.values[result.index] = value }
      return nil
    case (.userRead, let address?), (.kernelRead, let address?):
      guard case .long(let byteCount) = operands[1], case .long(let isSigned) = operands[2] else { break }
      let memory: PlanMemory = intrinsic == .userRead ? .user : .kernel
      let load = MachineOperation.load(
        memory,
        byteCount: Int(byteCount),
        isSigned: isSigned != 0,
        address
      )
      let value = machine(load, location, into: &steps)
      if let result { frame.values[result.index] = value }
      return nil
    case (.ctime, let seconds?), (.tzCtime, let seconds?):
      let text = calendarText(seconds, isLocal: intrinsic == .tzCtime, location, into: &steps)
      if let result { frame.values[result.index] = text }
      return nil
    case (.tzName, _):
      let name = machine(.timeZoneName, location, into: &steps)
      if let result { frame.values[result.index] = name }
      return nil
    case (.tzGmtoff, _):
      let east = machine(.timeZoneOffset, location, into: &steps)
      let west = machine(.unary(.negate, east), location, into: &steps)
      if let result { frame.values[result.index] = west }
      return nil
    case (.userBufferQuoted, let address?):
      // A third operand: its fault is a string's.
      let bytes = makeValue(.string)
      let read = Operation.intrinsic(bytes, .userBytes, [address, operands[1], .long(1)])
      steps.append(Step(action: .operation(read), location: location))
      let made = result.map { result in
        let value = makeValue(.string)
        frame.values[result.index] = .value(value)
        return value
      }
      return .operation(.intrinsic(made, .stringQuoted, [.value(bytes)]))
    default: break
    }
    let read = TextRead(intrinsic: intrinsic, operands: operands)
    if let result, let known = readTexts[read], !writesMemory || intrinsic == .userStack {
      frame.values[result.index] = known
      return nil
    }
    let made = result.map { result in
      let value = makeValue(frame.types[result.index])
      frame.values[result.index] = .value(value)
      if intrinsic.readsText { readTexts[read] = .value(value) }
      return value
    }
    return .operation(.intrinsic(made, intrinsic, operands))
  }

  private mutating func register(
    _ name: String,
    _ isSigned: Bool,
    _ location: Int?,
    into steps: inout [Step]
  ) throws(BPFBackendError) -> Operand {
    // SystemTap's names of whole registers have no `r`: "ax" is rax (manual page function::register).
    let whole = target.registers.registers.contains { $0.name == "r" + name } ? "r" + name : name
    guard let part = target.registers.lookUp(whole == "flags" ? "eflags" : whole) else {
      throw unsupported("register '\(name)'", location)
    }
    let offset = try contextOffset(ofRegister: part.register.dwarf, location)
    let value = machine(.register(contextOffset: offset), location, into: &steps)
    let bits = MachineOperation.bits(
      value,
      offset: part.byteOffset * 8,
      count: part.byteCount * 8,
      isSigned: isSigned
    )
    return part.byteCount == 8 ? value : machine(bits, location, into: &steps)
  }
}
