import TargetModel

/// The functions that are no tapset script, because every backend implements them.
///
/// Source: SystemTap's manual pages `function::NAME`. One row a line, sorted by name; whatever can be said in the
/// script language is in `Tapset/*.stp` instead.
enum IntrinsicTable {
  /// One function of one arity.
  struct Row: Sendable {
    let name: String
    let parameters: [ScriptType]
    let result: ScriptType?
    let lowering: Lowering
  }

  /// What a call becomes.
  enum Lowering: Sendable {
    case intrinsic(Intrinsic, [Operand])
    case context(ContextField)
    /// `int_arg(n)`: the n-th argument by the ABI, cut to so many bytes; nil: to a word.
    case argument(byteCount: Int?, isSigned: Bool)
    case register(Intrinsic)
    /// `returnval()`: what the ABI returns an integer in, as a signed word.
    case result
    /// MAXSTRINGLEN.
    case stringLimit
    case registersAreValid
    /// The size of a `long` of the probed program.
    case wordByteCount
    /// `log`: the text and a line's end, formatted where it is printed.
    case log
  }

  /// An operand of the intrinsic: the n-th of the call, or fixed.
  enum Operand: Sendable {
    case parameter(Int)
    case long(Int64)
    case text(String)
    /// The longest string there can be.
    case maximumLength
    /// The size of a `long` of the probed program.
    case wordByteCount

    var isWordByteCount: Bool {
      if case .wordByteCount = self { true } else { false }
    }
  }

  /// The row for a call, nil when there is none.
  static func row(named name: String, arity: Int) -> Row? {
    byName[name]?.first { $0.parameters.count == arity }
  }

  /// How many arguments the functions of that name take.
  static func arities(of name: String) -> [Int] { byName[name]?.map(\.parameters.count) ?? [] }

  /// All names, for suggestions.
  static var names: some Sequence<String> { byName.keys }

  private static let byName = Dictionary(grouping: rows, by: \.name)

  private static let rows: [Row] =
    [
      row("__arguments_end", [], .long, .argumentsEnd),
      row("__arguments_start", [], .long, .argumentsStart),
      row("__cmdline_arg", [.long], .string, .cmdlineArg),
      row("__cmdline_str", [], .string, .cmdlineStr, []),
      row("__env_var", [.string], .string, .envVar),
      row("__environment_end", [], .long, .environmentEnd),
      row("__environment_start", [], .long, .environmentStart),
      row("__kaddress_detail", [.long, .long], .string, .kernelAddressDetail),
      Row(name: "__max_string_length", parameters: [], result: .long, lowering: .stringLimit),
      row("__uaddress_detail", [.long, .long, .long], .string, .userAddressDetail),
      row("__uaddress_text", [.long, .string, .long], .string, .userAddressText),
      row("__user_write", [.long, .long, .long], .long, .userWrite),
      row("__ustack", [], .long, .userStack, []),
      row("__ustack_address", [.long, .long], .long, .userStackAddress),
      row("__ustack_callers", [.long, .long], .string, .userStackCallers),
      row("__ustack_text", [.long, .long], .string, .userStackText),
      Row(name: "__word_byte_count", parameters: [], result: .long, lowering: .wordByteCount),
      row("abort", [], nil, .abort),
      row("addr", [], .long, .instructionPointer),
      row("cpu", [], .long, .cpu),
      row("ctime", [.long], .string, .ctime),
      row("egid", [], .long, .egid),
      row("errno_str", [.long], .string, .errnoStr),
      row("error", [.string], nil, .error),
      row("euid", [], .long, .euid),
      row("execname", [], .string, .execname),
      row("exit", [], nil, .exit),
      row("get_cycles", [], .long, .cycles),
      row("gettimeofday_ns", [], .long, .realtimeNanoseconds),
      row("gid", [], .long, .gid),
      argument("int_arg", 4, true),
      row("isdigit", [.string], .long, .isdigit),
      row("isinstr", [.string, .string], .long, .isinstr),
      row("jiffies", [], .long, .jiffies),
      row("kernel_string", [.long], .string, .kernelString, [.parameter(0), .maximumLength]),
      row(
        "kernel_string",
        [.long, .string],
        .string,
        .kernelStringOr,
        [.parameter(0), .maximumLength, .parameter(1)]
      ),
      row("kernel_string_n", [.long, .long], .string, .kernelString),
      row("ktime_get_ns", [], .long, .monotonicNanoseconds),
      Row(name: "log", parameters: [.string], result: nil, lowering: .log),
      argument("long_arg", nil, true),
      argument("longlong_arg", 8, true),
      row("matched", [.long], .string, .matched),
      row("ngroups", [], .long, .ngroups, []),
      row("pexecname", [], .string, .pexecname),
      row("pgrp", [], .long, .pgrp),
      row("pid", [], .long, .pid),
      row("pn", [], .string, .site(.scriptPoint)),
      argument("pointer_arg", nil, false),
      row("pp", [], .string, .site(.probePoint)),
      row("ppfunc", [], .string, .site(.function)),
      row("ppid", [], .long, .ppid),
      row("probe_type", [], .string, .site(.probeType)),
      row("probefunc", [], .string, .site(.function)),
      row("raise", [.long], .long, .raiseSignal),
      row("randint", [.long], .long, .randint),
      Row(name: "registers_valid", parameters: [], result: .long, lowering: .registersAreValid),
      Row(name: "register", parameters: [.string], result: .long, lowering: .register(.register)),
      Row(name: "returnval", parameters: [], result: .long, lowering: .result),
      argument("s32_arg", 4, true),
      argument("s64_arg", 8, true),
      row("sid", [], .long, .sid),
      row("str_replace", [.string, .string, .string], .string, .strReplace),
      row("string_quoted", [.string], .string, .stringQuoted),
      row("stringat", [.string, .long], .long, .stringat),
      row("strlen", [.string], .long, .strlen),
      row("strpos", [.string, .string], .long, .strpos),
      row("strtol", [.string, .long], .long, .strtol),
      row("substr", [.string, .long, .long], .string, .substr),
      row("syscall_name", [.long], .string, .syscallName),
      row("switch_file", [], nil, .switchFile),
      row("system", [.string], nil, .system),
      row("target", [], .long, .target),
      row("task_current", [], .long, .currentTask),
      row("text_str", [.string], .string, .textStr),
      row("text_strn", [.string, .long, .long], .string, .textStrn),
      row("tid", [], .long, .tid),
      row("tokenize", [.string], .string, .tokenize, [.text(""), .parameter(0)]),
      row("tokenize", [.string, .string], .string, .tokenize),
      row("tz_ctime", [.long], .string, .tzCtime),
      row("tz_gmtoff", [], .long, .tzGmtoff, []),
      row("tz_name", [], .string, .tzName, []),
      argument("u32_arg", 4, false),
      argument("u64_arg", 8, false),
      Row(name: "u_register", parameters: [.string], result: .long, lowering: .register(.uRegister)),
      row("uaddr", [], .long, .instructionPointer),
      row("uid", [], .long, .uid),
      argument("uint_arg", 4, false),
      argument("ulong_arg", nil, false),
      argument("ulonglong_arg", 8, false),
      row(
        "user_buffer_quoted_error",
        [.long, .long, .long],
        .string,
        .userBufferQuoted,
        [.parameter(0), .parameter(1)]
      ),
      read("user_char", 1, true),
      read("user_int", 4, true),
      read("user_int16", 2, true),
      read("user_int32", 4, true),
      read("user_int64", 8, true),
      read("user_int8", 1, true),
      read("user_long", nil, true),
      row("user_mode", [], .long, .isUserMode),
      read("user_short", 2, true),
      row("user_string", [.long], .string, .userString, [.parameter(0), .maximumLength]),
      row(
        "user_string",
        [.long, .string],
        .string,
        .userStringOr,
        [.parameter(0), .maximumLength, .parameter(1)]
      ),
      row("user_string_n", [.long, .long], .string, .userString),
      row("user_string_n", [.long, .long, .string], .string, .userStringOr),
      row(
        "user_string_n_nofault",
        [.long, .long],
        .string,
        .userStringOr,
        [.parameter(0), .parameter(1), .text("")]
      ),
      row(
        "user_string_nofault",
        [.long],
        .string,
        .userStringOr,
        [.parameter(0), .maximumLength, .text("")]
      ),
      read("user_uint16", 2, false),
      read("user_uint32", 4, false),
      read("user_uint64", 8, false),
      read("user_uint8", 1, false),
      read("user_ulong", nil, false),
      read("user_ushort", 2, false),
      row("warn", [.string], nil, .warn),
    ] + errorReads + kernelReads

