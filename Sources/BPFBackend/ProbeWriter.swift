import BPFObject
import TargetModel
import TraceIR

/// The programs of one probe, and what they need of the module.
struct WrittenProbe {
  let facts: ProbeFacts
  /// That of the function's entry first, if there is one, then the probe's body.
  fileprivate(set) var programs: [ProgramSpec] = []
  fileprivate(set) var needs: ModuleNeeds
  /// What is kept of each site for its texts.
  fileprivate(set) var columns: [SiteText] = []

  var hasEntry: Bool { programs.count > 1 }
}

/// Writes the programs of one probe.
///
/// It reads what all probes share and changes nothing, so that several are written side by side; ``ModuleBuilder``
/// puts together what comes out, in the order of the script.
struct ProbeWriter {
  let shared: SharedFacts
  let probe: Probe
  let facts: ProbeFacts

  /// Expands, lays out and writes body and entry body.
  func written() throws(BPFBackendError) -> WrittenProbe {
    var written = WrittenProbe(facts: facts, needs: ModuleNeeds(shared.module))
    if let entryBody = probe.entryBody {
      guard shared.target.hasTaskStorage else {
        throw .unsupported("a value from a function's entry on a kernel without task storage", location: nil)
      }
      let frames = EntryFrameLayout(facts, module: shared.module)
      guard frames.byteCount(shared.module) <= EntryFrameLayout.maximumByteCount else {
        throw .tooLarge(
          "the strings kept from a function's entry are too long: use -D MAXSTRINGLEN",
          location: nil
        )
      }
      try write(entryBody, .entry, into: &written)
    }
    try write(probe.body, .body, into: &written)
    return written
  }

  private func write(
    _ source: Body,
    _ role: CodeWriter.Role,
    into written: inout WrittenProbe
  ) throws(BPFBackendError) {
    let facts = role == .entry ? facts.atEntry : facts
    var expander = Expander(
      shared.program,
      shared.survey,
      target: shared.target,
      facts: facts,
      siteColumns: written.columns
    )
    let expanded = try expander.expandProbe(source)
    written.columns = expander.siteColumns
    let (body, layout) = layOut(expanded, facts)
    let name = role == .entry ? "probe\(facts.index)_entry" : "probe\(facts.index)"
    let kind = kind(isReturn: facts.isReturn && role == .body, role)
    var writer = CodeWriter(name: name, shared: shared, needs: written.needs, facts: facts, layout: layout)
    let plain = writer
    writer.absentMemory = AbsentMemory(kind, shared.target)
    var code = try code(of: &writer, body.steps, role)
    if writer.waits, code.deepestFrameByteCount > AbsentMemory.deepestFrameByteCount {
      writer = plain
      code = try self.code(of: &writer, body.steps, role)
    }
    written.needs = writer.needs
    written.programs.append(ProgramSpec(name: name, kind: kind, isSleepable: writer.waits, code: code))
  }

  /// Joins reads unless that makes the program need scratch memory, which costs as much as a read.
  private func layOut(
    _ body: ExpandedBody,
    _ facts: ProbeFacts
  ) -> (body: ExpandedBody, layout: FrameLayout) {
    let apart = (body: body, layout: layout(of: body, facts))
    // What was read before a write is not what is there after it.
    if shared.survey.writesUserMemory { return apart }
    guard let joined = body.joiningReads() else { return apart }
    let layout = layout(of: joined, facts)
    let isCheap = layout.scratchRegister == nil || apart.layout.scratchRegister != nil
    return isCheap ? (joined, layout) : apart
  }

  private func layout(of body: ExpandedBody, _ facts: ProbeFacts) -> FrameLayout {
    let demand = FrameDemand(
      body,
      facts: facts,
      program: shared.program,
      module: shared.module,
      hasEntrySlots: probe.entryBody != nil,
      hasMayGoto: shared.target.hasMayGoto
    )
    return FrameLayout(body, demand, shared.module)
  }

  /// The kernel refuses longer programs (BPF_COMPLEXITY_LIMIT_INSNS).
  private static let mostInstructions = 1_000_000

  /// Code that does not get too long for this kernel.
  private func code(
    of writer: inout CodeWriter,
    _ steps: [Step],
    _ role: CodeWriter.Role
  ) throws(BPFBackendError) -> ProgramCode {
    let code: ProgramCode
    do throws(BPFBackendError) { code = try writer.writeProgram(steps, role: role) } catch {
      guard case .assembly(.jumpTooFar) = error else { throw error }
      throw tooLong(steps, "its jumps are too far for a kernel before 6.9")
    }
    guard code.instructions.count > Self.mostInstructions else { return code }
    let count = code.instructions.count
    throw tooLong(steps, "it would be \(count) instructions, the kernel takes a million")
  }

  private func tooLong(_ steps: [Step], _ why: String) -> BPFBackendError {
    let location = steps.lazy.compactMap(\.location).first
    let message = "probe \(probe.name) is too large: \(why); divide it into several of the same point"
    return .tooLarge(message, location: shared.program.text(of: location))
  }

  private func kind(isReturn: Bool, _ role: CodeWriter.Role) -> ProgramKind {
    switch (probe.trigger, shared.target.userAttachment) {
    case (.tracepoint("sys_exit", _, _, _), _) where role == .entry: .rawTracepoint("sys_enter")
    case (.tracepoint(.tracepoint(let name), _, _, _), _): .rawTracepoint(name)
    case (.tracepoint(.functionEntry(let name), _, _, _), _): .fentry(function: name)
    case (.userSites(_, .data, _), _), (.sample, _): .perfEvent
    case (_, .multi): .uprobeMulti(isReturn: isReturn)
    case (_, .siblings): .uprobe(isReturn: isReturn)
    }
  }
}
