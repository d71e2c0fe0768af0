import BPFBackend
import BPFObject
import KernelBridge
import Platform
import TargetModel
import TraceIR

// How module files hold what goes with a program.

extension BPFTarget.UserAttachment: BinaryCoded {}
extension KernelFeature: BinaryCoded {}

extension MapReference: BinaryCoded {
  init(from reader: inout BinaryReader) throws(CodingFailure) { self.init(try reader.value()) }

  func write(to writer: inout BinaryWriter) { writer.write(name) }
}

/// All but the blueprint, which an object file holds in its own way.
extension BPFModule: BinaryCoded {
  init(from reader: inout BinaryReader) throws(CodingFailure) {
    self.init(
      blueprint: ModuleBlueprint(),
      probes: try reader.value(),
      globals: try reader.value(),
      scalars: try reader.value(),
      dataRing: try reader.value(),
      controlRing: try reader.value(),
      losses: try reader.value()
    )
  }

  func write(to writer: inout BinaryWriter) {
    writer.write(probes, globals, scalars, dataRing, controlRing, losses)
  }
}

extension BPFModule.TableMaps: BinaryCoded {
  init(from reader: inout BinaryReader) throws(CodingFailure) {
    self.init(try reader.value(), shorts: try reader.value(), ages: try reader.value())
  }

  func write(to writer: inout BinaryWriter) { writer.write(whole, shorts, ages) }
}

extension BPFModule.ProbePrograms: BinaryCoded {
  init(from reader: inout BinaryReader) throws(CodingFailure) {
    self.init(probe: try reader.value(), body: try reader.value(), entry: try reader.value())
  }

  func write(to writer: inout BinaryWriter) { writer.write(probe, body, entry) }
}

extension ModuleFacts: BinaryCoded {
  init(from reader: inout BinaryReader) throws(CodingFailure) {
    self.init(
      scriptName: try reader.value(),
      kernel: try reader.value(),
      target: try reader.value(),
      dependencies: try reader.value(),
      cacheKey: try reader.readBlob()
    )
  }

  func write(to writer: inout BinaryWriter) {
    writer.write(scriptName, kernel, target, dependencies)
    writer.write(blob: cacheKey)
  }
}

extension KernelFacts: BinaryCoded {
  init(from reader: inout BinaryReader) throws(CodingFailure) {
    self.init(
      architecture: try reader.value(),
      userAttachment: try reader.value(),
      hasMayGoto: try reader.value(),
      hasTaskStorage: try reader.value(),
      hasCopyFromUser: try reader.value(),
      hasCopyFromUserString: try reader.value(),
      hasUprobeSession: try reader.value(),
      possibleCPUCount: try reader.value(),
      structuresOf: try reader.value()
    )
  }

  func write(to writer: inout BinaryWriter) {
    writer.write(
      architecture,
      userAttachment,
      hasMayGoto,
      hasTaskStorage,
      hasCopyFromUser,
      hasCopyFromUserString,
      hasUprobeSession,
      possibleCPUCount,
      structuresOf
    )
  }
}

extension TargetSelection: BinaryCoded {
  init(from reader: inout BinaryReader) throws(CodingFailure) {
    self.init(pid: try reader.value(), command: try reader.value(), path: try reader.value())
  }

  func write(to writer: inout BinaryWriter) { writer.write(pid, command, path) }
}

extension ModuleDependencies: BinaryCoded {
  init(from reader: inout BinaryReader) throws(CodingFailure) {
    self.init(files: try reader.value(), programs: try reader.value(), lookups: try reader.value())
  }

  func write(to writer: inout BinaryWriter) { writer.write(files, programs, lookups) }
}

extension FileFact: BinaryCoded {
  init(from reader: inout BinaryReader) throws(CodingFailure) {
    self.init(path: try reader.value(), identity: try reader.value())
  }

  func write(to writer: inout BinaryWriter) { writer.write(path, identity) }
}

extension FileFact.Identity: BinaryCoded {
  init(from reader: inout BinaryReader) throws(CodingFailure) {
    self.init(
      byteCount: try reader.value(),
      modified: try reader.value(),
      changed: try reader.value(),
      inode: try reader.value(),
      device: try reader.value()
    )
  }

  func write(to writer: inout BinaryWriter) { writer.write(byteCount, modified, changed, inode, device) }
}

extension ProgramFact: BinaryCoded {
  init(from reader: inout BinaryReader) throws(CodingFailure) {
    self.init(file: try reader.value(), buildID: try reader.value(), debugFile: try reader.value())
  }

  func write(to writer: inout BinaryWriter) { writer.write(file, buildID, debugFile) }
}

extension LookupFact: BinaryCoded {
  init(from reader: inout BinaryReader) throws(CodingFailure) {
    self.init(try reader.value(), answer: try reader.value())
  }

  func write(to writer: inout BinaryWriter) { writer.write(question, answer) }
}

extension LookupFact.Question: BinaryCoded {
  init(from reader: inout BinaryReader) throws(CodingFailure) {
    switch try reader.readTag() {
    case 0: self = .files(try reader.value())
    case 1: self = .executable(try reader.value())
    default: throw reader.malformed
    }
  }

  func write(to writer: inout BinaryWriter) {
    switch self {
    case .files(let name): writer.write(case: 0, name)
    case .executable(let pid): writer.write(case: 1, pid)
    }
  }
}

extension FeatureState: BinaryCoded {
  init(from reader: inout BinaryReader) throws(CodingFailure) {
    let reason: String? = try reader.value()
    self = reason.map { .missing(reason: $0) } ?? .available
  }

  func write(to writer: inout BinaryWriter) {
    switch self {
    case .available: writer.write(nil as String?)
    case .missing(let reason): writer.write(reason as String?)
    }
  }
}
