import TargetModel

extension LocationPlanner {
  /// Runs one operation that neither branches nor ends a piece.
  mutating func run(_ operation: DwarfOperation) throws(Failure) {
    let code = operation.code
    switch code {
    case DwarfOpcode.lit0...DwarfOpcode.lit31: try push(.constant(Int64(code - DwarfOpcode.lit0)))
    case DwarfOpcode.reg0...DwarfOpcode.reg31: try setRegister(UInt64(code - DwarfOpcode.reg0))
    case DwarfOpcode.breg0...DwarfOpcode.breg31:
      try pushRegister(UInt64(code - DwarfOpcode.breg0), plus: operation.first)
    case DwarfOpcode.regx: try setRegister(operation.first)
    case DwarfOpcode.bregx: try pushRegister(operation.first, plus: operation.second)
    case DwarfOpcode.fbreg:
      guard let base = context.frameBase else { throw Failure("the function has no frame base here") }
      try push(base.offset(by: Int64(bitPattern: operation.first)), weight: 8)
    case DwarfOpcode.callFrameCFA:
      guard let address = context.canonicalFrameAddress else {
        throw Failure("there is no call frame information here")
      }
      try push(address, weight: 8)
    case DwarfOpcode.const1u...DwarfOpcode.consts: try push(.constant(Int64(bitPattern: operation.first)))
    case DwarfOpcode.addr: try push(address(operation.first))
    case DwarfOpcode.addrx, DwarfOpcode.gnuAddrIndex:
      guard let value = operation.address else { throw Failure("an address is missing from .debug_addr") }
      try push(address(value))
    case DwarfOpcode.constx, DwarfOpcode.gnuConstIndex:
      guard let value = operation.address else { throw Failure("a constant is missing from .debug_addr") }
      try push(.constant(Int64(bitPattern: value)))
    case DwarfOpcode.dup: try pick(0)
    case DwarfOpcode.over: try pick(1)
    case DwarfOpcode.pick: try pick(operation.first)
    case DwarfOpcode.drop: _ = try pop()
    case DwarfOpcode.swap: try rotate(1)
    case DwarfOpcode.rot: try rotate(2)
    case DwarfOpcode.nop, DwarfOpcode.gnuUninit: break
    case DwarfOpcode.deref: try load(byteCount: context.abi.addressByteCount, isSigned: false)
    case DwarfOpcode.derefSize: try load(byteCount: Int(clamping: operation.first), isSigned: false)
    case DwarfOpcode.stackValue: try setValue()
    case DwarfOpcode.implicitValue: setBytes(operation.block)
    case DwarfOpcode.implicitPointer, DwarfOpcode.gnuImplicitPointer: try pointImplicitly(operation)
    case DwarfOpcode.formTLSAddress, DwarfOpcode.gnuPushTLSAddress: try pushThreadLocal()
    case DwarfOpcode.entryValue, DwarfOpcode.gnuEntryValue: try pushEntryValue(operation.nested)
    case DwarfOpcode.gnuParameterRef: try pushCallerValue(of: operation.die)
    case DwarfOpcode.pushObjectAddress: throw Failure("its place depends on another object's")
    default:
      if try runTyped(operation) { return }
      try runArithmetic(operation)
    }
  }

  /// A link address as it is at run time.
  ///
  /// In position-independent code it is told from the probed instruction: the same file, the same bias.
  private func address(_ value: UInt64) -> LocationPlan {
    guard context.isPositionIndependent else { return .constant(Int64(bitPattern: value)) }
    let distance = Int64(bitPattern: value &- context.address)
    return LocationPlan.register(RegisterFile.x86_64.instructionPointer).offset(by: distance)
  }

  private mutating func pushRegister(_ number: UInt64, plus offset: UInt64) throws(Failure) {
    try push(try register(number).offset(by: Int64(bitPattern: offset)), weight: 2)
  }

