import DwarfIndex
import TargetModel
import TestSupport
import Testing

@Suite("Types") struct TypeTests {
  @Test(
    "Layout of a structure",
    arguments: [
      ["-gdwarf-2"], ["-gdwarf-3"], ["-gdwarf-4"], ["-gdwarf-5"],
      ["-gdwarf-4", "-fdebug-types-section"],
    ]
  )
  func structureLayout(_ flags: [String]) throws {
    let scratch = try ScratchDirectory()
    let types = try Samples.open(try scratch.compileC(Samples.shapes, to: "shapes", flags: flags)).types
    for name in ["struct point", "point_t", "point"] {
      let type = try #require(types.type(named: name), "\(name) with \(flags)")
      guard case .structure(let layout) = types.layout(of: type) else {
        Issue.record("\(name) is \(types.layout(of: type))")
        continue
      }
      #expect(layout.byteCount == 40)
      #expect(layout.members.map(\.name) == ["x", "y", "a", "b", "name", nil, "next", "tail"])
      #expect(layout.members.map(\.bitOffset) == [0, 32, 64, 67, 128, 192, 256, 320])
      #expect(layout.members.map(\.bitCount) == [nil, nil, 3, 5, nil, nil, nil, nil])
      let spellings = layout.members.map { types.spelling(of: $0.type) }
      #expect(
        spellings == [
          "int", "int", "unsigned int", "unsigned int", "const char *", "union {...}", "struct point *",
          "char[]",
        ]
      )
    }
  }

  @Test func enumerationsKnowTheirConstants() throws {
    let scratch = try ScratchDirectory()
    let types = try Samples.open(try scratch.compileC(Samples.shapes, to: "shapes")).types
    let color = try #require(types.type(named: "enum color"))
    guard case .enumeration(let layout) = types.layout(of: color) else {
      Issue.record("no enumeration")
      return
    }
    #expect(layout.enumerators.map(\.name) == ["RED", "GREEN", "BLUE"])
    #expect(layout.enumerators.map(\.value) == [0, 5, -1])
    #expect(layout.isSigned)
    #expect(types.enumerator(named: "GREEN") == 5)
    #expect(types.enumerator(named: "BLUE") == -1)
    #expect(types.enumerator(named: "MAUVE") == nil)
  }

  @Test(
    "Spellings",
    arguments: [
      ("int (*v)(int, const char *);", "int (*)(int, const char *)"),
      ("const char *const v = 0;", "const char *const"),
      ("volatile unsigned long v;", "volatile long unsigned int"),
      ("int (*v)[4];", "int (*)[4]"),
      ("char *v[2][3];", "char *[2][3]"),
      ("void *v;", "void *"),
      ("void (*v)(void);", "void (*)(void)"),
      ("struct { int a; } v;", "struct {...}"),
      ("int (*(*v)(int))(char);", "int (*(*)(int))(char)"),
      ("_Bool v;", "_Bool"),
      ("char v[128], w[129];", "char[128]"),
      ("char v[129];", "char[129]"),
      ("char v[256];", "char[256]"),
      ("char v[40000];", "char[40000]"),
      ("int v[0];", "int[0]"),
      ("int (*v)();", "int (*)()"),
      ("int (*v)(int, ...);", "int (*)(int, ...)"),
      ("#pragma GCC target(\"avx512f\")\n#include <immintrin.h>\n__m512i v;", "__m512i"),
      ("int __attribute__((vector_size(16))) v;", "int[4]"),
      ("const int v[3] = {1};", "const int[3]"),
      ("double v;", "double"),
    ] as [(String, String)]
  )
  func spellings(_ declaration: String, _ expected: String) throws {
    let scratch = try ScratchDirectory()
    let program = try scratch.compileC(
      declaration + "\nint main() { return 0; }\n",
      to: "spelling",
      flags: ["-g"]
    )
    let image = try Samples.open(program)
    #expect(image.types.spelling(of: try #require(image.global(named: "v", unit: nil)).type) == expected)
  }

  @Test(
    "Spellings of C++: with the scopes that a type is in",
    arguments: [
      "g++ -gdwarf-5", "g++ -gdwarf-2", "g++ -gdwarf-4 -fdebug-types-section", "clang++ -gdwarf-5",
    ]
  )
  func spellsScopes(_ compiler: String) throws {
    let source = """
      namespace shop {
        struct item { enum class kind { A, B }; struct part { int n; }; typedef part *parts; item::kind k; parts p; };
        namespace { struct hidden { int n; }; }
        typedef item article;
        struct book {
          typedef const struct { int n; } key; typedef union { int n; } page;
          static key *first(page *p) { return &keys[p->n]; }
          page *last; static key keys[1];
        };
        book::key book::keys[1] = { { 2 } };
      }
      shop::book::key *k; shop::book l;
      shop::item::kind a; const shop::item::part *b; shop::item::parts c; shop::hidden d; shop::article e[2];
      int (*f)(shop::item &); shop::item g; struct plain { int n; } h; unsigned long i; class shop::item::part *j;
      int main() { struct local { int n; } inner = { d.n }; return inner.n + g.p->n; }
      """
    let scratch = try ScratchDirectory()
    let file = try scratch.write(source, to: "scopes.cc")
    let words = compiler.split(separator: " ").map(String.init)
    let made = try run(words[0], words.dropFirst() + ["-o", "\(scratch.path)/scopes", file])
    #expect(made.status == 0, "\(made.output)")
    let image = try Samples.open("\(scratch.path)/scopes")
    let found = try "abcdefghijkl".map { name in
      image.types.spelling(of: try #require(image.global(named: String(name), unit: nil), "\(name)").type)
    }
    let hidden = "shop::(anonymous namespace)::hidden"
    let expected = [
      "shop::item::kind", "const shop::item::part *", "shop::item::parts", hidden, "shop::article[2]",
      "int (*)(shop::item &)", "shop::item", "plain", "long unsigned int", "shop::item::part *",
      "shop::book::key *", "shop::book",
    ]
    let book = try #require(image.types.type(named: "shop::book"))
    guard case .structure(let layout) = image.types.layout(of: book) else {
      Issue.record("no structure")
      return
    }
    #expect(layout.members.map { image.types.spelling(of: $0.type) } == ["shop::book::page *"])
    #expect(found.map { $0.replacing("unsigned long", with: "long unsigned int") } == expected)
  }

  @Test func integersAreFoundHoweverTheyAreWritten() throws {
    let scratch = try ScratchDirectory()
    let source = "unsigned long a; long long b; unsigned char c; short d; int main() { return 0; }"
    let types = try Samples.open(try scratch.compileC(source, to: "integers")).types
    for name in [
      "unsigned long", "long unsigned int", "unsigned long int", "long long", "unsigned char", "short",
    ] {
      #expect(types.type(named: name) != nil, "\(name)")
    }
    let type = try #require(types.type(named: "unsigned long"))
    #expect(
      types.layout(of: type)
        == .integer(
          IntegerLayout(name: "long unsigned int", byteCount: 8, isSigned: false, encoding: .unsigned)
        )
    )
  }

  @Test func arraysNest() throws {
    let scratch = try ScratchDirectory()
    let image = try Samples.open(try scratch.compileC(Samples.shapes, to: "shapes"))
    let type = try #require(image.global(named: "global_table", unit: nil)?.type)
    guard case .array(let row, 4) = image.types.layout(of: type) else {
      Issue.record("not four rows")
      return
    }
    guard case .array(let cell, 3) = image.types.layout(of: row) else {
      Issue.record("not three columns")
      return
    }
    #expect(image.types.spelling(of: row) == "int[3]")
    #expect(image.types.spelling(of: cell) == "int")
  }

  @Test func declarationsFindTheirDefinitionInOtherUnits() throws {
    let scratch = try ScratchDirectory()
    let first = try scratch.write(
      "struct node; struct node *head; extern int other; int main() { return other; }",
      to: "first.c"
    )
    let second = try scratch.write(
      "struct node { int value; }; struct node first; int other;",
      to: "second.c"
    )
    let program = scratch.path + "/two"
    #expect(try run("gcc", ["-g", "-o", program, first, second]).status == 0)
    let image = try Samples.open(program)
    let head = try #require(image.global(named: "head", unit: "first.c")?.type)
    guard case .pointer(_, let target?, _) = image.types.layout(of: head),
      case .structure(let node) = image.types.layout(of: target)
    else {
      Issue.record("head points to no structure")
      return
    }
    #expect(node.members.map(\.name) == ["value"])
  }

  @Test func classesHaveBasesAndReferences() throws {
    let scratch = try ScratchDirectory()
    let source = try scratch.write(
      """
      struct Base { int id; };
      class Derived : public Base { public: static int count; double weight; Base &owner; Derived(Base &b) : owner(b) {} };
      int Derived::count;
      int main() { Base b; Derived d(b); return d.id; }
      """,
      to: "classes.cc"
    )
    let program = scratch.path + "/classes"
    #expect(try run("g++", ["-g", "-o", program, source]).status == 0)
    let types = try Samples.open(program).types
    guard case .structure(let layout) = types.layout(of: try #require(types.type(named: "Derived"))) else {
      Issue.record("no class")
      return
    }
    #expect(layout.members.map(\.name) == [nil, "weight", "owner"])
    #expect(layout.members.map(\.isBase) == [true, false, false])
    #expect(types.spelling(of: layout.members[2].type) == "Base &")
    guard case .pointer(8, .some, true) = types.layout(of: layout.members[2].type) else {
      Issue.record("no reference")
      return
    }
  }
}
