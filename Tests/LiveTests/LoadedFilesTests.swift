import Foundation
import TestSupport
import Testing

extension LiveTests {
  /// What a running process has loaded: listed, found by name, its own also when the file was replaced.
  @Suite(.requires(.probes), .timeLimit(.minutes(2))) struct LoadedFilesTests {
    private let scratch: ScratchDirectory
    private let plugin: String

    init() throws {
      scratch = try ScratchDirectory()
      plugin = "\(scratch.path)/libplugin.so"
      try FileManager.default.copyItem(atPath: Package.program("libplugin.so"), toPath: plugin)
    }

    /// A program that calls `plugin_work(4)` five times after a line on standard input, linked to the library or not.
    private func host(linked: Bool) throws -> String {
      let source = """
        #include <dlfcn.h>
        #include <stdio.h>
        #ifdef LINKED
        long plugin_work(long);
        #endif
        int main(void) {
        #ifndef LINKED
          long (*plugin_work)(long) = (long (*)(long))dlsym(dlopen("\(plugin)", RTLD_NOW), "plugin_work");
        #endif
          long sum = plugin_work(1);
          puts("ready");
          fflush(stdout);
          getchar();
          for (int i = 0; i < 5; i++) sum += plugin_work(4);
          printf("%ld\\n", sum);
        }
        """
      let flags = linked ? ["-DLINKED", "-Wl,--no-as-needed", plugin, "-Wl,-rpath,\(scratch.path)"] : []
      return try scratch.compileC(source, to: "host", flags: ["-O1", "-g"] + flags)
    }

    private func start(_ program: String, _ arguments: [String] = []) throws -> RunningProcess {
      let process = try RunningProcess(program, arguments)
      try #require(process.wait { $0.output.contains("ready") })
      return process
    }

    /// Puts another file in its place, as a package manager does.
    private func replace(_ path: String) throws {
      let other = try scratch.compileC(
        "int nothing; long plugin_work(long v) { return v; }",
        to: "other.so",
        flags: ["-shared"]
      )
      try #require(rename(other, path) == 0)
    }

    /// Traces `process` over its second half.
    private func trace(_ process: RunningProcess, _ script: String) throws -> Outcome {
      let tracer = try startUtrace(["-p", "\(process.pid)", "-e", script])
      process.send("\n")
      let traced = tracer.finish(seconds: 20)
      _ = process.finish()
      return traced
    }

    private func counting(_ points: String) -> String {
      "global n; probe \(points) { n++ } probe end { printf(\"%d\\n\", n) }"
    }

    @Test("list: every marker of a process and of its libraries, each usable as it stands")
    func listsMarkers() throws {
      let process = try start(host(linked: false))
      let listed = try utrace(["list", "-p", "\(process.pid)"])
      #expect(listed.status == 0 && listed.errors.isEmpty, "\(listed.errors)")
      let own = "process(\"\(plugin)\").provider(\"plugin\").mark(\"work\")"
      #expect(listed.lines.contains(own + " $arg1:long $arg2:long"), "\(listed.output)")
      #expect(try utrace(["list", "-p", "\(process.pid)", "plugin:w*"]).lines.count == 1)
      let none = try utrace(["list", "-p", "\(process.pid)", "nonesuch"])
      #expect(none.status == 1 && none.errors.contains("no marker 'nonesuch'"), "\(none)")
      #expect(try trace(process, counting(own)).output == "5\n")
    }

    @Test("a library that was loaded at run time is found by its name in the process")
    func findsLoadedLibraries() throws {
      let process = try start(host(linked: false))
      let points =
        "process.library(\"libplugin.so\").mark(\"work\"), process(\(process.pid)).library(\"libplugin*\").function(\"plugin_work\").call"
      let traced = try trace(process, counting(points))
      #expect(traced.output == "10\n" && traced.messages.isEmpty, "\(traced)")
    }

    @Test("markers and functions of a library that is loaded later")
    func followsLaterLibraries() throws {
      let points =
        "process(\"\(plugin)\").mark(\"work\"), process(\"\(plugin)\").function(\"plugin_work\").call"
      let traced = try utrace([
        "-c", "echo | \(try host(linked: false))", "--children", "-e", counting(points),
      ])
      #expect(traced.lines == ["ready", "210", "12"], "\(traced)")
    }

    @Test(
      "a replaced library: the process's own is probed by name; by path it is told",
      arguments: [true, false]
    )
    func probesReplacedLibraries(_ isLinked: Bool) throws {
      let process = try start(host(linked: isLinked))
      try replace(plugin)
      let path = "process(\"\(plugin)\").function(\"plugin_work\").call"
      let other = try utrace(["-p", "\(process.pid)", "-e", counting(path) + " probe begin { exit() }"])
      #expect(other.output == "0\n" && other.errors.contains("[replaced-file]"), "\(other)")
      let traced = try trace(
        process,
        counting("process.library(\"libplugin.so\").function(\"plugin_work\").call")
      )
      #expect(traced.output == "5\n" && traced.messages.isEmpty, "\(traced)")
    }

    @Test("a replaced program: the process's own is probed", arguments: [true, false])
    func probesReplacedPrograms(_ isRemoved: Bool) throws {
      let program = "\(scratch.path)/family"
      try FileManager.default.copyItem(atPath: Package.program("family"), toPath: program)
      let process = try start(program, ["--wait", "3"])
      if isRemoved { try #require(remove(program) == 0) } else { try replace(program) }
      #expect(try utrace(["list", "-p", "\(process.pid)", "family:*"]).lines.count == 1)
      let traced = try trace(process, counting("process.function(\"touch\").call, process.mark(\"touch\")"))
      #expect(traced.status == 0 && traced.messages.isEmpty, "\(traced)")
      #expect(traced.output == "18\n")
    }
  }
}
