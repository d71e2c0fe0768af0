import Diagnostics
import StapSyntax
import TargetModel

extension Elaborator {
  /// `$x`, `$p->a[i]`, `@cast`, `@var`, `p->a`, and their `&` and `$` forms.
  mutating func walkTarget(_ target: TargetExpression, at range: SourceRange) -> Draft {
    let (query, inputs) = TargetQuery.make(target, isEntry: body.isInEntry)
    return walk(query, inputs, range)
  }

  /// `@enumname(value)`, `@enumname(value, "type", "module")`: the enumerator's name, or the number's digits.
  mutating func walkEnumeratorName(
    _ value: Expression,
    _ type: Literal?,
    _ module: Literal?,
    _ range: SourceRange
  ) -> Draft {
    guard body.context != nil,
      let (query, inputs) = TargetQuery.enumeratorName(value, type, module, isEntry: body.isInEntry)
    else {
      _ = walkLong(value, "an enumerator's value")
      let advice =
        type == nil ? "name the type of a value that is no '$variable'" : "it works where a program is probed"
      report(.notSupported("@enumname here", advice, at: range))
      return Draft(.string(""), .known(.string), range)
    }
    return walk(query, inputs, range)
  }

  private mutating func walk(
    _ query: TargetQuery,
    _ inputExpressions: [Expression],
    _ range: SourceRange
  ) -> Draft {
    if case .condition = body.subject { report(.conditionReadsTarget(at: range)) }
    let drafts = inputExpressions.map { walk($0) }
    for draft in drafts { expect(draft, .known(.long), "an address or index") }
    let answer = self.answer(query, drafts.first?.pointee)
    let inputs = drafts.map { finished($0) }
    switch answer.meaning {
    case .value(let plan, true) where !inputs.isEmpty && !body.isInEntry:
      // An index is known only here: what it counts from was kept.
      return Draft(
        read(plan.fromEntryRegisters, inputs, range).kind,
        .known(.long),
        range,
        pointee: answer.type
      )
    case .value(let plan, let isEntry):
      let read = isEntry || body.isInEntry ? self.read(plan, inputs, range) : lateRead(plan, inputs, range)
      return Draft(isEntry ? .entry(read) : read.kind, .known(.long), range, pointee: answer.type)
    case .text(let captures):
      return .string(
        .siteFormat(slot: slot(of: query), captures.map { expression(for: $0, inputs, range) }),
        range
      )
    case .siteText(let text): return .string(.context(.site(text), kernelPlan: nil), range)
    case .unavailable:
      if environment.skipsBadVariables { return .long(.long(0), range) }
      report(.target(answer.problem, at: range, siteCount: body.context?.siteCount ?? 0))
      return invalid(range)
    }
  }

  /// `@entry(e)`.
  mutating func walkEntry(_ operand: Expression, _ range: SourceRange) -> Draft {
    guard let context = body.context, context.hasEntry else {
      report(.entryOutsideReturn(at: range))
      return invalid(range)
    }
    let wasInEntry = body.isInEntry
    body.isInEntry = true
    defer { body.isInEntry = wasInEntry }
    let draft = walkValue(operand)
    if case .function = body.subject, finished(draft).readsLocals {
      report(
        .notSupported("@entry of a function's own variables", "call the function inside of @entry", at: range)
      )
      return invalid(range)
    }
    if case .entry = draft.kind { return draft }
    return Draft(.entry(finished(draft)), draft.type, range, pointee: draft.pointee)
  }

  /// Whether everything that `@defined` asks about exists at these sites.
  func isDefined(_ expression: Expression) -> Bool {
    if case .target(let target) = expression.kind {
      let (query, inputs) = TargetQuery.make(target, isEntry: body.isInEntry)
      let known = inputs.isEmpty ? nil : pointee(of: inputs[0])
      if case .unavailable = answer(query, known).meaning { return false }
    }
    return expression.children.allSatisfy { isDefined($0) }
  }

