import Platform
import TargetModel
import TraceIR
import UserStacks

/// Call chains and names for a script: keeps the chains of stacks that came over the ring until somebody prints them.
package final class UserCode {
  /// A stack comes right before the records that name it; others may come between, from other CPUs.
  private static let mostStacks = 4096

  private let stacks: UserStacks
  private let ownPID = Int64(RunningProcess.current().pid)
  private let target: Int32?
  private var chains: [Int64: CallChain] = [:]
  /// Numbers of captured stacks, oldest first; `next` is the place that is taken next once it is full.
  private var numbers: [Int64] = []
  private var next = 0
  private var lastPID: Int32?

  init(_ kernel: (any KernelSide)?, target: Int32?, limits: Limits) {
    self.target = target
    stacks = UserStacks(mostFrames: limits.maxBacktrace) { kernel?.processEvents() ?? [] }
    // It may be gone when somebody first asks for a name.
    if let target { stacks.learn(target) }
  }

  /// Keeps the call chain of a ring item, laid out as ``StackWire`` says.
  ///
  /// The stack itself, up to 64 KB, is not kept: new memory for each would cost more than the walk.
  func keep(_ item: RawSpan) {
    guard let number = item.load(at: StackWire.numberOffset, as: Int64.self), let stack = CapturedStack(item)
    else { return }
    if numbers.count < Self.mostStacks {
      numbers.append(number)
    } else {
      chains[numbers[next]] = nil
      numbers[next] = number
      next = (next + 1) % Self.mostStacks
    }
    chains[number] = stacks.chain(of: stack)
    lastPID = stack.pid
  }

  /// The address that is `depth` calls up in a stack; 0 when there is none.
  func address(_ number: Int64, depth: Int64) -> Int64 {
    let addresses = chains[number]?.addresses ?? []
    guard depth >= 0, depth < addresses.count else { return 0 }
    return Int64(bitPattern: addresses[Int(depth)])
  }

  func answer(_ intrinsic: Intrinsic, _ operands: [Datum]) -> ByteString {
    switch intrinsic {
    case .userStackText:
      guard let chain = chains[operands[0].long], let style = StackStyle(rawValue: operands[1].long) else {
        return ""
      }
      return ByteString(stacks.text(of: chain, style: style))
    case .userStackCallers:
      let most = operands[1].long < 0 ? Int.max : Int(clamping: operands[1].long)
      let callers = (chains[operands[0].long]?.addresses ?? []).prefix(most)
      return ByteString(callers.map { "0x" + String($0, radix: 16) }.joined(separator: " "))
    case .userAddressDetail:
      guard let detail = AddressDetail(rawValue: operands[2].long) else { return "" }
      let address = UInt64(bitPattern: operands[1].long)
      return ByteString(stacks.detail(detail, of: address, pid: process(operands[0].long)))
    case .userAddressText:
      guard let style = StackStyle(rawValue: operands[2].long) else { return "" }
      let pid = process(operands[0].long)
      return ByteString(stacks.text(ofAddresses: operands[1].string.text, pid: pid, style: style))
    default: return ""
    }
  }

  /// In probes of the user side the current process is ours, which nobody asks about: the traced one is meant.
  private func process(_ pid: Int64) -> Int32 {
    let asked = Int32(truncatingIfNeeded: pid)
    return pid == ownPID ? target ?? lastPID ?? asked : asked
  }
}

extension CapturedStack {
  fileprivate init?(_ item: RawSpan) {
    guard let time = item.load(at: StackWire.timeOffset, as: UInt64.self),
      let pid = item.load(at: StackWire.processOffset + 4, as: Int32.self),
      let count = item.load(at: StackWire.stackByteCountOffset, as: UInt64.self)
    else { return nil }
    let registers = (0..<17).map { number -> UInt64 in
      let offset = RegisterFile.x86_64.register(number)?.contextOffset ?? 0
      return item.load(at: StackWire.registersOffset + offset, as: UInt64.self) ?? 0
    }
    let returnCount = item.load(at: StackWire.returnCountOffset, as: UInt64.self) ?? 0
    var replaced: [UInt64: UInt64] = [:]
    for index in 0..<min(Int(clamping: returnCount), StackWire.mostReturns) {
      let offset = StackWire.returnsOffset + 16 * index
      guard let place = item.load(at: offset, as: UInt64.self),
        let address = item.load(at: offset + 8, as: UInt64.self)
      else { continue }
      replaced[place] = address
    }
    let available = max(0, item.byteCount - StackWire.stackOffset)
    let end = StackWire.stackOffset + min(Int(clamping: count), available)
    let bytes = available > 0 ? item.extracting(StackWire.stackOffset..<end).copied() : []
    self.init(pid: pid, time: time, registers: registers, bytes: bytes, replaced: replaced)
  }
}

extension Intrinsic {
  /// Whether its text may be longer than a string of the script: what `print_ubacktrace` prints.
  func givesLongText(_ operands: [Datum]) -> Bool {
    switch self {
    case .userStackText: operands[1].long < StackStyle.simple.rawValue
    case .userAddressText: operands[2].long < StackStyle.simple.rawValue
    default: false
    }
  }
}
