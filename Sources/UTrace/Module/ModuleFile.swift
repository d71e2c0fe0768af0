import BPFBackend
import BPFObject
import Platform
import TraceIR

/// A translated script as a file: what `utrace build` writes, `utrace run` reads, and the cache keeps.
///
/// A standard BPF object, with the user side's half in its `.utrace` section (``ModuleSeal``, then
/// ``ModuleFacts``, then the rest by ``BinaryWriter``).
struct ModuleFile: Sendable {
  var facts: ModuleFacts
  var program: TraceProgram
  /// Nil when nothing of the script runs in the kernel.
  var module: BPFModule?

  /// The file's bytes.
  func encoded() throws(ModuleError) -> [UInt8] {
    var blueprint = module?.blueprint ?? ModuleBlueprint()
    blueprint.userSection = ModuleSeal.current.encoded(
      facts: BinaryWriter.bytes(of: facts),
      body: BinaryWriter.bytes(of: Body(program: program, module: module))
    )
    return try ModuleSeal.sealing(ObjectFile.encode(blueprint))
  }

  /// What follows the facts.
  struct Body: BinaryCoded {
    var program: TraceProgram
    var module: BPFModule?

    init(program: TraceProgram, module: BPFModule?) {
      self.program = program
      self.module = module
    }

    init(from reader: inout BinaryReader) throws(CodingFailure) {
      self.init(program: try reader.value(), module: try reader.value())
    }

    func write(to writer: inout BinaryWriter) { writer.write(program, module) }
  }
}

/// A module file whose seal and facts were read, and the rest not yet.
///
/// The bytes are not trusted: what does not fit throws.
struct ModuleImage {
  let facts: ModuleFacts
  private let bytes: SharedBytes
  private let path: String
  private let body: [UInt8]

  /// Reads seal and facts of a file; nil for `writer` where something else tells that the same build wrote it.
  init(_ bytes: SharedBytes, path: String, writtenBy writer: ModuleSeal? = .current) throws(ModuleError) {
    self.bytes = bytes
    self.path = path
    let parts = try ModuleSeal.open(bytes, path: path, writtenBy: writer)
    do { facts = try BinaryReader.read(ModuleFacts.self, from: parts.facts) } catch {
      throw .damaged(path, "its facts: \(error)")
    }
    body = parts.body
  }

  /// Reads the rest.
  func module() throws(ModuleError) -> ModuleFile {
    var content: ModuleFile.Body
    do {
      content = try BinaryReader.read(ModuleFile.Body.self, from: body)
      content.module?.blueprint = try ObjectFile.decode(bytes, path: path)
    } catch { throw .damaged(path, "\(error)") }
    if let problem = content.program.problems().first ?? content.problem {
      throw .damaged(path, problem)
    }
    return ModuleFile(facts: facts, program: content.program, module: content.module)
  }
}

extension ModuleFile.Body {
  /// What of the metadata leads nowhere; nil when backends and runtime may rely on it.
  fileprivate var problem: String? {
    guard let module else { return program.needsKernel ? "it has no programs for its probes" : nil }
    let programs = module.blueprint.programs.indices
    for entry in module.probes {
      guard program.probes.indices.contains(entry.probe), programs.contains(entry.body),
        entry.entry.map(programs.contains) ?? true
      else { return "a probe without its program" }
    }
    return module.globals.count == program.globals.count ? nil : "a global without its map"
  }
}
