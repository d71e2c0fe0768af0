package import BTF
package import TargetModel

/// The running kernel as its BTF shows it.
package struct BTFKernelCatalog: KernelCatalog {
  package let types: any TypeSource
  package let tracepoints: [KernelTracepoint]
  private let image: BTFImage
  private let source: BTFTypeSource

  /// BTF knows tracepoints without their systems; `systems` has those that tracefs tells.
  package init(_ image: BTFImage, systems: [String: String] = [:]) {
    self.image = image
    source = BTFTypeSource(image)
    types = source
    tracepoints = image.tracepointNames.map { KernelTracepoint(system: systems[$0] ?? "", name: $0) }
  }

  package func arguments(ofTracepoint name: String) -> [(name: String, type: TypeReference)]? {
    image.tracepoint(name)?.enumerated().map { index, parameter in
      (parameter.name ?? "arg\(index + 1)", source.reference(parameter.type))
    }
  }

  package func hasFunction(_ name: String) -> Bool { image.function(name) != nil }
}
