import Testing
import TraceIR

@Suite("Arrays that only count") struct TallyLayoutTests {
  private static let array = GlobalID(0)

  /// What a script does to the array: in a kernel-side probe and on the user side.
  private func global(
    kind: Global.Kind = .array(keys: [.long], value: .long),
    wraps: Bool = false,
    entries: Int = 2048,
    kernel: (inout BodyBuilder) -> Void,
    user: (inout BodyBuilder) -> Void = { _ in }
  ) -> Global {
    var (kernelBody, userBody) = (BodyBuilder(), BodyBuilder())
    kernel(&kernelBody)
    user(&userBody)
    var program = TraceProgram()
    program.globals = [Global(name: "a", kind: kind, maximumEntries: entries, wraps: wraps)]
    program.probes = [
      Probe(name: "p", trigger: .userSites([], .instruction, in: .target), body: kernelBody.finished),
      Probe(name: "end", trigger: .end(order: 0), body: userBody.finished),
    ]
    return markKernelGlobals.run(program).globals[0]
  }

  private func add(_ body: inout BodyBuilder, key: Operand = .long(1)) {
    _ = body.long { .addElement($0, Self.array, [key], .long(1)) }
  }

  @Test("adding and reading single elements, and deleting all from the user side, make a tally")
  func tallies() {
    #expect(global { add(&$0) }.isTally)
    let read = global { body in
      add(&body)
      _ = body.long { .loadElement($0, Self.array, [.long(1)]) }
      _ = body.long { .contains($0, Self.array, [.long(1)]) }
    } user: { body in
      add(&body)
      body.add(.delete(Self.array, []))
      body.add(.delete(Self.array, [nil]))
    }
    #expect(read.isTally && TallyLayout(read) != nil)
  }

  @Test("anything else does not")
  func others() {
    #expect(!global { _ = $0.long { .loadElement($0, Self.array, [.long(1)]) } }.isTally)
    for other: Operation in [
      .storeElement(Self.array, [.long(1)], .long(2)), .delete(Self.array, [.long(1)]),
      .delete(Self.array, []), .contains(ValueID(9), Self.array, [nil]),
    ] {
      let found = global { body in
        add(&body)
        body.add(other)
      }
      #expect(!found.isTally, "\(other)")
    }
    for other: Operation in [
      .storeElement(Self.array, [.long(1)], .long(2)), .delete(Self.array, [.long(1)]),
    ] {
      #expect(
        !global {
          add(&$0)
        } user: {
          $0.add(other)
        }.isTally,
        "\(other)"
      )
    }
    #expect(!global(kind: .array(keys: [.string], value: .long)) { add(&$0, key: .string("a")) }.isTally)
    #expect(!global(wraps: true) { add(&$0) }.isTally)
    let none = global { _ in
    } user: {
      add(&$0)
    }
    #expect(!none.isTally)
  }

  @Test("there is always a free slot; what is larger than a million is left to the kernel's hash")
  func sizes() throws {
    for entries in [0, 1, 2, 3, 4, 5, 7, 100, 2048, 131_072, 1 << 20] {
      let layout = try #require(TallyLayout(global(entries: entries) { add(&$0) }))
      #expect(layout.lineCount * TallyLayout.slotsPerLine > layout.maximumEntries)
      #expect(layout.lineCount * TallyLayout.slotsPerLine < 2 * layout.maximumEntries + 4)
    }
    #expect(TallyLayout(global(entries: (1 << 20) + 1) { add(&$0) }) == nil)
  }

  @Test("marks and keys are one for one, and one key has the mark 0")
  func marks() {
    for key in [0, 1, -1, .min, .max, TallyLayout.oddKey, 1 << 40] as [Int64] {
      #expect(TallyLayout.key(of: TallyLayout.mark(of: key)) == key)
      #expect((TallyLayout.mark(of: key) == 0) == (key == TallyLayout.oddKey))
    }
  }

  @Test(
    "keys that follow each other, or lie apart as addresses do, spread over the lines",
    arguments: [1, 8, 64, 4096, 4_294_967_296, 8_589_934_593] as [Int64]
  )
  func spreads(_ distance: Int64) throws {
    let layout = try #require(TallyLayout(global(entries: 16_384) { add(&$0) }))
    var counts = [Int](repeating: 0, count: layout.lineCount)
    for index in 0..<Int64(16_384) {
      counts[layout.line(of: TallyLayout.mark(of: 1_000_000 + index * distance))] += 1
    }
    #expect(counts.map { max(0, $0 - TallyLayout.slotsPerLine) }.reduce(0, +) < 3000)
  }
}
