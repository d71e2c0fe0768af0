import Platform

/// The types of a C header, as a compiler writes them: `@cast(p, "type", "<sys/stat.h>")`.
///
/// A library without code is compiled and kept under what is in it, so that a header that has not changed leads to
/// the same file again.
struct HeaderTypes {
  /// Without its brackets.
  private let header: String
  private let environment: Environment

  /// Nil for a name that is none of a header.
  init?(_ name: String, _ environment: Environment) {
    guard name.count > 2, name.hasPrefix("<"), name.hasSuffix(">") else { return nil }
    header = String(name.dropFirst().dropLast())
    self.environment = environment
  }

  /// Types of every program of the machine, also those that the compiler would leave out for nobody uses them.
  private static let options =
    "-g -shared -fPIC -nostdlib -fno-eliminate-unused-debug-types -D_GNU_SOURCE -x c -"
  private static let mostKeptBytes = 32 << 20

  /// The library that has the types.
  func file() -> Result<String, ProgramProblem> {
    let isPlain = header.utf8.allSatisfy {
      $0 > UInt8(ascii: " ") && $0 < 127 && !"'\"\\<>".utf8.contains($0)
    }
    guard isPlain else { return .failure(ProgramProblem("'<\(header)>' is no name of a header")) }
    guard let compiler else {
      return .failure(
        ProgramProblem(
          "the types of <\(header)> need a C compiler, and there is none",
          notes: [
            "install gcc or clang, or name a program or library that has the type in its debug information"
          ]
        )
      )
    }
    guard let cache = CacheDirectory.standard("headers", environment: environment) else {
      return .failure(ProgramProblem("there is no directory for what <\(header)> is compiled to: set HOME"))
    }
    do throws(SystemError) {
      return try compile(with: compiler, in: cache)
    } catch {
      return .failure(ProgramProblem("<\(header)> cannot be compiled: \(error)"))
    }
  }

  private var compiler: String? {
    let named = environment["CC"].flatMap { $0.isEmpty ? nil : $0 }
    return (named.map { [$0] } ?? ["cc", "gcc", "clang"]).lazy.compactMap {
      Paths.findProgram($0, environment: environment)
    }.first
  }

  private func compile(
    with compiler: String,
    in cache: CacheDirectory
  ) throws(SystemError) -> Result<String, ProgramProblem> {
    if let problem = cache.writingProblem() { throw problem }
    let made = Paths.join(cache.path, "making.\(RunningProcess.current().pid)")
    let messages = made + ".log"
    defer {
      try? removeFile(made)
      try? removeFile(messages)
    }
    // From its input and in that directory, so that the product does not depend on who asks.
    let compile = "\(compiler.shellQuoted) \(Self.options) -o \(made.shellQuoted) 2>\(messages.shellQuoted)"
    let command = "cd \(cache.path.shellQuoted) && echo '#include <\(header)>' | \(compile)"
    guard try ChildProcess(command).wait() == .status(0) else {
      let text = String(decoding: (try? readSmallFile(messages)) ?? [], as: UTF8.self)
      let lines = text.split(separator: "\n").filter { $0.contains("error") }.prefix(3).map(String.init)
      return .failure(ProgramProblem("\(compiler) cannot compile <\(header)>", notes: lines))
    }
    let bytes = try readSmallFile(made)
    let sum = String(bytes.rawSpan.crc64(from: 0), radix: 16)
    let name = header.replacing("/", with: "-") + "-\(sum).so"
    let path = Paths.join(cache.path, name)
    if !FileStatus.isReadableFile(path) {
      cache.prune(toByteCount: Self.mostKeptBytes)
      cache.write(name, bytes)
    }
    return .success(path)
  }
}
