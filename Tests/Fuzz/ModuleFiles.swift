import BPFBackend
import BPFObject
import Diagnostics
import Elaboration
import Lowering
import Platform
import StapSyntax
import TraceIR

// Module files: Sources/UTrace/Module is compiled into the fuzzer, which needs no command line.

extension ModuleFile {
  /// A script of everything that a module file has: programs, records, arrays, statistics, regular expressions, timers.
  private static let script = """
    global n, s, names%[10], level = 3
    function fib(x) { return x < 2 ? x : fib(x - 1) + fib(x - 2) }
    probe process("threads").function("*").call {
      n[tid(), execname()] += fib(3); s <<< level; names[pp()] = $$parms
      foreach ([t, name-] in n limit 3) printf("%d %s %p\\n", t, name, @max(s))
      if (execname() =~ "a(b|c)*") try { error(matched(1)) } catch (why) { warn(why) }
      print(@hist_log(s)); print_ubacktrace()
    }
    probe process("threads").function("main").return { println(@entry(gettimeofday_us()), $return) }
    probe timer.ms(100) if (level > 2) { level--; print(@hist_linear(s, 0, 10, 1)); delete n }
    probe kernel.trace("sched_switch") ?, procfs("f").read { $value = "x" }
    probe end { foreach (v = [t, name] in n) println(v) }
    """

  /// A good one.
  static func sample(_ translator: Translator, _ programs: any ProgramCatalog) -> [UInt8] {
    let limits = Limits()
    guard var (script, sources) = translator.script(Array(script.utf8)),
      let elaborated = translator.program(script, &sources, programs),
      let lowered = lower(elaborated, sources: sources, limits: limits).product,
      let module = try? BPFBackend.generate(optimize(lowered), for: BPFTarget())
    else { fatalError("no module of \(Self.script)") }
    let target = TargetSelection(pid: 1, command: nil, path: "/bin/true")
    let facts = ModuleFacts(
      scriptName: "fuzz.stp",
      kernel: KernelFacts(BPFTarget(), .current, readingStructures: false),
      target: target,
      dependencies: ModuleDependencies(),
      cacheKey: [1, 2, 3]
    )
    guard let bytes = try? ModuleFile(facts: facts, program: optimize(lowered), module: module).encoded()
    else {
      fatalError("no file of a module")
    }
    return bytes
  }
}

extension Questions {
  /// Someone who can write the file can make its checks right.
  func ask(module bytes: [UInt8]) {
    guard let sealed = try? ModuleSeal.sealing(bytes),
      let image = try? ModuleImage(SharedBytes(sealed), path: "damaged", writtenBy: nil),
      let file = try? image.module()
    else { return }
    let program = file.program
    for map in file.module?.blueprint.maps ?? [] { _ = map.byteCount(cpuCount: 2) }
    for code in file.module?.blueprint.programs ?? [] { _ = file.module?.probe(ofProgram: code.name) }
    _ = (ScalarLayout(program), program.text)
    for global in program.globals {
      _ = (KeyLayout(global, program.limits), ElementLayout(global, program.limits))
    }
    _ = try? file.encoded()
  }
}
