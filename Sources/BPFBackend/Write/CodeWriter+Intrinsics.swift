import BPFObject
import TargetModel
import TraceIR

// Primitive functions, and where each operation is written.
extension CodeWriter {
  mutating func write(_ operation: Operation) throws(BPFBackendError) {
    switch operation {
    case .unary(let result, let kind, let operand): writeUnary(result, kind, operand)
    case .binary(let result, let kind, let left, let right): writeBinary(result, kind, left, right)
    case .compareStrings(let result, let relation, let left, let right):
      writeComparison(result, relation, left, right)
    case .concatenate(let result, let operands): writeConcatenation(result, operands)
    case .loadLocal(let result, let local): writeLoadLocal(result, local)
    case .storeLocal(let local, let operand): writeStoreLocal(local, operand)
    case .loadGlobal(let result, let global): writeLoadGlobal(result, global)
    case .storeGlobal(let global, let operand): writeStoreGlobal(global, operand)
    case .addGlobal(let result, let global, let operand): writeAddGlobal(result, global, operand)
    case .loadElement(let result, let global, let keys): writeLoadElement(result, global, keys)
    case .storeElement(let global, let keys, let operand): writeStoreElement(global, keys, operand)
    case .addElement(let result, let global, let keys, let operand):
      writeAddElement(result, global, keys, operand)
    case .contains(let result, let global, let keys): writeContains(result, global, keys)
    case .delete(let global, let keys): writeDelete(global, keys)
    case .aggregate(let global, let keys, let operand): writeAggregate(global, keys, operand)
    case .intrinsic(let result, let intrinsic, let operands): try write(intrinsic, operands, result)
    case .storeEntry(let slot, let operand): writeStoreEntry(slot, operand)
    case .loadEntry(let result, let slot): writeLoadEntry(result, slot)
    case .matchRegex(let result, let operand, let pattern): try writeMatch(result, operand, pattern)
    case .format(let result, let format, let operands): writeFormat(result, format, operands)
    case .extract(let result, let field, let global, let keys): try writeExtract(result, field, global, keys)
    case .histogramBucket(let result, let shape, let global, let keys, let bucket):
      try writeHistogramBucket(result, shape, global, keys, bucket)
    case .packHistogram(let result, let shape, let global, let keys, let first, let count):
      writePackHistogram(result, shape, global, keys, first: first, count: count)
    case .print, .printHistogram, .printBuckets: throw unsupported("printing that was not outlined")
    case .if, .loop, .foreach, .break, .continue, .return, .next, .tryCatch, .call, .read, .context, .emit,
      .formatSite:
      preconditionFailure("the expander leaves no control flow, calls or reads")
    }
  }

  private mutating func write(
    _ intrinsic: Intrinsic,
    _ operands: [Operand],
    _ result: ValueID?
  ) throws(BPFBackendError) {
    switch intrinsic {
    case .userString, .kernelString, .userStringOr, .kernelStringOr:
      guard let result else { return }
      writeReadText(intrinsic, operands, result)
    case .userBytes, .kernelBytes:
      guard let result else { return }
      writeReadBytes(intrinsic == .userBytes ? .user : .kernel, operands, result)
    case .userReadOrZero:
      guard let result else { return }
      try writeReadOrZero(operands, result)
    case .userStack:
      guard let result else { return }
      writeCaptureStack(result)
    case .userWrite: try writeStoreToUser(operands, result)
    case .raiseSignal:
      load(operands[0], into: .r1)
      code.call(.sendSignalThread)
      if let result { store(.r0, result) }
    case .strlen:
      guard let result, !isUnused(result) else { return }
      loadLength(.r0, text(operands[0]))
      store(.r0, result)
    case .substr:
      guard let result else { return }
      writeSubstring(operands, result)
    case .stringat: writeByteAt(operands, result)
    case .isdigit:
      guard let result else { return }
      writeIsDigit(operands[0], result)
    case .strpos, .isinstr:
      guard let result else { return }
      writeFind(operands, result, isTest: intrinsic == .isinstr)
    case .strtol:
      guard let result, !isUnused(result) else { return }
      textAddress(.r1, text(operands[0]), 0)
      load(operands[1], into: .r2)
      code.call(subprogram(.parseNumber))
      store(.r0, result)
    case .stringQuoted:
      guard let result else { return }
      let isCut = operands.count > 1
      writeEscape(operands[0], limit: .long(0), isQuoted: .long(1), isCut: isCut, result)
    case .textStr:
      guard let result else { return }
      writeEscape(operands[0], limit: .long(0), isQuoted: .long(0), result)
    case .textStrn:
      guard let result else { return }
      writeEscape(operands[0], limit: operands[1], isQuoted: operands[2], result)
    case .strReplace:
      guard let result else { return }
      writeReplace(operands, result)
    case .tokenize: writeTokenize(operands, result)
    case .matched: writeMatched(result, operands[0])
    case .ngroups: writeGroupCount(result)
    case .errnoStr:
      guard let result else { return }
      writeName(of: operands[0], in: .errors, result)
    case .syscallName:
      guard let result else { return }
      writeName(of: operands[0], in: .systemCalls, result)
    case .cmdlineArg, .cmdlineStr, .envVar, .eventText, .setEventText, .appendEventText:
      // The session's own, which the tapset asks for in probes of the user side only.
      if let result { clearSlot(of: result) }
    case .randint:
      guard let result else { return }
      writeRandom(operands[0], result)
    case .userStackText, .userStackAddress, .userStackCallers, .userAddressDetail, .userAddressText,
      .kernelAddressDetail:
      throw unsupported("letting a call chain or the name of an address decide what only the kernel can do")
    case .histogramText: throw unsupported("letting a drawn histogram decide what only the kernel can do")
    default: throw unsupported("'\(intrinsic.rawValue)'")
    }
  }

