package import BPFObject

/// Which files processes must run for probes that name a program: one entry for each of
/// ``TraceProgram/executables``, filled in when the module is loaded.
package enum ExecutableTable {
  /// `i_ino`, 64 bits.
  package static let inodeOffset = 0
  /// `s_dev`, 32 bits.
  package static let deviceOffset = 8
  package static let entryByteCount = 16

  static func map(count: Int) -> MapSpec {
    .array(ModuleMaps.executables.name, valueByteCount: entryByteCount * count, count: 1)
  }
}

extension BPFModule {
  /// A map with one value that is a table as ``ExecutableTable`` says; nil when no probe names a program.
  package var executables: MapReference? { present(ModuleMaps.executables) }
}
