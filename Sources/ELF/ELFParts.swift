package import TargetModel

/// The file header (gABI, “ELF Header”), whatever the class.
package struct ELFHeader: Hashable, Sendable {
  package var is64Bit: Bool
  /// The kind of file, `e_type`, as in ``ELFConstant/typeExecutable``.
  package var type: UInt16
  /// `e_machine`.
  package var machine: UInt16
  package var entry: LinkAddress
  package var flags: UInt32

  /// Bytes of an address.
  package var addressByteCount: Int { is64Bit ? 8 : 4 }

  /// Whether its addresses move by a load bias: ET_DYN (shared libraries and PIE).
  package var isPositionIndependent: Bool { type == ELFConstant.typeShared }
}

/// A program header (gABI, “Program Header”).
package struct ELFSegment: Hashable, Sendable {
  package var type: UInt32
  package var flags: UInt32
  package var fileOffset: UInt64
  package var address: LinkAddress
  package var fileByteCount: UInt64
  package var memoryByteCount: UInt64
  package var alignment: UInt64

  package var isLoad: Bool { type == ELFConstant.segmentLoad }
  package var isExecutable: Bool { flags & ELFConstant.segmentExecutable != 0 }
  package var isWritable: Bool { flags & ELFConstant.segmentWritable != 0 }
}

/// A section header (gABI, “Sections”) with its name looked up.
package struct ELFSection: Hashable, Sendable {
  package var index: Int
  package var name: String
  package var type: UInt32
  package var flags: UInt64
  package var address: LinkAddress
  package var fileOffset: UInt64
  /// `sh_size`: in the file, before unpacking.
  package var byteCount: UInt64
  package var link: UInt32
  package var info: UInt32
  package var alignment: UInt64
  package var entryByteCount: UInt64

  /// Whether it takes no space in the file: `.bss`, and what `strip --only-keep-debug` leaves of code.
  package var hasNoBits: Bool { type == ELFConstant.sectionNoBits }
  package var isAllocated: Bool { flags & ELFConstant.flagAllocate != 0 }
  package var isCompressed: Bool { flags & ELFConstant.flagCompressed != 0 }

  /// Whether `address` lies in it in a running process.
  package func contains(_ target: LinkAddress) -> Bool {
    isAllocated && target.raw >= address.raw && target.raw - address.raw < byteCount
  }
}
