import Platform
import TargetModel
package import TraceIR

/// What a probe asked of the session while it ran.
package enum SessionRequest: Hashable, Sendable {
  case exit
  case abort
  case warning(ByteString)
  case system(ByteString)
  case switchFile
}

extension Machine {
  /// Does a primitive function; true when it was `abort()`.
  mutating func performIntrinsic(
    _ intrinsic: Intrinsic,
    _ operands: [Datum],
    _ result: Slot?,
    _ step: Step,
    _ frame: Frame
  ) throws(ScriptFault) -> Bool {
    do {
      if let answer = try answer(intrinsic, operands), let result {
        set(result, answer, frame, isCut: !intrinsic.givesLongText(operands))
      }
    } catch {
      throw error.located(at: step.place)
    }
    return intrinsic == .abort
  }

  private mutating func answer(_ intrinsic: Intrinsic, _ operands: [Datum]) throws(ScriptFault) -> Datum? {
    switch intrinsic {
    case .strlen, .substr, .stringat, .isinstr, .strpos, .strReplace, .strtol, .textStr, .textStrn,
      .stringQuoted, .isdigit, .ctime, .tzCtime, .tzName, .tzGmtoff, .errnoStr, .syscallName:
      return try PureIntrinsics(stringLimit: stringLimit, zone: zone).answer(intrinsic, operands)
    case .tokenize: return .string(tokens.next(in: operands[0].string, delimiters: operands[1].string))
    case .matched: return .string(try matched(operands[0].long))
    case .ngroups:
      guard let match else { throw ScriptFault(.raised, message: "ngroups: no successful regex match") }
      return .long(Int64(match.bounds.count / 2))
    case .randint:
      let bound = operands[0].long
      return .long(bound > 0 ? Int64.random(in: 0..<bound, using: &randomness) : 0)
    case .userString, .userStringOr, .userStringQuoted, .userBufferQuoted, .userBytes, .userRead,
      .userReadOrZero, .kernelString, .kernelRead, .kernelStringOr, .kernelBytes:
      return try readMemory(intrinsic, operands)
    case .raiseSignal: throw ScriptFault(.raised, message: "raise: there is no traced thread here")
    case .userWrite: throw ScriptFault(.userWrite, subject: operands[0].long)
    case .error: throw ScriptFault(.raised, message: operands[0].string)
    case .warn: request(.warning(operands[0].string))
    case .exit: request(.exit)
    case .abort: request(.abort)
    case .system: request(.system(operands[0].string))
    case .switchFile: request(.switchFile)
    case .kernelAddressDetail: return .string(detail(operands[1].long, ofKernelAddress: operands[0].long))
    case .cmdlineArg:
      let index = operands[0].long
      let pieces = context.commandLine
      return .string(index >= 0 && index < pieces.count ? pieces[Int(index)] : "")
    case .cmdlineStr:
      return .string(ByteString(Array(context.commandLine.map(\.bytes).joined(separator: [32]))))
    case .envVar: return .string(context.environmentVariable(operands[0].string) ?? "")
    case .eventText: return .string(context.eventText)
    case .setEventText:
      context.eventText = operands[0].string
      return operands[0]
    case .appendEventText:
      context.eventText = ByteString(context.eventText.bytes + operands[0].string.bytes)
      return .string(context.eventText)
    case .userStack: return .long(0)
    case .userStackAddress:
      return .long(context.userCode?.address(operands[0].long, depth: operands[1].long) ?? 0)
    case .userStackText, .userStackCallers, .userAddressDetail, .userAddressText:
      return .string(context.userCode?.answer(intrinsic, operands) ?? "")
    case .histogramText: return .string(drawn(operands))
    case .register, .uRegister:
      return .long(try register(operands[0].string.text, isSigned: intrinsic == .register))
    }
    return nil
  }

  /// The text that printing these buckets would print.
  private func drawn(_ operands: [Datum]) -> ByteString {
    let (low, high, step) = (operands[0].long, operands[1].long, operands[2].long)
    let buckets = operands.dropFirst(3).flatMap(\.string.unpackedLongs)
    guard buckets.contains(where: { $0 > 0 }) else { return "" }
    var text = ByteBuffer()
    text.append(buckets, of: step == 0 ? .log : .linear(low: low, high: high, step: step))
    return ByteString(text.bytes)
  }

  private mutating func detail(_ detail: Int64, ofKernelAddress address: Int64) -> ByteString {
    let place = kernelSymbols.place(of: UInt64(bitPattern: address))
    switch (KernelAddressDetail(rawValue: detail), place) {
    case (.module, let place): return ByteString(place?.module ?? "")
    case (_, nil): return ByteString(address.hexadecimal)
    case (.data, let place?):
      let (offset, count) = (String(place.offset, radix: 16), String(place.byteCount, radix: 16))
      return ByteString("\(place.name)+0x\(offset)/0x\(count) [\(place.module)]")
    case (_, let place?): return ByteString(place.name)
    }
  }

