/// The primitive functions that a script can call and every backend implements; the rest is tapset script.
///
/// Operands and results in order; `S` is a string, `L` a long, `-` nothing. Strings are bytes, at most
/// MAXSTRINGLEN - 1 of them. Source of the behaviour: SystemTap's manual pages `function::NAME`.
package enum Intrinsic: String, Hashable, Sendable, CaseIterable {
  // Strings and numbers: pure.
  /// S → L
  case strlen
  /// S L L → S: text, start, length
  case substr
  /// S L → L: the byte at an index, 0 behind the end; a fault below 0 and from MAXSTRINGLEN on
  case stringat
  /// S S → L: 1 when the second is in the first
  case isinstr
  /// S S → L: index of the second in the first, -1
  case strpos
  /// S S S → S: text, from, to
  case strReplace = "str_replace"
  /// S S → S: the next token; an empty first operand continues. Keeps state per probe context.
  case tokenize
  /// S L → L: text, base (0: by prefix); a minus sign, then digits as far as they go; no spaces; wraps
  case strtol
  /// S → S: C-escaped
  case textStr = "text_str"
  /// S L L → S: escaped, at most n bytes, quoted when the third is not 0
  case textStrn = "text_strn"
  /// S → S: in double quotes with escapes
  case stringQuoted = "string_quoted"
  /// S → L: 1 when the first byte is a digit
  case isdigit
  /// L → S: n-th parenthesis of the last `=~`
  case matched
  /// → L
  case ngroups
  /// L → S: seconds since 1970 as `Wed Jun 30 21:49:08 1993`, UTC
  case ctime
  /// L → S: the same in local time, and the zone's name and offset
  case tzCtime = "tz_ctime"
  case tzName = "tz_name"
  case tzGmtoff = "tz_gmtoff"
  /// L → S: `EPERM`…
  case errnoStr = "errno_str"
  /// L → S: `read`…, the number itself for one without a name
  case syscallName = "syscall_name"
  /// L → L: pseudo-random below a bound
  case randint

  // Memory of the traced program. `…Fault` forms raise a script error; the others say so in their comment.
  /// L L → S: address, most bytes; raises on a fault
  case userString
  /// L L S → S: address, most bytes, and what to answer on a fault
  case userStringOr
  /// L L → S: address, most bytes; escaped in double quotes, `<unknown>`-like text on a fault
  case userStringQuoted
  /// L L → S: address, exactly that many bytes, escaped in quotes; raises
  case userBufferQuoted
  /// L L → S: address, exactly that many bytes and at least one, raw (`%#m`); raises
  case userBytes
  /// L L L → L: address, bytes (1, 2, 4, 8), signed; raises on a fault
  case userRead
  /// L L L → L: the same; 0 on a fault
  case userReadOrZero
  /// L L L → L: address, bytes (1, 2, 4, 8), value; gives the value; raises on a fault. Kernel side, guru mode
  case userWrite
  /// L → L: sends a signal to the current thread; 0, or an error's number below 0. Kernel side, guru mode
  case raiseSignal = "raise"
  /// L L → S; L L L → L: the same from kernel addresses
  case kernelString, kernelRead
  /// L L S → S
  case kernelStringOr
  /// L L → S: address, exactly that many bytes and at least one, raw (`%m`); raises
  case kernelBytes

  // The session.
  /// S → -: a message to standard error with `WARNING: `
  case warn
  /// S → -: a run-time error, as a fault
  case error
  /// - → -: end the session after this probe
  case exit
  /// - → -: end the session now, without `end` probes of the script
  case abort
  /// S → -: run a command by the shell, after the probe
  case system
  /// L → S: the n-th argument's text of the session's process, in probes of the user side
  case cmdlineArg = "cmdline_arg"
  /// L → S: all of it
  case cmdlineStr = "cmdline_str"
  /// S → S: the environment variable of that process
  case envVar = "env_var"
  /// - → S: `$value` of a ``SessionEvent``, in probes of the user side
  case eventText = "event_text"
  /// S → S: the same, from now on; and with more behind it
  case setEventText = "set_event_text"
  case appendEventText = "append_event_text"

  // Call chains and names of user-space code.
  /// - → L: takes registers and stack of the current thread; their number, 0 when they were lost
  case userStack = "user_stack"
  /// L L → S: number of a stack, a `StackStyle`; not cut where it is only printed
  case userStackText = "user_stack_text"
  /// L L → L: number of a stack, how many calls up; 0 when there are not so many
  case userStackAddress = "user_stack_address"
  /// L L → S: number of a stack, how many calls up at most (-1: all): addresses in hexadecimal
  case userStackCallers = "user_stack_callers"
  /// L L L → S: process, address, an `AddressDetail`
  case userAddressDetail = "user_address_detail"
  /// L S L → S: process, addresses in hexadecimal, a `StackStyle`
  case userAddressText = "user_address_text"

  // The kernel's own code.
  /// L L → S: address, a `KernelAddressDetail`
  case kernelAddressDetail = "kernel_address_detail"
  /// - → -: output that goes to a file goes to the next one
  case switchFile = "switch_file"

  /// L L L S… → S: a histogram as it is drawn: low, high and step (0: by powers of two), its packed buckets
  case histogramText = "histogram_text"

  // Registers by name (`register("rdi")`): S → L; `u_register` zero-extends.
  case register, uRegister = "u_register"
}

/// What ``Intrinsic/kernelAddressDetail`` tells; the numbers are the tapset's.
package enum KernelAddressDetail: Int64, Sendable, CaseIterable {
  /// The function; the address in hexadecimal where there is none.
  case name = 0
  /// `function+offset/size [module]`.
  case data = 1
  /// The module, `kernel` for none; empty where nobody knows.
  case module = 2
}
