import TargetModel
import TraceIR

/// A probe's code when functions are inlined and plans are taken apart: what instructions are selected from.
///
/// Values and locals of all inlined bodies share one numbering; each value is still made once.
struct ExpandedBody {
  var steps: [Step] = []
  var values: [ValueType] = []
  var locals: [ValueType] = []
  /// Of the recursions in `steps`.
  var regions: [RecursionRegion] = []
}

/// One step, and the place in the script that asked for it.
struct Step {
  var action: Action
  /// Index into ``TraceProgram/locations``.
  var location: Int?
}

/// What a step does.
indirect enum Action {
  /// Anything but control flow, calls, reads of the context and plans.
  case operation(Operation)
  case machine(ValueID, MachineOperation)
  case readFields(FieldsRead)
  case emit(RecordID, site: Operand, [Operand])
  case control(ControlRecord, site: Operand, text: Operand?)
  case branch(Operand, then: [Step], else: [Step])
  /// `budget` counts rounds against MAXACTION; nil for loops that are not the script's.
  case loop(condition: [Step], Operand, body: [Step], step: [Step], budget: LocalID?)
  case walk(WalkStep)
  /// Steps that `leave` with the same number jumps to the end of.
  case scope(Int, [Step])
  case leave(Int)
  case breakLoop
  case continueLoop
  /// Ends the probe.
  case finish
  case fault(FaultCode, subject: Operand, text: Operand?)
  case attempt([Step], message: LocalID?, handler: [Step])
  case activate(Recursion)
  /// A call inside of a recursion; afterwards what it returned is in one of `results`.
  case recurse(FunctionID, [PassedLocal], results: [LocalID])
}

/// Operations nearer to the machine.
///
/// Equal ones with equal operands give equal results within one hit, unless they ask for the time.
enum MachineOperation: Hashable {
  /// A 64-bit word of `pt_regs`.
  case register(contextOffset: Int)
  /// A 64-bit word of a raw tracepoint's arguments.
  case tracepointArgument(Int)
  case currentTask
  /// Thread group above, thread below.
  case processAndThread
  /// Group above, user below.
  case userAndGroup
  case processor
  /// Index of the site in its probe.
  case site
  case monotonicTime
  case realTime
  case jiffies
  case target
  /// Seconds east of Greenwich when the session began, and the zone's name.
  case timeZoneOffset
  case timeZoneName
  case unary(PlanUnary, Operand)
  case binary(PlanBinary, Operand, Operand)
  /// Faults.
  case load(PlanMemory, byteCount: Int, isSigned: Bool, Operand)
  case extend(Operand, byteCount: Int, isSigned: Bool)
  case bits(Operand, offset: Int, count: Int, isSigned: Bool)
  /// `comm` of the current task.
  case commandName
  /// Text at a kernel address; "" when it cannot be read.
  case kernelText(Operand)
  /// What the n-th load that the site describes reads; 0 where it has none. Faults.
  case siteLoad(Int, site: Operand, previous: Operand?)
  /// A string of the site, by its column in the site table.
  case siteText(column: Int, site: Operand)

  /// Whether asking twice in a hit may give two answers.
  var isVolatile: Bool {
    switch self {
    case .monotonicTime, .realTime, .jiffies, .processor: true
    default: false
    }
  }

  var resultType: ValueType {
    switch self {
    case .commandName, .kernelText, .siteText, .timeZoneName: .string
    default: .long
    }
  }

  var operands: [Operand] {
    switch self {
    case .register, .tracepointArgument, .currentTask, .processAndThread, .userAndGroup, .processor, .site,
      .monotonicTime, .realTime, .jiffies, .target, .commandName, .timeZoneOffset, .timeZoneName:
      []
    case .unary(_, let operand), .load(_, _, _, let operand), .extend(let operand, _, _),
      .bits(let operand, _, _, _), .kernelText(let operand), .siteText(_, let operand):
      [operand]
    case .binary(_, let left, let right): [left, right]
    case .siteLoad(_, let site, let previous): [site] + (previous.map { [$0] } ?? [])
    }
  }

  /// Whether it may end in a fault, so that it must run even when nobody uses the result.
  var mayFault: Bool {
    switch self {
    case .load, .siteLoad: true
    default: false
    }
  }
}
