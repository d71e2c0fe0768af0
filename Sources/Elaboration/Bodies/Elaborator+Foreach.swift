import Diagnostics
import StapSyntax

extension Elaborator {
  /// Converts a `foreach`.
  mutating func walk(_ loop: Foreach, at range: SourceRange) -> ElaboratedStatement.Kind {
    switch loop.base {
    case .array(let name, let slice): walkArray(keepingKeys(of: loop), name, slice)
    case .histogram(let expression): walkHistogram(loop, expression)
    }
  }

  private mutating func walkArray(
    _ loop: Foreach,
    _ name: Name,
    _ slice: [IndexPattern]?
  ) -> ElaboratedStatement.Kind {
    guard let global = useArray(name, arity: loop.keys.count) else {
      defineAll(loop)
      return .block([])
    }
    markRead(global)
    let keyTypes = self.keyTypes(of: global)
    let keys = zip(loop.keys, keyTypes).map { defineLoopVariable($0, $1) }
    let value = loop.value.map { defineLoopVariable($0, elementType(of: global)) }
    let sliced = slice.map { walkSlice($0, of: global, name) } ?? []
    let limit = loop.limit.map { walkLong($0, "a limit") }
    body.iterated.append((global, name.range))
    let outside = body.walkedValues
    if let value = loop.value {
      body.walkedValues.append(WalkedValue(name: value.text, global: global, keys: loop.keys))
    }
    let statement = walkBody(of: loop)
    body.walkedValues = outside
    body.iterated.removeLast()
    return .foreach(
      ElaboratedForeach(
        global: outputIndex(of: global),
        slice: sliced,
        histogram: nil,
        keys: keys,
        value: value,
        sort: sortOrder(loop, of: global),
        limit: limit,
        body: statement
      )
    )
  }

  /// Where the body asks for statistics of the value, keys that it changes are kept in variables of their own, so that they
  /// go on leading to the element.
  ///
  ///     foreach (v = [k] in s) { k = 1; println(@avg(v)) }
  ///     ⇒  foreach (v = [k'] in s) { k = k'; { k = 1; println(@avg(v)) } }
  private func keepingKeys(of loop: Foreach) -> Foreach {
    guard let value = loop.value, loop.body.asksForStatistic(of: value.text) else { return loop }
    let written = loop.body.writtenNames
    var (kept, starts) = (loop, [Statement]())
    for (index, key) in loop.keys.enumerated()
    where written.contains(key.text) && symbols.global(named: key.text, in: body.source) == nil {
      let hidden = Name("\(key.text)'", key.range)
      kept.keys[index] = hidden
      let (place, source) = (
        Expression(.identifier(key.text), key.range), Expression(.identifier(hidden.text), key.range)
      )
      starts.append(Statement(.expression(Expression(.assign(.set, place, source), key.range)), key.range))
    }
    if !starts.isEmpty { kept.body = Statement(.block(starts + [loop.body]), loop.body.range) }
    return kept
  }

  private mutating func walkHistogram(_ loop: Foreach, _ base: Expression) -> ElaboratedStatement.Kind {
    guard case .histogram(let histogram) = base.kind,
      let (global, keys) = walkStatistic(histogram.statistic)
    else {
      defineAll(loop)
      return .block([])
    }
    if loop.keys.count != 1 { report(.histogramKeys(at: base.range)) }
    let variables = loop.keys.map { defineLoopVariable($0, .known(.long)) }
    let value = loop.value.map { defineLoopVariable($0, .known(.long)) }
    let limit = loop.limit.map { walkLong($0, "a limit") }
    return .foreach(
      ElaboratedForeach(
        global: outputIndex(of: global),
        slice: keys,
        histogram: histogram.shape,
        keys: variables,
        value: value,
        sort: loop.sort,
        limit: limit,
        body: walkBody(of: loop)
      )
    )
  }

  private mutating func walkBody(of loop: Foreach) -> ElaboratedStatement {
    let variables = loop.variables
    body.loopDepth += 1
    body.loopVariables += variables
    defer {
      body.loopDepth -= 1
      body.loopVariables.removeLast(variables.count)
    }
    return walk(loop.body)
  }

  private mutating func walkSlice(
    _ slice: [IndexPattern],
    of global: Int,
    _ name: Name
  ) -> [ElaboratedExpression?] {
    let arity = keyTypes(of: global).count
    guard slice.count == arity else {
      report(.wrongKeyCount(name, slice.count, expected: arity, symbols.globals[global]))
      return []
    }
    return walk(patterns: slice, of: global)
  }

  /// `foreach` variables are locals; a global there is written like one.
  private mutating func defineLoopVariable(_ name: Name, _ type: TypeTerm) -> Int {
    if symbols.global(named: name.text, in: body.source) != nil { report(.loopVariableIsGlobal(name)) }
    if let outer = body.loopVariables.last(where: { $0.text == name.text }), !body.isTapset(symbols) {
      let message = "'\(name.text)' is the variable of the loop around, too, which loses it here"
      report(.shadowedVariable(name, message, by: outer.range))
    }
    let index = local(named: name.text, at: name.range)
    body.locals[index].isAssigned = true
    // Walking keys only to count them is common; unused ones are no mistake.
    body.locals[index].isRead = true
    unify(body.locals[index].type, type, "'\(name.text)'", at: name.range)
    return index
  }

  /// Keeps the variables of a broken loop from being called undefined.
  private mutating func defineAll(_ loop: Foreach) {
    for name in loop.variables {
      let index = local(named: name.text, at: name.range)
      body.locals[index].isAssigned = true
      body.locals[index].isRead = true
    }
    _ = walkBody(of: loop)
  }

  /// Statistics are ordered by their count unless the script says otherwise.
  private func sortOrder(
    _ loop: Foreach,
    of global: Int
  ) -> (by: Foreach.SortBy, direction: Foreach.Direction)? {
    guard let sort = loop.sort, case .value = sort.by else { return loop.sort }
    let isStatistic = symbols.globals[global].value.flatMap { types.resolved($0) } == .statistic
    return isStatistic ? (.statistic(.count), sort.direction) : sort
  }
}

extension Foreach {
  /// Those of keys and value.
  fileprivate var variables: [Name] { keys + (value.map { [$0] } ?? []) }
}
