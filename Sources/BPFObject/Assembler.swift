/// Writes the code of one program with symbolic labels, functions, maps and source lines.
///
///     var code = Assembler(program: "count")
///     let skip = code.makeLabel()
///     code.loadMap(.r1, hits)
///     code.call(.mapLookupElement)
///     code.jump(if: .equal, .r0, 0, to: skip)
///     …
///     code.place(skip)
///     code.emit(.move(.r0, 0))
///     code.emit(.exit)
///     let program = try code.finish()
///
/// Code that nothing reaches is left out, functions that nobody calls too: the verifier refuses both.
package struct Assembler: Sendable {
  /// A place in the code, known once it is placed.
  package struct Label: Hashable, Sendable { let index: Int }

  /// A subprogram or callback.
  package struct Function: Hashable, Sendable { let index: Int }

  /// What an instruction refers to.
  enum Target: Hashable, Sendable {
    case none
    case label(Label)
    case function(Function)
    case relocation(ProgramCode.Relocation.Target)
  }

  /// One instruction, one or two slots long.
  struct Item: Sendable {
    var instruction: BPFInstruction
    /// The upper half of a 64-bit constant.
    var upper: Int32 = 0
    var target = Target.none
    var position: SourcePosition?
  }

  struct FunctionInfo: Sendable {
    var name: String
    var linkage: FunctionLinkage
    /// Item of its first instruction; nil until begun.
    var start: Int?
  }

  var items: [Item] = []
  /// Item that a label stands before; nil until placed.
  var labels: [Int?] = []
  var functions: [FunctionInfo]
  /// Jumps that are too far become `gotol` (instruction set v4, Linux 6.6); else they go over islands.
  package var allowsLongJumps = true
  /// The source position of what is emitted next.
  package var position: SourcePosition?

  /// Begins the main function of `program`.
  package init(program: String) {
    functions = [FunctionInfo(name: program, linkage: .global([]), start: 0)]
  }

  /// How many instructions were emitted so far.
  package var count: Int { items.count }
}

// MARK: Labels and functions

extension Assembler {
  /// A label to jump to and to place once.
  package mutating func makeLabel() -> Label {
    labels.append(nil)
    return Label(index: labels.count - 1)
  }

  /// Puts `label` before the next instruction.
  package mutating func place(_ label: Label) {
    precondition(labels[label.index] == nil, "a label is placed once")
    labels[label.index] = items.count
  }

  /// Whether `label` has its place already: a jump to it goes backwards.
  package func isPlaced(_ label: Label) -> Bool { labels[label.index] != nil }

  /// Declares a subprogram, to be called before or after its code is written.
  ///
  /// A second one of the same name gets a number behind it: an object file tells functions by name.
  package mutating func makeFunction(_ name: String, linkage: FunctionLinkage = .static) -> Function {
    let isTaken = functions.contains { $0.name == name }
    functions.append(FunctionInfo(name: isTaken ? "\(name)_\(functions.count)" : name, linkage: linkage))
    return Function(index: functions.count - 1)
  }

  /// Starts the code of `function`, which goes on until the next function begins.
  package mutating func begin(_ function: Function) {
    precondition(functions[function.index].start == nil, "a function begins once")
    functions[function.index].start = items.count
  }
}

// MARK: Instructions

extension Assembler {
  /// Appends an instruction that refers to nothing.
  package mutating func emit(_ instruction: BPFInstruction) {
    items.append(Item(instruction: instruction, position: position))
  }

  /// `destination = constant`, in the shortest form.
  package mutating func loadConstant(_ destination: BPFRegister, _ constant: Int64) {
    if let short = Int32(exactly: constant) { return emit(.move(destination, short)) }
    if let short = UInt32(exactly: constant) {
      return emit(.move(destination, Int32(bitPattern: short), width: .bits32))
    }
    let lower = Int32(truncatingIfNeeded: constant)
    append(wide(destination, immediate: lower), upper: Int32(truncatingIfNeeded: constant >> 32))
  }

  /// `destination = map`, as helpers take it.
  package mutating func loadMap(_ destination: BPFRegister, _ map: MapReference) {
    append(wide(destination, source: 1), target: .relocation(.map(map)))
  }

  /// `destination = &map[0] + offset`; arrays only.
  package mutating func loadMapValue(_ destination: BPFRegister, _ map: MapReference, offset: Int32 = 0) {
    append(wide(destination, source: 2), target: .relocation(.mapValue(map, offset: offset)))
  }

  /// `destination = function`, as `bpf_loop` and its kin take callbacks.
  package mutating func loadFunction(_ destination: BPFRegister, _ function: Function) {
    append(wide(destination, source: 4), target: .function(function))
  }

  /// `goto label`.
  package mutating func jump(to label: Label) {
    append(BPFInstruction(opcode: 0x05), target: .label(label))
  }

  /// `gotol label`: 32 bits of distance from the start (instruction set v4, Linux 6.6).
  package mutating func longJump(to label: Label) {
    append(BPFInstruction(opcode: 0x06), target: .label(label))
  }

  /// `if left CONDITION right goto label`.
  package mutating func jump(
    if condition: BPFCondition,
    _ left: BPFRegister,
    _ right: BPFRegister,
    width: BPFWidth = .bits64,
    to label: Label
  ) {
    let opcode = condition.rawValue | 0x08 | width.jumpClass
    append(
      BPFInstruction(opcode: opcode, destination: left, source: right.rawValue),
      target: .label(label)
    )
  }

  /// `if left CONDITION immediate goto label`; the immediate is sign-extended.
  package mutating func jump(
    if condition: BPFCondition,
    _ left: BPFRegister,
    _ right: Int32,
    width: BPFWidth = .bits64,
    to label: Label
  ) {
    let opcode = condition.rawValue | width.jumpClass
    append(BPFInstruction(opcode: opcode, destination: left, immediate: right), target: .label(label))
  }

  /// `may_goto label`: jumps out of a loop once the kernel's budget is used up (Linux 6.9).
  package mutating func mayGoto(_ label: Label) {
    append(BPFInstruction(opcode: 0xe5), target: .label(label))
  }

  /// Calls a helper: arguments in `r1`–`r5`, result in `r0`.
  package mutating func call(_ helper: BPFHelper) { emit(.call(helper)) }

  /// Calls a kfunc by its whole name (`bpf_session_is_return`).
  package mutating func call(kernelFunction name: String) {
    append(BPFInstruction(opcode: 0x85, source: 2), target: .relocation(.kernelFunction(name)))
  }

  /// Calls a subprogram: arguments in `r1`–`r5`, result in `r0`, `r6`–`r9` kept.
  package mutating func call(_ function: Function) {
    append(BPFInstruction(opcode: 0x85, source: 1), target: .function(function))
  }

  private func wide(
    _ destination: BPFRegister,
    source: UInt8 = 0,
    immediate: Int32 = 0
  ) -> BPFInstruction {
    BPFInstruction(opcode: 0x18, destination: destination, source: source, immediate: immediate)
  }

  private mutating func append(_ instruction: BPFInstruction, upper: Int32 = 0, target: Target = .none) {
    items.append(Item(instruction: instruction, upper: upper, target: target, position: position))
  }
}
