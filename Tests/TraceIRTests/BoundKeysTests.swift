import TargetModel
import Testing
import TraceIR

@Suite("How long keys can get") struct BoundKeysTests {
  /// The globals of a program with one kernel-side probe and one at the end, after the pass.
  private func globals(
    _ types: [[ValueType]] = [[.string]],
    end: (inout BodyBuilder) -> Void = { _ in },
    hit: (inout BodyBuilder) -> Void
  ) -> [[Int]] {
    var program = TraceProgram()
    program.globals = types.enumerated().map { index, keys in
      Global(name: "g\(index)", kind: .array(keys: keys, value: .string), maximumEntries: 10)
    }
    var (first, last) = (BodyBuilder(), BodyBuilder())
    hit(&first)
    end(&last)
    program.probes = [
      Probe(name: "p", trigger: .userSites([], .instruction, in: .target), body: first.finished),
      Probe(name: "end", trigger: .end(order: 0), body: last.finished),
    ]
    return boundKeys.run(program).globals.map(\.keyBounds)
  }

  private let array = GlobalID(0)

  private func name(_ body: inout BodyBuilder) -> Operand {
    body.string { .context($0, .execname, kernelPlan: nil) }
  }

  @Test("a command name has 15 bytes, a literal what it has")
  func literals() {
    #expect(globals { $0.add(.storeElement(array, [name(&$0)], .string("x"))) } == [[15]])
    #expect(globals { $0.add(.storeElement(array, [.string("seven b")], .string(""))) } == [[7]])
    #expect(
      globals([[.long, .string]]) { $0.add(.storeElement(array, [.long(5), .string("ab")], .string(""))) }
        == [[0, 2]]
    )
  }

  @Test("joined strings add up, through locals and other arrays' elements")
  func flow() {
    let found = globals([[.string], [.string]]) { body in
      let local = body.local(.string)
      let name = name(&body)
      body.add(.storeLocal(local, body.string { .concatenate($0, [name, .string("/"), name]) }))
      let joined = body.string { .loadLocal($0, local) }
      body.add(.storeElement(array, [joined], joined))
      let element = body.string { .loadElement($0, array, [.string("")]) }
      body.add(.storeElement(GlobalID(1), [element], .string("")))
    }
    #expect(found == [[31], [31]])
  }

  @Test("strings of the traced program are as long as asked for, or as any string")
  func reads() {
    let short = globals { body in
      let text = body.string { .intrinsic($0, .userString, [.long(1), .long(40)]) }
      body.add(.storeElement(array, [text], .string("")))
    }
    #expect(short == [[40]])
    let long = globals { body in
      let text = body.string { .intrinsic($0, .userString, [.long(1), .long(511)]) }
      body.add(.storeElement(array, [text], .string("")))
    }
    #expect(long == [[]])
  }

  @Test("a key that is only looked for, on either side, must fit too")
  func lookups() {
    let found = globals(
      end: { body in _ = body.long { .contains($0, array, [.string("a longer key than it has")]) } },
      hit: { $0.add(.storeElement(array, [name(&$0)], .string(""))) }
    )
    #expect(found == [[24]])
  }

  @Test("keys that a walk takes out may be used again without getting longer")
  func walks() {
    let found = globals(
      end: { body in
        let key = body.local(.string)
        let value = body.local(.string)
        let inner = body.block { body in
          let loaded = body.load(key)
          body.add(.storeElement(array, [loaded], .string("")))
        }
        body.add(
          .foreach(
            ForeachOperation(
              global: array,
              slice: [],
              keys: [key],
              value: value,
              order: .none,
              limit: nil,
              histogram: nil,
              body: inner
            )
          )
        )
      },
      hit: { $0.add(.storeElement(array, [name(&$0)], .string(""))) }
    )
    #expect(found == [[15]])
  }

  @Test("what functions return after 'next' counts, and what they are handed")
  func overloads() {
    var (first, second, hit) = (BodyBuilder(), BodyBuilder(), BodyBuilder())
    _ = first.local(.string)
    first.add(.next)
    let parameter = second.local(.string)
    let given = second.load(parameter)
    second.add(.return(second.string { .concatenate($0, [given, .string("123")]) }))
    let answer = hit.string { .call($0, FunctionID(0), [.string("abcd")]) }
    hit.add(.storeElement(array, [answer], .string("")))
    var program = TraceProgram()
    program.globals = [Global(name: "g", kind: .array(keys: [.string], value: .string), maximumEntries: 10)]
    program.functions = [(first.finished, FunctionID(1)), (second.finished, nil)].map { body, fallback in
      Function(name: "f", parameters: [.string], result: .string, body: body, fallback: fallback)
    }
    program.probes = [
      Probe(name: "p", trigger: .userSites([], .instruction, in: .target), body: hit.finished)
    ]
    #expect(boundKeys.run(program).globals.map(\.keyBounds) == [[7]])
  }

  @Test("a string that grows in a loop can get as long as any")
  func growth() {
    let found = globals { body in
      let local = body.local(.string)
      let before = body.string { .loadLocal($0, local) }
      body.add(.storeLocal(local, body.string { .concatenate($0, [before, .string("x")]) }))
      body.add(.storeElement(array, [before], .string("")))
    }
    #expect(found == [[]])
  }
}
