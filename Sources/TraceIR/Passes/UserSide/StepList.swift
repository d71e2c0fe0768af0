/// The code of a body as a list, each step before those in its blocks, so that sets of steps can be worked out.
struct StepList {
  /// One instruction.
  struct Step {
    let instruction: Instruction
    /// The step in one of whose blocks it is; nil: the body's own.
    let parent: Int?
    /// In which of the parent's blocks.
    let block: Int
    /// Behind the last step inside it.
    var end: Int

    var operation: Operation { instruction.operation }
  }

  private(set) var steps: [Step] = []
  /// Which step makes a value.
  private(set) var makers: [ValueID: Int] = [:]
  /// The first and the last step that name a local.
  private(set) var mentions: [LocalID: ClosedRange<Int>] = [:]

  init(_ block: Block) { add(block, parent: nil, index: 0) }

  private mutating func add(_ block: Block, parent: Int?, index: Int) {
    for instruction in block.instructions {
      let number = steps.count
      steps.append(Step(instruction: instruction, parent: parent, block: index, end: number + 1))
      if let value = instruction.operation.definedValue { makers[value] = number }
      for local in instruction.operation.locals {
        mentions[local] = (mentions[local]?.lowerBound ?? number)...number
      }
      for (index, inner) in instruction.operation.blocks.enumerated() {
        add(inner, parent: number, index: index)
      }
      steps[number].end = steps.count
    }
  }

  subscript(number: Int) -> Step { steps[number] }

  /// The steps inside `number`.
  func inside(_ number: Int) -> Range<Int> { number + 1..<steps[number].end }

  /// The steps of a block, without those inside them.
  func block(_ index: Int, of parent: Int?) -> [Int] {
    var found: [Int] = []
    var number = parent.map { $0 + 1 } ?? 0
    let end = parent.map { steps[$0].end } ?? steps.count
    while number < end {
      if steps[number].block == index { found.append(number) }
      number = steps[number].end
    }
    return found
  }

  /// The steps that `number` is inside of, the nearest first.
  func ancestors(of number: Int) -> [Int] {
    var found: [Int] = []
    var parent = steps[number].parent
    while let current = parent {
      found.append(current)
      parent = steps[current].parent
    }
    return found
  }
}