  private mutating func load(byteCount: Int, isSigned: Bool) throws(Failure) {
    guard [1, 2, 4, 8].contains(byteCount) else { throw Failure("a read of \(byteCount) bytes") }
    let (address, weight) = try popWeighted()
    try push(
      .load(.user, byteCount: byteCount, isSigned: isSigned, address: address),
      weight: weight + 1
    )
  }

  /// Pushes the address of the thread-local variable whose offset in the block is on the stack.
  private mutating func pushThreadLocal() throws(Failure) {
    let offset = try pop()
    guard let block = context.threadBlock else {
      throw Failure("it is thread-local, and nothing in the file tells where its block is")
    }
    guard case .constant(let distance) = offset else { throw Failure("its DWARF expression is broken") }
    let planner = self
    try push(block.start { planner.address($0) }.offset(by: distance), weight: 8)
  }

  /// The operation's DIE is the variable that is pointed to.
  private mutating func pointImplicitly(_ operation: DwarfOperation) throws(Failure) {
    guard let die = operation.die, let target = context.pointee?(die) else {
      throw Failure("it points to something that was optimised out")
    }
    setPointer(to: target, byteOffset: Int(clamping: Int64(bitPattern: operation.second)))
  }

  /// What the function's callers say of a parameter that they do not pass.
  private mutating func pushCallerValue(of parameter: DIE?) throws(Failure) {
    guard let parameter, let ask = context.callerValue else {
      throw Failure("it is passed nowhere: only the function's callers know it")
    }
    try push(try ask(parameter).get(), weight: 64)
  }

  /// What `nested` was when the function was called (DWARF 5, section 2.5.1.7).
  private mutating func pushEntryValue(_ nested: [DwarfOperation]) throws(Failure) {
    guard nested.count <= 16,
      !nested.contains(where: { $0.code == DwarfOpcode.entryValue || $0.code == DwarfOpcode.gnuEntryValue })
    else { throw Failure("its DWARF expression is broken") }
    var inner = LocationPlanner(context)
    switch try inner.plan(nested) {
    case .value(let plan) where context.isAtEntry, .memory(_, let plan) where context.isAtEntry:
      try push(plan, weight: 16)
    case .value(let plan), .memory(_, let plan):
      guard let kept = plan.asAtEntry else {
        throw Failure("only its value at entry is known, and that was in memory")
      }
      try push(kept, weight: 16)
    case .pieces, .pointer: throw Failure("its DWARF expression is broken")
    }
  }

  /// Operations on base types (DWARF 5, section 2.5.1.6).
  /// - Returns: false when it is none of them.
  private mutating func runTyped(_ operation: DwarfOperation) throws(Failure) -> Bool {
    switch operation.code {
    case DwarfOpcode.convert, DwarfOpcode.gnuConvert:
      guard let die = operation.die else { return true }
      let type = try BaseType(die)
      let (plan, weight) = try popWeighted()
      try push(type.extend(plan), weight: weight + 1)
    case DwarfOpcode.reinterpret, DwarfOpcode.gnuReinterpret:
      if let die = operation.die { _ = try BaseType(die) }
    case DwarfOpcode.regvalType, DwarfOpcode.gnuRegvalType:
      guard let die = operation.die else { throw Failure("its DWARF expression is broken") }
      try push(try BaseType(die).extend(try register(operation.first)), weight: 2)
    case DwarfOpcode.derefType, DwarfOpcode.gnuDerefType:
      guard let die = operation.die else { throw Failure("its DWARF expression is broken") }
      try load(byteCount: Int(clamping: operation.first), isSigned: try BaseType(die).isSigned)
    case DwarfOpcode.constType, DwarfOpcode.gnuConstType:
      guard let die = operation.die else { throw Failure("its DWARF expression is broken") }
      let type = try BaseType(die)
      guard operation.block.count <= 8 else { throw Failure("its DWARF expression is broken") }
      let word = operation.block.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      try push(type.extend(.constant(Int64(bitPattern: word))), weight: 2)
    default: return false
    }
    return true
  }

  /// An integral base type that an expression converts to.
  private struct BaseType {
    let byteCount: Int
    let isSigned: Bool

