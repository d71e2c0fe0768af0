package import BPFObject

/// Why a program could not become a module.
package enum BPFBackendError: Error, Hashable, Sendable {
  /// What kernel-side probes cannot do yet, and where the script asks for it (`FILE:LINE:COLUMN`).
  case unsupported(String, location: String?)
  /// A probe needs more of something than the kernel gives.
  case tooLarge(String, location: String?)
  /// A mistake of the code generator.
  case assembly(AssemblyError)
}

extension BPFBackendError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .unsupported(let what, let location):
      prefix(location) + "\(what) is not supported in kernel-side probes yet"
    case .tooLarge(let what, let location): prefix(location) + what
    case .assembly(let error): "internal error: \(error)"
    }
  }

  private func prefix(_ location: String?) -> String { location.map { "\($0): " } ?? "" }
}
