import BTF
import ELF
import Glibc
import Platform

@testable import DwarfIndex

/// A good file, and what can be asked of it.
struct Sample {
  enum Kind {
    /// What scripts probe.
    case program
    /// The split units of that program, packed.
    case package(program: [UInt8])
    /// What `utrace build` writes.
    case module
    /// What DwarfIndex keeps between runs.
    case index
    /// The kernel's types.
    case types
  }

  let kind: Kind
  let file: GoodFile

  /// One of each kind of debug information and symbols; none so large that reading it is slow.
  private static let programs = [
    "targets-O2", "targets-O0", "targets-clang-O2", "targets-dwarf4", "targets-types", "targets-types4",
    "targets-zlib", "targets-minidebug", "targets-lto", "marks", "points-ibt", "arguments-dwarf4",
    "cxxthrow-O0",
    "targets-nopie", "gotable",
  ]

  static func all(in directory: String, _ translator: Translator) -> [Sample] {
    let files = programs.compactMap { GoodFile("\(directory)/\($0)") }
    guard files.count == programs.count else { fatalError("not all in \(directory): make -C TestPrograms") }
    return files.map { Sample(kind: .program, file: $0) } + [
      Sample(kind: .index, file: GoodFile(bytes: index(of: "\(directory)/targets-zlib"))),
      Sample(kind: .types, file: GoodFile(bytes: types())),
      package("\(directory)/targets-dwp"), package("\(directory)/targets-dwp5"),
      module(translator, FewPrograms(["threads": "\(directory)/targets-O2"]), directory),
    ]
  }

  private static func package(_ path: String) -> Sample {
    guard let program = try? readSmallFile(path), let file = GoodFile("\(path).dwp") else {
      fatalError("no \(path).dwp: make -C TestPrograms")
    }
    return Sample(kind: .package(program: program), file: file)
  }

  /// Damaged section by section, like any ELF file.
  private static func module(
    _ translator: Translator,
    _ programs: FewPrograms,
    _ directory: String
  ) -> Sample {
    let path = "\(directory)/fuzzed-module-\(getpid())"
    let bytes = ModuleFile.sample(translator, programs)
    defer { try? removeFile(path) }
    guard (try? writeFile(path, bytes)) != nil, let file = GoodFile(path) else { fatalError("no \(path)") }
    return Sample(kind: .module, file: file)
  }

  private static func index(of path: String) -> [UInt8] {
    guard let file = try? ELFFile(path: path) else { return [] }
    let found = ParallelScan.run(main: file, alternate: nil, threads: 1, worthPieces: 1)
    let symbols = file.symbols.filter { $0.isDefined && $0.kind == .function }
    return IndexBuilder.build(
      found.outputs,
      found.sections,
      symbols: symbols,
      access: found.access,
      stamp: 7
    ) { $0 != 0 }
  }

  private static func types() -> [UInt8] {
    var builder = BTFBuilder()
    let int = builder.integer("int", byteCount: 4, isSigned: true)
    let char = builder.integer("char", byteCount: 1)
    let name = builder.array(of: char, count: 16)
    let text = builder.pointer(to: builder.const(char))
    let task = builder.structure(
      "task_struct",
      byteCount: 64,
      members: [("pid", int, 0), ("comm", name, 8), ("text", text, 24)]
    )
    let pointer = builder.pointer(to: task)
    let handler = builder.prototype(
      result: int,
      parameters: [("data", pointer), ("task", pointer), ("n", int)]
    )
    _ = builder.function("btf_trace_sched_switch", prototype: handler, linkage: .global)
    _ = builder.function("do_exit", prototype: handler, linkage: .static)
    let variable = builder.variable("init_task", type: task, linkage: .global)
    _ = builder.dataSection(".data", byteCount: 64, contents: [(variable, 0, 64)])
    return builder.encoded()
  }
}
