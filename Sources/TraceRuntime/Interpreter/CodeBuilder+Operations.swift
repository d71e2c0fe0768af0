import TargetModel
import TraceIR

extension CodeBuilder {
  /// Operations that become one complex operation each.
  mutating func buildComplex(_ operation: Operation) {
    switch operation {
    case .compareStrings(let value, let relation, let left, let right):
      add(.compareStrings(number(value), relation, number(left), number(right)))
    case .concatenate(let value, let operands):
      add(.concatenate(number(value), operands.map { number($0) }))
    case .formatSite(let value, let slot, let operands):
      add(.formatSite(number(value), slot, slots(operands)))
    case .intrinsic(let value, let intrinsic, let operands):
      add(.intrinsic(value.map { slot($0) }, intrinsic, slots(operands)))
    case .context(let value, let field, let plan): buildContext(value, field, plan)
    case .read(let value, let plan, let inputs): add(.read(number(value), plan, slots(inputs)))
    case .storeEntry(let index, let operand): add(.storeEntry(index, slot(operand)))
    case .loadEntry(let value, let index): add(.loadEntry(slot(value), index))
    case .printHistogram(let shape, let global, let keys):
      add(.printHistogram(shape, global, slots(keys)))
    case .printBuckets(let shape, let operands): add(.printBuckets(shape, operands.map { number($0) }))
    case .emit(let record, let operands): add(.emit(record, slots(operands)))
    default: buildGlobal(operation)
    }
  }

  /// Both the field and the plan answer the same; the plan is only for kernels that have it no other way.
  private mutating func buildContext(_ value: ValueID, _ field: ContextField, _: LocationPlan?) {
    add(.context(slot(value), field))
  }

  private mutating func buildGlobal(_ operation: Operation) {
    switch operation {
    case .loadGlobal(let value, let global): add(.loadGlobal(slot(value), global))
    case .storeGlobal(let global, let operand): add(.storeGlobal(global, slot(operand)))
    case .addGlobal(let value, let global, let operand):
      add(.addGlobal(number(value), global, number(operand)))
    case .loadElement(let value, let global, let keys): add(.loadElement(slot(value), global, slots(keys)))
    case .storeElement(let global, let keys, let operand):
      add(.storeElement(global, slots(keys), slot(operand)))
    case .addElement(let value, let global, let keys, let operand):
      add(.addElement(number(value), global, slots(keys), number(operand)))
    case .contains(let value, let global, let keys): add(.contains(number(value), global, slots(keys)))
    case .delete(let global, let keys): add(.delete(global, slots(keys)))
    case .aggregate(let global, let keys, let operand):
      add(.aggregate(global, slots(keys), number(operand)))
    case .extract(let value, let field, let global, let keys):
      add(.extract(number(value), field, global, slots(keys)))
    case .histogramBucket(let value, let shape, let global, let keys, let bucket):
      add(.histogramBucket(number(value), shape, global, slots(keys), number(bucket)))
    case .packHistogram(let value, let shape, let global, let keys, let first, let count):
      add(.packHistogram(number(value), shape, global, slots(keys), first: first, count: count))
    default: preconditionFailure("every operation is built by exactly one of these functions")
    }
  }

  /// One step for each piece of a format.
  mutating func print(_ format: FormatString, _ operands: [Operand]) {
    var rest = operands[...]
    for piece in format.pieces {
      switch piece {
      case .text(let string):
        let start = text.count
        text += ScriptBytes.bytes(of: string)
        add(.printText, Int32(start), Int32(text.count))
      case .directive(let directive): print(directive, &rest)
      }
    }
  }

  private mutating func print(_ directive: FormatString.Directive, _ rest: inout ArraySlice<Operand>) {
    var resolved = PrintfDirective(directive.conversion, flag: directive.flag)
    var dynamicWidth: Int32?
    var dynamicPrecision: Int32?
    switch directive.width {
    case .none: break
    case .fixed(let width): resolved.width = width
    case .dynamic: dynamicWidth = rest.popFirst().map { number($0) }
    }
    switch directive.precision {
    case .none: break
    case .fixed(let precision): resolved.precision = precision
    case .dynamic: dynamicPrecision = rest.popFirst().map { number($0) }
    }
    guard let operand = rest.popFirst() else { return }
    let value = slot(operand)
    if case .long(let address) = value, directive.conversion.readsMemory {
      add(.printMemory(resolved, dynamicWidth, dynamicPrecision, address))
    } else if dynamicWidth != nil || dynamicPrecision != nil {
      add(.printDynamic(resolved, dynamicWidth, dynamicPrecision, value))
    } else {
      print(resolved, value)
    }
  }

  private mutating func print(_ directive: PrintfDirective, _ value: Slot) {
    if directive == PrintfDirective(.decimal) || directive == PrintfDirective(.signed), case .long = value {
      return add(.printDecimal, value.number)
    }
    if directive == PrintfDirective(.string), case .string = value {
      return add(.printString, value.number)
    }
    directives.append(directive)
    switch value {
    case .long(let number): add(.printLong, number, Int32(directives.count - 1))
    case .string(let number): add(.printFormatted, number, Int32(directives.count - 1))
    }
  }
}

extension FormatString.Directive.Conversion {
  fileprivate var readsMemory: Bool { self == .memory || self == .memoryHexadecimal }
}
