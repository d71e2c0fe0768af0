import TargetModel

extension ImageCore {
  /// The labels in a function, those of code that was inlined into it included, by address.
  func labels(of function: FunctionMatch) -> [LabelMatch] {
    guard let raw = function.die else { return [] }
    return session.read { reader in
      guard let die = reader.die(DIEReference(raw: raw)) else { return [] }
      var found: [LabelMatch] = []
      die.walkCode { child in
        guard child.tag == DwarfTag.label, let name = child.name, let address = child.entryAddress else {
          return
        }
        found.append(LabelMatch(name: name, address: LinkAddress(address), line: child.declarationLine))
      }
      return found.sorted { $0.address < $1.address }
    }
  }

  /// What a function calls directly, by DW_TAG_call_site (gcc 4.7 and later, clang), and what was inlined into it.
  func callees(of function: FunctionMatch) -> [CalleeMatch] {
    guard let raw = function.die, let index else { return [] }
    let query = SiteQuery(index)
    return session.read { reader in
      guard let die = reader.die(DIEReference(raw: raw)) else { return [] }
      var calls: [UInt64: CalleeMatch] = [:]
      var inlined: [CalleeMatch] = []
      die.walkCode { child in
        switch child.tag {
        case DwarfTag.inlinedSubroutine:
          inlined.append(
            CalleeMatch(function: FunctionMatch(scope: child, around: die), calls: [], hasTailCall: false)
          )
        case DwarfTag.callSite, DwarfTag.gnuCallSite:
          guard let entry = child.callOrigin.flatMap({ Self.entry(of: $0, query) }) else { return }
          guard let match = calls[entry]?.function ?? query.function(containing: entry)?.match else { return }
          var callee = calls[entry] ?? CalleeMatch(function: match, calls: [], hasTailCall: false)
          if child.isTailCall {
            callee.hasTailCall = true
          } else if let address = child.callReturnAddress {
            callee.calls.append(LinkAddress(address))
          }
          calls[entry] = callee
        default: return
        }
      }
      return inlined + calls.sorted { $0.key < $1.key }.map(\.value)
    }
  }

  /// Where the code of the function that `origin` stands for begins; nil when it is in another file.
  private static func entry(of origin: DIE, _ query: SiteQuery) -> UInt64? {
    if let entry = origin.entryAddress { return entry }
    // A declaration: the definition is in another unit, under its symbol's name.
    guard let name = origin.string(DwarfAttribute.linkageName) ?? origin.name else { return nil }
    let found = query.functions(matching: FunctionPattern(name: name)).map(\.match)
    return (found.first { $0.die != nil } ?? found.first)?.entry.raw
  }

  /// The frame's CFA when the instruction at `address` is about to run, over the registers that it has then.
  func canonicalFrameAddress(at address: LinkAddress) -> LocationPlan? {
    session.read { reader in
      FrameRules(reader, function: nil, context: context(at: address, entry: nil)).canonicalFrameAddress
    }
  }
}

extension DIE {
  /// The innermost function, or inlined instance of one, whose code holds `address`; itself when there is none below.
  func innermostFunction(at address: UInt64) -> DIE {
    var innermost = self
    var scope: DIE? = self
    // Scopes nest a few dozen deep at most.
    for _ in 0..<256 {
      guard
        let inner = scope?.children.first(where: { child in
          (child.tag == DwarfTag.lexicalBlock || child.tag == DwarfTag.inlinedSubroutine)
            && child.contains(address)
        })
      else { break }
      if inner.tag == DwarfTag.inlinedSubroutine { innermost = inner }
      scope = inner
    }
    return innermost
  }

  /// The function with code of its own at `address`, below this unit, namespace or class.
  func function(at address: UInt64, depth: Int = 0) -> DIE? {
    guard depth < 64 else { return nil }
    for child in children {
      switch child.tag {
      case DwarfTag.subprogram where child.contains(address): return child
      case DwarfTag.namespace, DwarfTag.module, DwarfTag.structureType, DwarfTag.classType:
        if let found = child.function(at: address, depth: depth + 1) { return found }
      default: continue
      }
    }
    return nil
  }

  /// Calls `body` with every DIE of a function's code: blocks, inlined instances, labels, calls.
  func walkCode(depth: Int = 0, _ body: (DIE) -> Void) {
    guard depth < 256 else { return }
    for child in children {
      body(child)
      guard child.tag == DwarfTag.lexicalBlock || child.tag == DwarfTag.inlinedSubroutine else { continue }
      child.walkCode(depth: depth + 1, body)
    }
  }

  /// What a call site calls (DWARF 5, section 3.4.1, and GNU's form of it before).
  var callOrigin: DIE? {
    reference(DwarfAttribute.callOrigin, isOwn: true) ?? reference(DwarfAttribute.abstractOrigin, isOwn: true)
  }

  var isTailCall: Bool {
    flag(DwarfAttribute.callTailCall, isOwn: true) || flag(DwarfAttribute.gnuTailCall, isOwn: true)
  }

  /// Where the call returns to; GNU's form keeps it as DW_AT_low_pc.
  var callReturnAddress: UInt64? {
    address(DwarfAttribute.callReturnPC) ?? address(DwarfAttribute.lowPC)
  }
}
