import TargetModel

/// Functions whose return cannot be probed without breaking the program.
///
/// A return probe replaces the word at the stack pointer. At the entry of an ordinary function that is the return
/// address; where code is entered by a jump, or keeps that word for later, it is something else.
enum ReturnHazard {
  /// Why the return of `function` is left alone; nil when it can be probed.
  static func reason(in function: ProgramFunction, _ program: any Program) -> String? {
    let symbol = function.linkageName ?? function.name
    if let suffix = symbol.split(separator: ".").dropFirst().first, suffix == "cold" {
      return "it is a part of a function that is jumped to, not called"
    }
    if program.entry == function.entry { return "the program begins there and returns nowhere" }
    let name = symbol.drop { $0 == "_" }
    if name.hasPrefix("dl_runtime_") { return "it is jumped to, not called" }
    return names[name]
  }

  /// By name without leading underscores, sorted.
  ///
  /// Source: what each does with the word at the stack pointer, seen in glibc 2.36 and libgcc 12.
  private static let names: [Substring: String] = [
    "getcontext": keeper,
    "longjmp": leaver,
    "morestack": "it returns twice",
    "restore_rt": "the kernel jumps to it when a signal handler returns",
    "setcontext": leaver,
    "setjmp": keeper,
    "siglongjmp": leaver,
    "sigsetjmp": keeper,
    "swapcontext": keeper,
  ]

  private static let keeper = "it keeps its return address for later, which would then be the probe's"
  private static let leaver = "it does not return"
}
