/// What a program runs on: program type, attach type and, where it has one, the place.
package enum ProgramKind: Hashable, Sendable {
  /// Perf events or tracefs. The site is told by its address: one cookie is all that a program gets.
  case uprobe(isReturn: Bool)
  /// One link for all sites of a file, a cookie each (Linux 6.6, commit 89ae89f53d20).
  case uprobeMulti(isReturn: Bool)
  /// One link for entry and return (Linux 6.13); `bpf_session_is_return` tells them apart.
  case uprobeSession
  /// Arguments as raw 64-bit words.
  case rawTracepoint(String)
  /// Arguments typed by BTF (`tp_btf`).
  case btfTracepoint(String)
  case tracepoint(category: String, name: String)
  case perfEvent
  case kprobe(function: String, isReturn: Bool)
  case fentry(function: String)
  case fexit(function: String)
  /// Only run by hand (`BPF_PROG_RUN`); may sleep.
  case syscall
}

/// A source line that code came from, as an index into ``ModuleBlueprint/sources``.
package struct SourcePosition: Hashable, Sendable {
  package var file: Int
  /// From 1.
  package var line: Int
  /// From 1; 0 when unknown.
  package var column: Int

  package init(file: Int, line: Int, column: Int) {
    self.file = file
    self.line = line
    self.column = column
  }
}

/// A script whose lines the kernel prints in its logs.
package struct SourceFile: Hashable, Sendable {
  package var name: String
  package var text: String

  package init(name: String, text: String) {
    self.name = name
    self.text = text
  }
}

/// The code of one program: the main function first, then its subprograms.
package struct ProgramCode: Hashable, Sendable {
  /// A value that is known only at load.
  package struct Relocation: Hashable, Sendable {
    /// What the slot at `instruction` stands for.
    package enum Target: Hashable, Sendable {
      /// The map itself, as helpers take it.
      case map(MapReference)
      /// The address of an array's first value plus `offset` bytes.
      case mapValue(MapReference, offset: Int32)
      /// A kfunc, by its whole name.
      case kernelFunction(String)
    }

    package var instruction: Int
    package var target: Target

    package init(instruction: Int, target: Target) {
      self.instruction = instruction
      self.target = target
    }
  }

  /// Where a function starts.
  package struct Function: Hashable, Sendable {
    package var name: String
    /// Slot of its first instruction.
    package var start: Int
    package var linkage: FunctionLinkage

    package init(name: String, start: Int, linkage: FunctionLinkage = .static) {
      self.name = name
      self.start = start
      self.linkage = linkage
    }
  }

  /// From which slot on a source position holds.
  package struct Line: Hashable, Sendable {
    package var instruction: Int
    package var position: SourcePosition

    package init(instruction: Int, position: SourcePosition) {
      self.instruction = instruction
      self.position = position
    }
  }

  /// Slots, two for a 64-bit constant; calls and function addresses inside are already relative.
  package var instructions: [BPFInstruction]
  /// Ascending.
  package var relocations: [Relocation]
  /// Ascending; the first is the program itself, at 0.
  package var functions: [Function]
  /// Ascending; empty for none.
  package var lines: [Line]

  package init(
    instructions: [BPFInstruction],
    relocations: [Relocation] = [],
    functions: [Function],
    lines: [Line] = []
  ) {
    self.instructions = instructions
    self.relocations = relocations
    self.functions = functions
    self.lines = lines
  }
}

/// How the verifier treats a function.
package enum FunctionLinkage: Hashable, Sendable {
  /// What a global function is promised.
  package enum Parameter: Hashable, Sendable {
    case scalar
    /// May be null, which the function must test.
    case memory(byteCount: Int)
  }

  /// Verified at each call with what the caller passes; what callbacks must be.
  case `static`
  /// Verified once, on its own: parameters are only what the list says, the result is any integer.
  case global([Parameter])
}

/// A program as it is to be loaded.
package struct ProgramSpec: Hashable, Sendable {
  /// A C identifier, unique in its blueprint; at most 15 characters reach the kernel.
  package var name: String
  package var kind: ProgramKind
  package var isSleepable: Bool
  package var code: ProgramCode
  package var license: String

  package init(
    name: String,
    kind: ProgramKind,
    isSleepable: Bool = false,
    code: ProgramCode,
    license: String = "GPL"
  ) {
    self.name = name
    self.kind = kind
    self.isSleepable = isSleepable
    self.code = code
    self.license = license
  }

  /// The ELF section that tells loaders the kind.
  ///
  /// Source: libbpf 1.5, docs/program_types.rst.
  package var section: String {
    let sleepable = isSleepable ? ".s" : ""
    return switch kind {
    case .uprobe(let isReturn): (isReturn ? "uretprobe" : "uprobe") + sleepable
    case .uprobeMulti(let isReturn): (isReturn ? "uretprobe.multi" : "uprobe.multi") + sleepable
    case .uprobeSession: "uprobe.session" + sleepable
    case .rawTracepoint(let name): "raw_tp/" + name
    case .btfTracepoint(let name): "tp_btf/" + name
    case .tracepoint(let category, let name): "tracepoint/\(category)/\(name)"
    case .perfEvent: "perf_event"
    case .kprobe(let function, let isReturn): (isReturn ? "kretprobe/" : "kprobe/") + function
    case .fentry(let function): "fentry\(sleepable)/\(function)"
    case .fexit(let function): "fexit\(sleepable)/\(function)"
    case .syscall: "syscall"
    }
  }
}

/// Everything that one script puts into the kernel, and what the user side needs to go with it.
package struct ModuleBlueprint: Hashable, Sendable {
  package var maps: [MapSpec]
  package var programs: [ProgramSpec]
  package var sources: [SourceFile]
  /// The `.utrace` section: nothing below the user side looks inside.
  package var userSection: [UInt8]

  package init(
    maps: [MapSpec] = [],
    programs: [ProgramSpec] = [],
    sources: [SourceFile] = [],
    userSection: [UInt8] = []
  ) {
    self.maps = maps
    self.programs = programs
    self.sources = sources
    self.userSection = userSection
  }
}
