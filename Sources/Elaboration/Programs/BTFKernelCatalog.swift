package import BTF
import Platform
package import TargetModel

/// The running kernel as its BTF shows it.
package struct BTFKernelCatalog: KernelCatalog {
  package let types: any TypeSource
  private let image: BTFImage
  private let source: BTFTypeSource
  private let systems: TracepointSystems

  /// BTF knows tracepoints without their systems.
  package init(_ image: BTFImage, systems: TracepointSystems = TracepointSystems()) {
    self.image = image
    self.systems = systems
    source = BTFTypeSource(image)
    types = source
  }

  package var tracepointNames: [String] { image.tracepointNames }

  package func tracepoints(named pattern: String) -> [KernelTracepoint] {
    guard GlobPattern.isGlob(pattern) else {
      // Most scripts name one or two: no list of all is made for them.
      guard image.hasTracepoint(pattern) else { return [] }
      return [KernelTracepoint(system: systems.system(of: pattern), name: pattern)]
    }
    let systems = systems.byName
    return tracepointNames.filter { GlobPattern.matches($0, pattern: pattern) }.map {
      KernelTracepoint(system: systems[$0] ?? "", name: $0)
    }
  }

  package func arguments(ofTracepoint name: String) -> [(name: String, type: TypeReference)]? {
    image.tracepoint(name)?.enumerated().map { index, parameter in
      (parameter.name ?? "arg\(index + 1)", source.reference(parameter.type))
    }
  }

  package func hasFunction(_ name: String) -> Bool { image.function(name) != nil }
}
