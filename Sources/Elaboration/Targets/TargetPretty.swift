import TargetModel

/// A value that a site's format shows.
struct TargetCapture: Hashable, Sendable {
  /// How the value is fetched.
  enum Kind: Hashable, Sendable {
    case number
    /// The plan gives the address of a string of that memory.
    case string(PlanMemory)
    /// The plan gives the address of so many bytes of text.
    case text(PlanMemory, byteCount: LocationPlan)
    /// 1 where the registers of the function's entry were kept, else 0; the plan means nothing.
    case isKept
  }

  var plan: LocationPlan
  var kind: Kind
  var isEntry: Bool

  /// All that is computed to fetch it.
  var plans: [LocationPlan] {
    if case .text(_, let byteCount) = kind { [plan, byteCount] } else { [plan] }
  }
}

/// Builds the text of `$x$`, `$x$$` and `$$vars` (stapprobes(3stap), "CONTEXT VARIABLES").
struct TargetPretty {
  /// More values than this in one text end in `...`, as do more elements of one array.
  private static let mostCaptures = 48
  private static let mostElements = 8

  private(set) var captures: [TargetCapture] = []
  var pieces: [SiteFormat.Piece] = []

  /// The text so far, with neighbouring pieces joined.
  var format: SiteFormat { SiteFormat(pieces) }

  /// `name=0x1` for each, `name=?` for what cannot be had; with `pretty`, each as `$name$` would show it.
  mutating func add(_ list: [ListedTarget], _ pretty: TargetQuery.Pretty) {
    for (index, item) in list.enumerated() {
      add((index == 0 ? "" : " ") + item.name + "=")
      guard case .success(let object) = item.object else {
        addUnknown()
        continue
      }
      addIfKept(object) { text in
        if pretty == .none { text.addHexadecimal(object) } else { text.add(object, pretty) }
      }
    }
  }

  /// What `build` adds; `?` at a hit whose function's entry was not seen, or whose caller is not known, when the
  /// object is told by that.
  private mutating func addIfKept(_ object: TargetObject, _ build: (inout TargetPretty) -> Void) {
    let flag: TargetCapture
    if !object.location.entryRegisters.isEmpty {
      flag = TargetCapture(plan: .constant(1), kind: .isKept, isEntry: object.isEntry)
    } else if let known = object.location.isToldByCaller {
      flag = TargetCapture(plan: known, kind: .number, isEntry: object.isEntry)
    } else {
      return build(&self)
    }
    let index = index(of: flag)
    pieces.append(.ifKnown(index, captured(build)))
  }

  /// The one object that a text is about.
  mutating func addShown(_ object: TargetObject, _ pretty: TargetQuery.Pretty) {
    addIfKept(object) { $0.add(object, pretty) }
  }

  /// One object as `$x$` or `$x$$` shows it.
  mutating func add(_ object: TargetObject, _ pretty: TargetQuery.Pretty) {
    guard let type = object.type else {
      addNumber(object, .decimal, byteCount: 8, isSigned: true)
      return
    }
    switch object.source.layout(of: type) {
    case .structure(let layout):
      if let container = StandardContainer(object, layout) { return add(container) }
      if let variants = layout.variants { return add(variants, of: layout, object, pretty) }
      addMembers(of: layout, object, pretty)
    case .array(let element, let count): addElements(element, count, object, pretty)
    case .pointer(_, .some, isReference: true):
      guard let target = object.referent else { return addUnknown() }
      add(target, pretty)
    default: addScalar(object, type)
    }
  }

  /// The members that are always there.
  mutating func addMembers(
    of layout: StructureLayout,
    _ object: TargetObject,
    _ pretty: TargetQuery.Pretty
  ) {
    add("{")
    for (index, member) in layout.members.enumerated() {
      if index > 0 { add(", ") }
      guard captures.count < Self.mostCaptures else {
        add("...")
        break
      }
      if let name = member.name { add(".\(name)=") }
      if member.isBase { add("<\(object.source.spelling(of: member.type))>=") }
      guard let inner = member.object(in: object) else {
        addUnknown()
        continue
      }
      addInner(inner, pretty, isAnonymous: member.name == nil)
    }
    add("}")
  }

  /// The number of a capture, which is added where it is new.
  mutating func index(of capture: TargetCapture) -> Int {
    if let index = captures.firstIndex(of: capture) { return index }
    captures.append(capture)
    return captures.count - 1
  }

  private mutating func add(_ container: StandardContainer) {
    switch container {
    case .string(let capture): addCapture(capture, .string)
    case .vector(let count, let start):
      add("{size=")
      addCapture(count, .decimal)
      add(", data=")
      addCapture(start, .hexadecimal)
      add("}")
    }
  }

