import DwarfIndex
import Foundation
import TargetModel
import TestSupport
import Testing

/// The variables of random functions, as gdb sees them at the same address.
///
/// `UTRACE_COMPARE=1000 swift test --filter GDBTests` compares that many functions of each program and lists every
/// difference; docs/decisions/0032-compared-with-gdb.md explains those that remain.
@Suite("gdb's opinion", .timeLimit(.minutes(10))) struct GDBTests {
  private static let requested = ProcessInfo.processInfo.environment["UTRACE_COMPARE"].flatMap {
    Int($0)
  }

  /// One variable as both sides may tell of it.
  private struct Description {
    var type: String
    var place: String
  }

  @Test(
    "types and places at the entry",
    arguments: ["psql", "postgres", "libc.so.6", "libjvm.so", "targets-clang-O2"]
  )
  func agrees(_ name: String) throws {
    guard let path = try Self.program(name), (try? run("gdb", ["--version"]))?.status == 0 else {
      try Test.cancel("no gdb, or no \(name) with debug info")
    }
    let image = try ProgramImage(path: path)
    guard image.hasDebugInfo else { try Test.cancel("no debug info for \(path)") }
    var generator = SeededGenerator(seed: 20_230_601)
    // Of a sixth or so gdb lists an inlined function's variables.
    let wanted = Self.requested ?? 60
    let functions = image.functions(matching: FunctionPattern(name: "*")).filter { $0.die != nil }
      .shuffled(using: &generator).prefix(wanted + wanted / 2)
    let theirs = try Self.ask(path, functions.map(\.entry.raw))
    let answered = functions.filter { theirs[$0.entry.raw] != nil }.prefix(wanted)
    var agreed = 0
    var explained: [Explanation: Int] = [:]
    var differences: [String] = []
    for function in answered {
      guard let their = theirs[function.entry.raw] else { continue }
      let own = Self.describe(function, image)
      for name in Set(own.keys).union(their.keys).sorted() {
        let (one, other) = (own[name], their[name])
        if let one, let other, Self.isSame(one.type, other.type), Self.isSamePlace(one.place, other.place) {
          agreed += 1
        } else if let why = Self.explanation(one?.place, other?.place) {
          explained[why, default: 0] += 1
        } else {
          let own = one.map { "\($0.type) \($0.place)" } ?? "nothing"
          let their = other.map { "\($0.type) \($0.place)" } ?? "nothing"
          differences.append("\(function.name) \(name): \(own) | \(their)")
        }
      }
    }
    if Self.requested != nil {
      print("\(name): \(answered.count) functions, \(agreed) variables agree, \(differences.count) differ")
      for (why, count) in explained.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
        print("  \(count) explained: \(why)")
      }
      for difference in differences { print("  " + difference) }
    }
    #expect(agreed > 60)
    #expect(differences.count * 100 <= agreed, "\(differences.joined(separator: "\n"))")
  }

  private static func program(_ name: String) throws -> String? {
    switch name {
    case "psql":
      let made = try run("\(root)/Scripts/build-psql", [])
      return made.status == 0 ? made.output.split(separator: "\n").last.map(String.init) : nil
    case "postgres":
      // Building it takes minutes: only for the long comparison, or where it is there already.
      let arguments = requested == nil ? ["--server", "--path"] : ["--server"]
      let made = try run("\(root)/Scripts/build-psql", arguments)
      let path = made.output.split(separator: "\n").last.map(String.init)
      return made.status == 0 ? path.flatMap { FileManager.default.fileExists(atPath: $0) ? $0 : nil } : nil
    case "libjvm.so":
      // 257 MB of debug info take gdb, and utrace built for tests, too long for every day.
      let path = "/usr/lib/jvm/java-17-openjdk-amd64/lib/server/libjvm.so"
      return requested != nil && FileManager.default.fileExists(atPath: path) ? path : nil
    case "libc.so.6": return "/usr/lib/x86_64-linux-gnu/libc.so.6"
    default:
      let made = try run("make", ["-s", "-C", "\(root)/TestPrograms", name])
      return made.status == 0 ? "\(root)/.build/test-programs/\(name)" : nil
    }
  }

  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent()
    .deletingLastPathComponent().path

  // MARK: Our side

  private static func describe(
    _ function: FunctionMatch,
    _ image: ProgramImage
  ) -> [String:
    Description]
  {
    var result: [String: Description] = [:]
    for variable in image.variables(of: function, at: function.entry) {
      let place = image.location(of: variable, in: function, at: function.entry)
      result[variable.name] = Description(
        type: image.types.spelling(of: variable.type),
        place: text(place, at: function.entry.raw)
      )
    }
    return result
  }

  private static func text(_ place: VariableLocation, at address: UInt64) -> String {
    let file = RegisterFile.x86_64
    switch place {
    case .unavailable(let reason): return "none (\(reason))"
    case .found(.value(.register(let number))): return "reg \(file.register(number)?.name ?? "?")"
    case .found(.pointer): return "implicit"
    case .found(.value(.constant(let value))): return "const \(value)"
    case .found(.memory(_, .constant(let address))): return "static \(address)"
    case .found(
      .memory(_, .binary(.add, .register(file.instructionPointer), .constant(let distance)))
    ):
      return "static \(distance + Int64(address))"
    case .found(.memory(_, .binary(.add, .register(file.stackPointer), .constant(let offset)))):
      return "stack \(offset)"
    case .found(.memory(_, .register(file.stackPointer))): return "stack 0"
    case .found: return "expression"
    }
  }

  // MARK: gdb's side

  private static func ask(
    _ path: String,
    _ addresses: [UInt64]
  ) throws -> [UInt64: [String:
    Description]]
  {
    let scratch = try ScratchDirectory()
    let list = try scratch.write(
      addresses.map { String($0, radix: 16) }.joined(separator: "\n"),
      to: "addresses"
    )
    let script = try scratch.write(
      """
      import gdb
      gdb.execute("set width 0")
      for line in open("\(list)"):
          address = int(line, 16)
          block = gdb.block_for_pc(address)
          chain = []
          while block is not None and not block.is_static and not block.is_global:
              chain.append(block)
              block = block.superblock
          functions = [b for b in chain if b.function]
          if len(functions) != 1:
              continue
          print("== %x" % address)
          seen = set()
          for block in chain:
              for symbol in block:
                  is_enumerator = symbol.is_constant and symbol.type.code == gdb.TYPE_CODE_ENUM
                  if symbol.addr_class == gdb.SYMBOL_LOC_LABEL or symbol.is_function or is_enumerator:
                      continue
                  if symbol.is_variable or symbol.is_argument or symbol.is_constant:
                      if symbol.name not in seen:
                          seen.add(symbol.name)
                          print("type\\t%s\\t%s" % (symbol.name, symbol.type))
          try:
              print(gdb.execute("info scope *0x%x" % address, to_string=True))
          except gdb.error as problem:
              print("refused: %s" % problem)
      """,
      to: "ask.py"
    )
    let output = try run(
      "gdb",
      ["-nx", "-batch", "-iex", "set debuginfod enabled off", "-x", script, path]
    ).output
    var result: [UInt64: [String: Description]] = [:]
    for section in output.components(separatedBy: "== ").dropFirst() {
      let lines = section.split(separator: "\n").map(String.init)
      guard let address = lines.first.flatMap({ UInt64($0, radix: 16) }), !section.contains("refused: ")
      else {
        continue
      }
      var variables: [String: Description] = [:]
      for line in lines where line.hasPrefix("type\t") {
        let words = line.split(separator: "\t").map(String.init)
        if words.count == 3 { variables[words[1]] = Description(type: words[2], place: "none") }
      }
      var seen: Set<String> = []
      let symbol = /Symbol (\S+) is optimized out\.|Symbol (\S+) is ((?s:.*?)), length \d+\./
      let text = lines.filter { !$0.hasPrefix("type\t") }.joined(separator: "\n")
      for match in text.matches(of: symbol) {
        guard let name = (match.1 ?? match.2).map(String.init), seen.insert(name).inserted else {
          continue
        }
        variables[name]?.place = match.3.map { place(String($0), at: address) } ?? "none"
      }
      result[address] = variables
    }
    return result
  }

  /// gdb's words for a place, as ``text(_:at:)`` has them.
  private static func place(_ text: String, at address: UInt64) -> String {
    if text.contains("multi-location") {
      for range in text.matches(of: /Range 0x([0-9a-f]+)-0x([0-9a-f]+): ((?s:.*?))(?=\n  Range|$)/) {
        guard let low = UInt64(range.1, radix: 16), let high = UInt64(range.2, radix: 16),
          low <= address,
          address < high
        else { continue }
        return place(String(range.3), at: address)
      }
      return "none"
    }
    if text.contains("optimized out") { return "none" }
    if let match = text.firstMatch(of: /a variable in \$(\w+)/) { return "reg \(match.1)" }
    if let match = text.firstMatch(of: /constant (?:with value )?(-?\d+)/) {
      return "const \(match.1)"
    }
    if let match = text.firstMatch(of: /static storage at address 0x([0-9a-f]+)/) {
      return "static \(Int64(match.1, radix: 16) ?? 0)"
    }
    let operations = text.matches(of: /\d+: (DW_OP_\w+) ?(-?\d+)?/)
    if operations.count == 1, operations[0].1 == "DW_OP_fbreg",
      let offset = operations[0].2.flatMap({ Int64($0) })
    {
      return "frame \(offset + 8)"
    }
    if let match = text.firstMatch(of: /frame base reg \$\w+ offset \d+\+(-?\d+)/) {
      return "frame \(match.1)"
    }
    return "expression"
  }

  // MARK: Comparison

  private static func isSamePlace(_ own: String, _ their: String) -> Bool {
    if own == their { return true }
    if own.hasPrefix("none") && their == "none" { return true }
    if own == "expression" || their == "expression" {
      return !own.hasPrefix("none") && their != "none"
    }
    // gdb's frame exists from the first instruction on: what it says is where the prologue will put it.
    guard their.hasPrefix("frame ") else { return false }
    return own == "stack " + their.dropFirst(6) || own.hasPrefix("reg ") || own.hasPrefix("stack ")
  }

  /// The rows of the table in docs/decisions/0032-compared-with-gdb.md.
  private enum Explanation: String {
    case optimisedOutThere, enumerator, vectorRegister, unknownThere, frameBase, callerKnows, implicitPointer
  }

  /// Why the places differ; nil when nothing explains it.
  private static func explanation(_ own: String?, _ their: String?) -> Explanation? {
    guard let own else { return their == "none" ? .optimisedOutThere : nil }
    // Of constants of an enumeration type, gdb does not tell variables from enumerators.
    guard let their else { return own.hasPrefix("const ") ? .enumerator : nil }
    if their.hasPrefix("reg xmm") {
      return own.hasPrefix("none (it is in a register that probes cannot read") ? .vectorRegister : nil
    }
    if their == "none" {
      return own.hasPrefix("reg ") || own.hasPrefix("stack ") || own == "expression" ? .unknownThere : nil
    }
    if their.hasPrefix("frame ") {
      return own.hasPrefix("none (the function has no frame base here") ? .frameBase : nil
    }
    guard their == "expression" else { return nil }
    if own.contains("only callers know it") { return .callerKnows }
    return own.contains("it points to something") || own.contains("implicit") ? .implicitPointer : nil
  }

  /// Equal but for spaces and the order in which C lets one write integer types.
  private static func isSame(_ own: String, _ their: String) -> Bool {
    normal(own) == normal(their)
  }

  private static func normal(_ type: String) -> [String] {
    var text = type.replacingOccurrences(of: "{...}", with: " {...} ")
    for symbol in ["*", "&", "(", ")", "[", "]", ","] {
      text = text.replacingOccurrences(of: symbol, with: " \(symbol) ")
    }
    let dropped: Set<String> = [
      "struct", "union", "enum", "class", "int", "signed", "{...}", "variable", "length",
    ]
    var words = text.split(separator: " ").map(String.init)
    let isPlainInteger =
      words.contains("int") && !words.contains("long") && !words.contains("short")
    words = words.filter { !dropped.contains($0) }
    return words.sorted() + (isPlainInteger ? ["int"] : [])
  }

}