  // MARK: Memory of the traced program

  private mutating func writeReadText(_ intrinsic: Intrinsic, _ operands: [Operand], _ result: ValueID) {
    guard let slot = slot(of: result) else { return }
    let isUser = intrinsic == .userString || intrinsic == .userStringOr
    loadLimit(operands[1])
    code.emit(.arithmetic(.add, .r2, 1))
    load(operands[0], into: .r3)
    scratchAddress(.r1, slot + 4)
    code.call(isUser ? .probeReadUserString : .probeReadKernelString)
    let (valid, done) = (code.makeLabel(), code.makeLabel())
    code.jump(if: .signedGreater, .r0, 0, to: valid)
    if isUser {
      // Linux 6.1 returns 0 for an empty string of user memory, later kernels 1.
      let fault = code.makeLabel()
      code.jump(if: .notEqual, .r0, 0, to: fault)
      code.emit(.move(.r0, 1))
      code.jump(to: valid)
      code.place(fault)
      waitForText(valid, clearing: layout.isInKey(result)) { writer in
        writer.loadLimit(operands[1])
        writer.code.emit(.arithmetic(.add, .r2, 1))
        writer.load(operands[0], into: .r3)
        writer.scratchAddress(.r1, slot + 4)
      }
    }
    if intrinsic == .userStringOr || intrinsic == .kernelStringOr {
      copyText(text(operands[2]), toSlot: slot)
      code.jump(to: done)
    } else {
      load(operands[0], into: .r2)
      raise(isUser ? .userString : .kernelString)
    }
    code.place(valid)
    // The helper counts the NUL.
    code.emit(.arithmetic(.subtract, .r0, 1))
    if layout.isInKey(result) { writeLengthInKey(slot) } else { storeScratch(.word, slot, .r0) }
    code.place(done)
  }

  /// Stores `r0` as the length of the string in a key and clears what the one before had more.
  private mutating func writeLengthInKey(_ slot: Int) {
    let clean = code.makeLabel()
    loadLength(.r2, slot)
    bound(.r0)
    storeScratch(.word, slot, .r0)
    code.jump(if: .lessOrEqual, .r2, .r0, to: clean)
    code.emit(.arithmetic(.subtract, .r2, .r0))
    bound(.r2)
    scratchAddress(.r1, slot + 4)
    code.emit(.arithmetic(.add, .r1, .r0))
    code.loadMapValue(.r3, ModuleMaps.zeros)
    code.call(.probeReadKernel)
    code.place(clean)
  }

  /// `r2` = the bytes asked for, at least `least` and at most what a string holds.
  mutating func loadLimit(_ operand: Operand, atLeast least: Int32 = 0) {
    let capacity = Int64(module.field.capacity)
    if case .long(let value) = operand {
      return code.emit(.move(.r2, Int32(min(max(value, Int64(least)), capacity))))
    }
    let (positive, bounded) = (code.makeLabel(), code.makeLabel())
    load(operand, into: .r2)
    code.jump(if: .signedGreaterOrEqual, .r2, least, to: positive)
    code.emit(.move(.r2, least))
    code.place(positive)
    code.jump(if: .lessOrEqual, .r2, Int32(capacity), to: bounded)
    code.emit(.move(.r2, Int32(capacity)))
    code.place(bounded)
    bound(.r2)
  }

