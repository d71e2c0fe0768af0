import TargetModel
import TraceIR

/// A program with one probe on functions of the victim, written by `fill`.
func probe(
  _ functions: String...,
  kind: UserSiteKind = .instruction,
  globals: [Global] = [],
  records: [[ValueType]] = [],
  limits: Limits = Limits(),
  fill: (inout BodyBuilder) -> Void
) throws -> TraceProgram {
  let victim = try Victim.shared.get()
  var builder = BodyBuilder()
  builder.location = 0
  fill(&builder)
  var program = TraceProgram()
  program.globals = globals
  program.limits = limits
  program.files = ["test.stp"]
  program.locations = [ScriptLocation(file: 0, line: 1, column: 1)]
  program.records = records.map { RecordLayout(fields: $0, handler: Body()) }
  let sites = try functions.map { try victim.site($0, probePoint: "process.function(\"\($0)\")") }
  program.probes = [
    Probe(name: "process.function", trigger: .userSites(sites, kind, in: .target), body: builder.finished)
  ]
  return program
}

func array(_ name: String, _ keys: ValueType..., of value: ValueType = .long, limit: Int = 2048) -> Global {
  Global(name: name, kind: .array(keys: keys, value: value), maximumEntries: limit)
}

/// An array of numbers by a number that kernel-side code only adds to and reads.
func tally(_ name: String, limit: Int = 2048) -> Global {
  var global = array(name, .long, limit: limit)
  global.isTally = true
  return global
}

func scalar(_ name: String, _ type: ValueType = .long, initial: Int64 = 0, text: String = "") -> Global {
  Global(
    name: name,
    kind: .scalar(type),
    maximumEntries: 1,
    initialLong: initial,
    initialString: text
  )
}

let first = GlobalID(0)
let second = GlobalID(1)
let third = GlobalID(2)

extension BodyBuilder {
  /// The first integer argument.
  mutating func argument() -> Operand { long { .context($0, .argument(1), kernelPlan: nil) } }

  mutating func execname() -> Operand { string { .context($0, .execname, kernelPlan: nil) } }

  /// `user_string` of the first argument.
  mutating func argumentText() -> Operand {
    let address = argument()
    return string { .intrinsic($0, .userString, [address, .long(511)]) }
  }
}
