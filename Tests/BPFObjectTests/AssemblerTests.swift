import BPFObject
import Testing

@Suite struct AssemblerTests {
  @Test("labels, maps, helpers and lines become text that names them")
  func assembles() throws {
    let hits = MapSpec.array("hits", valueByteCount: 8, count: 1)
    var code = Assembler(program: "count")
    code.position = SourcePosition(file: 0, line: 2, column: 3)
    let miss = code.makeLabel()
    code.emit(.store(.word, .r10, -4, immediate: 0))
    code.loadMap(.r1, hits.reference)
    code.emit(.move(.r2, .r10))
    code.emit(.arithmetic(.add, .r2, -4))
    code.call(.mapLookupElement)
    code.jump(if: .equal, .r0, 0, to: miss)
    code.position = SourcePosition(file: 0, line: 3, column: 1)
    code.emit(.move(.r1, 1))
    code.emit(.atomic(.add, .double, .r0, 0, .r1))
    code.place(miss)
    code.emit(.move(.r0, 0))
    code.emit(.exit)
    let source = SourceFile(name: "a.stp", text: "probe p {\n  hits++\n}\n")
    #expect(
      Disassembler.text(of: try code.finish(), sources: [source]) == """
        count:
          ; a.stp:2:3 hits++
          *(u32 *)(r10 - 4) = 0
          r1 = map[hits]
          r2 = r10
          r2 += -4
          call map_lookup_elem
          if r0 == 0 goto L1
          ; a.stp:3:1 }
          r1 = 1
          lock *(u64 *)(r0 + 0) += r1
        L1:
          r0 = 0
          exit

        """
    )
  }

  @Test("what nothing reaches is left out")
  func prunes() throws {
    var code = Assembler(program: "main")
    let used = code.makeFunction("used")
    let unused = code.makeFunction("unused")
    code.call(used)
    code.emit(.exit)
    code.emit(.move(.r0, 1))
    code.begin(unused)
    code.emit(.exit)
    code.begin(used)
    code.emit(.move(.r0, 2))
    code.emit(.exit)
    let text = Disassembler.text(of: try code.finish())
    #expect(text == "main:\n  call used\n  exit\nused:\n  r0 = 2\n  exit\n")
  }

  @Test("jumps beyond 16 bits become long ones")
  func longJumps() throws {
    var code = Assembler(program: "main")
    let end = code.makeLabel()
    code.jump(if: .equal, .r1, 0, to: end)
    for _ in 0..<40_000 { code.emit(.move(.r0, 1)) }
    code.place(end)
    code.emit(.move(.r0, 0))
    code.emit(.exit)
    let instructions = try code.finish().instructions
    #expect(instructions.count == 40_005)
    #expect(instructions[0].offset == 1)
    #expect(instructions[2].opcode == 0x06)
    #expect(instructions[2].immediate == 40_000)
  }

  @Test("the kernel may put more in the place of what a short jump is over")
  func nearlyLongJumps() throws {
    var code = Assembler(program: "main")
    let end = code.makeLabel()
    code.jump(if: .equal, .r1, 0, to: end)
    for _ in 0..<20_000 { code.emit(.move(.r0, 1)) }
    code.place(end)
    code.emit(.exit)
    #expect(try code.finish().instructions.contains { $0.opcode == 0x06 })
  }

  @Test(
    "without long jumps they go over islands, forwards and backwards",
    arguments: [9_000, 40_000, 200_000]
  )
  func islands(_ distance: Int) throws {
    var code = Assembler(program: "main")
    code.allowsLongJumps = false
    let (start, end) = (code.makeLabel(), code.makeLabel())
    code.place(start)
    code.jump(if: .equal, .r1, 0, to: end)
    for _ in 0..<distance { code.emit(.move(.r0, 1)) }
    code.jump(if: .equal, .r2, 0, to: start)
    code.place(end)
    code.emit(.move(.r0, 7))
    code.emit(.exit)
    let instructions = try code.finish().instructions
    func follow(_ from: Int) -> Int {
      var place = from
      while [0x05, 0x15].contains(instructions[place].opcode) && place != 0 || place == from {
        #expect(abs(Int(instructions[place].offset)) <= 9_000)
        place += 1 + Int(instructions[place].offset)
      }
      return place
    }
    let last = try #require(instructions.lastIndex { $0.opcode == 0x15 })
    #expect(instructions[follow(0)] == instructions[instructions.count - 2])
    #expect(instructions[follow(0)].immediate == 7)
    #expect(follow(last) == 0)
    // Who comes from above gets by.
    #expect(instructions.filter { $0 == .move(.r0, 1) }.count == distance)
  }

  @Test("functions of the same name are told apart")
  func names() throws {
    var code = Assembler(program: "main")
    let functions = (0..<3).map { _ in code.makeFunction("round") }
    for function in functions { code.loadFunction(.r2, function) }
    code.emit(.exit)
    for function in functions {
      code.begin(function)
      code.emit(.move(.r0, 0))
      code.emit(.exit)
    }
    #expect(try code.finish().functions.map(\.name) == ["main", "round", "round_2", "round_3"])
  }

  @Test("mistakes of the code generator are errors")
  func mistakes() {
    var open = Assembler(program: "main")
    open.emit(.move(.r0, 0))
    #expect(throws: AssemblyError.openEnd(function: "main")) { try open.finish() }
    var unplaced = Assembler(program: "main")
    unplaced.jump(to: unplaced.makeLabel())
    #expect(throws: AssemblyError.unplacedLabel(function: "main")) { try unplaced.finish() }
    var empty = Assembler(program: "main")
    empty.call(empty.makeFunction("nothing"))
    empty.emit(.exit)
    #expect(throws: AssemblyError.functionWithoutCode("nothing")) { try empty.finish() }
  }

  @Test(
    "constants take the shortest form",
    arguments: [(5, 1), (-1, 1), (0xffff_ffff, 1), (0x1_0000_0000, 2), (Int64.min, 2)] as [(Int64, Int)]
  )
  func constants(_ value: Int64, _ slots: Int) throws {
    var code = Assembler(program: "main")
    code.loadConstant(.r0, value)
    code.emit(.exit)
    #expect(try code.finish().instructions.count == slots + 1)
  }
}
