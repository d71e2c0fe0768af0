import BPFObject

// Short spellings for code that is mostly arithmetic.
extension CodeWriter {
  mutating func move(_ to: BPFRegister, _ from: BPFRegister) { code.emit(.move(to, from)) }

  mutating func move(_ to: BPFRegister, _ value: Int) { code.emit(.move(to, Int32(value))) }

  mutating func add(_ to: BPFRegister, _ other: BPFRegister) { code.emit(.arithmetic(.add, to, other)) }

  mutating func add(_ to: BPFRegister, _ value: Int) { code.emit(.arithmetic(.add, to, Int32(value))) }

  mutating func subtract(_ to: BPFRegister, _ other: BPFRegister) {
    code.emit(.arithmetic(.subtract, to, other))
  }

  mutating func loadWord(_ to: BPFRegister, _ base: BPFRegister, _ offset: Int = 0) {
    code.emit(.load(.word, to, base, Int16(offset)))
  }

  mutating func loadDouble(_ to: BPFRegister, _ base: BPFRegister, _ offset: Int = 0) {
    code.emit(.load(.double, to, base, Int16(offset)))
  }

  mutating func storeWord(_ base: BPFRegister, _ offset: Int, _ value: BPFRegister) {
    code.emit(.store(.word, base, Int16(offset), value))
  }

  mutating func storeDouble(_ base: BPFRegister, _ offset: Int, _ value: BPFRegister) {
    code.emit(.store(.double, base, Int16(offset), value))
  }

  /// `register = min(register, limit)`, unsigned.
  mutating func limit(_ register: BPFRegister, to limit: BPFRegister) {
    let fits = code.makeLabel()
    code.jump(if: .lessOrEqual, register, limit, to: fits)
    move(register, limit)
    code.place(fits)
  }

  /// `register = min(register, limit)`, unsigned.
  mutating func limit(_ register: BPFRegister, to limit: Int) {
    let fits = code.makeLabel()
    code.jump(if: .lessOrEqual, register, Int32(limit), to: fits)
    move(register, limit)
    code.place(fits)
  }

  /// `to` = the byte at `index` of the string at `base`; uses `r1`.
  mutating func loadByte(_ to: BPFRegister, _ base: BPFRegister, _ index: BPFRegister) {
    move(.r1, index)
    bound(.r1)
    add(.r1, base)
    code.emit(.load(.byte, to, .r1, 4))
  }

  /// Puts a byte at `index` of the string at `base`; uses `r1`.
  mutating func storeByte(_ base: BPFRegister, _ index: BPFRegister, _ byte: BPFRegister) {
    move(.r1, index)
    bound(.r1)
    add(.r1, base)
    code.emit(.store(.byte, .r1, 4, byte))
  }
}
