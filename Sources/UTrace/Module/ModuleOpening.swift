import BPFBackend
import ELF
import Elaboration
import KernelBridge
import Platform

/// Opens a module file that the user names, and sees that it fits this machine as it is now.
struct ModuleOpening {
  let path: String
  let kernel: KernelSession
  let machine: MachineInfo

  /// The module.
  func open() throws(ModuleError) -> ModuleFile {
    let bytes: SharedBytes
    do throws(SystemError) { bytes = try SharedBytes(mapping: path) } catch { throw .unreadable(error) }
    let image = try ModuleImage(bytes, path: path)
    let here = KernelFacts(BPFTarget(kernel), machine, readingStructures: true)
    let obstacles = image.facts.kernel.obstacles(on: here)
    guard obstacles.isEmpty else { throw .otherKernel(path, obstacles) }
    for program in image.facts.dependencies.programs { try check(program) }
    return try image.module()
  }

  /// Sites are places in one build of a program: another build's instructions lie elsewhere.
  private func check(_ program: ProgramFact) throws(ModuleError) {
    guard !program.file.isUnchanged else { return }
    let path = program.file.path
    guard let file = try? ELFFile(path: path) else {
      throw .changedProgram(path, was: program.text, now: "gone or no program")
    }
    let now = ProgramFact(path, buildID: file.buildID)
    guard now.buildID == program.buildID,
      now.buildID != nil || now.file.identity?.byteCount == program.file.identity?.byteCount
    else { throw .changedProgram(path, was: program.text, now: now.text) }
  }
}

extension ProgramFact {
  /// What messages say.
  fileprivate var text: String {
    if let buildID { return "build ID \(buildID)" }
    return file.identity.map { "\($0.byteCount) bytes" } ?? "not there"
  }
}

extension TargetSelection {
  /// The target of a built module: what it was built for, or what `options` name instead.
  init(of module: ModuleFile, _ options: TargetOptions, _ programs: SystemPrograms) throws(ModuleError) {
    let built = module.facts.target
    self = built
    if options.command != nil || options.pid != nil {
      (pid, command) = (options.pid, options.command)
    }
    guard let pid else { return }
    switch programs.executable(of: pid) {
    case .failure(let problem): throw .lostProcess(pid, problem.message)
    case .success(let found):
      if let wanted = built.path, wanted != found {
        throw .lostProcess(pid, "which runs '\(found)' and not '\(wanted)'")
      }
    }
  }
}
