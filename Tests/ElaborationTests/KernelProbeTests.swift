import BTF
import Platform
import TargetModel
import TestSupport
import Testing

@testable import Elaboration

/// Tracepoints and task fields by the running kernel's own BTF.
@Suite("Kernel probes")
struct KernelProbeTests {
  let kernel: BTFKernelCatalog

  init() throws {
    let bytes = try SharedBytes(mapping: "/sys/kernel/btf/vmlinux")
    let listing = Array("sched:sched_switch\nraw_syscalls:sys_enter\nsyscalls:sys_enter_read\n".utf8)
    kernel = BTFKernelCatalog(try BTFImage(bytes), systems: TracepointSystems(listing: SharedBytes(listing)))
  }

  @Test("A tracepoint's arguments are typed by BTF")
  func readsTracepoint() throws {
    let script = "probe kernel.trace(\"sched_switch\") { println($prev->pid, $next->comm, $$name) }"
    let elaborated = Elaborated(script, kernel: kernel)
    #expect(elaborated.checked.product != nil, "\(elaborated.messages)")
    #expect(elaborated.text.contains("ki32[(arg1 + "), "\(elaborated.text)")
  }

  @Test("Systems and patterns narrow tracepoints down")
  func matchesSystems() {
    #expect(
      Elaborated("probe kernel.trace(\"raw_syscalls:sys_enter\") { println($id) }", kernel: kernel).ids == []
    )
    let wrong = Elaborated("probe kernel.trace(\"sched:sys_enter\") { println($id) }", kernel: kernel)
    #expect(wrong.ids == ["no-such-tracepoint"])
  }

  @Test("The system of a tracepoint is the same by its name and by a pattern") func findsSystems() {
    let enter = KernelTracepoint(system: "raw_syscalls", name: "sys_enter")
    #expect(kernel.tracepoints(named: "sys_enter") == [enter])
    #expect(kernel.tracepoints(named: "sys_ente?") == [enter])
    #expect(kernel.tracepoints(named: "sched_wakeup") == [KernelTracepoint(system: "", name: "sched_wakeup")])
    #expect(kernel.tracepoints(named: "sched_wakeu") == [])
    #expect(kernel.tracepoints(named: "*").map(\.name) == kernel.tracepointNames)
  }

  @Test(
    "Mistakes are named",
    arguments: [
      ("probe kernel.trace(\"sched_swich\") { }", "no-such-tracepoint"),
      ("probe kernel.trace(\"sched_switch\") { println($prevv) }", "no-such-variable"),
      ("probe kernel.trace(\"sched_switch\") { println($prev->pidd) }", "no-such-member"),
      ("probe kernel.trace(\"sched_switch\") { println($prev->se) }", "structure-as-value"),
      ("probe kernel.trace(\"sched_switch\") { println($preempt->x) }", "no-members"),
      ("probe kernel.trace(\"sched_switch\") { println(@cast(1, \"struct nosuch\")->x) }", "no-such-type"),
      ("probe kernel.trace(\"sched_switch\") { println(@enum(\"NOSUCH\")) }", "no-such-enumerator"),
      ("probe kernel.function(\"vfs_read\") { }", "unsupported-probe"),
      ("probe kernel { }", "kernel-what"),
    ]
  )
  func namesMistakes(_ script: String, _ id: String) {
    let elaborated = Elaborated(script, kernel: kernel)
    #expect(elaborated.ids == [id], "\(elaborated.messages)")
  }

  /// A kernel before Linux 6.16, with `do_exit` or without.
  private func olderKernel(hasExitFunction: Bool) throws -> BTFKernelCatalog {
    var types = BTFBuilder()
    let long = types.integer("long", byteCount: 8, isSigned: true)
    _ = types.structure("pt_regs", byteCount: 8, members: [("orig_ax", long, 0)])
    if hasExitFunction {
      let prototype = types.prototype(result: long, parameters: [("code", long)])
      _ = types.function("do_exit", prototype: prototype, linkage: .global)
    }
    return BTFKernelCatalog(try BTFImage(SharedBytes(types.encoded())))
  }

  @Test("Where the tracepoint of the end comes too late to tell the program, the kernel's function tells it")
  func findsEnds() throws {
    let byName = "probe process(\"ls\").end, process(\"ls\").thread.end { println(pid()) }"
    let programs = SystemPrograms(environment: .current())
    let older = try olderKernel(hasExitFunction: true)
    let found = Elaborated(byName, programs: programs, kernel: older)
    #expect(found.text.contains("kernel function do_exit with 1 arguments"), "\(found.messages)\(found.text)")
    #expect(!found.text.contains("sched_process_exit"))
    let none = Elaborated(byName, programs: programs, kernel: try olderKernel(hasExitFunction: false))
    #expect(none.ids == ["unsupported-probe", "unsupported-probe"], "\(none.messages)")
    let target = TargetProcess(pid: 5, path: "/bin/ls")
    let byID = Elaborated("probe process.end { println(pid()) }", target: target, kernel: older)
    #expect(byID.text.contains("tracepoint sched_process_exit"), "\(byID.messages)")
  }

  @Test("What no helper tells comes from the task by BTF")
  func readsTask() {
    let script = "probe kernel.trace(\"sys_enter\") { println(ppid(), pgrp(), sid(), euid(), pexecname()) }"
    let elaborated = Elaborated(script, kernel: kernel)
    #expect(elaborated.text.contains("%ppid<"), "\(elaborated.text)")
    #expect(elaborated.text.contains("%pgrp<"))
    #expect(elaborated.text.contains("%sid<"))
    #expect(elaborated.text.contains("%euid<"))
    #expect(elaborated.text.contains("%pexecname<"))
  }

  @Test("A tapset's variables are its own: the script's global of that name is another")
  func keepsNamesApart() {
    let script = "global n probe syscall.select { n[name] <<< 1 } probe end { foreach (s in n) println(s) }"
    let elaborated = Elaborated(script, kernel: kernel)
    #expect(elaborated.messages == "")
  }

  @Test("Functions of functions that read the kernel's memory, the tapset's too, are linked in time")
  func linksFunctionsFirst() {
    let script = """
      function mine() { return target_set_pid(pid()) }
      probe kernel.trace("sys_enter") { if (mine()) println($id) }
      probe kernel.trace("sched_switch") { if (mine()) println(1) }
      """
    let elaborated = Elaborated(script, kernel: kernel)
    #expect(elaborated.checked.product?.functions.isEmpty == false, "\(elaborated.messages)")
  }

  @Test("The first sample of the 2009 overview elaborates")
  func elaboratesOpen() {
    let script = """
      probe syscall.open { printf("%s(%d) open (%s)\\n", execname(), pid(), argstr) }
      probe syscall.open.return { printf("%s = %s\\n", name, retstr) }
      probe timer.s(4) { exit() }
      """
    let elaborated = Elaborated(script, kernel: kernel)
    #expect(elaborated.messages == "")
    #expect(elaborated.checked.product?.probes.count == 3)
  }

  @Test("@defined decides before the script runs")
  func folds() {
    let script = """
      probe kernel.trace("sched_switch") {
        if (@defined($nosuch)) println($nosuch->x)
        println(@defined($prev->comm) ? $prev->pid : $other->pid, @defined($x) && $x)
      }
      """
    let elaborated = Elaborated(script, kernel: kernel)
    #expect(elaborated.messages == "")
    #expect(!elaborated.text.contains("if ("))
  }

  @Test("Structures print with their members, and script values keep their types")
  func printsStructures() {
    let script = """
      probe kernel.trace("sched_switch") {
        task = $next
        println(task->pid, task->se$, @cast(task, "task_struct")->tgid, task->comm[0])
        println($$parms)
      }
      """
    let elaborated = Elaborated(script, kernel: kernel)
    #expect(elaborated.messages == "")
    #expect(elaborated.text.contains("preempt="), "\(elaborated.text)")
  }
}
