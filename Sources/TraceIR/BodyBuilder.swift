/// Writes a body one instruction after the other.
package struct BodyBuilder {
  private var body = Body()
  private var instructions: [Instruction] = []

  /// The script's position for what is added next.
  package var location: Int?

  package init(parameters: [ValueType] = []) { body.locals = parameters }

  /// A new variable.
  package mutating func local(_ type: ValueType) -> LocalID { body.makeLocal(type) }

  /// Adds an operation that makes no value.
  package mutating func add(_ operation: Operation) {
    instructions.append(Instruction(operation, at: location))
  }

  /// Adds an operation that makes a long.
  package mutating func long(_ make: (ValueID) -> Operation) -> Operand { value(.long, make) }

  /// Adds an operation that makes a string.
  package mutating func string(_ make: (ValueID) -> Operation) -> Operand { value(.string, make) }

  /// Adds a load of a variable.
  package mutating func load(_ local: LocalID) -> Operand {
    value(body.locals[local.index]) { .loadLocal($0, local) }
  }

  private mutating func value(_ type: ValueType, _ make: (ValueID) -> Operation) -> Operand {
    let value = body.makeValue(type)
    add(make(value))
    return .value(value)
  }

  /// The block that `fill` writes, for use in an operation.
  package mutating func block(_ fill: (inout BodyBuilder) -> Void) -> Block {
    let outer = instructions
    instructions = []
    fill(&self)
    let inner = Block(instructions)
    instructions = outer
    return inner
  }

  /// What has been written.
  package var finished: Body {
    var result = body
    result.block = Block(instructions)
    return result
  }
}