  private mutating func writeReadBytes(_ memory: PlanMemory, _ operands: [Operand], _ result: ValueID) {
    guard let slot = slot(of: result) else { return }
    // A third operand: for a quoted string, which may be empty and whose fault is a string's.
    let isQuoted = operands.count > 2
    readBytes(memory) { writer in
      writer.loadLimit(operands[1], atLeast: isQuoted ? 0 : 1)
      writer.storeScratch(.word, slot, .r2)
      writer.load(operands[0], into: .r3)
      writer.scratchAddress(.r1, slot + 4)
    }
    let valid = code.makeLabel()
    code.jump(if: .equal, .r0, 0, to: valid)
    load(operands[0], into: .r2)
    raise(isQuoted ? .userString : memory == .user ? .userRead : .kernelRead)
    code.place(valid)
  }

  private mutating func writeReadOrZero(_ operands: [Operand], _ result: ValueID) throws(BPFBackendError) {
    guard case .long(let byteCount) = operands[1], case .long(let isSigned) = operands[2],
      BPFSize(byteCount: Int(byteCount)) != nil
    else { throw unsupported("reading a number of bytes that is no constant") }
    let done = code.makeLabel()
    code.emit(.store(.double, .r10, -8, immediate: 0))
    // A failing read leaves zeros behind: no test is needed.
    read(.user, byteCount: Int(byteCount), operands[0])
    loadRead(result, byteCount: Int(byteCount), isSigned: isSigned != 0)
    code.place(done)
  }

  /// `$x = …` in guru mode: by way of the stack.
  private mutating func writeStoreToUser(_ operands: [Operand], _ result: ValueID?) throws(BPFBackendError) {
    guard case .long(let byteCount) = operands[1], BPFSize(byteCount: Int(byteCount)) != nil else {
      throw unsupported("writing a number of bytes that is no constant")
    }
    load(operands[2], into: .r1)
    code.emit(.store(.double, .r10, -8, .r1))
    load(operands[0], into: .r1)
    stackAddress(.r2, -8)
    code.emit(.move(.r3, Int32(byteCount)))
    code.call(.probeWriteUser)
    let valid = code.makeLabel()
    code.jump(if: .equal, .r0, 0, to: valid)
    load(operands[0], into: .r2)
    raise(.userWrite)
    code.place(valid)
    guard let result, !isUnused(result) else { return }
    code.emit(.load(.double, .r0, .r10, -8))
    store(.r0, result)
  }

  mutating func writeKernelText(_ result: ValueID, _ address: Operand) {
    writeReadText(.kernelStringOr, [address, .long(Int64(module.field.capacity)), .string("")], result)
  }

  // MARK: Strings

  private mutating func writeSubstring(_ operands: [Operand], _ result: ValueID) {
    guard let slot = slot(of: result) else { return }
    let source = text(operands[0])
    let (empty, fits, done) = (code.makeLabel(), code.makeLabel(), code.makeLabel())
    loadLength(.r4, source)
    load(operands[1], into: .r1)
    load(operands[2], into: .r2)
    code.jump(if: .signedLessOrEqual, .r2, 0, to: empty)
    // Unsigned: a negative start is far behind the end.
    code.jump(if: .greaterOrEqual, .r1, .r4, to: empty)
    code.emit(.arithmetic(.subtract, .r4, .r1))
    code.jump(if: .lessOrEqual, .r2, .r4, to: fits)
    code.emit(.move(.r2, .r4))
    code.place(fits)
    bound(.r1)
    bound(.r2)
    storeScratch(.word, slot, .r2)
    textAddress(.r3, source, 4)
    code.emit(.arithmetic(.add, .r3, .r1))
    scratchAddress(.r1, slot + 4)
    code.call(.probeReadKernel)
    code.jump(to: done)
    code.place(empty)
    storeScratch(.word, slot, immediate: 0)
    code.place(done)
  }