    init(_ die: DIE) throws(Failure) {
      byteCount = Int(clamping: die.unsigned(DwarfAttribute.byteSize) ?? 0)
      switch die.unsigned(DwarfAttribute.encoding) {
      case 0x05, 0x06: isSigned = true
      case 0x01, 0x02, 0x07, 0x08, 0x10: isSigned = false
      default: throw Failure("its DWARF expression computes with floating point")
      }
      guard [1, 2, 4, 8].contains(byteCount) else {
        throw Failure("its DWARF expression computes with \(byteCount)-byte integers")
      }
    }

    func extend(_ plan: LocationPlan) -> LocationPlan {
      byteCount == 8 ? plan : .extend(plan, byteCount: byteCount, isSigned: isSigned)
    }
  }

  private mutating func runArithmetic(_ operation: DwarfOperation) throws(Failure) {
    switch operation.code {
    case DwarfOpcode.plusUconst:
      let (plan, weight) = try popWeighted()
      try push(plan.offset(by: Int64(bitPattern: operation.first)), weight: weight + 1)
    case DwarfOpcode.neg, DwarfOpcode.not:
      let (plan, weight) = try popWeighted()
      try push(.unary(operation.code == DwarfOpcode.neg ? .negate : .complement, plan), weight: weight + 1)
    default:
      guard let row = Self.binaryOperations[operation.code] else {
        throw Failure("its DWARF expression has an operation 0x\(String(operation.code, radix: 16))")
      }
      let right = try popWeighted()
      let left = try popWeighted()
      let (first, second) = row.isSwapped ? (right.plan, left.plan) : (left.plan, right.plan)
      try push(Self.fold(row.operation, first, second), weight: left.weight + right.weight + 1)
    }
  }

  private static let binaryOperations: [UInt8: (operation: PlanBinary, isSwapped: Bool)] = [
    DwarfOpcode.and: (.and, false),
    DwarfOpcode.div: (.divideSigned, false),
    DwarfOpcode.eq: (.equal, false),
    DwarfOpcode.ge: (.lessOrEqualSigned, true),
    DwarfOpcode.gt: (.lessSigned, true),
    DwarfOpcode.le: (.lessOrEqualSigned, false),
    DwarfOpcode.lt: (.lessSigned, false),
    DwarfOpcode.minus: (.subtract, false),
    DwarfOpcode.mod: (.remainderUnsigned, false),
    DwarfOpcode.mul: (.multiply, false),
    DwarfOpcode.ne: (.notEqual, false),
    DwarfOpcode.or: (.or, false),
    DwarfOpcode.plus: (.add, false),
    DwarfOpcode.shl: (.shiftLeft, false),
    DwarfOpcode.shr: (.shiftRightLogical, false),
    DwarfOpcode.shra: (.shiftRightArithmetic, false),
    DwarfOpcode.xor: (.xor, false),
  ]

  /// Computes what branches and offsets need at once; the rest stays a plan.
  private static func fold(
    _ operation: PlanBinary,
    _ left: LocationPlan,
    _ right: LocationPlan
  ) -> LocationPlan {
    switch (operation, left, right) {
    case (.add, _, .constant(let value)): return left.offset(by: value)
    case (.add, .constant(let value), _): return right.offset(by: value)
    case (.subtract, _, .constant(let value)): return left.offset(by: 0 &- value)
    case (.multiply, .constant(let first), .constant(let second)): return .constant(first &* second)
    case (.and, .constant(let first), .constant(let second)): return .constant(first & second)
    case (.or, .constant(let first), .constant(let second)): return .constant(first | second)
    case (.equal, .constant(let first), .constant(let second)): return .constant(first == second ? 1 : 0)
    case (.notEqual, .constant(let first), .constant(let second)): return .constant(first != second ? 1 : 0)
    case (.lessSigned, .constant(let first), .constant(let second)): return .constant(first < second ? 1 : 0)
    case (.lessOrEqualSigned, .constant(let first), .constant(let second)):
      return .constant(first <= second ? 1 : 0)
    default: return .binary(operation, left, right)
    }
  }
}
