import TestSupport
import Testing

extension LiveTests {
  /// What `$x$` and `$x$$` make of C++.
  @Suite(.requires(.probes), .timeLimit(.minutes(2))) struct PrettyTests {
    private static let source = #"""
      #include <string>
      #include <vector>
      enum class hue : unsigned char { red = 1, blue = 7 };
      struct base { int id; };
      struct item : base {
        bool yes; char letter; float f; double d; hue color; unsigned low : 3; hue narrow : 4; bool bit : 1;
        union { int number; unsigned char bytes[4]; };
        std::string name; std::vector<int> numbers; const int &link;
      };
      __attribute__((noinline)) int show(item *pointer, item &reference, const std::string &text, int &&moved) {
        asm volatile("" : : "r"(pointer), "r"(&reference), "r"(&text), "r"(&moved) : "memory");
        return pointer->id;
      }
      int main() {
        int number = 11;
        item one{{5}, true, 'x', 1.5f, -2.25, hue::blue, 5, hue::red, true, {65}, "a name that is long enough",
                 {1, 2, 3}, number};
        return show(&one, one, "text", 9) - 5;
      }
      """#

    @Test("structures, references, bases and containers", arguments: ["-O0", "-O2"])
    func showsObjects(_ level: String) throws {
      let scratch = try ScratchDirectory()
      let file = try scratch.write(Self.source, to: "show.cpp")
      let made = try run("g++", ["-g", level, "-o", "\(scratch.path)/show", file])
      #expect(made.status == 0, "\(made.output)")
      let script = """
        probe process("\(scratch.path)/show").function("show") {
          println($pointer$)
          println($reference$$)
          println($text$, " ", $moved$, " ", user_string($text->_M_dataplus->_M_p))
        }
        """
      let traced = try utrace(["-c", "\(scratch.path)/show", "-e", script])
      #expect(traced.status == 0 && traced.messages.isEmpty, "\(traced.errors)")
      let common = """
        .yes=true, .letter='x', .f=1.5, .d=-2.25, .color=blue, .low=5, .narrow=red, .bit=true, {.number=65,
        """
      let lines = traced.lines
      #expect(lines.count == 3, "\(traced.output)")
      guard lines.count == 3 else { return }
      #expect(lines[0].hasPrefix("{<base>={.id=5}, \(common) .bytes=[...]}, "), "\(lines[0])")
      #expect(lines[1].hasPrefix("{<base>={.id=5}, \(common) .bytes="), "\(lines[1])")
      #expect(
        lines[1].contains(".name=\"a name that is long enough\", .numbers={size=3, data=0x"),
        "\(lines[1])"
      )
      #expect(lines[1].hasSuffix(", .link=11}"), "\(lines[1])")
      #expect(lines[2] == "\"text\" 9 text")
    }

    private static let characters: [(number: UInt32, text: String)] = [
      (0, "'\\000'"), (0xa, "'\\n'"), (0x27, "'\\''"), (0x41, "'A'"), (0x85, "'\\205'"), (0xa0, "'\u{a0}'"),
      (0xe9, "'é'"), (0x7ff, "'\u{7ff}'"), (0x800, "'\u{800}'"), (0x20ac, "'€'"), (0xd7ff, "'\u{d7ff}'"),
      (0xd800, "55296"), (0xdfff, "57343"), (0xe000, "'\u{e000}'"), (0xffff, "'\u{ffff}'"),
      (0x1_0000, "'\u{10000}'"), (0x1_f600, "'😀'"), (0x10_ffff, "'\u{10ffff}'"), (0x11_0000, "1114112"),
      (0xffff_ffff, "4294967295"),
    ]

    @Test("characters of Unicode, printed and as strings") func showsUnicode() throws {
      let scratch = try ScratchDirectory()
      let numbers = Self.characters.map { "\($0.number)u" }.joined(separator: ", ")
      let source = """
        struct pair { char16_t unit; char32_t letters[2]; const char32_t *text; };
        __attribute__((noinline)) void show(char32_t letter, pair *both) {
          asm volatile("" : : "r"(letter), "r"(both) : "memory");
        }
        int main() {
          pair both{u'ß', {U'a', U'ö'}, U"text"};
          const unsigned numbers[] = {\(numbers)};
          for (unsigned number : numbers) show(number, &both);
        }
        """
      let file = try scratch.write(source, to: "letters.cpp")
      let made = try run("g++", ["-g", "-O2", "-o", "\(scratch.path)/letters", file])
      #expect(made.status == 0, "\(made.output)")
      let script = """
        probe process("\(scratch.path)/letters").function("show") {
          text = $letter$; println($letter$, " ", text == "" ? "" : text, " ", $letter, " ", $both$$)
        }
        """
      let traced = try utrace(["-c", "\(scratch.path)/letters", "-e", script])
      #expect(traced.status == 0 && traced.messages.isEmpty, "\(traced.errors)")
      let expected = Self.characters.map {
        "\($0.text) \($0.text) \($0.number) {.unit='ß', .letters=['a', 'ö'], .text=A}"
      }
      #expect(traced.lines.map { $0.replacing(/0x[0-9a-f]{4,}/, with: "A") } == expected)
    }
  }
}
