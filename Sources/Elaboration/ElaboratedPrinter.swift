import StapSyntax
import TargetModel

extension ElaboratedProgram {
  /// The text form: like a script, with every name resolved and every type written.
  package var text: String {
    var printer = ElaboratedPrinter(program: self)
    return printer.print()
  }
}

/// Writes an elaborated program line by line.
struct ElaboratedPrinter {
  let program: ElaboratedProgram
  var locals: [ElaboratedLocal] = []
  private var lines: [String] = []
  private var depth = 0

  init(program: ElaboratedProgram) { self.program = program }

  /// The whole program.
  mutating func print() -> String {
    for global in program.globals { add(describe(global)) }
    for function in program.functions { add(function) }
    for probe in program.probes { add(probe) }
    return lines.joined(separator: "\n") + "\n"
  }

  private mutating func add(_ line: String) { lines.append(String(repeating: "  ", count: depth) + line) }

  private func describe(_ global: ElaboratedGlobal) -> String {
    var text = "global \(global.name)"
    if !global.keyTypes.isEmpty { text += "[\(global.keyTypes.map(\.rawValue).joined(separator: ", "))]" }
    text += ": \(global.valueType.rawValue)"
    if let size = global.maximumSize { text += " size \(size)" }
    if global.wraps { text += " wraps" }
    switch global.initialValue {
    case .number(let value): text += " = \(value)"
    case .string(let value): text += " = \(value.quoted)"
    case nil: break
    }
    return text + (global.isShownAtEnd ? " shown" : "")
  }

  private mutating func add(_ function: ElaboratedFunction) {
    locals = function.body.locals
    let parameters = function.body.locals.prefix(function.parameterCount).map(describe).joined(
      separator: ", "
    )
    let result = function.result.map { ": \($0.rawValue)" } ?? ""
    let fallback = function.fallback.map { " else \(program.functions[$0].name)#\($0)" } ?? ""
    add("function \(function.name)(\(parameters))\(result)\(fallback)")
    add(function.body, skipping: function.parameterCount)
  }

  private mutating func add(_ probe: ElaboratedProbe) {
    locals = probe.body.locals
    add("probe \(probe.name)")
    depth += 1
    add(probe.trigger)
    if let condition = probe.condition { add("if \(text(condition))") }
    depth -= 1
    add(probe.body, skipping: 0)
  }

  private mutating func add(_ trigger: ElaboratedTrigger) {
    switch trigger {
    case .begin(let order): add("begin order \(order)")
    case .end(let order): add("end order \(order)")
    case .error(let order): add("error order \(order)")
    case .timer(let nanoseconds, let randomization):
      add("timer \(nanoseconds) ns" + (randomization == 0 ? "" : " ± \(randomization) ns"))
    case .never: add("never")
    case .userInstruction(let sites, let processes): add(sites, "at", processes)
    case .userReturn(let sites, let processes): add(sites, "return of", processes)
    case .userData(let sites, let processes): add(sites, "access to", processes)
    case .tracepoint(let hook, let count, let description, let filter):
      add("\(hook.kind) \(hook.name) with \(count) arguments" + (filter.map { " in processes\($0)" } ?? ""))
      add(description.formats)
    case .event(let event): add("\(event)")
    case .sample(let sampling, _, let filter):
      add("\(sampling)" + (filter.map { " in processes\($0)" } ?? ""))
    case .running(let filter, _): add("running processes\(filter)")
    }
  }

  private mutating func add(_ sites: [ProbeSite], _ word: String, _ processes: ProcessScope) {
    for site in sites {
      let semaphore = site.semaphore.map { " semaphore 0x\(String($0.raw, radix: 16))" } ?? ""
      let place = String(site.watch == nil ? site.fileOffset.raw : site.linkAddress.raw, radix: 16)
      add("\(word) \(site.description.probePoint) 0x\(place)\(semaphore)\(processes)")
      add(site.description.formats)
      for (index, load) in site.description.loads.enumerated() { add("  load \(index): \(load.text)") }
    }
  }

