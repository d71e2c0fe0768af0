package import BPFObject
import Platform

/// A program in the kernel; unloaded when nobody refers to it any more.
package final class BPFProgram: Sendable {
  package let spec: ProgramSpec
  let descriptor: Descriptor

  init(_ spec: ProgramSpec, _ descriptor: Descriptor) {
    self.spec = spec
    self.descriptor = descriptor
  }

  /// The kernel's number for it, as bpftool shows; nil where the kernel does not tell.
  package var kernelID: UInt32? {
    let details = (try? readSmallText("/proc/self/fdinfo/\(descriptor.raw)")) ?? ""
    let line = details.split(separator: "\n").first { $0.hasPrefix("prog_id:") }
    return line?.split(separator: "\t").last.flatMap { UInt32($0) }
  }

  /// Runs it once with `context` as its arguments (`BPF_PROG_RUN`; raw tracepoint and syscall programs).
  /// - Throws: ``KernelError`` when the kind cannot be run by hand.
  @discardableResult package func run(_ context: [UInt64] = []) throws(KernelError) -> UInt32 {
    switch BPFSyscall.run(descriptor.raw, context: context) {
    case .success(let result): return result
    case .failure(let code):
      throw .failed("bpf(BPF_PROG_RUN)", on: "program \(spec.name)", code: code.raw)
    }
  }
}

/// The maps and programs of one blueprint, in the kernel and not yet attached.
package struct LoadedModule: ~Copyable {
  private let maps: [String: BPFMap]
  private let programs: [String: BPFProgram]
  /// How long the kernel took to check the programs and to make machine code of them.
  package let verificationNanoseconds: UInt64

  init(maps: [String: BPFMap], programs: [String: BPFProgram], verificationNanoseconds: UInt64) {
    self.maps = maps
    self.programs = programs
    self.verificationNanoseconds = verificationNanoseconds
  }

  /// The map with that name.
  package func map(_ name: String) throws(KernelError) -> BPFMap {
    guard let map = maps[name] else { throw .invalid("the module has no map \(name)") }
    return map
  }

  /// The program with that name.
  package func program(_ name: String) throws(KernelError) -> BPFProgram {
    guard let program = programs[name] else { throw .invalid("the module has no program \(name)") }
    return program
  }

  /// Puts programs where tail calls look for them.
  borrowing func fill(_ spec: MapSpec) throws(KernelError) {
    let array = try map(spec.name)
    for (index, name) in spec.programs {
      let program = try program(name)
      try array.put(index, UInt32(bitPattern: program.descriptor.raw))
    }
  }
}
