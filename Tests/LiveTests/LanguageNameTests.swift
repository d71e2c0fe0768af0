import Foundation
import TestSupport
import Testing

extension LiveTests {
  /// Programs of other languages: their names, demangled, and Go's own ways.
  @Suite(.requires(.probes), .timeLimit(.minutes(4))) struct LanguageNameTests {
    private static let cxx = """
      #include <cstdio>
      #include <cstdlib>
      namespace shop {
        struct Item { int price; __attribute__((noipa)) int total(int n) const; };
        int Item::total(int n) const { return price * n; }
        template <typename T> __attribute__((noipa)) T twice(T x) { return x + x; }
        namespace { __attribute__((noipa)) int hidden(int x) { return x - 1; } }
        __attribute__((noipa)) int count(int x) { return hidden(x) + twice<int>(x); }
      }
      int main(int argc, char **argv) {
        int n = atoi(argv[1]), sum = 0;
        shop::Item item{3};
        for (int i = 0; i < n; i++) sum += item.total(i) + shop::count(i);
        printf("sum %d\\n", sum);
      }
      """
    private static let rust = """
      pub mod shop {
        pub struct Item { pub price: u64 }
        impl Item { #[inline(never)] pub fn total(&self, n: u64) -> u64 { std::hint::black_box(self.price * n) } }
        pub trait Priced { fn cost(&self, n: u64) -> u64; fn rate(&self, n: u64) -> u64; }
        impl Priced for Item {
          #[inline(never)] fn cost(&self, n: u64) -> u64 { std::hint::black_box(self.price + n) }
          #[inline(always)] fn rate(&self, n: u64) -> u64 { std::hint::black_box(self.price ^ n) }
        }
      }
      use shop::Priced;
      #[inline(never)] fn count(n: u64) -> u64 { std::hint::black_box(n + 1) }
      fn main() {
        let n: u64 = std::env::args().nth(1).unwrap().parse().unwrap();
        let item = shop::Item { price: std::hint::black_box(3) };
        let mut sum = 0;
        for i in 0..n { sum += item.total(i) + count(i) + item.cost(i) + item.rate(i); }
        println!("sum {}", sum);
      }
      """
    private static let d = """
      module shop;
      import core.stdc.stdio, core.stdc.stdlib;
      class Item { int price = 3; int total(int n) { return price * n + rand() * 0; } }
      int main(string[] arguments) {
        int n = atoi((arguments[1] ~ "\\0").ptr), sum = 0;
        auto item = new Item;
        for (int i = 0; i < n; i++) sum += item.total(i);
        printf("sum %d\\n", sum);
        return 0;
      }
      """
    private static let go = """
      package main

      import (
      	"fmt"
      	"os"
      	"strconv"
      )

      type Item struct{ Price int }

      //go:noinline
      func (i *Item) Total(n int) int { return i.Price * n }

      //go:noinline
      func greet(name string, n int) string { return fmt.Sprintf("%s-%d", name, n) }

      // Needs more stack than a goroutine starts with, so that its first instructions run twice now and then.
      //
      //go:noinline
      func deep(n int) int {
      	var pad [256]byte
      	pad[n%256] = 1
      	if n == 0 {
      		return int(pad[0])
      	}
      	return deep(n-1) + int(pad[n%256])
      }

      func main() {
      	n, _ := strconv.Atoi(os.Args[1])
      	item := &Item{Price: 7}
      	sum := 0
      	for i := 1; i <= n; i++ {
      		sum += item.Total(i) + len(greet("item", i))
      	}
      	done := make(chan int)
      	for g := 0; g < 20; g++ {
      		go func() { done <- deep(500) }()
      	}
      	for g := 0; g < 20; g++ {
      		sum += <-done
      	}
      	fmt.Println("sum", sum)
      }
      """

    private static let rounds = 100

    /// Runs `script` on a program that prints `sum N`; the lines behind that.
    private func traced(_ program: String, _ script: String) throws -> [String] {
      let plain = try run(program, ["\(Self.rounds)"])
      let traced = try utrace(["-w", "-c", "\(program) \(Self.rounds)", "-e", script])
      #expect(traced.status == 0 && traced.messages.isEmpty, "\(traced.errors)")
      #expect(traced.output.hasPrefix(plain.output) && plain.output.hasPrefix("sum "), "\(traced.output)")
      return Array(traced.lines.dropFirst())
    }

    private static let counting =
      "global n probe %@ { n[probefunc()]++ } probe end { foreach (f+ in n) println(f, \" \", n[f]) }"

    private func counted(_ program: String, _ points: [String]) throws -> [String] {
      let joined = points.map { "process.function(\"\($0)\").call" }.joined(separator: ", ")
      return try traced(program, Self.counting.replacingOccurrences(of: "%@", with: joined))
    }

    @Test("C++ functions are named by their scopes, with debug information and with symbols alone")
    func namesCxx() throws {
      let scratch = try ScratchDirectory()
      let source = try scratch.write(Self.cxx, to: "shop.cc")
      for (flags, stripped) in [(["-g"], false), ([], false), (["-rdynamic"], true)] {
        let program = scratch.path + "/shop"
        let built = try run("g++", ["-O2"] + flags + ["-o", program, source])
        #expect(built.status == 0, "\(built.output)")
        if stripped { #expect(try run("strip", [program]).status == 0) }
        let lines = try counted(program, ["shop::Item::tot*", "twice*", "shop::count"])
        #expect(
          lines == ["shop::Item::total 100", "shop::count 100", "shop::twice<int> 100"],
          "\(flags) \(lines)"
        )
        let listed = try utrace(["-l", "process(\"\(program)\").function(\"Item::*\")"])
        #expect(listed.output.contains(".function(\"shop::Item::total"), "\(listed.output)\(listed.errors)")
        let typo = try utrace(["-e", "probe process(\"\(program)\").function(\"Item::totla\") { }"])
        #expect(typo.errors.contains("'total'"), "\(typo.errors)")
      }
    }

    @Test("Rust functions, of both manglings", .requires(.tool("rustc")), arguments: ["legacy", "v0"])
    func namesRust(_ mangling: String) throws {
      let scratch = try ScratchDirectory()
      let source = try scratch.write(Self.rust, to: "store.rs")
      for debug in ["0", "2"] {
        let program = scratch.path + "/store"
        // The older mangling cannot be asked for by stable compilers, but is what they use themselves.
        let flags = mangling == "v0" ? ["-C", "symbol-mangling-version=v0"] : []
        let built = try run("rustc", ["-O", "-C", "debuginfo=\(debug)"] + flags + ["-o", program, source])
        #expect(built.status == 0, "\(built.output)")
        let lines = try counted(program, ["store::count"])
        #expect(lines == ["store::count 100"], "\(mangling) \(debug) \(lines)")
        let method = try counted(program, ["total"])
        #expect(
          method.count == 1 && method.first?.hasSuffix("::total 100") == true,
          "\(mangling) \(debug) \(method)"
        )
        let byTrait =
          debug == "0" ? "<store::shop::Item as store::shop::Priced>::cost" : "store::shop::{impl#*}::cost"
        for point in ["store::shop::Item::cost", byTrait] {
          let counts = try counted(program, [point])
          #expect(counts.count == 1 && counts.first?.hasSuffix("::cost 100") == true, "\(point) \(counts)")
        }
        let listed = try utrace(["-l", "process(\"\(program)\").function(\"cost\")"])
        #expect(listed.output.contains(".function(\"store::shop::Item::cost"), "\(listed.output)")
        #expect(listed.lines.count == 1, "\(listed.output)")
        for scope in debug == "0" ? [] : ["store::shop::Item", "{impl#*}", "*"] {
          let inlined = try traced(
            program,
            "global n probe process.function(\"\(scope)::rate\").inline { n++ } probe end { println(n) }"
          )
          #expect(inlined == ["100"], "\(mangling) \(scope) \(inlined)")
        }
      }
    }

