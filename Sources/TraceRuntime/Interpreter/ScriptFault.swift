import TargetModel
package import TraceIR

/// A run-time error of the script.
package struct ScriptFault: Error, Hashable, Sendable {
  package var code: FaultCode
  /// The faulting address, or the array's global.
  package var subject: Int64
  /// What `error()` was given.
  package var message: ByteString
  /// Index into ``TraceProgram/locations``.
  package var location: Int?

  package init(_ code: FaultCode, subject: Int64 = 0, message: ByteString = "", location: Int? = nil) {
    self.code = code
    self.subject = subject
    self.message = message
    self.location = location
  }
}

/// The texts of run-time errors, as SystemTap words them (manual pages `stap`, `error::fault`).
package struct FaultTexts: Sendable {
  private let program: TraceProgram
  /// What stands at a location and can fail so.
  private struct Place: Hashable {
    var location: Int
    var code: FaultCode
  }

  private let places: [Place: String]

  package init(_ program: TraceProgram) {
    self.program = program
    var places: [Place: String] = [:]
    program.forEachInstruction { instruction in
      guard let location = instruction.location, let token = instruction.operation.faultToken(program) else {
        return
      }
      for code in instruction.operation.faultCodes {
        places[Place(location: location, code: code)] = token
      }
    }
    self.places = places
  }

  /// What `catch (message)` receives.
  package func message(_ fault: ScriptFault) -> ByteString {
    fault.code == .raised ? fault.message : ByteString(text(fault))
  }

  /// The line for standard error: `division by 0 near operator '/' at a.stp:1:9`.
  package func report(_ fault: ScriptFault) -> String {
    let message = fault.code == .raised ? fault.message.text : text(fault)
    guard let location = fault.location, let place = program.text(of: location) else { return message }
    let near = places[Place(location: location, code: fault.code)].map { "near \($0) " } ?? ""
    return "\(message) \(near)at \(place)"
  }

  private func text(_ fault: ScriptFault) -> String {
    if fault.code == .raised { return fault.message.text }
    let text = fault.code.text(subject: fault.subject, in: program)
    return fault.code.namesAddress ? text + String(UInt64(bitPattern: fault.subject), radix: 16) : text
  }
}

extension Operation {
  /// The ways in which it fails.
  fileprivate var faultCodes: [FaultCode] {
    switch self {
    case .binary: [.divisionByZero]
    case .storeElement, .addElement, .aggregate: [.arrayFull]
    case .extract: [.emptyAggregate]
    case .histogramBucket: [.histogramIndex]
    case .call: [.nesting, .actionBudget, .functionsExhausted]
    case .intrinsic: [.raised, .userRead, .kernelRead, .userString, .kernelString, .stringIndex, .userWrite]
    default: []
    }
  }

  /// What in the script an error of this operation is near to; nil when it cannot fail.
  fileprivate func faultToken(_ program: TraceProgram) -> String? {
    switch self {
    case .binary(_, .divide, _, _): "operator '/'"
    case .binary(_, .remainder, _, _): "operator '%'"
    case .storeElement(let global, _, _), .addElement(_, let global, _, _), .aggregate(let global, _, _),
      .extract(_, _, let global, _), .histogramBucket(_, _, let global, _, _):
      "identifier '\(program.globals[global.index].name)'"
    case .call(_, let function, _): "identifier '\(program.functions[function.index].name)'"
    case .intrinsic(_, let intrinsic, let operands): "identifier '\(intrinsic.scriptName(operands))'"
    default: nil
    }
  }
}

extension Intrinsic {
  /// The function of the script, as far as it is known from what is left of the call.
  fileprivate func scriptName(_ operands: [Operand]) -> String {
    switch self {
    case .userString: "user_string"
    case .kernelString: "kernel_string"
    case .userBufferQuoted: "user_buffer_quoted_error"
    case .userBytes, .kernelBytes: "printf"
    case .userRead: "user_\(Self.numberName(operands))_error"
    case .kernelRead: "kernel_\(Self.numberName(operands))"
    default: rawValue
    }
  }

  /// What C calls a number of that size.
  private static func numberName(_ operands: [Operand]) -> String {
    guard operands.count > 2, case .long(let byteCount) = operands[1], case .long(let isSigned) = operands[2]
    else {
      return "long"
    }
    let name = [1: "char", 2: "short", 4: "int"][byteCount] ?? "long"
    if isSigned != 0 { return name }
    return name == "char" ? "uint8" : "u\(name)"
  }
}
