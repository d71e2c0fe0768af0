/// Puts small functions where they are called, so that what they print can leave the kernel.
///
///     function log(string)                   store $1, %0
///       %0 = load $0                         %1 = load $1
///       print "%s\n", %0             ⇒       print "%s\n", %1
///     probe …  call log(%0)
///
/// Inlined are functions without loops, recursion, `try` and `next`, of at most ``maximumSize`` instructions,
/// whose every `return` is the last thing they do (early returns move the rest of the code into an `else`).
package let inlineFunctions = Pass("inline-functions") { program in
  var program = program
  var inliner = FunctionInliner(program)
  for index in program.functionsCalleesFirst { program.functions[index].body = inliner.finish(index) }
  for index in program.probes.indices {
    program.probes[index].body = inliner.inline(into: program.probes[index].body)
    program.probes[index].entryBody = program.probes[index].entryBody.map { inliner.inline(into: $0) }
  }
  return program
}

private let maximumSize = 40
/// Bodies do not grow beyond this many values by inlining.
private let maximumValues = 4000

private struct FunctionInliner {
  private var functions: [Function]
  /// What a call is replaced by; nil: the call stays.
  private var templates: [Body?]

  init(_ program: TraceProgram) {
    functions = program.functions
    templates = functions.map { _ in nil }
  }

  /// A function's body after inlining; remembers whether callers may have it.
  mutating func finish(_ index: Int) -> Body {
    let body = inline(into: functions[index].body)
    functions[index].body = body
    templates[index] = template(index)
    return body
  }

  /// The body with every `return` turned into a store to one more local, which holds the result.
  private func template(_ index: Int) -> Body? {
    let function = functions[index]
    guard function.fallback == nil, function.body.block.isInlinable(FunctionID(index)) else { return nil }
    var body = function.body
    let result = function.result.map { body.makeLocal($0) }
    guard let block = body.block.withoutReturns(result) else { return nil }
    body.block = block
    return body
  }

  /// Replaces calls in a body.
  func inline(into body: Body) -> Body {
    var body = body
    body.block = inline(body.block, &body)
    return body
  }

  private func inline(_ block: Block, _ body: inout Body) -> Block {
    var result: [Instruction] = []
    for var instruction in block.instructions {
      instruction.operation.mapBlocks { inline($0, &body) }
      if case .call(let value, let function, let arguments) = instruction.operation,
        let template = templates[function.index], body.values.count < maximumValues
      {
        result += expand(template, functions[function.index], value, arguments, &body, instruction.location)
      } else {
        result.append(instruction)
      }
    }
    return Block(result)
  }

  private func expand(
    _ template: Body,
    _ function: Function,
    _ value: ValueID?,
    _ arguments: [Operand],
    _ body: inout Body,
    _ location: Int?
  ) -> [Instruction] {
    let firstLocal = body.locals.count
    let result = function.result == nil ? nil : template.locals.count - 1
    body.locals += template.locals
    var code: [Instruction] = []
    for (index, type) in template.locals.enumerated() {
      // What holds the result needs no start when every way sets it.
      if index == result, template.block.alwaysSets(LocalID(index)) { continue }
      let start: Operand = type == .long ? .long(0) : .string("")
      let initial = index < arguments.count ? arguments[index] : start
      code.append(Instruction(.storeLocal(LocalID(firstLocal + index), initial), at: location))
    }
    code += template.block.renumbered(into: &body, template.values, firstLocal: firstLocal).instructions
    if let value, let result {
      code.append(Instruction(.loadLocal(value, LocalID(firstLocal + result)), at: location))
    }
    return code
  }
}

extension Block {
  /// Whether callers may have the code instead of a call.
  fileprivate func isInlinable(_ function: FunctionID) -> Bool {
    var count = 0
    var isFit = true
    forEach { instruction in
      count += 1
      switch instruction.operation {
      case .loop, .foreach, .tryCatch, .next: isFit = false
      case .call(_, let callee, _): isFit = isFit && callee != function
      default: break
      }
    }
    return isFit && count <= maximumSize
  }

  fileprivate var containsReturn: Bool {
    var found = false
    forEach { if case .return = $0.operation { found = true } }
    return found
  }

  /// The code with `return` as a store to `result`; nil when some `return` is not the last thing done.
  fileprivate func withoutReturns(_ result: LocalID?) -> Block? {
    var kept: [Instruction] = []
    for (index, instruction) in instructions.enumerated() {
      switch instruction.operation {
      case .return(let operand):
        if let result, let operand {
          kept.append(Instruction(.storeLocal(result, operand), at: instruction.location))
        }
        return Block(kept)
      case .if(let condition, let then, let otherwise) where then.containsReturn || otherwise.containsReturn:
        let rest = instructions[(index + 1)...]
        guard then.endsAlways || otherwise.endsAlways,
          let newThen = Block(then.instructions + (then.endsAlways ? [] : rest)).withoutReturns(result),
          let newElse = Block(otherwise.instructions + (otherwise.endsAlways ? [] : rest)).withoutReturns(
            result
          )
        else { return nil }
        kept.append(Instruction(.if(condition, then: newThen, else: newElse), at: instruction.location))
        return Block(kept)
      default: kept.append(instruction)
      }
    }
    return Block(kept)
  }

  /// The code with new values and with its locals moved up.
  fileprivate func renumbered(into body: inout Body, _ types: [ValueType], firstLocal: Int) -> Block {
    let firstValue = body.values.count
    body.values += types
    return rewriting { instruction in
      var instruction = instruction
      instruction.operation = instruction.operation
        .mapping(operand: { operand in
          guard case .value(let value) = operand else { return operand }
          return .value(ValueID(value.index + firstValue))
        })
        .mapping(definition: { ValueID($0.index + firstValue) })
        .mapping(local: { LocalID($0.index + firstLocal) })
      return [instruction]
    }
  }
}
