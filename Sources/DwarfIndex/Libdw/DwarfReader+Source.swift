internal import CLibdw
import Glibc

extension DwarfReader {
  /// The functions whose code `address` is, innermost inlined one first, each with the line that is being
  /// executed in it; empty without DWARF for the address.
  ///
  /// `hint` is a DIE of the unit, for files without `.debug_aranges`.
  func sourceFrames(at address: UInt64, hint: DIEReference?) -> [SourceFrame] {
    guard let dwarf = unsafe main?.dwarf else { return [] }
    var unit = unsafe Dwarf_Die()
    guard unsafe findUnit(dwarf, address, hint, &unit) else { return [] }
    var line: (file: String, line: Int)?
    if let row = unsafe dwarf_getsrc_die(&unit, address) {
      var number: CInt = 0
      if unsafe dwarf_lineno(row, &number) == 0, let file = unsafe dwarf_linesrc(row, nil, nil) {
        line = (unsafe String(cString: file), Int(number))
      }
    }
    return unsafe frames(&unit, address, line)
  }

  @unsafe private func findUnit(
    _ dwarf: OpaquePointer,
    _ address: UInt64,
    _ hint: DIEReference?,
    _ unit: inout Dwarf_Die
  ) -> Bool {
    if unsafe dwarf_addrdie(dwarf, address, &unit) != nil {
      unsafe provideUnit(holding: dwarf_dieoffset(&unit))
      return true
    }
    guard let hint, !hint.isAlternate, !hint.isTypeSection else { return false }
    provideUnit(holding: hint.offset)
    var die = unsafe Dwarf_Die()
    guard unsafe dwarf_offdie(dwarf, hint.offset, &die) != nil else { return false }
    return unsafe dwarf_diecu(&die, &unit, nil, nil) != nil
  }

  @unsafe private func frames(
    _ unit: inout Dwarf_Die,
    _ address: UInt64,
    _ line: (file: String, line: Int)?
  ) -> [SourceFrame] {
    var lexical: UnsafeMutablePointer<Dwarf_Die>?
    guard unsafe dwarf_getscopes(&unit, address, &lexical) > 0, let innermost = unsafe lexical else {
      return []
    }
    defer { unsafe free(innermost) }
    // The first call goes on from an inlined function to where it is defined; this one to where it is inlined.
    var nested: UnsafeMutablePointer<Dwarf_Die>?
    let count = unsafe dwarf_getscopes_die(innermost, &nested)
    guard count > 0, let scopes = unsafe nested else { return [] }
    defer { unsafe free(scopes) }
    var files: OpaquePointer?
    var fileCount = 0
    unsafe dwarf_getsrcfiles(&unit, &files, &fileCount)
    var result: [SourceFrame] = []
    var line = line
    for index in 0..<Int(count) {
      let die = unsafe DIE(scopes[index], alternate: alternate?.dwarf)
      let tag = unsafe dwarf_tag(scopes + index)
      guard tag == DW_TAG_inlined_subroutine || tag == DW_TAG_subprogram else { continue }
      let isInlined = tag == DW_TAG_inlined_subroutine
      result.append(
        SourceFrame(
          name: die.string(UInt16(DW_AT_name)) ?? "",
          linkageName: die.string(UInt16(DW_AT_linkage_name)),
          file: line?.file,
          line: line?.line,
          isInlined: isInlined
        )
      )
      guard isInlined else { break }
      line = unsafe call(of: die, files, fileCount)
    }
    return result
  }

  @unsafe private func call(
    of die: DIE,
    _ files: OpaquePointer?,
    _ fileCount: Int
  ) -> (file: String, line: Int)? {
    guard let files = unsafe files, let number = die.unsigned(UInt16(DW_AT_call_file), isOwn: true),
      let line = die.unsigned(UInt16(DW_AT_call_line), isOwn: true), number < UInt64(fileCount),
      line < 1 << 31, let name = unsafe dwarf_filesrc(files, Int(number), nil, nil)
    else { return nil }
    return (unsafe String(cString: name), Int(line))
  }
}
