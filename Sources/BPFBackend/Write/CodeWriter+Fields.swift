import BPFObject
import TargetModel
import TraceIR

// Members of the traced program's structures that one read fetches.
extension CodeWriter {
  /// When the piece cannot be read, each member is on its own: what lies between them may be on another page.
  mutating func write(_ read: FieldsRead) {
    let (apart, done) = (code.makeLabel(), code.makeLabel())
    let place = -Int32(read.byteCount)
    loadAddress(read, read.start)
    code.emit(.move(.r2, Int32(read.byteCount)))
    code.stackAddress(.r1, place)
    code.call(.probeReadUser)
    code.jump(if: .notEqual, .r0, 0, to: apart)
    for field in read.fields where !isUnused(field.value) {
      code.emit(.load(size(field), .r0, .r10, Int16(place) + Int16(field.offset - read.start)))
      if field.isSigned { extend(.r0, offset: 0, count: field.byteCount * 8, isSigned: true) }
      store(.r0, field.value)
    }
    code.jump(to: done)
    code.place(apart)
    for field in read.fields { writeAlone(field, of: read) }
    code.place(done)
  }

  private mutating func writeAlone(_ field: FieldsRead.Field, of read: FieldsRead) {
    visit(field.location)
    readBytes(.user) { writer in
      writer.loadAddress(read, field.offset)
      writer.code.emit(.move(.r2, Int32(field.byteCount)))
      writer.stackAddress(.r1, -8)
    }
    let valid = code.makeLabel()
    code.jump(if: .equal, .r0, 0, to: valid)
    loadAddress(read, field.offset)
    code.emit(.move(.r2, .r3))
    raise(.userRead)
    code.place(valid)
    loadRead(field.value, byteCount: field.byteCount, isSigned: field.isSigned)
  }

  /// Puts the address of a member into `r3`.
  private mutating func loadAddress(_ read: FieldsRead, _ offset: Int64) {
    load(read.base, into: .r3)
    if offset != 0 { code.emit(.arithmetic(.add, .r3, Int32(offset))) }
  }

  private func size(_ field: FieldsRead.Field) -> BPFSize { BPFSize(byteCount: field.byteCount) ?? .double }
}
