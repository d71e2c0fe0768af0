import TestSupport
import Testing

extension LiveTests {
  /// The types of Rust, in TestPrograms/shop.rs.
  @Suite(.requires(.probes), .requires(.tool("rustc")), .timeLimit(.minutes(2))) struct RustTests {
    private static let script = """
      probe process.function("describe") {
        println($label$, " ", $label->length, " ", $parts$, " ", $parts->data_ptr[1], " ", $letter, $letter$)
        println($item$)
        println($item->at$, " ", $item->tags->len, " ", @enumname($item->kind), " ", $item->kind)
        text = $item->name$; println(text)
      }
      probe process.function("pay") {
        println(@enumname($payment), " ", @enumname($kind), " ", $payment$, " ", $change$, " ", $next$, " ", $boxed$)
        text = $payment$ . @enumname($change); println(text)
        if (@enumname($payment) == "Card") println("number ", $payment->Card->number)
        if (@enumname($change) == "Some") println("change ", $change->Some->__0)
        if (@enumname($next) == "Some") println("next ", $next->Some->__0->id, " ", $next->Some->__0->name$)
        if (@enumname($boxed) == "Some") println("boxed ", $boxed->Some->__0->__1, " ", $boxed->Some->__0$)
      }
      probe process.function("settle") {
        println($result$, " ", $times, " ", $pair$, " ", $pair->__0, " ", $flag$)
        try { println("result ", $result->Ok->__0) } catch (why) { println(@enumname($result)) }
      }
      probe process.function("settle").return { println("left ", $times, " ", $pair$, " ", $flag$, " ", $return) }
      probe process.function("shop::Item::price") { println(ppfunc(), " ", $self->id) }
      probe process.function("{impl#*}::price").return { println(ppfunc(), " ", $return) }
      probe process.function("shop::till::*::add*") { println($$name, " ", $self->count, " ", $more) }
      """

    private static let expected = [
      "\"a lab\" 5 {size=3, data=A} 20 120'x'",
      "{.id=42, .name=\"lamp\", .tags={size=3, data=A}, .kind=Toy, .at={...}, .letter='é', .new=true}",
      "{.__0=5, .__1=-6} 3 Toy 4", "\"lamp\"",
      "Cash Book Cash Some{.__0=8} Some{.__0=A} Some{.__0=A}", "CashSome", "change 8", "next 42 \"lamp\"",
      "boxed 2 {.__0=1, .__1=2}",
      "Ok{.__0=77} 2 {.__0=7, .__1=8} 7 true", "result 77",
      "left 2 {.__0=7, .__1=8} true 154",
      "Err{.__0=\"bad\"} 3 {.__0=-7, .__1=9} -7 false", "Err",
      "left 3 {.__0=-7, .__1=9} false 3",
      "Card Toy Card{.number=1234, .name=\"Ann\"} None None None",
      "Card{.number=1234, .name=\"Ann\"}None", "number 1234",
      "Check Food Check{.__0=-5, .__1=true} Some{.__0=0} Some{.__0=A} None",
      "Check{.__0=-5, .__1=true}Some", "change 0", "next 42 \"lamp\"",
      "shop::Item::price 42", "shop::{impl#0}::price 4200",
    ]

    @Test("enums, strings, slices, tuples; unoptimised and optimised", arguments: ["0", "2"])
    func readsTypes(_ level: String) throws {
      let scratch = try ScratchDirectory()
      let program = "\(scratch.path)/shop"
      let source = "\(Package.root)/TestPrograms/shop.rs"
      let built = try run("rustc", ["-g", "-C", "opt-level=\(level)", "-o", program, source])
      guard built.status == 0 else { throw CommandFailure(command: "rustc", output: built.output) }
      let traced = try utrace(["-c", program, "-e", Self.script])
      #expect(traced.status == 0 && traced.messages.isEmpty, "\(traced.errors)")
      // The program prints its sum at the end.
      let lines = traced.lines.map { $0.replacing(/0x[0-9a-f]{6,}/, with: "A") }.filter { Int($0) == nil }
      #expect(Array(lines.dropLast()) == Self.expected)
      let add = lines.last ?? ""
      #expect(add.hasPrefix("shop::till::") && add.contains("add") && add.hasSuffix(" 2 6"), "\(add)")
    }
  }
}
