import ELF
import Platform
import TargetModel

/// Where the thread-local variables of a file begin, for the thread that runs (ELF Handling For Thread-Local Storage,
/// sections 3 and 4.4.6; the layout of glibc's thread vector).
enum ThreadBlock: Sendable {
  /// An executable's block lies right below the thread pointer (variant II): so many bytes from it.
  case fixed(Int64)
  /// A library that was there when the program started: the slot at `address` holds how far a variable at `offset` of
  /// the block is from the thread pointer.
  case initial(slot: UInt64, offset: Int64)
  /// Any library: the slot holds its number in the thread's vector of blocks.
  case numbered(slot: UInt64)

  /// R_X86_64_DTPMOD64, R_X86_64_TPOFF64 (System V psABI for x86-64, table 4.9).
  private static let moduleNumber: UInt32 = 16
  private static let threadOffset: UInt32 = 18

  /// Nil where a file has no such variables, or nothing in it tells where they are.
  static func find(in binary: ELFFile) -> ThreadBlock? {
    guard let segment = binary.segments.first(where: { $0.type == ELFConstant.segmentThreadLocal }) else {
      return nil
    }
    if binary.isProgram {
      let alignment = max(segment.alignment, 1)
      guard segment.memoryByteCount < 1 << 32, alignment < 1 << 20 else { return nil }
      return .fixed(-Int64((segment.memoryByteCount + alignment - 1) / alignment * alignment))
    }
    return library(binary)
  }

  private static func library(_ binary: ELFFile) -> ThreadBlock? {
    var numbered: ThreadBlock?
    for section in binary.sections where section.type == ELFConstant.sectionRelocationsWithAddend {
      guard let bytes = try? binary.contents(of: section) else { continue }
      var cursor = ByteCursor(bytes.span)
      while cursor.byteCount - cursor.offset >= 24 {
        let slot = cursor.readUInt64()
        let info = cursor.readUInt64()
        let addend = Int64(bitPattern: cursor.readUInt64())
        let type = UInt32(truncatingIfNeeded: info)
        guard type == moduleNumber || type == threadOffset, let value = value(info >> 32, section, binary)
        else {
          continue
        }
        if type == threadOffset { return .initial(slot: slot, offset: value &+ addend) }
        numbered = numbered ?? .numbered(slot: slot)
      }
    }
    return numbered
  }

  /// The offset in the block of a symbol that the file itself defines; 0 for none.
  private static func value(_ index: UInt64, _ section: ELFSection, _ binary: ELFFile) -> Int64? {
    guard index != 0 else { return 0 }
    guard binary.sections.indices.contains(Int(section.link)),
      let symbols = try? binary.contents(of: binary.sections[Int(section.link)]),
      let start = Int(exactly: index.multipliedReportingOverflow(by: 24).partialValue),
      let home = symbols.span.load(at: start + 6, as: UInt16.self), home != 0,
      let value = symbols.span.load(at: start + 8, as: UInt64.self)
    else { return nil }
    return Int64(bitPattern: value)
  }

  /// The address of the block; `place` makes a plan of an address of the file.
  func start(_ place: (UInt64) -> LocationPlan) -> LocationPlan {
    switch self {
    case .fixed(let distance): return LocationPlan.threadPointer.offset(by: distance)
    case .initial(let slot, let offset):
      return LocationPlan.binary(.add, .threadPointer, Self.word(at: place(slot))).offset(by: 0 &- offset)
    case .numbered(let slot):
      // dtv_t has 16 bytes, the first eight are the block's address.
      let vector = Self.word(at: LocationPlan.threadPointer.offset(by: 8))
      let entry = LocationPlan.binary(.multiply, Self.word(at: place(slot)), .constant(16))
      return Self.word(at: .binary(.add, vector, entry))
    }
  }

  private static func word(at address: LocationPlan) -> LocationPlan {
    .load(.user, byteCount: 8, isSigned: false, address: address)
  }
}
