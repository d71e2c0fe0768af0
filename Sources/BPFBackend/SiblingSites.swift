package import BPFObject

// Several sites in one event of tracefs, told apart by the file offset of what was hit: ``KernelPath/hitUprobe``.

extension BPFModule {
  /// A map from an event's cookie and a file offset, 64 bits each, to the 32-bit index of a site; nil when the probe has
  /// no siblings to tell apart.
  package func siteIndex(ofProbe probe: Int) -> MapReference? { present(ModuleMaps.siteIndex(probe)) }
}

extension MapSpec {
  static func siteIndex(_ probe: Int, count: Int) -> MapSpec {
    MapSpec(
      name: ModuleMaps.siteIndex(probe).name,
      kind: .hash,
      keyByteCount: 16,
      valueByteCount: 4,
      maxEntries: count
    )
  }
}
