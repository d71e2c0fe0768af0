/// Numbers of the ELF format that more than one file uses (System V gABI, chapter 4 and 5; `elf.h`).
package enum ELFConstant {
  // e_type
  package static let typeRelocatable: UInt16 = 1
  package static let typeExecutable: UInt16 = 2
  package static let typeShared: UInt16 = 3
  package static let typeCore: UInt16 = 4

  // e_machine
  package static let machineI386: UInt16 = 3
  package static let machineX86_64: UInt16 = 62
  package static let machineAArch64: UInt16 = 183
  package static let machineBPF: UInt16 = 247

  // p_type
  package static let segmentLoad: UInt32 = 1
  package static let segmentDynamic: UInt32 = 2
  package static let segmentInterpreter: UInt32 = 3
  package static let segmentNote: UInt32 = 4
  package static let segmentThreadLocal: UInt32 = 7

  // p_flags
  package static let segmentExecutable: UInt32 = 1
  package static let segmentWritable: UInt32 = 2
  package static let segmentReadable: UInt32 = 4

  // sh_type
  package static let sectionNull: UInt32 = 0
  package static let sectionProgramBits: UInt32 = 1
  package static let sectionSymbols: UInt32 = 2
  package static let sectionStrings: UInt32 = 3
  package static let sectionRelocationsWithAddend: UInt32 = 4
  package static let sectionDynamic: UInt32 = 6
  package static let sectionNote: UInt32 = 7
  package static let sectionNoBits: UInt32 = 8
  package static let sectionRelocations: UInt32 = 9
  package static let sectionDynamicSymbols: UInt32 = 11

  // sh_flags
  package static let flagWrite: UInt64 = 0x1
  package static let flagAllocate: UInt64 = 0x2
  package static let flagExecute: UInt64 = 0x4
  package static let flagMerge: UInt64 = 0x10
  package static let flagStrings: UInt64 = 0x20
  package static let flagInfoLink: UInt64 = 0x40
  package static let flagGroup: UInt64 = 0x200
  package static let flagCompressed: UInt64 = 0x800

  // st_shndx
  package static let indexUndefined: UInt32 = 0
  package static let indexReserved: UInt32 = 0xff00
  package static let indexAbsolute: UInt32 = 0xfff1
  package static let indexCommon: UInt32 = 0xfff2
  package static let indexExtended: UInt32 = 0xffff
}