  private mutating func add(_ formats: [SiteFormat]) {
    for (slot, format) in formats.enumerated() { add("  format \(slot): \(format.text)") }
  }

  private mutating func add(_ body: ElaboratedBody, skipping count: Int) {
    let own = body.locals.dropFirst(count)
    depth += 1
    if !own.isEmpty { add("locals \(own.map(describe).joined(separator: ", "))") }
    depth -= 1
    add(body.statement)
  }

  private func describe(_ local: ElaboratedLocal) -> String { "\(local.name): \(local.type.rawValue)" }

  private mutating func add(_ statement: ElaboratedStatement) {
    if case .block(let statements) = statement.kind {
      add("{")
      for inner in statements { addInner(inner) }
      add("}")
    } else {
      addInner(statement)
    }
  }

  private mutating func addInner(_ statement: ElaboratedStatement) {
    depth += 1
    addLine(statement)
    depth -= 1
  }

  private mutating func addLine(_ statement: ElaboratedStatement) {
    switch statement.kind {
    case .block: add(statement)
    case .expression(let expression): add(text(expression))
    case .if(let condition, let then, let otherwise):
      add("if (\(text(condition)))")
      add(then)
      guard let otherwise else { return }
      add("else")
      add(otherwise)
    case .loop(let initial, let condition, let step, let body):
      let parts = [initial, condition, step].map { $0.map { text($0) } ?? "" }
      add("for (\(parts.joined(separator: "; ")))")
      add(body)
    case .foreach(let loop):
      add("foreach (\(describe(loop)))")
      add(loop.body)
    case .break: add("break")
    case .continue: add("continue")
    case .next: add("next")
    case .return(let value): add("return" + (value.map { " " + text($0) } ?? ""))
    case .delete(let global, let keys): add("delete \(element(global, keys))")
    case .tryCatch(let body, let message, let handler):
      add("try")
      add(body)
      add("catch" + (message.map { " (\(locals[$0].name))" } ?? ""))
      add(handler)
    }
  }

  private func describe(_ loop: ElaboratedForeach) -> String {
    var text = loop.value.map { "\(locals[$0].name) = " } ?? ""
    text += "[\(loop.keys.map { locals[$0].name }.joined(separator: ", "))] in "
    let base = element(loop.global, loop.slice)
    text += loop.histogram.map { self.text($0, base) } ?? base
    if let sort = loop.sort {
      let by =
        switch sort.by {
        case .key(let index): "key \(index)"
        case .value: "value"
        case .statistic(let operation): "@\(operation.rawValue)"
        }
      text += " by \(by)" + (sort.direction == .descending ? " descending" : "")
    }
    if let limit = loop.limit { text += " limit \(self.text(limit))" }
    return text
  }
}

extension SiteFormat {
  /// The text with holes, for people.
  var text: String {
    pieces.map { piece in
      switch piece {
      case .text(let text): text
      case .value(let index, let presentation): "{\(index):\(presentation.text)}"
      case .computed(let plan, let presentation): "{\(plan.text):\(presentation.text)}"
      case .chosen(let index, let choices, let others):
        "{\(index): "
          + choices.map { choice in
            choice.keys.map(String.init).joined(separator: ",") + " → \(SiteFormat(choice.pieces).text)"
          }.joined(separator: "; ") + "; else \(SiteFormat(others).text)}"
      }
    }.joined()
  }
}

extension SiteFormat.Presentation {
  fileprivate var text: String {
    switch self {
    case .decimal: "d"
    case .unsigned: "u"
    case .hexadecimal: "x"
    case .character: "c"
    case .unicode: "U"
    case .boolean: "b"
    case .string: "s"
    case .enumerator: "enum"
    case .float(let byteCount): "f\(byteCount)"
    case .narrowed(let byteCount, let isSigned, let inner):
      "\(isSigned ? "i" : "u")\(byteCount * 8)\(inner.text)"
    }
  }
}

extension String {
  /// In double quotes, with escapes where a line would break.
  var quoted: String {
    var text = "\""
    for scalar in unicodeScalars {
      switch scalar {
      case "\n": text += "\\n"
      case "\t": text += "\\t"
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text + "\""
  }
}
