package import TargetModel

/// A USDT probe: a name that a program's author gave to one or more places in the code.
package struct USDTProbe: Hashable, Sendable {
  package let provider: String
  /// As the note has it: `query__start`.
  package let name: String
  package internal(set) var sites: [USDTSite]

  /// The most arguments that any site has; sites of one probe differ only by mistake.
  package var argumentCount: Int { sites.map(\.arguments.count).max() ?? 0 }

  /// Whether some site is skipped by the program while its semaphore is zero.
  package var hasSemaphore: Bool { sites.contains { $0.semaphoreAddress != nil } }
}

/// One place of a ``USDTProbe``.
package struct USDTSite: Hashable, Sendable {
  package let linkAddress: LinkAddress
  /// Where to attach.
  package let fileOffset: FileOffset
  /// The semaphore's address; nil where the program does not ask whether it is traced.
  package let semaphoreAddress: LinkAddress?
  /// The semaphore's place in the file, which the kernel takes as `ref_ctr_offset`.
  ///
  /// Nil without semaphore, and where its address has no byte in the file: then such a probe stays silent
  /// unless somebody else counts the semaphore up.
  package let semaphore: FileOffset?
  package let arguments: [USDTArgument]
}

/// One argument, `$arg1`…, of a site.
package struct USDTArgument: Hashable, Sendable {
  /// From 1.
  package let index: Int
  /// As the note has it: `-4@8(%rbp)`.
  package let text: String
  /// Bytes of its type.
  package let byteCount: Int
  package let isSigned: Bool
  /// Its value is IEEE 754 bits.
  package let isFloat: Bool
  /// How to fetch it when the hit is at the site itself, or why that is impossible.
  package let result: Result<LocationPlan, ArgumentError>

  /// How to fetch it; nil when that is impossible.
  package var plan: LocationPlan? { try? result.get() }
}
