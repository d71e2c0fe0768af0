package import BPFObject

/// A module ready to load, and where the user side finds things in it.
package struct BPFModule: Codable, Sendable {
  /// The programs of one kernel-side probe, as indices into ``ModuleBlueprint/programs``.
  package struct ProbePrograms: Hashable, Codable, Sendable {
    /// Index into ``TraceProgram/probes``.
    package var probe: Int
    /// Attached with the index of the site (in the probe's list) as its cookie.
    package var body: Int
    /// Attached to the same sites at their entry, before `body`; nil when no value from there is needed.
    package var entry: Int?
  }

  package var blueprint = ModuleBlueprint()
  package var probes: [ProbePrograms]
  /// The map of each global, by ``GlobalID``: arrays and statistics that the kernel side uses; else nil.
  package var globals: [MapReference?]
  /// One mappable value as ``ScalarLayout`` says.
  package var scalars: MapReference
  package var dataRing: MapReference
  package var controlRing: MapReference
  /// Per-CPU 64-bit counts, index `probe * LossReason.allCases.count + reason`.
  package var losses: MapReference

  /// All but the blueprint, which an object file holds in its own way.
  private enum CodingKeys: CodingKey { case probes, globals, scalars, dataRing, controlRing, losses }
}