  private mutating func request(_ request: SessionRequest) { requests.append(request) }

  private func matched(_ index: Int64) throws(ScriptFault) -> ByteString {
    guard let match else { throw ScriptFault(.raised, message: "matched: no successful regex match") }
    guard index >= 0, index < match.bounds.count / 2 else {
      throw ScriptFault(.raised, message: "matched: no such subexpression")
    }
    let start = match.bounds[2 * Int(index)]
    let end = match.bounds[2 * Int(index) + 1]
    guard start >= 0, end >= start else { return "" }
    return ByteString(Array(match.subject.bytes[start..<end]))
  }

  // MARK: Memory

  private func readMemory(_ intrinsic: Intrinsic, _ operands: [Datum]) throws(ScriptFault) -> Datum {
    let address = operands[0].long
    let limit = min(Int(clamping: operands[1].long), stringLimit)
    switch intrinsic {
    case .userString: return .string(try string(.user, address, limit, .userString))
    case .kernelString: return .string(try string(.kernel, address, limit, .kernelString))
    case .userStringOr: return .string(string(.user, address, limit) ?? operands[2].string)
    case .kernelStringOr: return .string(string(.kernel, address, limit) ?? operands[2].string)
    case .userStringQuoted:
      guard let text = string(.user, address, limit) else { return .string(ByteString(address.hexadecimal)) }
      return .string(text.escaped(limit: stringLimit, quoted: true))
    case .userBufferQuoted:
      return .string(try bytes(.user, address, limit, .userString).escaped(limit: stringLimit, quoted: true))
    case .userBytes: return .string(try bytes(.user, address, max(1, limit), .userRead))
    case .kernelBytes: return .string(try bytes(.kernel, address, max(1, limit), .kernelRead))
    case .userReadOrZero: return .long((try? load(.user, operands)) ?? 0)
    case .kernelRead: return .long(try load(.kernel, operands))
    default: return .long(try load(.user, operands))
    }
  }

  private func load(_ memory: PlanMemory, _ operands: [Datum]) throws(ScriptFault) -> Int64 {
    let byteCount = Int(clamping: operands[1].long)
    let isSigned = operands.count > 2 && operands[2].long != 0
    return try context.load(memory, operands[0].long, min(max(byteCount, 1), 8), isSigned)
  }

  private func bytes(
    _ memory: PlanMemory,
    _ address: Int64,
    _ count: Int,
    _ code: FaultCode
  ) throws(ScriptFault) -> ByteString {
    guard let bytes = context.read(memory, at: UInt64(bitPattern: address), byteCount: max(0, count)) else {
      throw ScriptFault(code, subject: address)
    }
    return ByteString(bytes)
  }

  private func string(_ memory: PlanMemory, _ address: Int64, _ limit: Int) -> ByteString? {
    context.readString(memory, at: UInt64(bitPattern: address), limit: max(0, limit))
  }

  private func string(
    _ memory: PlanMemory,
    _ address: Int64,
    _ limit: Int,
    _ code: FaultCode
  ) throws(ScriptFault) -> ByteString {
    guard let text = string(memory, address, limit) else { throw ScriptFault(code, subject: address) }
    return text
  }

  /// Source: manual page `function::register`; there `ax` is another name of `rax`.
  private func register(_ name: String, isSigned: Bool) throws(ScriptFault) -> Int64 {
    let whole = RegisterFile.x86_64.registers.contains { $0.name == "r" + name } ? "r" + name : name
    guard let part = RegisterFile.x86_64.lookUp(whole == "flags" ? "eflags" : whole) else {
      throw ScriptFault(.raised, message: ByteString("unknown register name '\(name)'"))
    }
    let plan = LocationPlan.extend(
      .binary(.shiftRightLogical, .register(part.register.dwarf), .constant(Int64(8 * part.byteOffset))),
      byteCount: part.byteCount,
      isSigned: isSigned
    )
    return try context.evaluate(plan, inputs: [])
  }
}

extension Int64 {
  /// `0x` and its bits in hexadecimal.
  fileprivate var hexadecimal: String { "0x" + String(UInt64(bitPattern: self), radix: 16) }
}

/// What `tokenize` has left to give.
struct Tokens {
  private var rest: ArraySlice<UInt8> = []

  /// The first token of `input`, or the next one when that is empty.
  ///
  /// Source: manual page `function::tokenize`.
  mutating func next(in input: ByteString, delimiters: ByteString) -> ByteString {
    if !input.isEmpty { rest = input.bytes[...] }
    while let first = rest.first, delimiters.bytes.contains(first) { rest = rest.dropFirst() }
    let token = rest.prefix { !delimiters.bytes.contains($0) }
    rest = rest[token.endIndex...].dropFirst()
    return ByteString(Array(token))
  }
}