  /// The truth of a condition that `@defined` decides before the script runs; nil for all others.
  func staticTruth(of condition: Expression) -> Bool? {
    switch condition.kind {
    case .defined(let operand): return isDefined(operand)
    case .probeWrite(let name): return body.writtenNames.contains(name.text)
    case .parenthesized(let inner): return staticTruth(of: inner)
    case .unary(.not, let operand): return staticTruth(of: operand).map { !$0 }
    case .binary(.logicalAnd, let left, let right):
      let (left, right) = (staticTruth(of: left), staticTruth(of: right))
      if left == false || right == false { return false }
      return left == true && right == true ? true : nil
    case .binary(.logicalOr, let left, let right):
      let (left, right) = (staticTruth(of: left), staticTruth(of: right))
      if left == true || right == true { return true }
      return left == false && right == false ? false : nil
    default: return nil
    }
  }

  /// What a function asks of sites, itself or through others, makes it one function for each group of sites.
  ///
  /// The kernel's own types are the same everywhere.
  mutating func usesTargets(_ symbol: Int) -> Bool {
    if let known = targetUses[symbol] { return known }
    guard case .block(let statement) = symbols.functions[symbol].declaration.body else { return false }
    var collector = TargetCollector(symbols: symbols)
    collector.collect(statement)
    let isUse = collector.walksValues || collector.asksABI || collector.queries.contains { !$0.isAboutKernel }
    targetUses[symbol] = isUse
    // What asks nothing calls nothing that does.
    if !isUse { for function in collector.reached { targetUses[function] = false } }
    return isUse
  }

  private func answer(_ query: TargetQuery, _ pointee: TargetType?) -> TargetAnswer {
    if case .value = query.root {
      let scope = body.context?.scope ?? EmptyScope(family: "function", kernel: nil)
      return scope.answer(query, from: pointee.map { .pointed(by: $0) })
    }
    if let known = body.context?.answers[query] { return known }
    let scope = body.context?.scope ?? EmptyScope(family: "function", kernel: environment.kernel?.types)
    return scope.answer(query)
  }

  private func slot(of query: TargetQuery) -> Int { body.context?.slots[query] ?? 0 }

  private func pointee(of expression: Expression) -> TargetType? {
    switch expression.kind {
    case .parenthesized(let inner): return pointee(of: inner)
    case .identifier(let name): return body.names[name].flatMap { body.locals[$0].pointee }
    case .target(let target):
      return answer(TargetQuery.make(target, isEntry: body.isInEntry).query, nil).type
    default: return nil
    }
  }

  /// Reads `plan`; what it takes from the function's entry was kept there.
  private func read(
    _ plan: LocationPlan,
    _ inputs: [ElaboratedExpression],
    _ range: SourceRange
  ) -> ElaboratedExpression {
    var (plan, inputs) = (withKernelPlans(plan), inputs)
    for number in plan.entryRegisters.sorted() {
      plan = plan.replacing(.entryRegister(number), by: .input(inputs.count))
      let register = ElaboratedExpression(.read(.register(number), inputs: []), type: .long, range)
      inputs.append(ElaboratedExpression(.entry(register), type: .long, range))
    }
    return ElaboratedExpression(.read(plan, inputs: inputs), type: .long, range)
  }

  /// The plan with what the kernel knows in the place of the thread pointer and of return addresses that it replaced.
  private func withKernelPlans(_ plan: LocationPlan) -> LocationPlan {
    guard plan.contains(.threadPointer) || plan.dependsOnCaller, let types = environment.kernel?.types else {
      return plan
    }
    let kernel = KernelTaskPlans(types: types)
    let seen = kernel.seeingReplacedReturns(plan)
    return kernel.threadPointer.map { seen.replacing(.threadPointer, by: $0) } ?? seen
  }

