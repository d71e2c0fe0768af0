import Platform
import TargetModel

extension ImageCore {
  /// Out-of-line copies and, when asked, inlined instances, sorted by address.
  func functions(matching pattern: FunctionPattern) -> [FunctionMatch] {
    guard let index else { return [] }
    let query = SiteQuery(index)
    var matches: [FunctionMatch] = []
    if pattern.includeOutOfLine { matches = skipPrologues(query.functions(matching: pattern)) }
    if pattern.includeInlines { matches += inlineInstances(matching: pattern, query, index) }
    return matches.sorted { ($0.entry, $0.die ?? 0) < ($1.entry, $1.die ?? 0) }
  }

  /// Moves the probe of unoptimised functions to where their variables are in place.
  func skipPrologues(_ found: [SiteQuery.Found]) -> [FunctionMatch] {
    guard found.contains(where: \.needsPrologue) else { return found.map(\.match) }
    return session.read { reader in
      found.map { found in
        var match = found.match
        guard found.needsPrologue, let raw = match.die, let end = match.end,
          let die = reader.die(DIEReference(raw: raw)), let unit = die.unit,
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
    var names: [String: InlineRecord] = [:]
    for inline in wanted { names[index.string(inline.record.name)] = inline.record }
    let catalog = UnitCatalog(DwarfSections(main: main, alternate: info.alternate))
    var units = ContiguousArray(Set(wanted.flatMap(\.units)).sorted().compactMap(catalog.unit(startingAt:)))
    if index.hasForeignOrigins { units = catalog.headers }
    var scanner = InlineScanner(catalog)
    return units.flatMap { unit in
      scanner.instances(in: unit) { names[String(copying: $0)] != nil }
    }.compactMap { instance in
      let name = catalog.files.string(instance.name)
      guard let record = names[name] else { return nil }
      let scope = index.string(record.scope)
      let file = index.string(record.file)
      return FunctionMatch(
        name: name,
        scope: scope.isEmpty ? nil : scope,
        entry: LinkAddress(instance.code.entry),
        end: LinkAddress(instance.code.high),
        file: file.isEmpty ? nil : file,
        line: instance.line == 0 ? nil : Int(instance.line),
        isInlineInstance: true,
        die: instance.die
      )
    }
  }
}
