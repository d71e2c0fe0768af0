// What libFuzzer runs: text in, a tree out, and the tree printed and read again. See Scripts/fuzz.
import Diagnostics
import StapSyntax

/// One text: it may have mistakes; what is accepted must come back from its printed form.
@_cdecl("LLVMFuzzerTestOneInput")
public func readAnything(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  let text = Array(UnsafeBufferPointer(start: bytes, count: count))
  guard let script = readScript(text) else { return 0 }
  let printed = ASTPrinter.text(script)
  guard let again = readScript(Array(printed.utf8)) else { fatalError("not read back:\n\(printed)") }
  guard ASTPrinter.text(again) == printed else { fatalError("read back as something else:\n\(printed)") }
  return 0
}

private func readScript(_ text: [UInt8]) -> Script? {
  var sources = SourceSet()
  var environment = PreprocessorEnvironment(
    kernelRelease: "6.1.0",
    arch: "x86_64",
    arguments: ["one", "2"],
    kernelConfiguration: { _ in nil }
  )
  environment.guruMode = true
  let file = sources.add(SourceFile(name: "fuzz.stp", text: text))
  return parse(file, in: sources, environment: environment).product
}
