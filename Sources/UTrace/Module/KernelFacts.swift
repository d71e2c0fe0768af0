import BPFBackend
import KernelBridge
import Platform
import TargetModel
import TraceIR

/// What a module's code takes for granted about the kernel.
struct KernelFacts: Hashable, Sendable {
  var architecture: String
  var userAttachment: BPFTarget.UserAttachment
  var hasMayGoto: Bool
  var hasTaskStorage: Bool
  var hasCopyFromUser: Bool
  var hasCopyFromUserString: Bool
  var hasUprobeSession: Bool
  var possibleCPUCount: Int
  /// The kernel whose structures it reads; nil when it reads none.
  var structuresOf: String?

  /// What keeps code for `self` from running on `here`, a line each; empty when nothing does.
  func obstacles(on here: KernelFacts) -> [String] {
    var found: [String] = []
    if architecture != here.architecture {
      found.append("it is for \(architecture), this is \(here.architecture)")
    }
    if let structuresOf, let now = here.structuresOf, structuresOf != now {
      found.append("it reads structures of Linux \(structuresOf), this is \(now)")
    }
    if userAttachment == .siblings, here.userAttachment == .multi {
      found.append("it attaches in the way of kernels without \(KernelFeature.uprobeMulti.title)")
    }
    let wanted: [(KernelFeature, Bool)] = [
      (.uprobeMulti, userAttachment == .multi && here.userAttachment == .siblings),
      (.mayGoto, hasMayGoto && !here.hasMayGoto),
      (.taskStorage, hasTaskStorage && !here.hasTaskStorage),
      (.copyFromUser, hasCopyFromUser && !here.hasCopyFromUser),
      (.copyFromUserString, hasCopyFromUserString && !here.hasCopyFromUserString),
      (.uprobeSession, hasUprobeSession && !here.hasUprobeSession),
    ]
    for (feature, isMissing) in wanted where isMissing {
      found.append("it needs \(feature.title) (Linux \(feature.since)), which this kernel has not")
    }
    let maximum = BPFTarget.maximumCPUCount(hasMayGoto: hasMayGoto)
    if here.possibleCPUCount > max(possibleCPUCount, maximum) {
      found.append("it is for \(maximum) CPUs, this machine has \(here.possibleCPUCount)")
    }
    return found
  }
}

extension KernelFacts {
  /// Those of the running kernel; `structures` says whether the code reads its structures.
  init(_ target: BPFTarget, _ machine: MachineInfo, readingStructures structures: Bool) {
    self.init(
      architecture: machine.architecture,
      userAttachment: target.userAttachment,
      hasMayGoto: target.hasMayGoto,
      hasTaskStorage: target.hasTaskStorage,
      hasCopyFromUser: target.hasCopyFromUser,
      hasCopyFromUserString: target.hasCopyFromUserString,
      hasUprobeSession: target.hasUprobeSession,
      possibleCPUCount: target.possibleCPUCount,
      structuresOf: structures ? "\(machine.kernelRelease) \(machine.kernelVersion)" : nil
    )
  }
}

extension TraceProgram {
  /// Whether offsets or arguments of the running kernel's own structures are part of the code.
  var readsKernelStructures: Bool {
    probes.contains { probe in
      if case .tracepoint = probe.trigger { return true }
      return probe.body.block.readsKernelStructures || probe.entryBody?.block.readsKernelStructures ?? false
    } || functions.contains { $0.body.block.readsKernelStructures }
  }
}

extension Block {
  fileprivate var readsKernelStructures: Bool {
    instructions.contains { instruction in
      switch instruction.operation {
      case .context(_, _, let plan?): plan.readsKernelStructures
      case .read(_, let plan, _): plan.readsKernelStructures
      default: instruction.operation.blocks.contains(where: \.readsKernelStructures)
      }
    }
  }
}

extension LocationPlan {
  fileprivate var readsKernelStructures: Bool {
    switch self {
    case .constant, .register, .entryRegister, .input, .siteLoad: false
    // The thread pointer is found in the kernel's task structure.
    case .threadPointer, .currentTask, .tracepointArgument, .load(.kernel, _, _, _): true
    case .unary(_, let value), .bits(let value, _, _, _), .extend(let value, _, _):
      value.readsKernelStructures
    case .load(.user, _, _, let address): address.readsKernelStructures
    case .binary(_, let left, let right): left.readsKernelStructures || right.readsKernelStructures
    case .selected(let key, let choices, let other):
      key.readsKernelStructures || other.readsKernelStructures
        || choices.contains { $0.plan.readsKernelStructures }
    }
  }
}
