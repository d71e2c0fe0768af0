import Diagnostics
import StapSyntax
import TargetModel

extension Elaborator {
  /// A call of a primitive function.
  mutating func walkIntrinsic(
    _ row: IntrinsicTable.Row,
    _ name: Name,
    _ arguments: [Expression],
    _ range: SourceRange
  ) -> Draft {
    var values: [ElaboratedExpression] = []
    for (position, argument) in arguments.enumerated() {
      let draft = walk(argument)
      expect(draft, .known(row.parameters[position]), "argument \(position + 1) of '\(name.text)'")
      values.append(finished(draft))
    }
    return Draft(lower(row, name, arguments, values, range), row.result.map { .known($0) }, range)
  }

  private mutating func lower(
    _ row: IntrinsicTable.Row,
    _ name: Name,
    _ arguments: [Expression],
    _ values: [ElaboratedExpression],
    _ range: SourceRange
  ) -> ElaboratedExpression.Kind {
    switch row.lowering {
    case .intrinsic(let intrinsic, let operands):
      if intrinsic == .userWrite || intrinsic == .raiseSignal, !environment.isGuru {
        let what = intrinsic == .userWrite ? "changing memory of" : "sending a signal to"
        let call = body.isTapset(symbols) ? body.call : nil
        report(.needsGuruMode(for: what, call?.text, at: call?.range ?? range))
      }
      return .intrinsic(intrinsic, operands.map { operand($0, values, range) })
    case .context(let field):
      return .context(
        field,
        kernelPlan: environment.kernel.flatMap { KernelTaskPlans(types: $0.types).plan(for: field) }
      )
    case .argument(let byteCount, let isSigned):
      return argumentPlan(name, arguments[0], byteCount, isSigned, range)
    case .result: return resultPlan(name)
    case .wordByteCount: return .long(wordByteCount)
    case .registersAreValid: return .long(body.context?.scope.hasRegisters == true ? 1 : 0)
    case .stringLimit: return .long(Int64(environment.maxStringLength))
    case .log: return .print(logFormat(for: values[0]), values)
    case .register(let intrinsic): return registerPlan(intrinsic, arguments[0], values[0], range)
    }
  }

  /// A message that ends its line itself gets no second end.
  private func logFormat(for message: ElaboratedExpression) -> FormatString {
    if case .string(let text) = message.kind, text.hasSuffix("\n") { return FormatString([.plain(.string)]) }
    return FormatString([.plain(.string), .text("\n")])
  }

  private func operand(
    _ operand: IntrinsicTable.Operand,
    _ values: [ElaboratedExpression],
    _ range: SourceRange
  ) -> ElaboratedExpression {
    switch operand {
    case .parameter(let index): values[index]
    case .long(let value): ElaboratedExpression(.long(value), type: .long, range)
    case .text(let text): ElaboratedExpression(.string(text), type: .string, range)
    case .maximumLength:
      ElaboratedExpression(.long(Int64(environment.maxStringLength - 1)), type: .long, range)
    case .wordByteCount: ElaboratedExpression(.long(wordByteCount), type: .long, range)
    }
  }

  /// `int_arg(n)`: registers first, then the stack, as the ABI passes integers.
  private mutating func argumentPlan(
    _ name: Name,
    _ argument: Expression,
    _ byteCount: Int?,
    _ isSigned: Bool,
    _ range: SourceRange
  ) -> ElaboratedExpression.Kind {
    let systemCall = body.context?.scope.systemCallRegisters
    if systemCall == nil { checkRegisters(name) }
    guard let number = argument.constantNumber else {
      report(.argumentNumber(name, "a number in the text", at: argument.range))
      return .long(0)
    }
    guard (1...64).contains(number) else {
      report(.argumentNumber(name, "at least 1", at: argument.range))
      return .long(0)
    }
    if let systemCall {
      let registers = environment.registers.syscallArguments
      // There are no more than six.
      guard number <= registers.count else { return .long(0) }
      return savedRegister(registers[Int(number) - 1], at: systemCall, byteCount ?? 8, isSigned)
    }
    let plan = body.context?.argument(Int(number), byteCount, isSigned, environment.registers)
    let read = ElaboratedExpression.Kind.read(plan ?? .constant(0), inputs: [])
    guard body.context?.isReturn == true else { return read }
    // At the return the registers hold other things; what the function was called with is known from its entry.
    return .entry(ElaboratedExpression(read, type: .long, range))
  }

  /// `returnval()`: where the ABI returns integers, as wide as the probed program's registers.
  private mutating func resultPlan(_ name: Name) -> ElaboratedExpression.Kind {
    let register = environment.registers.returnValue
    if let systemCall = body.context?.scope.systemCallRegisters {
      return savedRegister(register, at: systemCall, 8, true)
    }
    checkRegisters(name)
    return .read(.integer(in: register, byteCount: Int(wordByteCount), isSigned: true), inputs: [])
  }

  private var wordByteCount: Int64 { Int64(body.context?.scope.abi.addressByteCount ?? 8) }

