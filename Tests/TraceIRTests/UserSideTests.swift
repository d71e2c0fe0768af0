import TargetModel
import Testing
import TraceIR

/// What depends on a call chain leaves the kernel, and nothing else does.
@Suite struct UserSideTests {
  private func program(_ globals: [Global], _ fill: (inout BodyBuilder) -> Void...) -> TraceProgram {
    var program = TraceProgram()
    let trigger = Trigger.userSites([], .instruction, in: .target)
    program.probes = fill.map { fill in
      var builder = BodyBuilder()
      fill(&builder)
      return Probe(name: "p", trigger: trigger, body: builder.finished)
    }
    program.globals = globals
    return program
  }

  private let counts = Global(
    name: "n",
    kind: .array(keys: [.string], value: .long),
    maximumEntries: 10
  )
  private let total = Global(name: "total", kind: .scalar(.long), maximumEntries: 0)

  private func chain(_ body: inout BodyBuilder) -> Operand {
    let stack = body.long { .intrinsic($0, .userStack, []) }
    return body.string { .intrinsic($0, .userStackText, [stack, .long(4)]) }
  }

  @Test("a chain as a key moves the update, and its global")
  func key() {
    let before = program([counts]) { body in
      let key = chain(&body)
      _ = body.long { .addElement($0, GlobalID(0), [key], .long(1)) }
    }
    let after = optimize(before)
    #expect(
      after.text.contains(
        """
          %0 = user_stack()
          emit 0, %0
        """
      ),
      "\(after.text)"
    )
    #expect(after.records.map(\.fields) == [[.long]])
    #expect(after.globals[0].isUsedInKernel == false)
  }

  @Test("another probe's use of such a global moves, too; other globals stay")
  func other() {
    let before = program([counts, total]) { body in
      let key = chain(&body)
      _ = body.long { .addElement($0, GlobalID(0), [key], .long(1)) }
    } _: { body in
      body.add(.delete(GlobalID(0), []))
      _ = body.long { .addGlobal($0, GlobalID(1), .long(1)) }
    }
    let after = optimize(before)
    #expect(after.records.count == 2)
    #expect(after.globals.map(\.isUsedInKernel) == [false, true])
  }

  @Test("an if that asks for a chain moves with what it does; what it reads is read ahead, faults kept")
  func branch() throws {
    let before = program([total]) { body in
      let key = chain(&body)
      let address = body.long { .context($0, .argument(1), kernelPlan: nil) }
      let found = body.long { .intrinsic($0, .isinstr, [key, .string("x")]) }
      let then = body.block { inner in
        let word = inner.long { .intrinsic($0, .userRead, [address, .long(8), .long(1)]) }
        _ = inner.long { .addGlobal($0, GlobalID(0), word) }
      }
      body.add(.if(found, then: then, else: Block()))
    }
    let after = optimize(before)
    let kernel = after.probes[0].body.text
    let handler = try #require(after.records.first).handler.text
    #expect(kernel.contains("try") && !kernel.contains("@0"), "\(kernel)")
    #expect(handler.contains("if") && handler.contains("error") && handler.contains("@0"), "\(handler)")
    #expect(after.globals[0].isUsedInKernel == false)
  }

  @Test("what follows a next that a chain decides moves; what came before stays")
  func leaving() throws {
    let before = program([total, Global(name: "b", kind: .scalar(.long), maximumEntries: 0)]) { body in
      _ = body.long { .addGlobal($0, GlobalID(1), .long(1)) }
      let key = chain(&body)
      let found = body.long { .intrinsic($0, .isinstr, [key, .string("x")]) }
      let then = body.block { $0.add(.next) }
      body.add(.if(found, then: then, else: Block()))
      let thread = body.long { .context($0, .tid, kernelPlan: nil) }
      body.add(.storeGlobal(GlobalID(0), thread))
    }
    let after = optimize(before)
    #expect(after.globals.map(\.isUsedInKernel) == [false, true], "\(after.text)")
    #expect(try #require(after.records.first).handler.text.contains("return"), "\(after.text)")
  }

  @Test("what is only printed is left to the pass that outlines printing")
  func printed() {
    let string = FormatString.Piece.directive(
      .init(flag: nil, width: .none, precision: .none, conversion: .string)
    )
    let before = program([]) { body in
      let text = chain(&body)
      body.add(.print(FormatString([string]), [text]))
    }
    #expect(moveToUserSide.run(before).text == before.text)
  }

  @Test("memory at an address that the kernel cannot know leaves the program as it is")
  func impossible() {
    let before = program([total]) { body in
      let text = chain(&body)
      let address = body.long { .intrinsic($0, .strtol, [text, .long(16)]) }
      let word = body.long { .intrinsic($0, .userRead, [address, .long(8), .long(1)]) }
      body.add(.storeGlobal(GlobalID(0), word))
    }
    #expect(moveToUserSide.run(before).text == before.text)
  }
}
