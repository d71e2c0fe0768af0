import Foundation
import Platform
import TargetModel
import TestSupport
import Testing

@testable import DwarfIndex

/// Functions found by symbols alone, and the same ones by the index.
///
/// `UTRACE_COMPARE=1000 swift test --filter SymbolQueryTests` asks for that many names and globs in each program, large
/// ones included. docs/decisions/0038-functions-by-symbols.md has the results.
@Suite("Functions by symbols") struct SymbolQueryTests {
  private static let requested = ProcessInfo.processInfo.environment["UTRACE_COMPARE"].flatMap { Int($0) }

  /// What a script can see of a function without debug information.
  private struct Place: Hashable, CustomStringConvertible {
    var entry: LinkAddress
    var probeAddress: LinkAddress
    var name: String
    var isExported: Bool

    init(_ match: FunctionMatch) {
      (entry, probeAddress, isExported) = (match.entry, match.probeAddress, match.isExported)
      name = (match.scope.map { $0 + "::" } ?? "") + match.name
    }

    var description: String { "\(name) \(String(entry.raw, radix: 16))\(isExported ? " exported" : "")" }
  }

  @Test(
    "the same functions as by the index, or no answer",
    arguments: [
      "postgres", "libc.so.6", "libjvm.so", "names-g++", "names-clang++", "targets-clang-O2", "targets-O0",
    ]
  )
  func agrees(_ name: String) throws {
    let scratch = try ScratchDirectory()
    guard let path = try Self.program(name, scratch) else { try Test.cancel("no \(name) with debug info") }
    let image = try ProgramImage(path: path, options: Self.options)
    guard image.hasDebugInfo else { try Test.cancel("no debug info for \(path)") }
    // Its index stays unknown: there is no cache that it could be found in.
    let bare = try ProgramImage(path: path, options: Self.options)
    var generator = SeededGenerator(seed: 20_261_130)
    let all = image.functions(matching: FunctionPattern(name: "*"))
    let wanted = all.shuffled(using: &generator).prefix(Self.requested ?? 60)
    var answered = 0
    var places = 0
    var differences: [String] = []
    for (number, function) in wanted.enumerated() {
      for var pattern in Self.patterns(function, number) {
        pattern.isPlaceEnough = true
        guard let found = bare.functionsBySymbols(matching: pattern) else { continue }
        answered += 1
        places += found.count
        let own = Set(found.map(Place.init))
        // Probe points leave out rarely run parts of functions, unless they are asked for by name.
        let their = Set(
          image.functions(matching: pattern).filter { !$0.name.contains(".cold") }.map(Place.init)
        )
        guard own != their else { continue }
        let more = own.subtracting(their).map { "+ \($0)" } + their.subtracting(own).map { "- \($0)" }
        differences.append("\(pattern.name): \(more.sorted().joined(separator: ", "))")
      }
    }
    if Self.requested != nil {
      print("\(name): \(wanted.count) functions, \(answered) patterns answered, \(places) places")
      for difference in differences { print("  " + difference) }
    }
    #expect(differences.isEmpty)
    // Most of the names, unless all code may be unoptimised.
    #expect(answered > (name == "targets-O0" ? -1 : wanted.count / 2))
  }

  /// What a script may write that means `function`, among others.
  private static func patterns(_ function: FunctionMatch, _ number: Int) -> [FunctionPattern] {
    var result = [FunctionPattern(name: function.name)]
    if let scope = function.scope { result.append(FunctionPattern(name: "\(scope)::\(function.name)")) }
    if number % 4 == 0 { result.append(FunctionPattern(name: function.name.prefix(5) + "*")) }
    result.append(FunctionPattern(name: function.name, includeInlines: true, exportedOnly: true))
    return result
  }

  private static var options: DebugInfoOptions {
    var options = DebugInfoOptions(cacheDirectory: nil)
    options.smallestSkippedByteCount = 0
    return options
  }

