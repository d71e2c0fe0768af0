// What libFuzzer runs: a damaged program in, everything asked of it that scripts ask. See Scripts/fuzz.
import Glibc
import Platform

private let translator = Translator(tapset: argument("UTRACE_TAPSET"))
private let samples = Sample.all(in: argument("UTRACE_PROGRAMS"), translator)
private let scratch = argument("UTRACE_SCRATCH")
private let questions = Questions(translator)

private func argument(_ name: String) -> String {
  guard let value = getenv(name) else { fatalError("\(name) is not set: use Scripts/fuzz") }
  return String(cString: value)
}

private func write(_ bytes: [UInt8], to path: String) {
  guard (try? writeFile(path, bytes, permissions: 0o600)) != nil else { fatalError("no \(path)") }
}

/// The first byte names the good file, the second what is asked, the others how the file is damaged.
@_cdecl("LLVMFuzzerTestOneInput")
public func openAnything(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  let recipe = Array(UnsafeBufferPointer(start: bytes, count: count))
  guard recipe.count >= 2 else { return 0 }
  let sample = samples[Int(recipe[0]) % samples.count]
  let damaged = sample.file.damaged(by: recipe.dropFirst(2))
  switch sample.kind {
  case .program:
    write(damaged, to: scratch)
    questions.ask(recipe[1], program: scratch)
  case .package(let program):
    write(program, to: scratch)
    write(damaged, to: scratch + ".dwp")
    questions.ask(recipe[1], program: scratch)
    try? removeFile(scratch + ".dwp")
  case .module: questions.ask(module: damaged)
  case .index: questions.ask(index: damaged)
  case .types: questions.ask(types: damaged)
  }
  return 0
}