    @Test("D functions", .requires(.tool("gdc")))
    func namesD() throws {
      let scratch = try ScratchDirectory()
      let source = try scratch.write(Self.d, to: "shop.d")
      let program = scratch.path + "/shop-d"
      let built = try run("gdc", ["-O1", "-o", program, source])
      #expect(built.status == 0, "\(built.output)")
      #expect(try counted(program, ["shop::Item::total"]) == ["shop::Item::total 100"])
    }

    @Test("Go: every call is counted once, and every return by its ret", .requires(.tool("go")))
    func tracesGo() throws {
      let scratch = try ScratchDirectory()
      let source = try scratch.write(Self.go, to: "store.go")
      let program = scratch.path + "/store-go"
      let built = try run(
        "env",
        ["GOCACHE=\(scratch.path)/cache", "GOFLAGS=-mod=mod", "go", "build", "-o", program, source]
      )
      #expect(built.status == 0, "\(built.output)")
      let calls = try counted(program, ["main.(*Item).Total", "main.greet", "main.deep"])
      #expect(calls == ["main.(*Item).Total 100", "main.deep 10020", "main.greet 100"], "\(calls)")
      let arguments = try traced(
        program,
        "global s probe process.function(\"main.deep\") { s += $n } probe end { println(s) }"
      )
      #expect(arguments == ["\(20 * 500 * 501 / 2)"])
      let returns = try traced(
        program,
        """
        global n, s probe process.function("main.*").return { n[probefunc()]++ }
        probe process.function("main.deep").return { s += $return }
        probe end { foreach (f+ in n) if (f !~ "func") println(f, " ", n[f]); println(s) }
        """
      )
      // deep(k) is the sum of k + 1 ones.
      let sum = 20 * (0...500).reduce(0) { $0 + $1 + 1 }
      #expect(
        returns == ["main.(*Item).Total 100", "main.deep 10020", "main.greet 100", "main.main 1", "\(sum)"],
        "\(returns)"
      )
      let everything = try traced(
        program,
        "global n probe process.function(\"*\").return { n++ } probe end { println(n > 1000) }"
      )
      #expect(everything == ["1"])
      let gone = try utrace([
        "-e", "probe process(\"\(program)\").function(\"main.deep\").return { println($n) }",
      ])
      #expect(gone.errors.contains("gone where a function of Go returns"), "\(gone.errors)")
      // Stripped: names come from what Go's runtime needs.
      #expect(try run("strip", [program]).status == 0)
      #expect(try counted(program, ["main.(*Item).Total", "main.greet", "main.deep"]) == calls)
      let left = try traced(
        program,
        "global n probe process.function(\"main.[dg]*\").return { n[probefunc()]++ } "
          + "probe end { foreach (f+ in n) println(f, \" \", n[f]) }"
      )
      #expect(left == ["main.deep 10020", "main.greet 100"], "\(left)")
      let named = try traced(
        program,
        "global n probe process.function(\"main.greet\") { n[usymname(uaddr())]++ } "
          + "probe end { foreach (f in n) println(f, \" \", n[f]) }"
      )
      #expect(named == ["main.greet 100"], "\(named)")
    }
  }
}
