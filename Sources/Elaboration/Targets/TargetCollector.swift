import Diagnostics
import MachineCode
import StapSyntax
import TargetModel

/// Finds the questions that a probe asks of its sites, also in the functions it calls.
struct TargetCollector {
  let symbols: SymbolTable
  private(set) var queries: [TargetQuery] = []
  /// Scripts that walk on from values whose type comes from the program cannot share code between programs.
  private(set) var walksValues = false
  /// What accessors such as `long_arg` and `register` read: such a body sees the function as it is entered.
  private(set) var readRegisters: X86Registers = []
  /// Whether functions such as `long_arg` and `returnval` ask the site how its code passes values.
  private(set) var asksABI = false
  /// The highest n of `long_arg(n)` and its kin.
  private(set) var lastArgument = 0
  /// Whether functions such as `user_string` may read memory: the same goes for what they find there.
  private(set) var readsMemory = false
  /// Whether it shows where in the source a site is.
  private(set) var showsPlace = false
  private var seen: Set<TargetQuery> = []
  private var functions: Set<Int> = []
  /// Functions that were looked through.
  private(set) var reached: Set<Int> = []
  /// Bodies of functions that are called and were not looked through yet.
  private var pending: [Statement] = []

  init(symbols: SymbolTable) { self.symbols = symbols }

  /// Looks through one piece of a probe's body, then through the functions that it calls, and those that they call.
  mutating func collect(_ statement: Statement) {
    pending.append(statement)
    while !pending.isEmpty {
      let body = pending.removeFirst()
      body.forEachExpression { collect($0, isEntry: false) }
    }
  }

  private mutating func collect(_ expression: Expression, isEntry: Bool) {
    var isEntry = isEntry
    switch expression.kind {
    case .entry: isEntry = true
    case .target(let target): add(TargetQuery.make(target, isEntry: isEntry).query)
    case .enumName(let value, let type, let module):
      if let found = TargetQuery.enumeratorName(value, type, module, isEntry: isEntry) { add(found.query) }
    case .call(let name, let arguments): enter(name.text, arguments.count, expression)
    default: break
    }
    for child in expression.children { collect(child, isEntry: isEntry) }
  }

  private mutating func add(_ query: TargetQuery) {
    if case .value = query.root {
      walksValues = true
    } else if seen.insert(query).inserted {
      queries.append(query)
    }
  }

  private mutating func enter(_ name: String, _ arity: Int, _ call: Expression) {
    switch IntrinsicTable.row(named: name, arity: arity)?.lowering {
    case .argument:
      asksABI = true
      readRegisters.formUnion(.arguments)
      if case .call(_, let arguments) = call.kind, let number = arguments.first?.constantNumber {
        lastArgument = max(lastArgument, Int(clamping: number))
      }
    case .register: readRegisters = .all
    case .registersAreValid, .wordByteCount: asksABI = true
    case .result:
      asksABI = true
      readRegisters.formUnion(X86Registers(dwarf: RegisterFile.x86_64.returnValue))
    case .intrinsic(_, let operands):
      readsMemory = true
      if operands.contains(where: \.isWordByteCount) { asksABI = true }
    case .context(.site(.probePoint)), .context(.site(.sourceLine)): showsPlace = true
    case .context, .stringLimit, .log, nil: break
    }
    for index in symbols.functions(named: name, in: call.range.source) where functions.insert(index).inserted
    {
      let function = symbols.functions[index].declaration
      guard function.parameters.count == arity, case .block(let statement) = function.body else { continue }
      reached.insert(index)
      pending.append(statement)
    }
  }
}
