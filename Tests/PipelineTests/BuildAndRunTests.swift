import Foundation
import TestSupport
import Testing

@Suite("utrace build and utrace run", .timeLimit(.minutes(1))) struct BuildAndRunTests {
  private let scratch: ScratchDirectory

  init() throws { scratch = try ScratchDirectory() }

  @Test("a built script runs without its source")
  func runs() throws {
    let script = try scratch.write("probe begin { printf(\"%s %d\\n\", @1, $2) exit() }", to: "a.stp")
    let built = try Tool.run(["build", "-o", "m.o", script, "hello", "42"], in: scratch)
    #expect(built.status == 0)
    #expect(built.errors == "")
    try FileManager.default.removeItem(atPath: script)
    let run = try Tool.run(["run", "m.o"], in: scratch)
    #expect(run.output == "hello 42\n")
    #expect(run.status == 0)
    let toFile = try Tool.run(["run", "-o", "out", "m.o"], in: scratch)
    #expect(toFile.status == 0)
    #expect(try String(contentsOfFile: scratch.path + "/out", encoding: .utf8) == "hello 42\n")
  }

  @Test("a script with mistakes makes no module")
  func mistakes() throws {
    let built = try Tool.run(["build", "-o", "m.o", "-e", "probe begin { nothing() }"], in: scratch)
    #expect(built.status == 1)
    #expect(!FileManager.default.fileExists(atPath: scratch.path + "/m.o"))
  }

  @Test("files that are no modules are refused with what to do")
  func refusals() throws {
    _ = try scratch.write("no module", to: "text")
    let text = try Tool.run(["run", "text"], in: scratch)
    #expect(text.status == 1)
    #expect(text.errors.hasPrefix("error: 'text' is no module of utrace [no-module]\n"))
    let missing = try Tool.run(["run", "missing"], in: scratch)
    #expect(missing.status == 1)
    #expect(missing.errors.contains("cannot read the module: open missing: No such file or directory"))
    _ = try Tool.run(["build", "-o", "m.o", "-e", "probe begin { exit() }"], in: scratch)
    let bytes = try Data(contentsOf: URL(filePath: scratch.path + "/m.o"))
    try bytes.dropLast(10).write(to: URL(filePath: scratch.path + "/cut.o"))
    let cut = try Tool.run(["run", "cut.o"], in: scratch)
    #expect(cut.status == 1)
    #expect(cut.errors.contains("cut.o"))
  }

  @Test("a module is a BPF object for readelf and bpftool", .enabled(if: geteuid() == 0))
  func objects() throws {
    let program = try scratch.compileC(Self.source, to: "victim")
    let script = "global n probe process(\"\(program)\").function(\"work\") { n[tid()]++ }"
    let built = try Tool.run(["build", "-o", "m.o", "-e", script], in: scratch)
    #expect(built.status == 0, "\(built.errors)")
    let elf = try TestSupport.run("readelf", ["-a", "-W", scratch.path + "/m.o"])
    #expect(elf.status == 0)
    #expect(!elf.output.lowercased().contains("warning") && !elf.output.contains("Error"))
    for word in ["Linux BPF", "uprobe.multi", ".BTF.ext", ".utrace", "data_ring"] {
      #expect(elf.output.contains(word))
    }
    let types = try TestSupport.run("bpftool", ["btf", "dump", "file", scratch.path + "/m.o"])
    #expect(types.status == 0)
    #expect(types.output.contains("FUNC 'probe0'"))
  }

  @Test("a module for an older kernel uses nothing newer")
  func olderKernel() throws {
    let program = try scratch.compileC(Self.source, to: "victim")
    let script = """
      global n, a probe process("\(program)").function("work") {
        for (i = 0; i < 3; i++) a[i] = n++
        foreach (i in a) n += strlen(str_replace(sprint(i), "1", "one"))
        println(%( kernel_v == "6.1" %? "old" %: new %))
      }
      """
    let built = try Tool.run(["build", "-r", "6.1", "-o", "m.o", "-e", script], in: scratch)
    #expect(built.status == 0, "\(built.errors)")
    let elf = try TestSupport.run("readelf", ["-s", "-W", scratch.path + "/m.o"])
    let rounds = elf.output.split(whereSeparator: \.isWhitespace).filter { $0.hasPrefix("probe0__round") }
    #expect(rounds.count > 1 && Set(rounds).count == rounds.count, "\(rounds)")
    let wrong = try Tool.run(["build", "-r", "old", "-o", "m.o", "-e", script], in: scratch)
    #expect(wrong.status == 2)
    #expect(wrong.errors.contains("-r takes the release of a kernel, such as 6.1, not 'old'"))
    let run = try Tool.run(["-r", "6.1", "-e", script], in: scratch)
    #expect(run.status == 2)
    #expect(run.errors.contains("-r translates for another kernel"))
  }

  @Test("a module counts hits, and is refused when its program changes", .enabled(if: geteuid() == 0))
  func changedProgram() throws {
    let program = try scratch.compileC(Self.source, to: "victim")
    let script = "global n probe process.function(\"work\") { n++ } probe end { println(n) }"
    let built = try Tool.run(["build", "-o", "m.o", "-c", program, "-e", script], in: scratch)
    #expect(built.status == 0, "\(built.errors)")
    let run = try Tool.run(["run", "m.o"], in: scratch)
    #expect(run.output == "10\n", "\(run.errors)")
    // The same bytes in another file: the build ID tells that nothing changed.
    try FileManager.default.copyItem(atPath: program, toPath: program + "2")
    try FileManager.default.removeItem(atPath: program)
    try FileManager.default.moveItem(atPath: program + "2", toPath: program)
    #expect(try Tool.run(["run", "m.o"], in: scratch).output == "10\n")
    _ = try scratch.compileC(Self.source + "int more(void) { return 7; }\n", to: "victim")
    let changed = try Tool.run(["run", "m.o"], in: scratch)
    #expect(changed.status == 1)
    #expect(
      changed.errors.contains("error: '\(program)' changed since the module was built [changed-program]")
    )
    #expect(changed.errors.contains("it was build ID "))
  }

  static let source = """
    #include <unistd.h>
    __attribute__((noinline)) int work(int x) { __asm__ volatile("" ::: "memory"); return x + 1; }
    int main(int argc, char **argv) {
      if (argc > 1) pause();
      for (int i = 0; i < 10; i++) work(i);
      return 0;
    }

    """
}