  /// Reads `plan` where the probe is.
  ///
  /// When a function has returned, the instruction pointer is the caller's: that of
  /// the entry, from which static variables are counted, was kept.
  private func lateRead(
    _ plan: LocationPlan,
    _ inputs: [ElaboratedExpression],
    _ range: SourceRange
  ) -> ElaboratedExpression {
    let pointer = LocationPlan.register(environment.registers.instructionPointer)
    guard body.context?.isReturn ?? false, plan.contains(pointer) else { return read(plan, inputs, range) }
    let kept = ElaboratedExpression(.entry(read(pointer, [], range)), type: .long, range)
    return read(plan.replacing(pointer, by: .input(inputs.count)), inputs + [kept], range)
  }

  private func expression(
    for capture: TargetCapture,
    _ inputs: [ElaboratedExpression],
    _ range: SourceRange
  ) -> ElaboratedExpression {
    let isIndexed = capture.isEntry && !inputs.isEmpty && !body.isInEntry && capture.kind != .isKept
    let fetch = { (elaborator: Elaborator, plan: LocationPlan) in
      if isIndexed { return elaborator.read(plan.fromEntryRegisters, inputs, range) }
      return capture.isEntry || elaborator.body.isInEntry
        ? elaborator.read(plan, inputs, range) : elaborator.lateRead(plan, inputs, range)
    }
    let read = fetch(self, capture.plan)
    let most = Int64(environment.maxStringLength - 1)
    let value: ElaboratedExpression
    switch capture.kind {
    case .number: value = read
    case .isKept:
      // Filled at the entry; 0 where there was none.
      let one = ElaboratedExpression(.long(1), type: .long, range)
      value = ElaboratedExpression(.entry(one), type: .long, range)
    case .string(let memory):
      value = .text(memory, at: read, ElaboratedExpression(.long(most), type: .long, range))
    case .text(let memory, let byteCount):
      let count = byteCount.clamped(to: most)
      let length = fetch(self, count)
      value = .text(memory, at: read, length)
    }
    return capture.isEntry && !isIndexed
      ? ElaboratedExpression(.entry(value), type: value.type, range) : value
  }
}

extension TargetObject {
  /// The value that the script supplies, as a pointer or object of a known type.
  fileprivate static func pointed(by type: TargetType) -> TargetObject {
    switch type.source.layout(of: type.type) {
    case .structure, .array:
      TargetObject(
        location: .memory(type.memory, address: .input(0)),
        type: type.type,
        source: type.source,
        memory: type.memory
      )
    default:
      TargetObject(location: .value(.input(0)), type: type.type, source: type.source, memory: type.memory)
    }
  }
}

extension LocationPlan {
  /// The number of bytes where that makes sense, at most `most`.
  fileprivate func clamped(to most: Int64) -> LocationPlan {
    let isSmall = LocationPlan.binary(.lessOrEqualSigned, self, .constant(most))
    let isPositive = LocationPlan.binary(.lessOrEqualSigned, .constant(0), self)
    let choice = PlanChoice(keys: [1], plan: self)
    return .selected(by: .binary(.and, isSmall, isPositive), from: [choice], else: .constant(most))
  }
}

extension ElaboratedExpression {
  /// The string at `address`, empty where it cannot be read.
  fileprivate static func text(
    _ memory: PlanMemory,
    at address: ElaboratedExpression,
    _ byteCount: ElaboratedExpression
  ) -> ElaboratedExpression {
    let empty = ElaboratedExpression(.string(""), type: .string, address.range)
    let intrinsic: Intrinsic = memory == .user ? .userStringOr : .kernelStringOr
    return ElaboratedExpression(
      .intrinsic(intrinsic, [address, byteCount, empty]),
      type: .string,
      address.range
    )
  }

  fileprivate var readsLocals: Bool {
    var found = false
    forEach { if case .place(.local) = $0.kind { found = true } }
    return found
  }
}
