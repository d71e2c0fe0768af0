import Diagnostics
import StapSyntax

/// `kernel…`.
enum KernelProbes {
  static let resolve: @Sendable (ProbePoint, ElaborationEnvironment) -> ProbeResolution = { point, _ in
    .failed(.unsupportedProbe(point))
  }
}