  /// Faults behind the longest string also when nobody wants the byte.
  private mutating func writeByteAt(_ operands: [Operand], _ result: ValueID?) {
    let (valid, done) = (code.makeLabel(), code.makeLabel())
    load(operands[1], into: .r2)
    code.jump(if: .lessOrEqual, .r2, Int32(module.field.capacity), to: valid)
    raise(.stringIndex)
    code.place(valid)
    guard let result else { return }
    let source = text(operands[0])
    loadLength(.r1, source)
    code.emit(.move(.r0, 0))
    code.jump(if: .greaterOrEqual, .r2, .r1, to: done)
    bound(.r2)
    textAddress(.r1, source, 4)
    code.emit(.arithmetic(.add, .r1, .r2))
    code.emit(.load(.byte, .r0, .r1))
    code.place(done)
    store(.r0, result)
  }

  private mutating func writeIsDigit(_ operand: Operand, _ result: ValueID) {
    if isUnused(result) { return }
    let source = text(operand)
    let done = code.makeLabel()
    code.emit(.move(.r0, 0))
    loadLength(.r1, source)
    code.jump(if: .equal, .r1, 0, to: done)
    textAddress(.r2, source, 4)
    code.emit(.load(.byte, .r1, .r2))
    code.emit(.arithmetic(.subtract, .r1, 48))
    code.jump(if: .greater, .r1, 9, to: done)
    code.emit(.move(.r0, 1))
    code.place(done)
    store(.r0, result)
  }

  // MARK: Names

  /// `comm`: at most 15 bytes and zeros up to 16.
  ///
  /// The length is found without a loop.
  mutating func writeCommandName(_ result: ValueID) {
    guard let slot = slot(of: result) else { return }
    scratchAddress(.r1, slot + 4)
    code.emit(.move(.r2, 16))
    code.call(.getCurrentComm)
    let done = code.makeLabel()
    code.loadConstant(.r4, 0x0101_0101_0101_0101)
    code.loadConstant(.r5, Int64(bitPattern: 0x8080_8080_8080_8080))
    writeZeroBytes(slot + 4)
    code.emit(.move(.r3, 0))
    let found = code.makeLabel()
    code.jump(if: .notEqual, .r0, 0, to: found)
    code.emit(.move(.r3, 8))
    writeZeroBytes(slot + 12)
    code.place(found)
    // The lowest marked byte's index, from the bit 8 * index: the multiplication moves it to the top.
    code.emit(.move(.r1, .r0))
    code.emit(.negate(.r1))
    code.emit(.arithmetic(.and, .r0, .r1))
    code.emit(.arithmetic(.shiftRight, .r0, 7))
    code.loadConstant(.r1, 0x0001_0203_0405_0607)
    code.emit(.arithmetic(.multiply, .r0, .r1))
    code.emit(.arithmetic(.shiftRight, .r0, 56))
    code.emit(.arithmetic(.and, .r0, 7))
    code.emit(.arithmetic(.add, .r3, .r0))
    storeScratch(.word, slot, .r3)
    code.place(done)
  }

  /// `r0` = the top bit of each byte that is zero (exact up to the first one); `r4`, `r5` hold the constants.
  private mutating func writeZeroBytes(_ offset: Int) {
    loadScratch(.double, .r1, offset)
    code.emit(.move(.r0, .r1))
    code.emit(.arithmetic(.subtract, .r0, .r4))
    code.emit(.arithmetic(.xor, .r1, -1))
    code.emit(.arithmetic(.and, .r0, .r1))
    code.emit(.arithmetic(.and, .r0, .r5))
  }

  mutating func writeSiteText(_ result: ValueID, column: Int, _ site: Operand) {
    guard let slot = slot(of: result) else { return }
    let (found, done) = (code.makeLabel(), code.makeLabel())
    let index = register(site, .r0)
    code.emit(.store(.word, .r10, -8, index))
    code.loadMap(.r1, ModuleMaps.sites(facts.index))
    stackAddress(.r2, -8)
    code.call(.mapLookupElement)
    code.jump(if: .notEqual, .r0, 0, to: found)
    storeScratch(.word, slot, immediate: 0)
    code.jump(to: done)
    code.place(found)
    code.emit(.move(.r3, .r0))
    code.emit(.arithmetic(.add, .r3, Int32(column * siteFieldByteCount)))
    copyForeignText(toSlotOf: result)
    code.place(done)
  }

  /// Bytes of a string in the site table: all columns of a probe are as wide as its longest text needs.
  var siteFieldByteCount: Int { facts.siteFieldByteCount(module.field.capacity) }
}
