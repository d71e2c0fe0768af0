import DwarfIndex
import Platform
import TargetModel
import TestSupport
import Testing

@Suite("Variables") struct VariableTests {
  private static func register(_ number: Int) -> VariableLocation { .found(.value(.register(number))) }

  @Test(arguments: [["-gdwarf-4"], ["-gdwarf-5"], ["-gdwarf-2"], ["-g", "-fcf-protection"]])
  func parametersAtEntryOfOptimisedCodeAreInRegisters(_ flags: [String]) throws {
    let scratch = try ScratchDirectory()
    let image = try Samples.open(try scratch.compileC(Samples.shapes, to: "shapes", flags: flags + ["-O2"]))
    let places = image.places(in: "work")
    let expected = ["p": 5, "c": 4, "text": 1, "n": 2, "callback": 8]
    for (name, number) in expected { #expect(places[name] == Self.register(number), "\(name)") }
    // Behind endbr64 nothing has moved yet.
    let function = try #require(image.function(named: "work"))
    if flags.contains("-fcf-protection") {
      for variable in image.variables(of: function, at: function.entry) where expected[variable.name] != nil {
        let place = image.location(of: variable, in: function, at: function.entry.advanced(by: 4))
        #expect(place == Self.register(try #require(expected[variable.name])))
      }
    }
  }

  @Test(arguments: [["-gdwarf-2"], ["-gdwarf-4"], ["-gdwarf-5"], ["-gdwarf-5", "-fomit-frame-pointer"]])
  func variablesOfUnoptimisedCodeAreOnTheStack(_ flags: [String]) throws {
    let scratch = try ScratchDirectory()
    let image = try Samples.open(try scratch.compileC(Samples.shapes, to: "shapes", flags: flags + ["-O0"]))
    let function = try #require(image.function(named: "work"))
    let variables = image.variables(of: function, at: function.probeAddress)
    #expect(variables.filter(\.isParameter).map(\.name) == ["p", "c", "text", "n", "callback"])
    #expect(variables.filter { !$0.isParameter }.map(\.name).sorted() == ["calls", "sum"])
    let base = flags.contains("-fomit-frame-pointer") ? 7 : 6
    for (name, place) in image.places(in: "work") where name != "calls" {
      guard case .found(.memory(.user, let address)) = place, Self.isStackSlot(address, base) else {
        Issue.record("\(name) is at \(place)")
        continue
      }
    }
  }

  private static func isStackSlot(_ address: LocationPlan, _ base: Int) -> Bool {
    if case .binary(.add, .register(base), .constant) = address { return true }
    return address == .register(base)
  }

  @Test("two threads that ask at once are told what one is told")
  func areAskedSideBySide() throws {
    let scratch = try ScratchDirectory()
    let text = (0..<300).map { number in
      "__attribute__((noinline)) long f\(number)(long a\(number), char *b, int c) {"
        + " long sum = a\(number); while (c--) sum += b[c]; return sum + \(number); }"
    }
    let source = text.joined(separator: "\n") + "\nint main(void) { return f1(1, \"\", 0); }"
    let path = try scratch.compileC(source, to: "many", flags: ["-g", "-O2"])
    let (one, two) = (try Samples.open(path), try Samples.open(path))
    let functions = one.functions(matching: FunctionPattern(name: "f[0-9]*"))
    #expect(functions.count == 300)
    @Sendable func told(_ function: FunctionMatch, by image: ProgramImage) -> [String] {
      image.variables(of: function, at: function.entry).map { variable in
        "\(variable.name): \(image.location(of: variable, in: function, at: function.entry))"
      }
    }
    let expected = functions.map { told($0, by: one) }
    #expect(expected.allSatisfy { $0.count == 4 })
    #expect(SideBySide.map(functions, grain: 4) { told($0, by: two) } == expected)
  }

  @Test func theFrameBaseIsTheCFAEverywhere() throws {
    let scratch = try ScratchDirectory()
    let image = try Samples.open(
      try scratch.compileC(Samples.shapes, to: "shapes", flags: ["-gdwarf-5", "-O0"])
    )
    let function = try #require(image.function(named: "make_two"))
    let variable = try #require(image.variables(of: function, at: function.entry).first { $0.name == "a" })
    guard
      case .found(.memory(_, .binary(.add, .register(6), .constant(let inside)))) =
        image.location(of: variable, in: function, at: function.probeAddress)
    else {
      Issue.record("not by the frame pointer")
      return
    }
    // At the second instruction, behind `push rbp`, CFA = rsp + 16; after the prologue CFA = rbp + 16.
    let pushed = image.location(of: variable, in: function, at: function.entry.advanced(by: 1))
    #expect(pushed == .found(.memory(.user, address: LocationPlan.register(7).offset(by: inside))))
    // At the first one nothing has been stored yet.
    let atEntry = image.location(of: variable, in: function, at: function.entry)
    #expect(atEntry == Self.register(5))
  }

  @Test func blocksOpenAndClose() throws {
    let scratch = try ScratchDirectory()
    let image = try Samples.open(try scratch.compileC(Samples.shapes, to: "shapes", flags: ["-g", "-O0"]))
    let pattern = StatementPattern(function: "work", file: "shapes.c", line: .all)
    let statements = image.statements(matching: pattern).statements
    let visible = Set(
      statements.flatMap { statement in
        image.variables(of: statement.function, at: statement.address).map(\.name)
      }
    )
    #expect(visible.isSuperset(of: ["p", "sum", "i", "letter"]))
    let function = try #require(image.function(named: "work"))
    #expect(!image.variables(of: function, at: function.probeAddress).map(\.name).contains("letter"))
  }

  @Test func staticsFollowTheInstructionPointer() throws {
    let scratch = try ScratchDirectory()
    let pie = try scratch.compileC(Samples.shapes, to: "pie", flags: ["-g", "-O2"])
    let image = try Samples.open(pie)
    let address = try #require(try Self.dataSymbol("calls", in: pie))
    let function = try #require(image.function(named: "work"))
    let distance = Int64(address) - Int64(function.entry.raw)
    #expect(
      image.places(in: "work")["calls"]
        == .found(.memory(.user, address: LocationPlan.register(16).offset(by: distance)))
    )
    let fixed = try scratch.compileC(Samples.shapes, to: "fixed", flags: ["-g", "-O2", "-no-pie"])
    let place = try #require(try Self.dataSymbol("calls", in: fixed))
    #expect(
      try Samples.open(fixed).places(in: "work")["calls"]
        == .found(.memory(.user, address: .constant(Int64(place))))
    )
  }

  private static func dataSymbol(_ name: String, in program: String) throws -> UInt64? {
    for line in try run("nm", [program]).output.split(separator: "\n") {
      let parts = line.split(separator: " ")
      if parts.count == 3, parts[2] == name || parts[2].hasPrefix(name + ".") {
        return UInt64(parts[0], radix: 16)
      }
    }
    return nil
  }

  @Test func globalsHaveAddressesAndThreadLocalsOffsets() throws {
    let scratch = try ScratchDirectory()
    let program = try scratch.compileC(Samples.shapes, to: "shapes", flags: ["-g", "-O2"])
    let image = try Samples.open(program)
    let table = try #require(image.global(named: "global_table", unit: nil))
    #expect(
      table.place == .address(LinkAddress(try #require(try Self.dataSymbol("global_table", in: program))))
    )
    #expect(image.types.spelling(of: table.type) == "int[4][3]")
    #expect(image.global(named: "global_table", unit: "shapes.c") == table)
    #expect(image.global(named: "global_table", unit: "other.c") == nil)
    let local = try #require(image.global(named: "per_thread", unit: nil))
    // One int, at the very end of the block below the thread pointer.
    #expect(local.place == .threadLocal(LocationPlan.threadPointer.offset(by: -4)))
  }

  @Test func whatIsOptimisedOutSaysWhereItIsKnown() throws {
    let scratch = try ScratchDirectory()
    let source = """
      extern int atoi(const char *);
      __attribute__((noinline)) int late(const char *text) {
        int result = atoi(text);
        return result * result + atoi(text + 1);
      }
      int main(int c, char **v) { return late(v[0]); }
      """
    let image = try Samples.open(try scratch.compileC(source, to: "late", flags: ["-g", "-O2"]))
    guard case .unavailable(let reason)? = image.places(in: "late")["result"] else {
      Issue.record("result has a place at entry")
      return
    }
    #expect(reason.hasPrefix("optimised out here; known at line"))
  }

  @Test func resultsFollowTheABI() throws {
    let scratch = try ScratchDirectory()
    let image = try Samples.open(try scratch.compileC(Samples.shapes, to: "shapes", flags: ["-g", "-O2"]))
    func result(_ name: String) throws -> (type: String, location: ValueLocation?) {
      let value = image.returnValue(of: try #require(image.function(named: name)))
      return (image.types.spelling(of: value.type), value.location)
    }
    func piece(_ location: ValueLocation?) -> ValueLocation.Piece {
      ValueLocation.Piece(bitCount: 64, location: location)
    }
    #expect(try result("work") == ("int", .value(.register(0))))
    #expect(
      try result("make_two")
        == ("struct two", .pieces([piece(.value(.register(0))), piece(.value(.register(1)))]))
    )
    #expect(try result("make_mixed") == ("struct mixed", .pieces([piece(.value(.register(0))), piece(nil)])))
    #expect(try result("make_large") == ("struct large", .memory(.user, address: .register(0))))
    #expect(try result("half") == ("double", nil))
  }
}
