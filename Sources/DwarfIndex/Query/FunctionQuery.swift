import ELF
import Platform
import Synchronization
import TargetModel

extension ImageCore {
  /// Out-of-line copies and, when asked, inlined instances, sorted by address.
  func functions(matching pattern: FunctionPattern) -> [FunctionMatch] {
    guard let index else { return [] }
    let query = SiteQuery(index)
    var matches: [FunctionMatch] = []
    if pattern.includeOutOfLine { matches = skipPrologues(query.functions(matching: pattern)) }
    if pattern.includeInlines { matches += inlineInstances(matching: pattern, query, index) }
    // Moving numbers is cheaper than moving matches.
    let order = matches.indices.sorted {
      (matches[$0].entry, matches[$0].die ?? 0) < (matches[$1].entry, matches[$1].die ?? 0)
    }
    return order.map { matches[$0] }
  }

  /// Moves the probe of unoptimised functions to where their variables are in place.
  func skipPrologues(_ found: [SiteQuery.Found]) -> [FunctionMatch] {
    guard found.contains(where: \.needsPrologue) else { return found.map(\.match) }
    return session.read { reader in
      found.map { found in
        var match = found.match
        guard found.needsPrologue, let raw = match.die, let end = match.end,
          let die = reader.die(DIEReference(raw: raw)), let unit = die.unit,
          !unit.isRust || die.keepsParametersInFrame(at: match.entry.raw),
          let address = unit.prologueEnd(
            entry: match.entry.raw,
            end: end.raw,
            isVariadic: die.children.contains { $0.tag == DwarfTag.unspecifiedParameters }
          )
        else { return match }
        match.probeAddress = LinkAddress(address)
        return match
      }
    }
  }

  private func inlineInstances(
    matching pattern: FunctionPattern,
    _ query: SiteQuery,
    _ index: IndexFile
  ) -> [FunctionMatch] {
    let wanted = query.inlines(matching: pattern)
    guard !wanted.isEmpty, let main = source.file else { return [] }
    // With references between units, those that an instance is in are not known.
    let units = index.hasForeignOrigins ? nil : Set(wanted.flatMap(\.units))
    let parts = units.flatMap { units in
      fewUnits(units, index) ?? UnitFeed.inPieces(main: main, alternate: info.alternate)
    }
    let feed = parts ?? UnitFeed(UnitCatalog(DwarfSections(main: main, alternate: info.alternate)))
    return inlineInstances(
      of: WantedInlines(wanted.map(\.record), of: index, for: pattern),
      in: units,
      from: feed
    )
  }

  /// A few units out of a packed section; nil where it is less work to read it from its front.
  private func fewUnits(_ units: Set<UInt64>, _ index: IndexFile) -> UnitFeed? {
    // Each may lie in a stretch of its own, and eight units are as long as one of those.
    guard units.count * 32 < index.count(.unitFronts), let (image, supply) = session.partlyUnpacked,
      let file = try? ELFFile(image, path: path)
    else { return nil }
    let starts = units.map { DIEReference(raw: $0).offset }
    for start in starts { supply.provideUnit(holding: start) }
    return UnitFeed.only(starts, of: file)
  }

  /// Those in `units`, nil: in all, from a section that may come in pieces, as far as the last of them.
  private func inlineInstances(
    of wanted: WantedInlines,
    in units: Set<UInt64>?,
    from feed: UnitFeed
  ) -> [FunctionMatch] {
    let last = units.map { $0.max() ?? 0 }
    let found = FoundInstances()
    ParallelScan.onThreads(units.map { min(threads, $0.count) } ?? threads, for: feed) {
      var scanner = InlineScanner(feed.catalog)
      while let batch = feed.next() {
        let headers = batch.headers.filter { units?.contains($0.reference($0.start).raw) ?? true }
        if let last, let end = batch.headers.last, end.reference(end.start).raw >= last { feed.stop() }
        guard !headers.isEmpty else { continue }
        if feed.isInPieces { scanner = InlineScanner(batch.catalog) }
        let matches = headers.flatMap { header in
          scanner.instances(in: header, of: wanted).map { FunctionMatch($0, of: wanted) }
        }
        found.matches.withLock { $0 += matches }
      }
    }
    return found.matches.withLock { $0 }
  }

  private final class FoundInstances: Sendable {
    let matches = Mutex<[FunctionMatch]>([])
  }
}

extension FunctionMatch {
  fileprivate init(_ instance: InlineScanner.Instance, of wanted: WantedInlines) {
    let function = wanted.functions[instance.function]
    self.init(
      name: function.name,
      scope: function.scope.isEmpty ? nil : function.scope,
      entry: LinkAddress(instance.code.entry),
      end: LinkAddress(instance.code.high),
      file: function.file.isEmpty ? nil : function.file,
      line: function.line == 0 ? nil : Int(function.line),
      isInlineInstance: true,
      die: instance.die
    )
  }
}

extension DIE {
  /// Whether this unit DIE is of Rust.
  fileprivate var isRust: Bool { unsigned(DwarfAttribute.language) == DwarfLanguage.rust }

  /// Whether some parameter of this function is in its frame at `entry`, and none in a register: unoptimised code.
  fileprivate func keepsParametersInFrame(at entry: UInt64) -> Bool {
    var isInFrame = false
    for child in children where child.tag == DwarfTag.formalParameter {
      guard case .expression(let operations) = child.location(DwarfAttribute.location, at: entry),
        let code = operations.first?.code
      else { continue }
      if DwarfOpcode.reg0...DwarfOpcode.reg31 ~= code { return false }
      isInFrame = isInFrame || code == DwarfOpcode.fbreg
    }
    return isInFrame
  }
}
