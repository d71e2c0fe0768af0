import BPFObject
import Platform
import TargetModel
import Testing
import TraceIR

@testable import BPFBackend

/// Which probes are found by their number, and the program that finds them.
@Suite struct DispatchTests {
  private static let registers = LocationPlan.tracepointArgument(0)
  private static let number = LocationPlan.tracepointArgument(1)
  private static let member = LocationPlan.load(
    .kernel,
    byteCount: 8,
    isSigned: false,
    address: registers.offset(by: 120)
  )

  /// A probe that leaves unless `plan` is `wanted`; with another relation, or something before it, it is no such probe.
  private func probe(
    _ wanted: Int64,
    of tracepoint: String = "sys_enter",
    _ plan: LocationPlan = number,
    relation: BinaryOperation = .notEqual,
    first: Bool = true,
    leaves: Bool = true
  ) -> Probe {
    var body = BodyBuilder()
    if !first { body.add(.storeGlobal(GlobalID(0), .long(1))) }
    let read = body.long { .read($0, plan, inputs: []) }
    let isOther = body.long { .binary($0, relation, read, .long(wanted)) }
    let leaving = body.block { $0.add(leaves ? .next : .storeGlobal(GlobalID(0), .long(2))) }
    body.add(.if(isOther, then: leaving, else: Block([])))
    body.add(.storeGlobal(GlobalID(0), .long(wanted)))
    let description = SiteDescription(probePoint: tracepoint, scriptPoint: tracepoint)
    let hook = KernelHook.tracepoint(tracepoint)
    let trigger = Trigger.tracepoint(hook, argumentCount: 2, description: description, in: nil)
    return Probe(name: "p\(wanted)", trigger: trigger, body: body.finished)
  }

  private func program(_ probes: [Probe]) -> TraceProgram {
    var program = TraceProgram()
    program.globals = [scalar("g")]
    program.probes = probes
    return program
  }

  /// The groups as `TRACEPOINT NUMBER:PROBE …`.
  private func groups(_ probes: [Probe]) -> [String] {
    DispatchPlan(program(probes)).groups.map { group in
      let members = group.probes.sorted { $0.key < $1.key }.map { "\($0.key):\($0.value)" }
      return "\(group.tracepoint) \(members.joined(separator: " "))"
    }
  }

  @Test("three numbers are worth a dispatcher, two are not")
  func leastCount() {
    #expect(groups([probe(1), probe(2)]) == [])
    #expect(groups([probe(1), probe(2), probe(3)]) == ["sys_enter 1:0 2:1 3:2"])
  }

  @Test("probes of one number keep their order in groups of their own")
  func repeatedNumbers() {
    let probes = [probe(1), probe(2), probe(1), probe(3), probe(2), probe(3), probe(1)]
    #expect(groups(probes) == ["sys_enter 1:0 2:1 3:3", "sys_enter 1:2 2:4 3:5"])
  }

  @Test("a probe without a number stays between those around it")
  func others() {
    let plain = probe(9, relation: .equal)
    let probes = [probe(1), probe(2), plain, probe(3), probe(4), probe(5)]
    #expect(groups(probes) == ["sys_enter 3:3 4:4 5:5"])
  }

  @Test("tracepoints have groups of their own, whatever lies between")
  func tracepoints() {
    let exits = (1...3).map { probe($0, of: "sys_exit", Self.member) }
    let other = probe(7, of: "sched_switch", relation: .equal)
    let probes = [probe(1), exits[0], probe(2), other, exits[1], probe(3), exits[2]]
    #expect(groups(probes) == ["sys_enter 1:0 2:2 3:5", "sys_exit 1:1 2:4 3:6"])
  }

  @Test("only a probe that looks at its number first, and leaves, is found by it")
  func nearMisses() {
    let good = [probe(1), probe(2), probe(3)]
    var armed = probe(4)
    armed.arming = Body()
    let word = LocationPlan.load(.kernel, byteCount: 4, isSigned: false, address: Self.registers)
    let user = LocationPlan.load(.user, byteCount: 8, isSigned: false, address: Self.registers)
    let others = [
      armed, probe(4, relation: .equal), probe(4, first: false), probe(4, leaves: false), probe(-1),
      probe(4096), probe(4, word), probe(4, user),
    ]
    for other in others { #expect(groups(good + [other]) == ["sys_enter 1:0 2:1 3:2"]) }
    #expect(groups(good + [probe(4095)]) == ["sys_enter 1:0 2:1 3:2 4095:3"])
    // Two kinds of numbers of one tracepoint are not one order.
    #expect(groups(good.dropLast() + [probe(3, Self.member)]) == [])
  }

  @Test("the dispatcher reads the number and jumps")
  func code() throws {
    let arguments = try generate(program([probe(1), probe(2), probe(3)]), for: BPFTarget())
    let reached = arguments.dispatchers
    #expect(reached == ["probe0": "dispatch_0", "probe1": "dispatch_0", "probe2": "dispatch_0"])
    let text = Disassembler.text(of: arguments.blueprint)
    #expect(text.contains("map dispatch_0: programArray, 4 → 4 bytes, 4 entries"), "\(text)")
    #expect(
      text.contains(
        """
        program dispatch_0 [raw_tp/sys_enter]
        dispatch_0:
          r6 = r1
          r3 = *(u64 *)(r6 + 8)
          r1 = r6
          r2 = map[dispatch_0]
          call tail_call
          r0 = 0
          exit
        """
      ),
      "\(text)"
    )
    var kept = try ObjectFile.decode(SharedBytes(ObjectFile.encode(arguments.blueprint)), path: "test.o")
    kept.maps.sort { $0.name < $1.name }
    #expect(kept.maps == arguments.blueprint.maps.sorted { $0.name < $1.name })
    #expect(kept.programs == arguments.blueprint.programs)
    let members = try generate(
      program((1...3).map { probe($0, of: "sys_exit", Self.member) }),
      for: BPFTarget()
    )
    let other = Disassembler.text(of: members.blueprint)
    #expect(
      other.contains(
        """
        program dispatch_0 [raw_tp/sys_exit]
        dispatch_0:
          r6 = r1
          r3 = *(u64 *)(r6 + 0)
          r3 += 120
          r1 = r10
          r1 += -8
          r2 = 8
          call probe_read_kernel
          if r0 != 0 goto L1
          r3 = *(u64 *)(r10 - 8)
        """
      ),
      "\(other)"
    )
  }

  @Test(
    "a global is not called as one of our maps",
    arguments: [
      ("sites_0", "sites_0_2"), ("dispatch_12", "dispatch_12_2"), ("losses", "losses_2"),
      ("sites_", "sites_"), ("sites_x", "sites_x"), ("places", "places"),
    ]
  )
  func names(_ wanted: String, _ given: String) {
    var names = MapNames()
    #expect(names.unique(wanted) == given)
  }
}
