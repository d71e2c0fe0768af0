// What libFuzzer runs: text in, a tree out, the tree printed and read again, and elaborated. See Scripts/fuzz.
import Glibc
import StapSyntax

private let translator = Translator(tapset: argument("UTRACE_TAPSET"))
private let programs = FewPrograms([
  "threads": argument("UTRACE_PROGRAMS") + "/targets-O2", "marks": argument("UTRACE_PROGRAMS") + "/marks",
])

private func argument(_ name: String) -> String {
  guard let value = getenv(name) else { fatalError("\(name) is not set: use Scripts/fuzz") }
  return String(cString: value)
}

/// One text: it may have mistakes; what is accepted must come back from its printed form.
@_cdecl("LLVMFuzzerTestOneInput")
public func readAnything(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  let text = Array(UnsafeBufferPointer(start: bytes, count: count))
  guard let (script, sources) = translator.script(text) else { return 0 }
  let printed = ASTPrinter.text(script)
  guard let (again, _) = translator.script(Array(printed.utf8)) else {
    fatalError("not read back:\n\(printed)")
  }
  guard ASTPrinter.text(again) == printed else { fatalError("read back as something else:\n\(printed)") }
  _ = translator.elaborated(script, sources, programs)
  return 0
}
