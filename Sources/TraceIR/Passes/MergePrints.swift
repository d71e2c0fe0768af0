import TargetModel

/// Makes one print of several in a row: one record and one copy instead of many.
///
///     print "a=%d ", %0
///     %1 = load $0                     ⇒     %1 = load $0
///     print "b=%d\n", %1                     print "a=%d b=%d\n", %0, %1
///
/// Only what cannot fail and has no effect may stand between.
package let mergePrints = Pass("merge-prints") { program in
  var program = program
  program.mapBodies { body in
    var body = body
    body.block = merge(body.block, in: body)
    return body
  }
  return program
}

/// Merged prints take no more operands than this, so that records stay small.
private let maximumOperands = 12
/// Strings are what makes records large.
private let maximumStrings = 4

private func merge(_ block: Block, in body: Body) -> Block {
  var result: [Instruction] = []
  /// Where the print is that the next one may join.
  var open: Int?
  for var instruction in block.instructions {
    instruction.operation.mapBlocks { merge($0, in: body) }
    switch instruction.operation {
    case .print(let format, let operands):
      if let index = open, case .print(let before, let taken) = result[index].operation,
        fits(taken + operands, body)
      {
        instruction.operation = .print(FormatString(before.pieces + format.pieces), taken + operands)
        result.remove(at: index)
      }
      result.append(instruction)
      open = result.count - 1
    default:
      if !instruction.operation.isQuiet { open = nil }
      result.append(instruction)
    }
  }
  return Block(result)
}

private func fits(_ operands: [Operand], _ body: Body) -> Bool {
  let strings = operands.filter { body.type(of: $0) == .string }
  return operands.count <= maximumOperands && strings.count <= maximumStrings
}

extension Operation {
  /// Whether it neither fails nor does anything but set values and locals.
  fileprivate var isQuiet: Bool {
    switch self {
    case .storeLocal: return true
    case .if(_, let then, let otherwise):
      return (then.instructions + otherwise.instructions).allSatisfy(\.operation.isQuiet)
    default: return isRemovable
    }
  }
}
