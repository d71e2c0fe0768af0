import Foundation
import TestSupport
import Testing

extension LiveTests {
  /// Debug info that is neither in the program nor beside it.
  @Suite(.timeLimit(.minutes(2))) struct DebugInfoTests {
    /// A stripped program here and its debug file in `debug/`.
    private func stripped(_ scratch: ScratchDirectory) throws -> String {
      let program = "\(scratch.path)/targets"
      try FileManager.default.createDirectory(
        atPath: "\(scratch.path)/debug",
        withIntermediateDirectories: true
      )
      #expect(try run("strip", ["-o", program, Package.program("targets-O2")]).status == 0)
      let debug = ["--only-keep-debug", Package.program("targets-O2"), "\(scratch.path)/debug/targets.debug"]
      #expect(try run("objcopy", debug).status == 0)
      return program
    }

    private func list(_ program: String, _ environment: [String: String]) throws -> Outcome {
      let point = "process(\"\(program)\").function(\"take_struct\")"
      return try RunningProcess(Package.utrace, ["-L", point], environment: environment).finish()
    }

    @Test("debug info comes from a debuginfod server", .requires(.file("/usr/bin/debuginfod")))
    func asksServers() throws {
      let scratch = try ScratchDirectory()
      let program = try stripped(scratch)
      let port = String(20_000 + Int(getpid()) % 20_000)
      let server = try RunningProcess(
        "debuginfod",
        ["-F", "-d", ":memory:", "-p", port, "-t", "1", "\(scratch.path)/debug"]
      )
      defer { server.signal(SIGTERM) }
      let environment = [
        "DEBUGINFOD_URLS": "http://127.0.0.1:\(port)", "DEBUGINFOD_CACHE_PATH": "\(scratch.path)/cache",
      ]
      var listed = try list(program, environment)
      // The server needs a moment to find what it serves; the client remembers what was not there.
      for _ in 0..<60 where !listed.output.contains("$p") {
        try? FileManager.default.removeItem(atPath: "\(scratch.path)/cache")
        usleep(250_000)
        listed = try list(program, environment)
      }
      #expect(listed.output.contains("$p:point_t $f:struct flags"), "\(listed.output) \(listed.errors)")
      // From the client's cache, without the server.
      server.signal(SIGTERM)
      let kept = try list(program, environment)
      #expect(kept.output == listed.output)
    }

    @Test("a server that does not answer is not waited for")
    func givesUpOnServers() throws {
      let scratch = try ScratchDirectory()
      let target = try stripped(scratch)
      let port = String(20_001 + Int(getpid()) % 20_000)
      let program =
        "import socket, time; s = socket.socket(); s.bind(('127.0.0.1', \(port))); s.listen(); time.sleep(60)"
      let server = try RunningProcess("python3", ["-c", program])
      defer { server.signal(SIGTERM) }
      usleep(300_000)
      let start = Date()
      let listed = try list(
        target,
        [
          "DEBUGINFOD_URLS": "http://127.0.0.1:\(port)", "DEBUGINFOD_CACHE_PATH": "\(scratch.path)/cache",
          "DEBUGINFOD_MAXTIME": "2",
        ]
      )
      #expect(Date().timeIntervalSince(start) < 20)
      #expect(!listed.output.contains("$p"))
    }

    @Test("a program in another mount namespace has the debug info of that namespace", .requires(.probes))
    func looksIntoMountNamespaces() throws {
      let scratch = try ScratchDirectory()
      let root = "\(scratch.path)/root"
      let source = try scratch.write(
        """
        #include <stdio.h>
        __attribute__((noinline)) int inside(int number) { return getchar() + number; }
        int main(void) { puts("ready"); fflush(stdout); return inside(3) == 0; }
        """,
        to: "inside.c"
      )
      let made = try run(
        "sh",
        [
          "-ec",
          """
          mkdir -p \(root)/old \(root)/usr/lib/debug/.build-id
          gcc -g -O1 -static -o \(root)/full \(source)
          id=$(readelf -n \(root)/full | awk '/Build ID/ { print $3 }')
          directory=\(root)/usr/lib/debug/.build-id/$(echo $id | cut -c 1-2)
          mkdir $directory
          objcopy --only-keep-debug \(root)/full $directory/$(echo $id | cut -c 3-).debug
          strip -o \(root)/program \(root)/full
          rm \(root)/full
          """,
        ]
      )
      #expect(made.status == 0, "\(made.output)")
      let enter = """
        mount --make-rprivate / && mount --bind \(root) \(root) && cd \(root) && pivot_root . old && exec /program
        """
      let program = try RunningProcess("unshare", ["-m", "bash", "-c", enter])
      #expect(program.wait { $0.output.contains("ready") }, "\(program.errors)")
      defer { program.signal(SIGKILL) }
      let point = "process(\(program.pid)).function(\"inside\")"
      let listed = try RunningProcess(Package.utrace, ["-L", point]).finish()
      #expect(listed.output.contains("$number:int"), "\(listed.output) \(listed.errors)")
    }

    @Test("sections packed with zstd are read")
    func readsZstd() throws {
      let scratch = try ScratchDirectory()
      let program = "\(scratch.path)/targets"
      let pack = ["--compress-debug-sections=zstd", Package.program("targets-O2"), program]
      #expect(try run("objcopy", pack).status == 0)
      let packed = try list(program, [:])
      #expect(packed.output.contains("$p:point_t $f:struct flags"), "\(packed.output) \(packed.errors)")
    }

    @Test("a library that is linked for an address of its own, as prelinked ones are")
    func readsPrelinkedLibraries() throws {
      let scratch = try ScratchDirectory()
      let library = try scratch.write(
        """
        int kept = 5;
        __attribute__((noinline)) int add(int a, int b) { kept += a; return a + b; }
        """,
        to: "added.c"
      )
      let flags = ["-g", "-O2", "-fPIC", "-shared", "-Wl,-Ttext-segment=0x3f00000000"]
      let made = try run("gcc", flags + ["-o", "\(scratch.path)/libadded.so", library])
      #expect(made.status == 0, "\(made.output)")
      let program = try scratch.compileC(
        "int add(int, int); int main(void) { return add(3, 4) - 7; }",
        to: "adds",
        flags: ["-g", "-L\(scratch.path)", "-Wl,-rpath,\(scratch.path)", "-Wl,--no-as-needed", "-ladded"]
      )
      let point = "process(\"\(scratch.path)/libadded.so\").function(\"add\")"
      let script = """
        probe \(point) { println($$parms, " ", @var("kept"), " ", usymname(uaddr()), " ", usymname(ustack(1))) }
        probe \(point).return { println($return, " ", @var("kept"), " ", $a) }
        """
      let traced = try utrace(["-c", program, "-e", script])
      #expect(traced.lines == ["a=0x3 b=0x4 5 add main", "7 8 3"], "\(traced.output)\(traced.errors)")
    }

    @Test("symbols of .gnu_debugdata are found")
    func readsMiniDebugInfo() throws {
      let program = Package.program("targets-minidebug")
      let point = "process(\"\(program)\").function(\"local_h*\")"
      let listed = try RunningProcess(Package.utrace, ["-l", point]).finish()
      #expect(listed.output.contains("local_helper"), "\(listed.output) \(listed.errors)")
    }

    @Test(
      "a library's probe reads variables of the program",
      .requires(.probes),
      arguments: ["-pie", "-no-pie"]
    )
    func readsVariablesOfTheProgram(_ kind: String) throws {
      let scratch = try ScratchDirectory()
      let library = try scratch.write("int ask(int n) { return n + 1; }", to: "ask.c")
      let program = try scratch.write(
        """
        extern int ask(int);
        struct { int before; long inside[3]; } setting = {1, {10, 20, 30}};
        int main(void) { setting.inside[1] = ask(4); ask(5); return 0; }
        """,
        to: "main.c"
      )
      let flags = ["-g", "-O1", "-fPIC", "-shared", "-o", "\(scratch.path)/libask.so", library]
      #expect(try run("gcc", flags).status == 0)
      for name in ["one", "another_program"] {
        let made = try run(
          "gcc",
          ["-g", kind, "-o", "\(scratch.path)/\(name)", program, "\(scratch.path)/libask.so"]
            + ["-Wl,-rpath,\(scratch.path)"]
        )
        #expect(made.status == 0, "\(made.output)")
      }
      let script = """
        probe process("\(scratch.path)/libask.so").function("ask") {
          try { println("n ", $n, " ", @var("setting@main.c", "\(scratch.path)/one")->inside[1]) }
          catch { println("another program") }
        }
        """
      let traced = try utrace(["-c", "\(scratch.path)/one", "-e", script])
      #expect(traced.messages.isEmpty, "\(traced.errors)")
      #expect(traced.lines == ["n 4 20", "n 5 5"])
      let other = try utrace(["-c", "\(scratch.path)/another_program", "-e", script])
      #expect(other.lines == ["another program", "another program"], "\(other.errors)")
    }

    @Test(
      "a running process tells where its libraries are, until it runs another program",
      .requires(.probes)
    )
    func readsVariablesOfLibraries() throws {
      let scratch = try ScratchDirectory()
      let library = try scratch.write(
        "static int before; int level = 40; int step(int n) { return before++ + (level += n); }",
        to: "level.c"
      )
      let program = try scratch.write(
        """
        #include <stdlib.h>
        #include <unistd.h>
        extern int step(int);
        __attribute__((noinline)) int turn(int n) { __asm__ volatile(""); return step(n); }
        int main(int argc, char **argv) {
          char go;
          if (argc == 1) read(0, &go, 1);
          turn(1);
          turn(2);
          if (argc == 1) execl("/proc/self/exe", argv[0], "again", (char *)0);
          return 0;
        }
        """,
        to: "main.c"
      )
      let path = "\(scratch.path)/liblevel.so"
      let made = try run("gcc", ["-g", "-O1", "-fPIC", "-shared", "-o", path, library])
      #expect(made.status == 0, "\(made.output)")
      let flags = ["-g", "-O1", "-Wl,-rpath,\(scratch.path)", "-o", "\(scratch.path)/main"]
      let linked = try run("gcc", flags + [program, path])
      #expect(linked.status == 0, "\(linked.output)")
      let target = try RunningProcess("\(scratch.path)/main", [])
      let script = """
        probe process.function("turn") {
          try { println("turn ", $n, " ", @var("level", "\(path)")) } catch { println("another program") }
        }
        """
      let tracer = try startUtrace(["-p", "\(target.pid)", "-e", script])
      target.send("x")
      let traced = tracer.finish()
      #expect(traced.messages.isEmpty, "\(traced.errors)")
      #expect(traced.lines == ["turn 1 40", "turn 2 41", "another program", "another program"])
      let unknown = try utrace([
        "--pass", "2", "-e", script.replacing("process.", with: "process(\"\(scratch.path)/main\")."),
      ])
      #expect(unknown.errors.contains("in one running process"), "\(unknown.errors)")
    }

    @Test("thread-local variables of libraries", .requires(.probes), arguments: ["linked", "loaded"])
    func readsThreadLocals(_ way: String) throws {
      let scratch = try ScratchDirectory()
      let library = try scratch.write(
        """
        static __thread int first = 5;
        __thread int level = 40;
        __attribute__((noinline)) int step(int n) { level += n; first++; return level + first; }
        """,
        to: "tls.c"
      )
      let program = try scratch.write(
        """
        #include <dlfcn.h>
        #include <pthread.h>
        #include <stdio.h>
        static int (*step)(int);
        static void *run(void *argument) { printf("%d\\n", step(2)); return argument; }
        int main(void) {
          step = (int (*)(int))dlsym(dlopen("\(scratch.path)/libtls.so", RTLD_NOW), "step");
          step(1);
          pthread_t thread;
          pthread_create(&thread, 0, run, 0);
          pthread_join(thread, 0);
          return 0;
        }
        """,
        to: "main.c"
      )
      let model = way == "linked" ? ["-ftls-model=initial-exec"] : []
      let made = try run(
        "gcc",
        ["-g", "-O2", "-fPIC", "-shared", "-o", "\(scratch.path)/libtls.so", library] + model
      )
      #expect(made.status == 0, "\(made.output)")
      let linked = try run("gcc", ["-g", "-pthread", "-o", "\(scratch.path)/main", program, "-ldl"])
      #expect(linked.status == 0, "\(linked.output)")
      let script = """
        probe process("\(scratch.path)/libtls.so").function("step").return {
          printf("n %d level %d first %d\\n", $n, @var("level"), @var("first"))
        }
        """
      let traced = try utrace(["-c", "\(scratch.path)/main", "-e", script])
      #expect(traced.messages.isEmpty, "\(traced.errors)")
      #expect(traced.lines.filter { $0.hasPrefix("n ") } == ["n 1 level 41 first 6", "n 2 level 42 first 6"])
    }
  }
}