  private mutating func addElements(
    _ element: TypeReference,
    _ count: Int?,
    _ object: TargetObject,
    _ pretty: TargetQuery.Pretty
  ) {
    if case .integer(let layout) = object.source.layout(of: element), layout.encoding == .character {
      guard case .memory(let memory, let address) = object.location else {
        return object.location.constantText.map { add($0) } ?? addUnknown()
      }
      return addCapture(TargetCapture(plan: address, kind: .string(memory), isEntry: object.isEntry), .string)
    }
    add("[")
    let byteCount = object.source.byteCount(of: element) ?? 0
    let shown = byteCount == 0 ? 0 : min(count ?? 0, Self.mostElements)
    for index in 0..<shown {
      if index > 0 { add(", ") }
      guard let inner = object.part(at: index * byteCount * 8, type: element) else {
        addUnknown()
        continue
      }
      addInner(inner, pretty, isAnonymous: false)
    }
    if shown < count ?? 1 { add(shown == 0 ? "..." : ", ...") }
    add("]")
  }

  /// A member or element: aggregates open only for `$$`.
  private mutating func addInner(_ object: TargetObject, _ pretty: TargetQuery.Pretty, isAnonymous: Bool) {
    guard let type = object.type else { return addUnknown() }
    switch object.source.layout(of: type) {
    case .structure(let layout):
      if let container = StandardContainer(object, layout) {
        add(container)
      } else if let variants = layout.variants {
        add(variants, of: layout, object, pretty == .deep ? .deep : .name)
      } else if pretty == .deep || isAnonymous {
        addMembers(of: layout, object, pretty)
      } else {
        add("{...}")
      }
    case .array(let element, let count):
      if pretty == .deep { addElements(element, count, object, pretty) } else { add("[...]") }
    // Not again: a reference back would never end.
    case .pointer(_, .some, isReference: true):
      guard let target = object.referent, let type = target.type else { return addUnknown() }
      addScalar(target, type)
    default: addScalar(object, type)
    }
  }

  private mutating func addScalar(_ object: TargetObject, _ type: TypeReference) {
    let source = object.source
    switch source.layout(of: type) {
    case .integer(let layout):
      addNumber(object, layout.presentation, byteCount: layout.byteCount, isSigned: layout.isSigned)
    case .enumeration(let layout):
      let names = Dictionary(layout.enumerators.map { ($0.value, $0.name) }) { first, _ in first }
      addNumber(object, .enumerator(names), byteCount: layout.byteCount, isSigned: layout.isSigned)
    case .float(_, let byteCount) where byteCount == 4 || byteCount == 8:
      addNumber(object, .float(byteCount: byteCount), byteCount: byteCount, isSigned: false)
    case .pointer(let byteCount, let target, _):
      if let target, case .integer(let layout) = source.layout(of: target), layout.encoding == .character,
        let plan = object.location.read(byteCount: byteCount, isSigned: false)
      {
        let capture = TargetCapture(plan: plan, kind: .string(object.memory), isEntry: object.isEntry)
        return addCapture(capture, .string)
      }
      addNumber(object, .hexadecimal, byteCount: byteCount, isSigned: false)
    case .structure: add("{...}")
    case .array: add("[...]")
    default: addUnknown()
    }
  }

  /// As SystemTap's `%#x` shows it: the value extended to 64 bits.
  private mutating func addHexadecimal(_ object: TargetObject) {
    guard let type = object.type else {
      return addNumber(object, .hexadecimal, byteCount: 8, isSigned: false)
    }
    switch object.source.layout(of: type) {
    case .integer(let layout):
      addNumber(object, .hexadecimal, byteCount: layout.byteCount, isSigned: layout.isSigned)
    case .enumeration(let layout):
      addNumber(object, .hexadecimal, byteCount: layout.byteCount, isSigned: layout.isSigned)
    case .pointer(let byteCount, _, _), .float(_, let byteCount):
      addNumber(object, .hexadecimal, byteCount: byteCount, isSigned: false)
    case .array:
      guard case .memory(_, let address) = object.location else {
        return object.location.constantText.map { add($0) } ?? addUnknown()
      }
      addCapture(TargetCapture(plan: address, kind: .number, isEntry: object.isEntry), .hexadecimal)
    case .structure(let layout): addMembers(of: layout, object, .shallow)
    case .void, .function, .opaque: addUnknown()
    }
  }

  /// Registers are captured whole and cut on the user side; memory is read as wide as the object is.
  private mutating func addNumber(
    _ object: TargetObject,
    _ presentation: SiteFormat.Presentation,
    byteCount: Int,
    isSigned: Bool
  ) {
    var presentation = presentation
    let plan: LocationPlan?
    if case .memory(.user, let address) = object.location, byteCount < 8, address.isStackSlot {
      // The whole slot, for the same reason; it is there whatever the type.
      plan = .load(.user, byteCount: 8, isSigned: false, address: address)
      presentation = .narrowed(byteCount: byteCount, isSigned: isSigned, presentation)
    } else if case .value(let whole) = object.location, byteCount < 8 {
      let (inner, isNarrow) = whole.withoutExtension
      plan = inner
      if !isNarrow || inner != whole {
        presentation = .narrowed(byteCount: byteCount, isSigned: isSigned, presentation)
      }
    } else {
      plan = object.location.read(byteCount: byteCount, isSigned: isSigned)
    }
    guard let plan else { return addUnknown() }
    addCapture(TargetCapture(plan: plan, kind: .number, isEntry: object.isEntry), presentation)
  }