  /// What mangled names, copies and folded functions make of a few names.
  private static let names = """
    #include <string>
    #define out __attribute__((noinline, used))
    static volatile int sink;
    namespace shop {
      struct Item {
        int price;
        out Item(int p) : price(p) { sink = p; }
        out virtual ~Item() { sink = 0; }
        out virtual int total(int n) const { sink = n; return n * price; }
        out operator bool() const { return sink + price; }
        out bool operator<(const Item &other) const { return sink + price < other.price; }
      };
      struct Named { virtual ~Named(); virtual int total(long) const; };
      out Named::~Named() { sink = 1; }
      out int Named::total(long n) const { sink = 2; return (int)n; }
      struct Both : Item, Named {
        out Both() : Item(1) {}
        out int total(long n) const override { sink = 3; return (int)n + price; }
      };
      template <typename T> out T twice(T n) { sink = 4; return n + n; }
      template <typename T> struct Box { T value; out T total(T n) { sink = 5; return n + value; } };
      out std::string label(int n) { sink = n; return std::string(n, 'x'); }
    }
    namespace { out int total(int n) { sink = 6; return n; } out int hidden(int n) { sink = 7; return n; } }
    static out int copied(int n, int m) { if (n > 1) { sink = n; sink = m; } return sink + m * n; }
    extern "C" out int plain(int n) { return copied(n, 3) + copied(n + 1, 3); }
    extern "C" int other_name(int) __attribute__((alias("plain")));
    out int same(unsigned n) { return n * 7 + 1; }
    out int twin(unsigned n) { return n * 7 + 1; }
    out int outer(int n) {
      struct Local { out int total(int m) { sink = 8; return m; } };
      auto lambda = [](int m) out { sink = 9; return m; };
      return Local().total(n) + lambda(n);
    }
    int main(int argc, char **) {
      shop::Both both; shop::Item item(argc); shop::Box<unsigned long> box{7};
      return both.total(1L) + item.total(2) + item + (item < both) + shop::twice(3UL) + box.total(4)
        + (int)shop::label(5).size() + total(6) + hidden(7) + plain(argc) + same(8) + twin(9) + outer(10);
    }
    """

  private static func program(_ name: String, _ scratch: ScratchDirectory) throws -> String? {
    switch name {
    case "names-g++", "names-clang++":
      let source = try scratch.write(names, to: "names.cpp")
      let path = scratch.path + "/names"
      let made = try run(String(name.dropFirst(6)), ["-g", "-O2", "-rdynamic", source, "-o", path])
      return made.status == 0 ? path : nil
    case "postgres":
      let made = try run("\(root)/Scripts/build-psql", ["--server", "--path"])
      return made.output.split(separator: "\n").last.map(String.init).flatMap(existing)
    case "libjvm.so":
      // 257 MB of debug info take what was built for tests too long for every day.
      return requested == nil ? nil : existing("/usr/lib/jvm/java-17-openjdk-amd64/lib/server/libjvm.so")
    case "libc.so.6": return existing("/usr/lib/x86_64-linux-gnu/\(name)")
    default:
      let made = try run("make", ["-s", "-C", "\(root)/TestPrograms", name])
      return made.status == 0 ? "\(root)/.build/test-programs/\(name)" : nil
    }
  }

  private static func existing(_ path: String) -> String? {
    FileManager.default.fileExists(atPath: path) ? path : nil
  }

  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().path
}

/// What compilers say of themselves.
@Suite("Producers") struct ProducersTests {
  private static let optimised = "GNU C++14 10.2.1 20210110 -mtune=generic -march=x86-64 -g -O3 -std=gnu++14"

  @Test(
    "All code is known to be optimised when gcc says so each time",
    arguments: [
      ([optimised], true), (["x", optimised, "GNU AS 2.35.2", "GNU C17 12.2.0 -g -Os"], true),
      ([], false), (["x"], false), ([optimised, "GNU C17 12.2.0 -mtune=generic -g"], false),
      (["GNU C17 12.2.0 -g -O0"], false),
      ([optimised, "Debian clang version 14.0.6"], false),
      ([optimised, "clang LLVM (rustc version 1.63.0)"], false), (["GNU AS 2.40"], false),
    ] as [([String], Bool)]
  )
  func tell(_ strings: [String], _ isOptimised: Bool) {
    let bytes: [UInt8] = strings.reduce(into: []) { $0 += Array($1.utf8) + [0] }
    #expect(Producers.areOptimising(bytes.rawSpan) == isOptimised)
    // Cut off anywhere it says less.
    for count in bytes.indices { _ = Producers.areOptimising(Array(bytes.prefix(count)).rawSpan) }
  }
}
