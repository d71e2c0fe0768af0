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

    @Test("sections packed with zstd are read")
    func readsZstd() throws {
      let scratch = try ScratchDirectory()
      let program = "\(scratch.path)/targets"
      let pack = ["--compress-debug-sections=zstd", Package.program("targets-O2"), program]
      #expect(try run("objcopy", pack).status == 0)
      let packed = try list(program, [:])
      #expect(packed.output.contains("$p:point_t $f:struct flags"), "\(packed.output) \(packed.errors)")
    }

    @Test("symbols of .gnu_debugdata are found")
    func readsMiniDebugInfo() throws {
      let program = Package.program("targets-minidebug")
      let point = "process(\"\(program)\").function(\"local_h*\")"
      let listed = try RunningProcess(Package.utrace, ["-l", point]).finish()
      #expect(listed.output.contains("local_helper"), "\(listed.output) \(listed.errors)")
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