  /// `user_…_error`: a fault is a run-time error instead of 0.
  private static let errorReads: [Row] = [
    ("char", 1, true), ("int", 4, true), ("int16", 2, true), ("int32", 4, true), ("int64", 8, true),
    ("int8", 1, true), ("long", nil, true), ("short", 2, true), ("uint16", 2, false), ("uint32", 4, false),
    ("uint64", 8, false), ("uint8", 1, false), ("ulong", nil, false), ("ushort", 2, false),
  ].map { read("user_\($0.0)_error", $0.1, $0.2, .userRead) }

  private static let kernelReads: [Row] = [
    ("char", 1, true), ("int", 4, true), ("long", 8, true), ("pointer", 8, false), ("short", 2, true),
  ].map { read("kernel_\($0.0)", $0.1, $0.2, .kernelRead) }

  private static func row(
    _ name: String,
    _ parameters: [ScriptType],
    _ result: ScriptType?,
    _ intrinsic: Intrinsic,
    _ operands: [Operand]? = nil
  ) -> Row {
    let all = operands ?? parameters.indices.map { .parameter($0) }
    return Row(name: name, parameters: parameters, result: result, lowering: .intrinsic(intrinsic, all))
  }

  private static func row(
    _ name: String,
    _ parameters: [ScriptType],
    _ result: ScriptType,
    _ field: ContextField
  ) -> Row {
    Row(name: name, parameters: parameters, result: result, lowering: .context(field))
  }

  private static func argument(_ name: String, _ byteCount: Int?, _ isSigned: Bool) -> Row {
    Row(
      name: name,
      parameters: [.long],
      result: .long,
      lowering: .argument(byteCount: byteCount, isSigned: isSigned)
    )
  }

  private static func read(
    _ name: String,
    _ byteCount: Int64?,
    _ isSigned: Bool,
    _ intrinsic: Intrinsic = .userReadOrZero
  ) -> Row {
    let size = byteCount.map { Operand.long($0) } ?? .wordByteCount
    return row(name, [.long], .long, intrinsic, [.parameter(0), size, .long(isSigned ? 1 : 0)])
  }
}
