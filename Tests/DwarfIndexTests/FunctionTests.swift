import DwarfIndex
import TargetModel
import TestSupport
import Testing

@Suite("Functions") struct FunctionTests {
  static let names = ["half", "main", "make_large", "make_mixed", "make_two", "on_item", "work"]

  @Test(
    "Every variant of debug info gives the functions that nm sees",
    arguments: [
      ["-g", "-O0"], ["-g", "-O2"], ["-gdwarf-2", "-gstrict-dwarf"], ["-gdwarf-3"], ["-gdwarf-4", "-O2"],
      ["-gdwarf-5", "-O2"], ["-g", "-gz=zlib"], ["-g", "-gz=zlib-gnu"], ["-g", "-no-pie"],
      ["-g", "-flto", "-O2"],
      ["-gdwarf-4", "-fdebug-types-section"], ["-g", "-fcf-protection", "-O1"], ["-gdwarf-5", "-gdwarf64"],
    ]
  )
  func agreesWithSymbols(_ flags: [String]) throws {
    let scratch = try ScratchDirectory()
    let program = try scratch.compileC(Samples.shapes, to: "shapes", flags: flags)
    let image = try Samples.open(program)
    let symbols = try Samples.symbols(program)
    #expect(image.hasDebugInfo)
    for name in Self.names where symbols[name] != nil {
      let match = try #require(image.function(named: name), "\(name) with \(flags)")
      #expect(match.entry.raw == symbols[name])
      #expect(match.die != nil)
      #expect(match.file?.hasSuffix("/shapes.c") == true)
      #expect(image.fileOffset(of: match.entry) != nil)
    }
    #expect(image.function(named: "no_such_function") == nil)
  }

  @Test("Other names that a function is exported by are exported, also where .symtab repeats them")
  func knowsExportedAliases() throws {
    let scratch = try ScratchDirectory()
    let source = """
      __attribute__((noinline)) static int work(int n) { return n + 1; }
      int labor(int) __attribute__((alias("work")));
      int main(int argc, char **argv) { return work(argc); }
      """
    let program = try scratch.compileC(source, to: "worker", flags: ["-g", "-O2", "-rdynamic"])
    let image = try Samples.open(program)
    let labor = image.functions(matching: FunctionPattern(name: "labor", exportedOnly: true))
    #expect(labor.map(\.entry) == image.functions(matching: FunctionPattern(name: "work")).map(\.entry))
    #expect(image.functions(matching: FunctionPattern(name: "work", exportedOnly: true)).isEmpty)
  }

  @Test func clangSpeaksDwarfToo() throws {
    let scratch = try ScratchDirectory()
    let source = try scratch.write(Samples.shapes, to: "shapes.c")
    for flags in [["-O0"], ["-O2"], ["-O2", "-gdwarf-4"]] {
      let program = scratch.path + "/shapes"
      let result = try run("clang", ["-g"] + flags + ["-o", program, source])
      guard result.status == 0 else { continue }
      let image = try Samples.open(program)
      let symbols = try Samples.symbols(program)
      for name in Self.names where symbols[name] != nil {
        #expect(image.function(named: name)?.entry.raw == symbols[name], "\(name) with \(flags)")
      }
      let text = try #require(image.places(in: "work")["text"])
      if case .unavailable(let reason) = text { Issue.record("text is unavailable: \(reason)") }
    }
  }

  @Test func probesOfUnoptimisedCodeSkipThePrologue() throws {
    let scratch = try ScratchDirectory()
    let plain = try Samples.open(try scratch.compileC(Samples.shapes, to: "plain", flags: ["-g", "-O0"]))
    let match = try #require(plain.function(named: "work"))
    #expect(match.probeAddress > match.entry)
    #expect(try match.probeAddress < #require(match.end))
    let fast = try Samples.open(try scratch.compileC(Samples.shapes, to: "fast", flags: ["-g", "-O2"]))
    let other = try #require(fast.function(named: "work"))
    #expect(other.probeAddress == other.entry)
  }

