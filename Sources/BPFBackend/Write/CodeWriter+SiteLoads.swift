import BPFObject
import TargetModel
import TraceIR

/// The loads that sites describe, as a program finds them: a row a site, a word a load.
///
/// Bits of a word, which is 0 where a site has no such load: 0–31 the offset, 32–39 where in the context the base register
/// is, in words of 8 bytes, or ``previous``, 40–42 the number of bytes less one, 48 set.
enum SiteLoadTable {
  static let previous: UInt64 = 0xff
  /// Bytes of stack that one load works with: what was read, its address, its word.
  static let workByteCount = 24

  static func map(_ facts: ProbeFacts, _ registers: RegisterFile) throws(BPFBackendError) -> MapSpec {
    let width = facts.mostLoads
    var contents: [UInt8] = []
    contents.reserveCapacity(8 * width * facts.siteCount)
    for description in facts.descriptions {
      for index in 0..<width {
        var word: UInt64 = 0
        if index < description.loads.count { word = try Self.word(description.loads[index], registers) }
        for shift in stride(from: 0, to: 64, by: 8) {
          contents.append(UInt8(truncatingIfNeeded: word >> shift))
        }
      }
    }
    return .array(
      ModuleMaps.siteLoads(facts.index).name,
      valueByteCount: 8 * width,
      count: facts.siteCount,
      flags: .readOnlyProgram,
      contents: contents
    )
  }

  private static func word(_ load: SiteLoad, _ registers: RegisterFile) throws(BPFBackendError) -> UInt64 {
    let base: UInt64
    switch load.base {
    case .previous: base = previous
    case .register(let number):
      guard let register = registers.register(number) else {
        throw .unsupported("DWARF register \(number)", location: nil)
      }
      base = UInt64(register.contextOffset / 8)
    }
    let offset = UInt64(UInt32(bitPattern: load.offset))
    return 1 << 48 | UInt64(load.byteCount - 1) << 40 | base << 32 | offset
  }
}

// Reads of memory that the site describes.
extension CodeWriter {
  /// Where on the stack a load keeps what it works with.
  private enum Work {
    static let value: Int16 = -8
    static let address: Int16 = -16
    static let word: Int16 = -24
  }

  /// Reads what word `index` of the site's row says; 0 where it says nothing.
  mutating func writeSiteLoad(_ result: ValueID, _ index: Int, _ site: Operand, _ previous: Operand?) {
    let (nothing, valid, done) = (code.makeLabel(), code.makeLabel(), code.makeLabel())
    let number = register(site, .r0)
    code.emit(.store(.word, .r10, Work.value, number))
    code.loadMap(.r1, ModuleMaps.siteLoads(facts.index))
    stackAddress(.r2, Int(Work.value))
    code.call(.mapLookupElement)
    code.jump(if: .equal, .r0, 0, to: nothing)
    code.emit(.load(.double, .r4, .r0, Int16(8 * index)))
    code.jump(if: .equal, .r4, 0, to: nothing)
    code.emit(.store(.double, .r10, Work.word, .r4))
    loadBase(previous)
    code.emit(.load(.word, .r1, .r10, Work.word))
    extend(.r1, offset: 0, count: 32, isSigned: true)
    code.emit(.arithmetic(.add, .r3, .r1))
    code.emit(.store(.double, .r10, Work.address, .r3))
    code.emit(.store(.double, .r10, Work.value, immediate: 0))
    readBytes(.user) { writer in
      writer.code.emit(.load(.double, .r3, .r10, Work.address))
      writer.code.emit(.load(.byte, .r2, .r10, Work.word + 5))
      writer.code.emit(.arithmetic(.and, .r2, 7))
      writer.code.emit(.arithmetic(.add, .r2, 1))
      writer.stackAddress(.r1, Int(Work.value))
    }
    code.jump(if: .equal, .r0, 0, to: valid)
    code.emit(.load(.double, .r2, .r10, Work.address))
    raise(.userRead)
    code.place(nothing)
    code.emit(.store(.double, .r10, Work.value, immediate: 0))
    code.place(valid)
    if !isUnused(result) {
      code.emit(.load(.double, .r0, .r10, Work.value))
      store(.r0, result)
    }
    code.place(done)
  }

  /// `r3` = the register that the word names, or what the load before read.
  private mutating func loadBase(_ previous: Operand?) {
    let (isRegister, done) = (code.makeLabel(), code.makeLabel())
    code.emit(.load(.byte, .r3, .r10, Work.word + 4))
    if let previous {
      code.jump(if: .notEqual, .r3, Int32(SiteLoadTable.previous), to: isRegister)
      load(previous, into: .r3)
      code.jump(to: done)
      code.place(isRegister)
    }
    code.emit(.arithmetic(.shiftLeft, .r3, 3))
    loadContext(.r1)
    code.emit(.arithmetic(.add, .r3, .r1))
    stackAddress(.r1, Int(Work.value))
    code.emit(.move(.r2, 8))
    // The context of a program may be read at fixed places only.
    code.call(.probeReadKernel)
    code.emit(.load(.double, .r3, .r10, Work.value))
    code.place(done)
  }
}