  /// A register of the system call that the probe is about, from where the kernel keeps them.
  private func savedRegister(
    _ number: Int,
    at saved: LocationPlan,
    _ byteCount: Int,
    _ isSigned: Bool
  ) -> ElaboratedExpression.Kind {
    guard let register = environment.registers.register(number) else { return .long(0) }
    let address = saved.offset(by: Int64(register.contextOffset))
    return .read(.load(.kernel, byteCount: byteCount, isSigned: isSigned, address: address), inputs: [])
  }

  private mutating func registerPlan(
    _ intrinsic: Intrinsic,
    _ argument: Expression,
    _ value: ElaboratedExpression,
    _ range: SourceRange
  ) -> ElaboratedExpression.Kind {
    guard case .literal(.string(let name)) = argument.kind else { return .intrinsic(intrinsic, [value]) }
    guard let (register, byteOffset, byteCount) = environment.registers.lookUp(name) else {
      report(.noSuchRegister(name, at: argument.range, near: environment.registers.registers.map(\.name)))
      return .long(0)
    }
    if byteCount == 8 { return .read(.register(register.dwarf), inputs: []) }
    let isSigned = intrinsic == .register
    let plan = LocationPlan.bits(
      .register(register.dwarf),
      offset: byteOffset * 8,
      count: byteCount * 8,
      isSigned: isSigned
    )
    return .read(plan, inputs: [])
  }

  private mutating func checkRegisters(_ name: Name) {
    guard let context = body.context, !context.scope.hasRegisters else { return }
    report(.noRegisters(name, at: (body.isTapset(symbols) ? body.call : name)?.range ?? name.range))
  }

  /// `@kderef`, `@uderef`.
  mutating func walkDereference(
    _ space: MemorySpace,
    _ size: Literal,
    _ address: Expression,
    _ range: SourceRange
  ) -> Draft {
    let address = walkLong(address, "an address")
    guard case .number(let byteCount) = size.value, [1, 2, 4, 8].contains(byteCount) else {
      report(.dereferenceSize(at: size.range))
      return invalid(range)
    }
    let plan = LocationPlan.load(
      space == .user ? .user : .kernel,
      byteCount: Int(byteCount),
      isSigned: false,
      address: .input(0)
    )
    return .long(.read(plan, inputs: [address]), range)
  }

  /// `@uregister(n)`, by DWARF number.
  mutating func walkRegister(_ space: MemorySpace, _ number: Literal, _ range: SourceRange) -> Draft {
    guard case .number(let value) = number.value, let dwarf = Int(exactly: value),
      environment.registers.register(dwarf) != nil
    else {
      report(.noSuchRegister(number.stringValue, at: number.range, near: []))
      return invalid(range)
    }
    checkRegisters(Name("@\(space == .user ? "u" : "k")register", range))
    return .long(.read(.register(dwarf), inputs: []), range)
  }

  /// `@enum("NAME")`.
  mutating func walkEnumerator(_ name: Literal, _ range: SourceRange) -> Draft {
    if let value = enumerator(named: name.stringValue) { return .long(.long(value), range) }
    report(.noSuchEnumerator(name))
    return invalid(range)
  }

  /// Of the probed program, else of the kernel.
  func enumerator(named name: String) -> Int64? {
    for (source, _) in body.context?.scope.typeSources(module: nil) ?? [] {
      if let value = source.enumerator(named: name) { return value }
    }
    return nil
  }
}

extension Diagnostic {
  fileprivate static func needsGuruMode(
    for what: String,
    _ function: String?,
    at range: SourceRange
  ) -> Diagnostic {
    let means = function.map { " ('\($0)')" } ?? ""
    let message = "\(what) the traced program\(means) needs guru mode (option -g)"
    return Diagnostic(.error, "needs-guru-mode", message, at: range)
  }
}

extension ProbeContext {
  /// The n-th integer that the function at the site was called with; its place counts words of the ABI.
  fileprivate func argument(
    _ number: Int,
    _ byteCount: Int?,
    _ isSigned: Bool,
    _ registers: RegisterFile
  ) -> LocationPlan {
    let word = scope.abi.addressByteCount
    let byteCount = byteCount ?? word
    let inRegisters = scope.abi == .x86_64 ? registers.arguments.count : 0
    if number <= inRegisters {
      return .integer(in: registers.arguments[number - 1], byteCount: byteCount, isSigned: isSigned)
    }
    let address = scope.stackArguments.offset(by: Int64(word * (number - inRegisters - 1)))
    return .load(isInKernel ? .kernel : .user, byteCount: byteCount, isSigned: isSigned, address: address)
  }
}

extension LocationPlan {
  /// So many of a register's low bytes.
  fileprivate static func integer(in register: Int, byteCount: Int, isSigned: Bool) -> LocationPlan {
    let plan = LocationPlan.register(register)
    return byteCount == 8 ? plan : .extend(plan, byteCount: byteCount, isSigned: isSigned)
  }
}