  @Test func patternsSelect() throws {
    let scratch = try ScratchDirectory()
    let image = try Samples.open(try scratch.compileC(Samples.shapes, to: "shapes", flags: ["-g", "-O0"]))
    func names(_ pattern: FunctionPattern) -> [String] {
      image.functions(matching: pattern).map(\.name).sorted()
    }
    #expect(names(FunctionPattern(name: "make_*")) == ["make_large", "make_mixed", "make_two"])
    #expect(names(FunctionPattern(name: "m*n")) == ["main"])
    #expect(
      names(FunctionPattern(name: "make_*", file: "shapes.c")) == ["make_large", "make_mixed", "make_two"]
    )
    #expect(names(FunctionPattern(name: "make_*", file: "hapes.c")) == [])
    #expect(names(FunctionPattern(name: "main", exportedOnly: true)) == [])
    // The C library's start-up code has symbols and no DWARF.
    #expect(names(FunctionPattern(name: "_start")) == ["_start"])
    #expect(image.function(named: "_start")?.die == nil)
    let addresses = image.functions(matching: FunctionPattern(name: "*")).map(\.entry)
    #expect(addresses == addresses.sorted())
    #expect(Set(addresses).count == addresses.count)
  }

  @Test func inlinedInstancesComeWhenAsked() throws {
    let scratch = try ScratchDirectory()
    let image = try Samples.open(try scratch.compileC(Samples.shapes, to: "shapes", flags: ["-g", "-O2"]))
    #expect(image.functions(matching: FunctionPattern(name: "square")).isEmpty)
    let found = image.functions(matching: FunctionPattern(name: "square", includeInlines: true))
    let instance = try #require(found.first)
    #expect(instance.isInlineInstance)
    let around = try #require(image.function(named: "work"))
    #expect(instance.entry > around.entry)
    #expect(try instance.entry < #require(around.end))
    #expect(image.variables(of: instance, at: instance.entry).map(\.name).contains("value"))
    #expect(image.function(containing: instance.entry)?.name == "work")
  }

  @Test(
    "inlined functions of one name are told apart by scope, file and line",
    arguments: [["-gdwarf-5"], ["-gdwarf-4"], ["-gdwarf-4", "-fdebug-types-section"], ["-gz"]]
  )
  func inlinedNamesakes(_ flags: [String]) throws {
    let scratch = try ScratchDirectory()
    let header = """
      struct A { int v; struct Inner; int f(int x) { return v * x + 3; } };
      struct A::Inner { int v; int m(int); int f(int x) { return v ^ (x + 11); } };
      namespace ns { struct B { int v; int f(int x) { return v / (x | 1) - 9; } }; }
      namespace { struct C { int v; int f(int x) { return v % (x | 1); } }; int g(int x) { return x * x; } }
      """
    _ = try scratch.write(header, to: "one.h")
    let body = """
      int use_%(A *a, A::Inner *i, ns::B *b, void *c, int n) {
        return a->f(n) + i->f(n + 4) + b->f(n + 2) + ((C *)c)->f(g(n));
      }
      """
    let files = try ["x", "y"].map { name in
      try scratch.write(
        "#include \"one.h\"\nstatic int h(int x) { return x\(name == "x" ? "+" : "-")7; }\n"
          + body.replacing("%", with: name) + "\nint call_\(name)(int n) { return h(n * n); }\n"
          + (name == "y" ? "int A::Inner::m(int n) { return v + n; }\n" : ""),
        to: "\(name).cc"
      )
    }
    let program = scratch.path + "/names.so"
    let built = try run("g++", ["-g", "-O2", "-shared", "-fPIC", "-o", program] + flags + files)
    #expect(built.status == 0, "\(built.output)")
    let image = try Samples.open(program)
    func found(_ name: String, file: String? = nil, line: Int? = nil) -> [String] {
      var pattern = FunctionPattern(name: name, file: file, line: line.map { .absolute($0) })
      (pattern.includeInlines, pattern.includeOutOfLine) = (true, false)
      let texts = image.functions(matching: pattern).map { match in
        let file = (match.file ?? "").split(separator: "/").last ?? ""
        return
          "\([match.scope, match.name].compactMap(\.self).joined(separator: "::"))@\(file):\(match.line ?? 0)"
      }
      return Set(texts).sorted().map { text in "\(texts.count { $0 == text }) \(text)" }
    }
    let outer = "2 A::f@one.h:1"
    let (inner, other) = ("2 A::Inner::f@one.h:2", "2 ns::B::f@one.h:3")
    let (hidden, helper) = ("2 (anonymous namespace)::C::f@one.h:4", "2 (anonymous namespace)::g@one.h:4")
    #expect(found("f").sorted() == [hidden, inner, outer, other])
    #expect(found("A::f") == [outer])
    #expect(found("A::Inner::f") == [inner])
    #expect(found("Inner::f") == [inner])
    #expect(image.functions(matching: FunctionPattern(name: "A::Inner::m")).map(\.scope) == ["A::Inner"])
    #expect(found("ns::B::f") == [other])
    #expect(found("C::f") == [hidden])
    #expect(found("g") == [helper])
    #expect(found("f", file: "one.h", line: 3) == [other])
    #expect(found("*", file: "one.h", line: 4) == [hidden, helper])
    #expect(found("D::f").isEmpty && found("f", file: "two.h").isEmpty && found("f", line: 5).isEmpty)
    #expect(found("h") == ["1 h@x.cc:2", "1 h@y.cc:2"])
    #expect(found("h", file: "y.cc") == ["1 h@y.cc:2"])
  }

  @Test func cPlusPlusScopesSelect() throws {
    let scratch = try ScratchDirectory()
    let source = try scratch.write(
      """
      namespace shop {
        struct Item { int price; int total(int count) const; static int made; Item(int p); };
        int Item::made = 0;
        Item::Item(int p) : price(p) { made++; }
        int Item::total(int count) const { return price * count; }
        namespace { int hidden(int x) { return x + Item::made; } }
        template <typename T> T twice(T x) { return x + x; }
        int total(int x) { return hidden(x) + twice<int>(x); }
      }
      int main() { shop::Item item(3); auto f = [](int x) { return x + 1; }; return item.total(2) + shop::total(f(4)); }
      """,
      to: "scopes.cc"
    )
    for flags in [["-O0"], ["-gdwarf-4"], ["-gdwarf-4", "-fdebug-types-section"]] {
      let program = scratch.path + "/scopes"
      let result = try run("g++", ["-g"] + flags + ["-o", program, source])
      #expect(result.status == 0, "\(result.output)")
      let image = try Samples.open(program)
      func found(_ name: String) -> [String] {
        image.functions(matching: FunctionPattern(name: name)).map {
          [$0.scope, $0.name].compactMap { $0 }.joined(separator: "::")
        }
      }
      #expect(Set(found("total")) == ["shop::Item::total", "shop::total"])
      #expect(found("Item::total") == ["shop::Item::total"])
      #expect(found("shop::total") == ["shop::total"])
      #expect(found("shop::*::hidden") == ["shop::(anonymous namespace)::hidden"])
      #expect(found("twice<int>") == ["shop::twice<int>"])
      #expect(found("_ZNK4shop4Item5totalEi") == ["shop::Item::total"])
      #expect(found("Item").first == "shop::Item::Item")
      #expect(!found("operator()").isEmpty)
      #expect(image.types.type(named: "shop::Item") != nil)
      #expect(image.global(named: "made", unit: nil)?.type != nil)
    }
  }

  @Test func misspelledNamesFindTheirNeighbours() throws {
    let scratch = try ScratchDirectory()
    let image = try Samples.open(try scratch.compileC(Samples.shapes, to: "shapes", flags: ["-g", "-O0"]))
    #expect(image.nearestFunctions(to: "wrok", limit: 3).first == "work")
    #expect(image.nearestFunctions(to: "make_tow", limit: 1) == ["make_two"])
    #expect(image.nearestFunctions(to: "nothing_like_it_at_all", limit: 3).isEmpty)
  }
}
