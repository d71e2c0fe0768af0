package import BPFObject

/// A module ready to load, and where the user side finds things in it.
package struct BPFModule: Sendable {
  /// The programs of one kernel-side probe, as indices into ``ModuleBlueprint/programs``.
  package struct ProbePrograms: Hashable, Sendable {
    /// Index into ``TraceProgram/probes``.
    package var probe: Int
    /// Attached with the index of the site (in the probe's list) as its cookie.
    package var body: Int
    /// Attached to the same sites at their entry, before `body`; nil when no value from there is needed.
    package var entry: Int?

    package init(probe: Int, body: Int, entry: Int? = nil) {
      self.probe = probe
      self.body = body
      self.entry = entry
    }
  }

  /// The maps of one array or statistic.
  package struct TableMaps: Hashable, Sendable {
    package var whole: MapReference
    /// Those of short keys, from the shortest on, where they have their own (``KeyLayout``).
    package var shorts: [MapReference]
    /// That of the ages of its elements, where the array wraps (``AgeRing``).
    package var ages: MapReference?

    package init(_ whole: MapReference, shorts: [MapReference] = [], ages: MapReference? = nil) {
      self.whole = whole
      self.shorts = shorts
      self.ages = ages
    }
  }

  /// The probe that the program of that name belongs to, as an index into ``TraceProgram/probes``.
  package func probe(ofProgram name: String) -> Int? {
    let index = blueprint.programs.firstIndex { $0.name == name }
    return probes.first { $0.body == index || ($0.entry != nil && $0.entry == index) }?.probe
  }

  package var blueprint: ModuleBlueprint
  package var probes: [ProbePrograms]
  /// Where each global is, by ``GlobalID``: arrays and statistics that the kernel side uses; else nil.
  package var globals: [TableMaps?]
  /// One mappable value as ``ScalarLayout`` says.
  package var scalars: MapReference
  package var dataRing: MapReference
  package var controlRing: MapReference
  /// Per-CPU 64-bit counts, index `probe * LossReason.allCases.count + reason`.
  package var losses: MapReference

  package init(
    blueprint: ModuleBlueprint,
    probes: [ProbePrograms],
    globals: [TableMaps?],
    scalars: MapReference,
    dataRing: MapReference,
    controlRing: MapReference,
    losses: MapReference
  ) {
    self.blueprint = blueprint
    self.probes = probes
    self.globals = globals
    self.scalars = scalars
    self.dataRing = dataRing
    self.controlRing = controlRing
    self.losses = losses
  }
}