  private mutating func addCapture(_ capture: TargetCapture, _ presentation: SiteFormat.Presentation) {
    if case .constant(let value) = capture.plan, capture.kind == .number,
      let text = presentation.text(ofConstant: value)
    {
      return add(text)
    }
    var capture = capture
    // The flag says whether it is shown.
    if capture.plan.dependsOnCaller { capture.plan = capture.plan.zeroIfUnknown }
    pieces.append(.value(index(of: capture), presentation))
  }

  mutating func addUnknown() { add("?") }

  mutating func add(_ text: String) {
    if case .text(let before) = pieces.last {
      pieces[pieces.count - 1] = .text(before + text)
    } else {
      pieces.append(.text(text))
    }
  }
}

extension StructureLayout.Member {
  /// This member of `object`; nil when it cannot be read.
  func object(in object: TargetObject) -> TargetObject? {
    var inner = object
    inner.type = type
    if let bitCount {
      let isSigned: Bool
      switch object.source.layout(of: type) {
      case .integer(let layout): isSigned = layout.isSigned
      case .enumeration(let layout): isSigned = layout.isSigned
      default: return nil
      }
      let plan = object.location.readBits(offset: bitOffset, count: bitCount, isSigned: isSigned)
      guard let plan else { return nil }
      inner.location = .value(plan)
      return inner
    }
    return object.part(at: bitOffset, type: type)
  }
}

extension TargetObject {
  /// What begins `bitOffset` bits from its start; nil when it cannot be read.
  func part(at bitOffset: Int, type: TypeReference) -> TargetObject? {
    var inner = self
    inner.type = type
    switch location {
    case .memory(let memory, let address):
      inner.location = .memory(memory, address: address.offset(by: Int64(bitOffset / 8)))
    case .value, .pieces, .pointer:
      let bits = (source.byteCount(of: type) ?? 8) * 8
      if let piece = location.piece(at: bitOffset, bitCount: bits) {
        inner.location = piece
      } else if source.isAggregate(type) {
        inner.location = location.slice(at: bitOffset, bitCount: bits)
      } else {
        let plan = location.readBits(offset: bitOffset, count: bits, isSigned: false)
        guard let plan else { return nil }
        inner.location = .value(plan)
      }
    }
    return inner
  }
}

extension ValueLocation {
  /// Characters that debug information has, as ``SiteFormat/Presentation/string`` shows them; nil for all else.
  fileprivate var constantText: String? {
    let pieces: [ValueLocation.Piece]
    switch self {
    case .memory: return nil
    case .value: pieces = [ValueLocation.Piece(bitCount: 64, location: self)]
    case .pieces(let parts): pieces = parts
    case .pointer: return nil
    }
    var bytes: [UInt8] = []
    for piece in pieces {
      guard case .value(.constant(let word)) = piece.location else { return nil }
      for bit in stride(from: 0, to: min(piece.bitCount, 64), by: 8) {
        bytes.append(UInt8(truncatingIfNeeded: word >> Int64(bit)))
      }
    }
    let text = bytes.prefix { $0 != 0 }
    guard text.allSatisfy({ 32..<127 ~= $0 }) else { return nil }
    let escaped = text.flatMap { [UInt8(ascii: "\""), UInt8(ascii: "\\")].contains($0) ? [92, $0] : [$0] }
    return "\"\(String(decoding: escaped, as: UTF8.self))\""
  }
}

extension IntegerLayout {
  /// How `$x$` shows it.
  fileprivate var presentation: SiteFormat.Presentation {
    switch encoding {
    case .character where byteCount == 1: .character
    case .boolean: .boolean
    case .unicode: .unicode
    case .signed, .unsigned, .character: isSigned ? .decimal : .unsigned
    }
  }
}

extension LocationPlan {
  /// The plan inside an extension, and whether the whole is narrow by itself.
  fileprivate var withoutExtension: (plan: LocationPlan, isNarrow: Bool) {
    switch self {
    case .extend(let inner, _, _): (inner, true)
    case .load, .bits: (self, true)
    default: (self, false)
    }
  }
}

extension SiteFormat.Presentation {
  /// What a value that is the same at every hit looks like; nil where the user side knows better.
  fileprivate func text(ofConstant value: Int64) -> String? {
    switch self {
    case .decimal: "\(value)"
    case .unsigned: "\(UInt64(bitPattern: value))"
    case .hexadecimal: "0x" + String(UInt64(bitPattern: value), radix: 16)
    case .narrowed(let byteCount, true, let inner) where byteCount < 8:
      inner.text(ofConstant: (value << (64 - 8 * byteCount)) >> (64 - 8 * byteCount))
    case .narrowed(let byteCount, false, let inner) where byteCount < 8:
      inner.text(ofConstant: value & ((1 << (8 * byteCount)) - 1))
    case .narrowed, .character, .unicode, .boolean, .string, .enumerator, .float: nil
    }
  }
}
