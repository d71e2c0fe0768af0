import Foundation
import TestSupport
import Testing

extension LiveTests {
  /// `process….begin`, `.end`, `.thread.begin`, `.thread.end`, `.syscall`, `.syscall.return`, in every form.
  @Suite(.requires(.probes), .timeLimit(.minutes(2))) struct LifecycleTests {
    private let family = Package.program("family")

    /// Counts each event of `process`, and checks that it is seen where it happens.
    private func script(_ process: String) -> String {
      """
      global begun, ended, started, stopped, wrong
      probe \(process).begin { begun++; if (execname() != "family") wrong++ }
      probe \(process).end { ended++; if (execname() != "family") wrong++ }
      probe \(process).thread.begin { started++; if (tid() == pid()) wrong++ }
      probe \(process).thread.end { stopped++; if (tid() == pid()) wrong++ }
      probe end { printf("%d %d %d %d %d\\n", begun, ended, started, stopped, wrong) }
      """
    }

    /// What `rounds` of the program are: begins (by exec and by fork), ends, threads begun and ended, nothing wrong.
    private func whole(_ rounds: Int) -> String {
      "\(5 * rounds + 1) \(3 * rounds + 1) \(4 * rounds) \(4 * rounds) 0"
    }

    private func alone(_ rounds: Int) -> String { "1 1 \(2 * rounds) \(2 * rounds) 0" }

    @Test("process(PATH): every process that runs it, by exec and by fork, exactly")
    func followsAProgram() throws {
      let tracer = try startUtrace(["-e", script("process(\"\(family)\")")])
      #expect(try run(family, ["50"]).status == 0)
      let traced = tracer.interrupt()
      #expect(traced.status == 0 && traced.messages.isEmpty, "\(traced.errors)")
      #expect(traced.output == whole(50) + "\n")
    }

    @Test("process(PATH) does not see other programs")
    func ignoresOthers() throws {
      let tracer = try startUtrace(["-e", script("process(\"\(Package.program("forker"))\")")])
      #expect(try run(family, ["5"]).status == 0)
      #expect(tracer.interrupt().output == "0 0 0 0 0\n")
    }

    @Test("-c: the target alone; with --children all that it starts")
    func followsACommand() throws {
      for (options, wanted) in [([], alone(10)), (["--children"], whole(10))] {
        let traced = try utrace(options + ["-c", "\(family) 10", "-e", script("process")])
        #expect(traced.status == 0 && traced.messages.isEmpty, "\(traced.errors)")
        #expect(traced.lines == ["done", wanted], "\(options)")
      }
    }

    @Test("a program that is not the target's is not seen with -c")
    func limitsProgramsToTheTarget() throws {
      let stranger = try RunningProcess(family, ["--wait", "5"])
      #expect(stranger.wait { $0.output.contains("ready") })
      let script = script("process(\"\(family)\")")
      let tracer = try startUtrace(["-c", "sh -c 'sleep 0.5; exec \(family) 3'", "-e", script])
      stranger.send("\n")
      #expect(stranger.finish().status == 0)
      #expect(tracer.finish().lines == ["done", alone(3)])
    }

    @Test("processes that are there already begin when the session does", arguments: ["PATH", "PID", "-p"])
    func seesRunningProcesses(_ form: String) throws {
      let program = try RunningProcess(family, ["--wait", "4"])
      #expect(program.wait { $0.output.contains("ready") })
      let process =
        switch form {
        case "PATH": "process(\"\(family)\")"
        case "PID": "process(\(program.pid))"
        default: "process"
        }
      let own = """
        probe \(process).begin {
          if (pid() == \(program.pid))
            printf("%s %d %d %d %s\\n", execname(), tid(), ppid(), uid(), pp())
        }
        """
      let target = form == "-p" ? ["-p", "\(program.pid)"] : []
      let tracer = try startUtrace(target + ["-e", script(process) + own])
      program.send("\n")
      #expect(program.finish().output.hasSuffix("done\n"))
      let traced = form == "-p" ? tracer.finish(seconds: 10) : tracer.interrupt()
      #expect(traced.status == 0 && traced.messages.isEmpty, "\(traced.errors)")
      let first = "family \(program.pid) \(getpid()) \(getuid()) \(process).begin"
      #expect(traced.lines == [first, form == "PATH" ? whole(4) : alone(4)], "\(traced.output)")
    }

    @Test("process without a target is every process")
    func seesEverything() throws {
      let script = """
        global running, begun, ended
        probe process.begin { if (pid() == \(getpid())) running++; if (execname() == "family") begun++ }
        probe process.end { if (execname() == "family") ended++ }
        probe end { printf("%d %d %d\\n", running, begun, ended) }
        """
      let tracer = try startUtrace(["-e", script])
      #expect(try run(family, ["3"]).status == 0)
      // A forked child has the name of its parent: 5 a round and the first exec.
      #expect(tracer.interrupt().output == "1 16 10\n")
    }

    /// A program whose two threads make `lseek(-1, 12345, 7)` a thousand times each, when told to.
    private func seeker(in scratch: ScratchDirectory) throws -> String {
      let source = """
        #define _GNU_SOURCE
        #include <pthread.h>
        #include <stdio.h>
        #include <sys/syscall.h>
        #include <unistd.h>
        static void *seek(void *unused) {
          for (int i = 0; i < 1000; i++) syscall(SYS_lseek, -1L, 12345L, 7L, 4L, 5L, 6L);
          return unused;
        }
        int main(int argc, char **argv) {
          pthread_t thread;
          puts("ready");
          fflush(stdout);
          if (argc > 1) getchar();
          pthread_create(&thread, 0, seek, 0);
          seek(0);
          return pthread_join(thread, 0);
        }
        """
      return try scratch.compileC(source, to: "seeker", flags: ["-O1", "-pthread"])
    }

    private func seekScript(_ process: String) -> String {
      """
      global calls, returns, wrong
      probe \(process).syscall {
        if ($syscall == 8 && $arg1 == -1 && $arg2 == 12345 && $arg3 == 7 && $arg4 == 4 && $arg5 == 5 && $arg6 == 6)
          calls++
        if (execname() != "seeker") wrong++
      }
      probe \(process).syscall.return { if ($syscall == 8 && $return == -9) returns++ }
      probe end { printf("%d %d %d\\n", calls, returns, wrong) }
      """
    }

    @Test("system calls with their arguments and results, exactly", arguments: ["PATH", "PID", "-p", "-c"])
    func countsSystemCalls(_ form: String) throws {
      let scratch = try ScratchDirectory()
      let seeker = try seeker(in: scratch)
      if form == "-c" {
        // Often: the shell that the command waits in once started too late to be left out.
        for _ in 0..<20 {
          let traced = try utrace(["-c", seeker, "-e", seekScript("process")])
          #expect(traced.lines == ["ready", "2000 2000 0"], "\(traced)")
        }
        return
      }
      let program = try RunningProcess(seeker, ["wait"])
      let stranger = try RunningProcess(seeker, ["wait"])
      #expect(program.wait { $0.output.contains("ready") } && stranger.wait { $0.output.contains("ready") })
      let process =
        switch form {
        case "PATH": "process(\"\(seeker)\")"
        case "PID": "process(\(program.pid))"
        default: "process"
        }
      let target = form == "-p" ? ["-p", "\(program.pid)"] : []
      let tracer = try startUtrace(target + ["-e", seekScript(process)])
      stranger.send("\n")
      #expect(stranger.finish().status == 0)
      program.send("\n")
      #expect(program.finish().status == 0)
      let traced = form == "-p" ? tracer.finish(seconds: 10) : tracer.interrupt()
      #expect(traced.status == 0 && traced.messages.isEmpty, "\(traced.errors)")
      #expect(traced.output == (form == "PATH" ? "4000 4000 0\n" : "2000 2000 0\n"))
    }

    @Test("what can be probed is listed with its variables")
    func listsEvents() throws {
      let listed = try utrace(["-L", "process(\"\(family)\").begin, process(\"\(family)\").syscall.return"])
      #expect(
        listed.lines == [
          "process(\"\(family)\").begin", "process(\"\(family)\").syscall.return $syscall:long $return:long",
        ],
        "\(listed)"
      )
    }
  }
}
