import Diagnostics
import StapSyntax

/// `process…`.
enum ProcessProbes {
  static let resolve: @Sendable (ProbePoint, ElaborationEnvironment) -> ProbeResolution = { point, _ in
    .failed(.unsupportedProbe(point))
  }
}
