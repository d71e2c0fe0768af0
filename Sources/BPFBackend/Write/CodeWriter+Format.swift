import BPFObject
import TargetModel
import TraceIR

// `sprintf`: plain texts and numbers are appended at once, the rest goes through a ``TextWork``.
extension CodeWriter {
  private typealias Directive = FormatString.Directive

  mutating func writeFormat(
    _ result: ValueID,
    _ format: FormatString,
    _ operands: [Operand]
  ) {
    guard let slot = slot(of: result) else { return }
    storeScratch(.word, slot, immediate: 0)
    var rest = operands[...]
    for piece in format.pieces {
      switch piece {
      case .text(let text): append(.literal(needs.literals.bytes(text)), toSlot: slot)
      case .directive(let directive):
        let sizes = DirectiveSizes(directive, &rest)
        guard let operand = rest.popFirst() else { return }
        append(operand, directive, sizes, toSlot: slot)
      }
    }
  }

  private mutating func append(
    _ operand: Operand,
    _ directive: Directive,
    _ sizes: DirectiveSizes,
    toSlot slot: Int
  ) {
    switch directive.conversion {
    case .string where directive.isPlain: append(text(operand), toSlot: slot)
    case .string, .memory: appendPadded(text(operand), directive, sizes, toSlot: slot)
    case .memoryHexadecimal:
      scratchAddress(.r1, slot)
      textAddress(.r2, text(operand), 0)
      load(sizes.width, into: .r3)
      move(.r4, directive.flag == "-" ? Int(TextWork.Flag.left) : 0)
      code.call(subprogram(.appendHexadecimalBytes))
    case .character: appendCharacter(operand, directive, sizes, toSlot: slot)
    case .binary: appendBinary(operand, sizes, toSlot: slot)
    case .decimal where directive.isPlain, .signed where directive.isPlain, .unsigned where directive.isPlain:
      scratchAddress(.r1, slot)
      load(operand, into: .r2)
      move(.r3, directive.conversion == .unsigned ? 0 : 1)
      code.call(subprogram(.appendDecimal))
    case .hexadecimal where directive.isPlain, .pointer where directive.isPlain:
      if directive.conversion == .pointer { append(.literal(Array("0x".utf8)), toSlot: slot) }
      scratchAddress(.r1, slot)
      load(operand, into: .r2)
      code.call(subprogram(.appendHexadecimal))
    case .decimal, .signed, .unsigned, .octal, .hexadecimal, .upperHexadecimal, .pointer:
      appendNumber(operand, directive, sizes, toSlot: slot)
    }
  }

  private mutating func appendNumber(
    _ operand: Operand,
    _ directive: Directive,
    _ sizes: DirectiveSizes,
    toSlot slot: Int
  ) {
    let work = ModuleLayout.Scratch.work
    let prefix = Array(directive.prefix.utf8)
    let prefixWord = prefix.reversed().reduce(Int32(0)) { $0 << 8 | Int32($1) }
    storeScratch(.word, work + TextWork.base, immediate: directive.base)
    storeScratch(.word, work + TextWork.flags, immediate: directive.flags)
    storeScratch(.word, work + TextWork.prefixByteCount, immediate: Int32(prefix.count))
    storeScratch(.word, work + TextWork.prefix, immediate: prefixWord)
    for (size, offset) in [(sizes.width, TextWork.width), (sizes.precision, TextWork.precision)] {
      let source = register(size, .r0)
      storeScratch(.double, work + offset, source)
    }
    scratchAddress(.r1, work)
    scratchAddress(.r2, slot)
    load(operand, into: .r3)
    code.call(subprogram(.appendNumber))
  }

  private mutating func appendPadded(
    _ source: TextSource,
    _ directive: Directive,
    _ sizes: DirectiveSizes,
    toSlot slot: Int
  ) {
    var flags = directive.flag == "-" ? TextWork.Flag.left : 0
    if directive.flag == "0", directive.conversion == .string { flags |= TextWork.Flag.terminated }
    scratchAddress(.r1, slot)
    textAddress(.r2, source, 0)
    load(sizes.width, into: .r3)
    load(directive.conversion == .string ? sizes.precision : .long(-1), into: .r4)
    move(.r5, Int(flags))
    code.call(subprogram(.appendPadded))
  }

