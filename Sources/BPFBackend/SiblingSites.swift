package import BPFObject

/// Where the file offset of the uprobe that was hit is found in the kernel, from the current task on.
///
/// For siblings in one tracefs event, which share a cookie: the kernel's dispatcher leaves a pointer to what it
/// dispatches in the task (Linux 3.10, commit a932b7381fb3 and after it, kernel/trace/trace_uprobe.c), and that knows
/// the offset. The instruction pointer would need the mapping's start, and a return has none. See
/// docs/decisions/0006-older-kernels.md.
package enum UprobePath {
  /// Structures and their members; each but the last is a pointer to the next structure.
  package static let steps = [
    (structure: "task_struct", member: "utask"), (structure: "uprobe_task", member: "vaddr"),
    (structure: "uprobe_dispatch_data", member: "tu"), (structure: "trace_uprobe", member: "offset"),
  ]
  static let stepCount = 4
}

extension BPFModule {
  /// A map whose one value takes the byte offsets of ``UprobePath/steps``, 64 bits each; nil when there are no
  /// siblings to tell apart.
  package var uprobePath: MapReference? { present(ModuleMaps.uprobePath) }

  /// A map from an event's cookie and a file offset, 64 bits each, to the 32-bit index of a site.
  package func siteIndex(ofProbe probe: Int) -> MapReference? { present(ModuleMaps.siteIndex(probe)) }

  private func present(_ map: MapReference) -> MapReference? {
    blueprint.maps.contains { $0.name == map.name } ? map : nil
  }
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
