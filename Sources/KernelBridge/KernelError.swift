import Glibc
package import Platform

/// What went wrong between us and the kernel, and what the user can do about it.
package enum KernelError: Error, Sendable {
  /// A system call failed.
  case system(SystemError, advice: String?)
  /// The verifier refused a program.
  case verifier(VerifierFailure)
  /// The kernel or the user lacks something that was asked for.
  case missing(KernelFeature, reason: String)
  /// The process to be probed has ended.
  case gone(pid: Int32)
  /// What is to be made would take too much of the machine's memory.
  case tooLittleMemory(String)
  /// A blueprint names something that it does not contain, or bytes that make no sense.
  case invalid(String)
}

extension KernelError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .system(let error, let advice):
      let text = "\(error.call) on \(error.subject): \(error.text)"
      return advice.map { "\(text); \($0)" } ?? text
    case .verifier(let failure): return failure.description
    case .missing(let feature, let reason):
      return "this needs \(feature.title) (Linux \(feature.since)): \(reason)"
    case .gone(let pid): return "process \(pid) ended before its probes were live"
    case .tooLittleMemory(let text), .invalid(let text): return text
    }
  }
}

extension KernelError {
  /// The failure that errno tells, with advice where errno is enough to give one.
  static func last(_ call: String, on subject: String, advice: String? = nil) -> KernelError {
    failed(call, on: subject, code: errno, advice: advice)
  }

  /// The failure with errno value `code`.
  static func failed(
    _ call: String,
    on subject: String,
    code: CInt,
    advice: String? = nil
  ) -> KernelError {
    .system(SystemError(call, on: subject, code: code), advice: advice ?? usualAdvice(code))
  }

  private static func usualAdvice(_ code: CInt) -> String? {
    switch code {
    case EPERM, EACCES:
      let missing = Capabilities.current.missingForTracing
      guard !missing.isEmpty else { return "the kernel forbids it to everybody; utrace doctor may say why" }
      return "needs \(missing.joined(separator: ", ")): run as root or give the capability"
    case ENOSYS: return "this kernel has no bpf(2)"
    case EMFILE: return "too many open files: raise the limit with ulimit -n"
    case ENOMEM, E2BIG: return "the maps or programs are too large for this kernel or memory cgroup"
    default: return nil
    }
  }
}

/// The C library's text for an errno value.
func errorText(_ code: CInt) -> String { SystemError("", on: "", code: code).text }
