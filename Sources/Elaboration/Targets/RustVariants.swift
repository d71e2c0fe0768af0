import TargetModel

// The alternatives of Rust's enums.

extension StructureLayout.Variants {
  /// The discriminant of `object`, extended with zeros; nil where it is not known or there is none.
  func discriminant(of object: TargetObject) -> LocationPlan? {
    guard let discriminant, let byteCount = object.source.byteCount(of: discriminant.type), byteCount <= 8,
      let part = object.part(at: discriminant.bitOffset, type: discriminant.type)
    else { return nil }
    let plan = part.location.read(byteCount: byteCount, isSigned: false)
    // What is not in memory may have been read with its sign.
    return plan.map { byteCount == 8 ? $0 : .extend($0, byteCount: byteCount, isSigned: false) }
  }

  /// `present` where the object is the alternative `variant`, else `absent`.
  func choose(
    _ variant: Int,
    by discriminant: LocationPlan,
    _ present: LocationPlan,
    else absent: LocationPlan
  ) -> LocationPlan {
    guard keys.indices.contains(variant), keys[variant].isEmpty else {
      let own = keys.indices.contains(variant) ? keys[variant] : []
      return .selected(by: discriminant, from: [PlanChoice(keys: own, plan: present)], else: absent)
    }
    let others = PlanChoice(keys: keys.flatMap { $0 }, plan: absent)
    return .selected(by: discriminant, from: [others], else: present)
  }

  /// The place of an alternative: at address 0 where the object is another one, so that reading a field of it is a fault, as
  /// behind a null pointer.
  func guarded(_ location: ValueLocation, _ variant: Int, by discriminant: LocationPlan) -> ValueLocation {
    switch location {
    case .memory(let memory, let address):
      .memory(memory, address: choose(variant, by: discriminant, address, else: .constant(0)))
    case .value(let plan): .value(choose(variant, by: discriminant, plan, else: .unknown))
    case .pieces(let pieces):
      .pieces(
        pieces.map { piece in
          let inner = piece.location.map { guarded($0, variant, by: discriminant) }
          return ValueLocation.Piece(bitCount: piece.bitCount, location: inner)
        }
      )
    case .pointer(let target, let offset):
      .pointer(to: guarded(target, variant, by: discriminant), byteOffset: offset)
    }
  }
}

extension TargetPretty {
  /// The name of the alternative that is there, and its fields unless only the name is asked for.
  mutating func add(
    _ variants: StructureLayout.Variants,
    of layout: StructureLayout,
    _ object: TargetObject,
    _ pretty: TargetQuery.Pretty
  ) {
    let alternatives = variants.keys.indices.map { variant in
      captured { text in
        for member in layout.members where member.variant == variant {
          text.add(member.name ?? "")
          guard pretty != .name, let fields = member.object(in: object),
            case .structure(let inner) = object.source.layout(of: member.type), !inner.members.isEmpty
          else { continue }
          text.addMembers(of: inner, fields, pretty)
        }
      }
    }
    guard variants.discriminant != nil else {
      pieces += alternatives.first ?? []
      return
    }
    guard let plan = variants.discriminant(of: object) else { return addUnknown() }
    let all = zip(variants.keys, alternatives).map { SiteFormat.Piece.Choice(keys: $0, pieces: $1) }
    let others = all.first(where: \.keys.isEmpty)?.pieces
    let flag = index(of: TargetCapture(plan: plan, kind: .number, isEntry: object.isEntry))
    pieces.append(.chosen(flag, all.filter { !$0.keys.isEmpty }, else: others ?? [.text("?")]))
  }

  /// The pieces that `build` adds, apart from the others.
  mutating func captured(_ build: (inout TargetPretty) -> Void) -> [SiteFormat.Piece] {
    let before = pieces
    defer { pieces = before }
    pieces = []
    build(&self)
    return pieces
  }
}