  /// `%c`: a string of one byte, or with `#` and not a negative width as C source would write it.
  private mutating func appendCharacter(
    _ operand: Operand,
    _ directive: Directive,
    _ sizes: DirectiveSizes,
    toSlot slot: Int
  ) {
    let plain = ModuleLayout.Scratch.work + TextWork.character
    let escaped = ModuleLayout.Scratch.work + TextWork.escaped
    storeScratch(.word, plain, immediate: 1)
    let source = register(operand, .r1)
    storeScratch(.byte, plain + 4, source)
    guard directive.flag == "#" else { return appendPadded(.memory(plain), directive, sizes, toSlot: slot) }
    let (negative, done) = (code.makeLabel(), code.makeLabel())
    if directive.width == .dynamic {
      code.jump(if: .signedLess, register(sizes.width, .r1), 0, to: negative)
    }
    escape(.memory(plain), toSlot: escaped, limit: .long(0), quote: "'", isQuoted: .long(0))
    appendPadded(.memory(escaped), directive, sizes, toSlot: slot)
    if directive.width == .dynamic {
      code.jump(to: done)
      code.place(negative)
      appendPadded(.memory(plain), directive, sizes, toSlot: slot)
      code.place(done)
    }
  }

  /// `%b`: as many bytes of the number as the width says, 8 when it is none of 1, 2 and 4.
  private mutating func appendBinary(_ operand: Operand, _ sizes: DirectiveSizes, toSlot slot: Int) {
    let bytes = ModuleLayout.Scratch.work + TextWork.character
    if case .long(let width) = sizes.width {
      storeScratch(.word, bytes, immediate: [1, 2, 4].contains(width) ? Int32(width) : 8)
    } else {
      let (positive, known) = (code.makeLabel(), code.makeLabel())
      load(sizes.width, into: .r1)
      code.jump(if: .signedGreaterOrEqual, .r1, 0, to: positive)
      code.emit(.negate(.r1))
      code.place(positive)
      for width in [1, 2, 4] as [Int32] { code.jump(if: .equal, .r1, width, to: known) }
      move(.r1, 8)
      code.place(known)
      storeScratch(.word, bytes, .r1)
    }
    let source = register(operand, .r1)
    storeScratch(.double, bytes + 4, source)
    append(.memory(bytes), toSlot: slot)
  }

  /// Puts `source` into a slot as C source would write it, in at most `limit` bytes; 0 for what a string holds.
  mutating func escape(
    _ source: TextSource,
    toSlot slot: Int,
    limit: Operand,
    quote: Unicode.Scalar,
    isQuoted: Operand,
    isCut: Bool = false
  ) {
    if case .long(let isQuoted) = isQuoted {
      move(.r4, isQuoted != 0 ? 1 : 0)
    } else {
      let plain = code.makeLabel()
      load(isQuoted, into: .r4)
      code.jump(if: .equal, .r4, 0, to: plain)
      move(.r4, 1)
      code.place(plain)
    }
    code.emit(.arithmetic(.or, .r4, Int32(quote.value) << 8 | (isCut ? 2 : 0)))
    load(limit, into: .r3)
    textAddress(.r2, source, 0)
    scratchAddress(.r1, slot)
    code.call(subprogram(.escapeText))
  }
}

/// Width and precision of a directive, as operands.
private struct DirectiveSizes {
  private(set) var width = Operand.long(0)
  private(set) var precision = Operand.long(-1)

  /// Takes those that are `*` from the front of `operands`.
  init(_ directive: FormatString.Directive, _ operands: inout ArraySlice<Operand>) {
    switch directive.width {
    case .none: break
    case .fixed(let value): width = .long(Int64(value))
    case .dynamic: width = operands.popFirst() ?? width
    }
    switch directive.precision {
    case .none: break
    case .fixed(let value): precision = .long(Int64(value))
    case .dynamic: precision = operands.popFirst() ?? precision
    }
  }
}

extension FormatString.Directive {
  /// Without flag, width and precision; `%#x` is as plain as `%p`.
  fileprivate var isPlain: Bool {
    let hasPlainFlag = flag == nil || conversion == .pointer
    return hasPlainFlag && width == .none && precision == .none
  }

  fileprivate var base: Int32 {
    switch conversion {
    case .octal: 8
    case .hexadecimal, .upperHexadecimal, .pointer: 16
    default: 10
    }
  }

  /// What stands before a number that is not negative.
  fileprivate var prefix: String {
    switch (conversion, flag) {
    case (.pointer, _), (.hexadecimal, "#"): "0x"
    case (.upperHexadecimal, "#"): "0X"
    case (.decimal, "+"), (.signed, "+"): "+"
    case (.decimal, " "), (.signed, " "): " "
    default: ""
    }
  }

  fileprivate var flags: Int32 {
    var flags: Int32 =
      switch flag {
      case "-": TextWork.Flag.left
      case "0": TextWork.Flag.zero
      default: 0
      }
    switch conversion {
    case .decimal, .signed: flags |= TextWork.Flag.signed
    case .octal where flag == "#": flags |= TextWork.Flag.octal
    case .upperHexadecimal: flags |= TextWork.Flag.upper
    case .pointer: flags |= TextWork.Flag.keepsPrefix
    default: break
    }
    return flags
  }
}
