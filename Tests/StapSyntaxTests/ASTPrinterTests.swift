import Diagnostics
import Testing

@testable import StapSyntax

@Suite("ASTPrinter") struct ASTPrinterTests {
  @Test("random trees are read back as they were", arguments: 0..<20)
  func roundTrips(_ batch: Int) throws {
    for seed in 0..<50 {
      var generator = ScriptGenerator(seed: UInt64(batch * 1000 + seed))
      let script = generator.script()
      let text = ASTPrinter.text(script)
      let parsed = Parsed(text)
      let again = try #require(parsed.product, "seed \(batch * 1000 + seed)\n\(parsed.messages)\n\(text)")
      try #require(structure(script) == structure(again), "seed \(batch * 1000 + seed)\n\(text)")
    }
  }

  @Test func treesThatWereNotParsedGetTheirParentheses() {
    let place = SourceRange(SourceID(index: 0), 0..<0)
    func variable(_ name: String) -> Expression { Expression(.identifier(name), place) }
    func binary(_ operation: BinaryOperator, _ left: Expression, _ right: Expression) -> Expression {
      Expression(.binary(operation, left, right), place)
    }
    let (a, b, c) = (variable("a"), variable("b"), variable("c"))
    #expect(ASTPrinter.text(binary(.multiply, binary(.add, a, b), c)) == "(a + b) * c")
    #expect(ASTPrinter.text(binary(.subtract, a, binary(.subtract, b, c))) == "a - (b - c)")
    let inner = Statement(.if(a, then: Statement(.next, place), else: nil), place)
    let outer = Statement(.if(b, then: inner, else: Statement(.break, place)), place)
    let probe = ProbeDeclaration(points: [], body: outer, range: place)
    let text = ASTPrinter.text(Script([.probe(probe)]))
    #expect(text.contains("if (b) {\n"))
  }
}
