/// How the code of one file calls functions, and which numbers its debug info gives to registers.
package enum CallingABI: Sendable {
  /// System V psABI for x86-64.
  case x86_64
  /// System V psABI for i386, in a process of a 64-bit kernel.
  case i386

  /// Bytes of an address, and of a slot on the stack.
  package var addressByteCount: Int {
    switch self {
    case .x86_64: 8
    case .i386: 4
    }
  }

  /// The register of ``RegisterFile/x86_64`` that holds what this ABI numbers so; nil when a probe cannot read it.
  package func register(_ number: Int) -> Int? {
    switch self {
    case .x86_64: RegisterFile.x86_64.register(number)?.dwarf
    case .i386: Self.i386Registers.indices.contains(number) ? Self.i386Registers[number] : nil
    }
  }

  /// What this ABI calls a register of ``RegisterFile/x86_64``; nil for one that it does not have.
  package func number(of register: Int) -> Int? {
    switch self {
    case .x86_64: register
    case .i386: Self.i386Registers.firstIndex(of: register)
    }
  }

  /// eax, ecx, edx, ebx, esp, ebp, esi, edi, eip, eflags (psABI for i386, table 2.14).
  private static let i386Registers = [0, 2, 1, 3, 7, 6, 4, 5, 16, 49]
}
