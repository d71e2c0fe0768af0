// The door of the room: what comes in are addresses of a process and pieces of its stack, what goes out are call
// chains and their names. Imports Platform, TargetModel, ELF, DwarfIndex. See docs/decisions/0013-user-stacks.md.
package import Platform
import TargetModel

/// What a thread was when a probe took its stack.
package struct CapturedStack: Sendable {
  /// The thread group.
  package var pid: Int32
  /// CLOCK_MONOTONIC, nanoseconds.
  package var time: UInt64
  /// By DWARF number: rax to r15, and the instruction pointer.
  package var registers: [UInt64]
  /// What lay from the stack pointer on.
  package var bytes: [UInt8]
  /// Words of the stack that the kernel has replaced to see functions return, and what they were.
  package var replaced: [UInt64: UInt64]

  package init(
    pid: Int32,
    time: UInt64,
    registers: [UInt64],
    bytes: [UInt8],
    replaced: [UInt64: UInt64] = [:]
  ) {
    self.replaced = replaced
    self.pid = pid
    self.time = time
    self.registers = registers
    self.bytes = bytes
  }
}

/// How a line of a call chain looks.
package enum StackStyle: Int64, Sendable, CaseIterable {
  /// ` 0x401136 : main+0x6/0x20 [/usr/bin/x]`, as `print_ubacktrace`.
  case full = 0
  /// `main+0x6`
  case brief = 1
  /// ` 0x401136 : main+0x6/0x20 at x.c:12 [/usr/bin/x]`
  case fileLine = 2
  /// `main+0x6 [/usr/bin/x]`, as `sprint_ubacktrace`.
  case simple = 3
  /// `0x401136 0x7f…`, one line for all.
  case addresses = 4
}

/// What can be said about one address.
package enum AddressDetail: Int64, Sendable, CaseIterable {
  /// `usymname` and so on.
  case name = 0, data = 1, file = 2, fileLine = 3, line = 4
  /// `umodname`: empty where nothing is mapped.
  case module = 5
}

/// Call chains and names of user-space code, in all processes, now and a moment ago.
package final class UserStacks {
  private let spaces: AddressSpaces
  private let images = ImageCache()

  private let mostFrames: Int

  /// `events` gives what happened to processes since it was last asked, oldest first.
  ///
  /// Call chains have at most `mostFrames`.
  package init(mostFrames: Int, events: @escaping () -> [ProcessEvent]) {
    self.mostFrames = mostFrames
    spaces = AddressSpaces(events: events)
  }

  /// Finds out now what `pid` has mapped; what it maps later is reported.
  package func learn(_ pid: Int32) { _ = spaces.space(of: pid, at: nil) }

  /// The calls that were under way when `stack` was taken.
  package func chain(of stack: CapturedStack) -> CallChain {
    let space = spaces.space(of: stack.pid, at: stack.time)
    var unwinder = Unwinder(stack, space, images)
    let chain = unwinder.chain(atMost: mostFrames)
    return CallChain(pid: stack.pid, space: space, frames: chain.frames, isCutShort: chain.isCutShort)
  }

  /// `chain` as text, without a limit.
  package func text(of chain: CallChain, style: StackStyle) -> String {
    let text = ChainText(style, Symbolizer(chain.pid, chain.space, images)).text(chain.frames)
    switch style {
    case .full, .fileLine, .brief: return chain.isCutShort ? text + " ...\n" : text
    case .simple, .addresses: return text
    }
  }

  /// What is at `address` of a process.
  package func detail(_ detail: AddressDetail, of address: UInt64, pid: Int32) -> String {
    Symbolizer(pid, spaces.space(of: pid, at: nil), images).detail(detail, of: address)
  }

  /// The call chain that `addresses` lists in hexadecimal, as text.
  package func text(ofAddresses addresses: String, pid: Int32, style: StackStyle) -> String {
    let frames = addresses.split(separator: " ").enumerated().compactMap { index, word in
      UInt64(word.hasPrefix("0x") ? word.dropFirst(2) : word, radix: 16).map {
        Frame(address: $0, isReturnAddress: index > 0)
      }
    }
    let space = spaces.space(of: pid, at: nil)
    return ChainText(style, Symbolizer(pid, space, images)).text(frames)
  }
}

/// The functions that a thread is in, innermost first.
package struct CallChain {
  let pid: Int32
  let space: AddressSpace
  let frames: [Frame]
  /// There were more than the copied piece of stack tells.
  let isCutShort: Bool

  /// Where each goes on; of the innermost, what is executed next.
  package var addresses: [UInt64] { frames.map(\.address) }
}

/// One function that is being executed.
struct Frame: Hashable {
  var address: UInt64
  /// The call is before it.
  var isReturnAddress: Bool

  /// An address inside the instruction that is being executed.
  var codeAddress: UInt64 { isReturnAddress ? address &- 1 : address }
}
