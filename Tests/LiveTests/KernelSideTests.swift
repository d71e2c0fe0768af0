import Foundation
import TestSupport
import Testing

extension LiveTests {
  /// The kernel's own events.
  @Suite(.requires(.probes), .timeLimit(.minutes(1))) struct KernelSideTests {
    @Test("timers read the kernel's memory, and what is not there is a fault")
    func readsKernelMemoryInTimers() throws {
      let script = """
        global place
        probe kernel.trace("sched_switch") { if (pid() == target() && !place) place = &$prev->comm[0] }
        probe timer.ms(50) {
          if (!place) next
          printf("%s %c %d\\n", kernel_string(place), kernel_char(place), kernel_int(place) == 0x65656c73)
          try { println(kernel_string(16)) } catch (message) { println(message) }
          try { println(kernel_long(-9)) } catch (message) { println(message) }
          exit()
        }
        """
      let traced = try utrace(["-c", "sleep 20", "-e", script], seconds: 30)
      let faults = ["kernel string copy fault -14 at 0x10", "kernel read fault at 0xfffffffffffffff7"]
      #expect(traced.lines == ["sleep s 1"] + faults, "\(traced.output)\(traced.errors)")
    }

    @Test("syscall.open and syscall.openat: who opens what, system-wide, as in SystemTap's overview")
    func seesOpens() throws {
      let scratch = try ScratchDirectory()
      let file = try scratch.write("text\n", to: "opened by cat")
      let tracer = try startUtrace([Package.example("syscalls/opens.stp")])
      let talk = try run("cat", [file])
      #expect(talk.output == "text\n")
      // The example ends by itself after four seconds.
      let traced = tracer.finish(seconds: 10)
      #expect(traced.status == 0 && traced.messages.isEmpty, "\(traced.errors)")
      let lines = traced.lines.filter {
        $0.contains("(AT_FDCWD, \"\(file)\", O_RDONLY)") || $0.contains("(\"\(file)\", O_RDONLY)")
      }
      #expect(lines.count == 1, "\(traced.lines.filter { $0.contains("cat") })")
      #expect(lines.first?.wholeMatch(of: /cat\(\d+\) open(at)? \(.*\)/) != nil)
    }

    @Test("their returns: what the kernel answered")
    func seesOpenReturns() throws {
      let script = """
        probe syscall.open, syscall.openat { printf("open %s\\n", filename) }
        probe syscall.open.return, syscall.openat.return { printf("%s %s\\n", name, retstr) }
        """
      let traced = try utrace(["-c", "cat /nowhere/at/all", "-e", script])
      #expect(
        traced.lines.contains("open \"/nowhere/at/all\"") || traced.lines.contains("open /nowhere/at/all")
      )
      #expect(traced.lines.contains { $0.contains("-2 (ENOENT)") }, "\(traced.output)\(traced.errors)")
    }

    @Test("tracepoints with arguments typed by the kernel's own types")
    func readsTracepointArguments() throws {
      let script = """
        probe kernel.trace("sched_process_exec") {
          if (pid() == target()) printf("exec %s %d\\n", kernel_string($bprm->filename), $old_pid == pid())
        }
        probe kernel.trace("sched_process_exit") { if (pid() == target()) printf("exit %s %d\\n", execname(), $p->pid == tid()) }
        """
      let traced = try utrace(["-c", "/bin/true", "-e", script])
      #expect(traced.status == 0 && traced.messages.isEmpty, "\(traced.errors)")
      #expect(traced.lines == ["exec /bin/true 1", "exit true 1"])
    }
  }
}
