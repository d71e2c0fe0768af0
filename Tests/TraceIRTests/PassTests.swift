import TargetModel
import Testing
import TraceIR

@Suite struct PassTests {
  /// A program with one kernel-side probe.
  private func program(_ fill: (inout BodyBuilder) -> Void) -> TraceProgram {
    var builder = BodyBuilder()
    fill(&builder)
    var program = TraceProgram()
    let trigger = Trigger.userSites([], .instruction, in: .target)
    program.probes = [Probe(name: "p", trigger: trigger, body: builder.finished)]
    return program
  }

  private let decimal = FormatString.Piece.directive(
    .init(flag: nil, width: .none, precision: .none, conversion: .decimal)
  )
  private let string = FormatString.Piece.directive(
    .init(flag: nil, width: .none, precision: .none, conversion: .string)
  )

  @Test("outlining moves texts and captures numbers")
  func outlines() {
    let before = program { body in
      let function = body.string { .context($0, .site(.function), kernelPlan: nil) }
      let prefix = body.string { .format($0, FormatString([string, .text(":")]), [function]) }
      let tid = body.long { .context($0, .tid, kernelPlan: nil) }
      body.add(.print(FormatString([string, .text(" "), decimal, .text("\n")]), [prefix, tid]))
    }
    #expect(
      deadCodeElimination.run(outlinePrinting.run(before)).text == """
        probe 0 "p" user sites(0)
          %2 = context tid
          emit 0, %2
        record 0 (long)
          locals $0: long
          %2 = load $0
          %0 = context site(function)
          %1 = format "%s:", %0
          print "%s %d\\n", %1, %2

        """
    )
  }

  @Test("outlining captures what the kernel needs anyway")
  func capturesNeededValues() {
    var before = program { body in
      let tid = body.long { .context($0, .tid, kernelPlan: nil) }
      let text = body.string { .format($0, FormatString([decimal]), [tid]) }
      body.add(.storeGlobal(GlobalID(0), text))
      body.add(.print(FormatString([string]), [text]))
    }
    before.globals = [Global(name: "g", kind: .scalar(.string), maximumEntries: 0)]
    let after = optimize(before)
    #expect(after.records.map(\.fields) == [[.string]])
    #expect(after.probes[0].body.text.contains("format \"%d\", %0"))
  }

  @Test("outlining moves a choice between constants")
  func movesTernaries() {
    let before = program { body in
      let value = body.long { .context($0, .argument(1), kernelPlan: nil) }
      let text = body.local(.string)
      let then = body.block { $0.add(.storeLocal(text, .string("yes"))) }
      let otherwise = body.block { $0.add(.storeLocal(text, .string("no"))) }
      body.add(.if(value, then: then, else: otherwise))
      let chosen = body.load(text)
      body.add(.print(FormatString([string, .text("\n")]), [chosen]))
    }
    #expect(
      optimize(before).text == """
        probe 0 "p" user sites(0)
          locals $0: string
          %0 = context argument(1)
          emit 0, %0
        record 0 (long)
          locals $0: long, $1: string
          %0 = load $0
          if %0
            store $1, "yes"
          else
            store $1, "no"
          end
          %1 = load $1
          print "%s\\n", %1

        """
    )
  }

  @Test("outlining leaves a choice between variables in the kernel")
  func keepsTernariesOfVariables() {
    let before = program { body in
      let value = body.long { .context($0, .argument(1), kernelPlan: nil) }
      let name = body.string { .context($0, .execname, kernelPlan: nil) }
      let text = body.local(.string)
      let then = body.block { inner in
        let other = inner.string { .context($0, .pexecname, kernelPlan: nil) }
        inner.add(.storeLocal(text, other))
      }
      let otherwise = body.block { $0.add(.storeLocal(text, name)) }
      body.add(.if(value, then: then, else: otherwise))
      let chosen = body.load(text)
      body.add(.print(FormatString([string]), [chosen]))
    }
    let after = optimize(before)
    #expect(after.records.map(\.fields) == [[.string]])
    #expect(after.probes[0].body.text.contains("if %0"))
  }

  @Test("%m is given bytes that the kernel has read")
  func readsMemoryInTheKernel() {
    let memory = FormatString.Piece.directive(
      .init(flag: "#", width: .none, precision: .fixed(4), conversion: .memory)
    )
    let after = optimize(
      program { body in
        let address = body.long { .context($0, .argument(1), kernelPlan: nil) }
        body.add(.print(FormatString([memory]), [address]))
      }
    )
    #expect(after.probes[0].body.text.contains("userBytes(%0, 4)"))
    #expect(after.records.map(\.fields) == [[.string]])
  }

  @Test("a histogram's buckets are sent as strings; where no string has room for one, its keys")
  func outlinesHistograms() {
    var before = program { body in
      let tid = body.long { .context($0, .tid, kernelPlan: nil) }
      body.add(.printHistogram(.log, GlobalID(0), [tid]))
    }
    before.globals = [Global(name: "h", kind: .statisticArray(keys: [.long]), maximumEntries: 10)]
    let after = optimize(before)
    #expect(after.records[0].fields == [.string, .string, .string])
    #expect(after.records[0].handler.text.contains("print hist_log of %0, %1, %2"))
    #expect(after.probes[0].body.text.contains("buckets 126..<128 of hist_log @0 [%0]"))
    before.limits.maxStringLength = 8
    let short = optimize(before)
    #expect(short.records[0].handler.text.contains("print hist_log @0 [%0]"))
    #expect(short.globals[0].isUsedInKernel == false)
  }

  @Test("what is read of statistics is found, wherever it is read")
  func marksStatisticFields() {
    let (first, second, third, fourth) = (GlobalID(0), GlobalID(1), GlobalID(2), GlobalID(3))
    func walk(
      _ global: GlobalID,
      _ order: ForeachOperation.Order,
      value: LocalID?,
      _ histogram: HistogramShape?
    ) -> Operation {
      .foreach(
        ForeachOperation(
          global: global,
          slice: histogram == nil ? [] : [.long(1)],
          keys: [LocalID(0)],
          value: value,
          order: order,
          limit: nil,
          histogram: histogram,
          body: Block()
        )
      )
    }
    var before = program { body in
      let (key, value) = (body.local(.long), body.local(.long))
      #expect(key == LocalID(0))
      for global in [first, second, third, fourth] { body.add(.aggregate(global, [.long(1)], .long(2))) }
      let sum = body.long { .extract($0, .sum, first, [.long(1)]) }
      body.add(.print(FormatString([decimal]), [sum]))
      body.add(walk(first, .statistic(.max, descending: true), value: nil, nil))
      body.add(walk(second, .value(descending: true), value: value, .log))
      body.add(walk(third, .key(0, descending: false), value: value, nil))
      body.add(walk(fourth, .key(0, descending: false), value: nil, nil))
    }
    before.globals = ["a", "b", "c", "d"].map {
      Global(name: $0, kind: .statisticArray(keys: [.long]), maximumEntries: 9)
    }
    let fields = markStatisticFields.run(before).globals.map(\.statistics.fields)
    #expect(fields == [[.sum, .max], [], [.count], []])
    #expect(optimize(before).text.hasPrefix("global @a: array[long] of statistic, 9 entries, sum max\n"))
  }

  @Test("small functions are put where they are called, and their prints merge")
  func inlines() {
    var log = BodyBuilder(parameters: [.string])
    let text = log.load(LocalID(0))
    log.add(.print(FormatString([string, .text("\n")]), [text]))
    var before = program { body in
      body.add(.call(nil, FunctionID(0), [.string("a")]))
      body.add(.call(nil, FunctionID(0), [.string("b")]))
    }
    before.functions = [
      Function(name: "log", parameters: [.string], result: nil, body: log.finished, fallback: nil)
    ]
    #expect(
      optimize(before).text == """
        probe 0 "p" user sites(0)
          locals $0: string, $1: string
          emit 0
        record 0 ()
          print "a\\nb\\n"

        """
    )
  }

  @Test("early returns become else branches")
  func inlinesEarlyReturns() {
    var function = BodyBuilder(parameters: [.long])
    let value = function.load(LocalID(0))
    let then = function.block { $0.add(.return(.long(1))) }
    function.add(.if(value, then: then, else: Block()))
    function.add(.return(.long(2)))
    var before = program { body in
      let argument = body.long { .context($0, .tid, kernelPlan: nil) }
      let result = body.long { .call($0, FunctionID(0), [argument]) }
      body.add(.storeGlobal(GlobalID(0), result))
    }
    before.globals = [Global(name: "g", kind: .scalar(.long), maximumEntries: 0)]
    before.functions = [
      Function(name: "f", parameters: [.long], result: .long, body: function.finished, fallback: nil)
    ]
    #expect(
      optimize(before).probes[0].body.text == """
        locals $0: long, $1: long
        %0 = context tid
        if %0
          store $1, 1
        else
          store $1, 2
        end
        %1 = load $1
        store @0, %1

        """
    )
  }

  @Test("recursive functions stay calls")
  func keepsRecursion() {
    var function = BodyBuilder()
    function.add(.call(nil, FunctionID(0), []))
    var before = program { $0.add(.call(nil, FunctionID(0), [])) }
    before.functions = [
      Function(name: "f", parameters: [], result: nil, body: function.finished, fallback: nil)
    ]
    #expect(optimize(before).probes[0].body.text == "call function 0()\n")
  }

  @Test("constants are computed, stores forwarded, branches decided; division by 0 stays")
  func folds() {
    var before = program { body in
      let five = body.long { .binary($0, .add, .long(2), .long(3)) }
      let local = body.local(.long)
      body.add(.storeLocal(local, five))
      let loaded = body.load(local)
      let then = body.block { $0.add(.storeGlobal(GlobalID(0), loaded)) }
      let otherwise = body.block { $0.add(.storeGlobal(GlobalID(0), .long(9))) }
      body.add(.if(.long(1), then: then, else: otherwise))
      _ = body.long { .binary($0, .divide, .long(1), .long(0)) }
    }
    before.globals = [Global(name: "g", kind: .scalar(.long), maximumEntries: 0)]
    #expect(
      deadCodeElimination.run(constantFolding.run(before)).probes[0].body.text == """
        locals $0: long
        store @0, 5
        %2 = div 1, 0

        """
    )
  }

  @Test("a local that a loop changes is not forwarded into it")
  func respectsLoops() {
    let before = program { body in
      let local = body.local(.long)
      body.add(.storeLocal(local, .long(1)))
      var condition: Operand = .long(0)
      let test = body.block { inner in
        let value = inner.load(local)
        condition = inner.long { .binary($0, .less, value, .long(9)) }
      }
      let inner = body.block { inner in
        let value = inner.load(local)
        let next = inner.long { .binary($0, .add, value, .long(1)) }
        inner.add(.storeLocal(local, next))
      }
      body.add(.loop(condition: test, condition, body: inner, step: Block()))
    }
    #expect(constantFolding.run(before).probes[0].body.text == before.probes[0].body.text)
  }

  @Test("prints with an effect between them stay apart")
  func keepsPrintsApart() {
    var before = program { body in
      body.add(.print(FormatString([.text("a")]), []))
      body.add(.storeGlobal(GlobalID(0), .long(1)))
      body.add(.print(FormatString([.text("b")]), []))
    }
    before.globals = [Global(name: "g", kind: .scalar(.long), maximumEntries: 0)]
    #expect(mergePrints.run(before).text == before.text)
  }

  @Test("dead code goes, faults and effects stay")
  func eliminates() {
    var before = program { body in
      _ = body.long { .context($0, .pid, kernelPlan: nil) }
      _ = body.long {
        .read($0, .load(.user, byteCount: 4, isSigned: true, address: .constant(0)), inputs: [])
      }
      let unread = body.local(.long)
      body.add(.storeLocal(unread, .long(3)))
      body.add(.next)
      body.add(.print(FormatString([.text("never")]), []))
    }
    before.probes.append(Probe(name: "n", trigger: .never, body: Body()))
    #expect(
      deadCodeElimination.run(before).text == """
        probe 0 "p" user sites(0)
          locals $0: long
          %1 = read user4s[0]
          next

        """
    )
  }

  @Test("what a dropped handler used is counted once, however deep it stands")
  func countsUsesInDroppedHandlers() {
    var before = program { body in
      let tid = body.long { .context($0, .tid, kernelPlan: nil) }
      let inner = body.block { $0.add(.print(FormatString([decimal]), [tid])) }
      let handler = body.block { body in
        let attempt = body.block { _ = $0.long { .binary($0, .divide, .long(1), .long(0)) } }
        body.add(.tryCatch(attempt, message: nil, handler: inner))
      }
      body.add(.tryCatch(Block(), message: nil, handler: handler))
      body.add(.storeGlobal(GlobalID(0), tid))
    }
    before.globals = [Global(name: "g", kind: .scalar(.long), maximumEntries: 0)]
    #expect(
      deadCodeElimination.run(before).probes[0].body.text == """
        %0 = context tid
        store @0, %0

        """
    )
  }

  @Test(
    "what is asked twice is computed once, wherever the first answer has been given; clocks are asked again"
  )
  func sharesExpressions() {
    let before = program { body in
      let address = body.long { .read($0, .register(5), inputs: []) }
      let text = body.string { .intrinsic($0, .userString, [address, .long(9)]) }
      let isThere = body.long { .contains($0, GlobalID(0), [text]) }
      let then = body.block { body in
        let again = body.long { .read($0, .register(5), inputs: []) }
        let same = body.string { .intrinsic($0, .userString, [again, .long(9)]) }
        _ = body.long { .addElement($0, GlobalID(0), [same], .long(1)) }
        let shorter = body.string { .intrinsic($0, .userString, [again, .long(8)]) }
        body.add(.print(FormatString([string]), [shorter]))
      }
      body.add(.if(isThere, then: then, else: Block()))
      // Made in one branch only, so it has to be made again.
      let shorter = body.string { .intrinsic($0, .userString, [address, .long(8)]) }
      body.add(.print(FormatString([string]), [shorter]))
      for field in [ContextField.monotonicNanoseconds, .tid] {
        let first = body.long { .context($0, field, kernelPlan: nil) }
        let second = body.long { .context($0, field, kernelPlan: nil) }
        body.add(.print(FormatString([decimal, decimal]), [first, second]))
      }
    }
    #expect(
      commonSubexpressions.run(before).probes[0].body.text == """
        %0 = read rdi
        %1 = userString(%0, 9)
        %2 = contains @0 [%1]
        if %2
          %5 = add @0 [%1], 1
          %6 = userString(%0, 8)
          print "%s", %6
        end
        %7 = userString(%0, 8)
        print "%s", %7
        %8 = context monotonicNanoseconds
        %9 = context monotonicNanoseconds
        print "%d%d", %8, %9
        %10 = context tid
        print "%d%d", %10, %10

        """
    )
  }

  @Test("memory is read again where probes change it, registers are not")
  func readsAgainWhatChanges() {
    let member = LocationPlan.load(.user, byteCount: 8, isSigned: true, address: .register(5))
    let before = program { body in
      for _ in 0..<2 {
        let address = body.long { .read($0, .register(5), inputs: []) }
        let old = body.long { .read($0, member, inputs: []) }
        let text = body.string { .intrinsic($0, .userString, [address, .long(9)]) }
        _ = body.long { .intrinsic($0, .userWrite, [address, .long(8), old]) }
        body.add(.print(FormatString([string]), [text]))
      }
    }
    #expect(
      commonSubexpressions.run(before).probes[0].body.text == """
        %0 = read rdi
        %1 = read user8s[rdi]
        %2 = userString(%0, 9)
        %3 = userWrite(%0, 8, %1)
        print "%s", %2
        %5 = read user8s[rdi]
        %6 = userString(%0, 9)
        %7 = userWrite(%0, 8, %5)
        print "%s", %6

        """
    )
  }

  @Test("the condition of a loop takes what was made before it")
  func sharesInLoops() {
    let before = program { body in
      let first = body.long { .context($0, .tid, kernelPlan: nil) }
      var goesOn = Operand.long(0)
      let condition = body.block { body in
        let again = body.long { .context($0, .tid, kernelPlan: nil) }
        goesOn = body.long { .binary($0, .less, again, first) }
      }
      let inside = body.block { body in
        let again = body.long { .context($0, .tid, kernelPlan: nil) }
        let same = body.long { .binary($0, .less, again, first) }
        body.add(.print(FormatString([decimal]), [same]))
      }
      body.add(.loop(condition: condition, goesOn, body: inside, step: Block()))
    }
    let after = commonSubexpressions.run(before)
    #expect(after.problems().isEmpty)
    #expect(after.text.split(separator: "\n").filter { $0.contains("context tid") }.count == 1)
  }

  /// A probe that loads, adds 5 and stores, with something in between and something behind.
  private func update(
    _ between: (inout BodyBuilder) -> Void = { _ in },
    after: (inout BodyBuilder, _ loaded: Operand, _ sum: Operand) -> Void = { _, _, _ in }
  ) -> String {
    var before = program { body in
      let key = body.long { .context($0, .tid, kernelPlan: nil) }
      let old = body.long { .loadElement($0, GlobalID(0), [key]) }
      let sum = body.long { .binary($0, .add, old, .long(5)) }
      between(&body)
      body.add(.storeElement(GlobalID(0), [key], sum))
      after(&body, old, sum)
    }
    before.globals = ["n", "m"].map {
      Global(name: $0, kind: .array(keys: [.long], value: .long), maximumEntries: 9)
    }
    let result = fuseUpdates.run(before)
    #expect(result.problems().isEmpty)
    return result.probes[0].body.text
  }

  @Test("a load, an addition and a store to the same element are one addition")
  func fusesUpdates() {
    #expect(update().hasSuffix("= context tid\n%3 = add @0 [%0], 5\n"))
    let other = update { body in _ = body.long { .addElement($0, GlobalID(1), [.long(1)], .long(1)) } }
    #expect(!other.contains("store"), "another array may be changed in between")
  }

  @Test("but not where somebody sees the difference")
  func keepsUpdates() {
    let texts = [
      update { body in _ = body.long { .addElement($0, GlobalID(0), [.long(1)], .long(1)) } },
      update { body in body.add(.delete(GlobalID(0), [])) },
      update { body in
        let inside = body.block { $0.add(.delete(GlobalID(0), [])) }
        body.add(.if(.long(1), then: inside, else: Block()))
      },
      update(after: { body, old, _ in body.add(.print(FormatString([decimal]), [old])) }),
      update(after: { body, _, sum in body.add(.print(FormatString([decimal]), [sum])) }),
    ]
    for text in texts { #expect(text.contains("load @0 [%0]") && text.contains("store @0 [%0]"), "\(text)") }
  }

  @Test("the verifier names what is wrong")
  func verifies() {
    let broken = program { body in
      body.add(.storeGlobal(GlobalID(3), .long(1)))
      body.add(.break)
      body.add(.print(FormatString([decimal]), [.value(ValueID(7))]))
      _ = body.long { .concatenate($0, [.string("a")]) }
    }
    #expect(
      broken.problems() == [
        "probe 0: global 3 does not exist",
        "probe 0: break or continue outside a loop",
        "probe 0: %7 is used before it is made",
        "probe 0: concatenate makes a string in %0",
      ]
    )
  }
}
