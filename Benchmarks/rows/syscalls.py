"""Counting system calls: those of a process by their numbers, and those of the machine by a probe for each of them."""


def measure(bench):
    bench.add("count system calls", "ns", bench.hit_costs("hit_system", {
        "utrace": lambda target, names: bench.background(
            bench.utrace, "-p", "{pid}", "-e", "global n probe process.syscall { n[$syscall]++ }")(target, names),
        "bpftrace": _bpftrace(bench, "tracepoint:raw_syscalls:sys_enter /pid == {pid}/ { @[args->id] = count() }"),
        "perf trace": bench.background("perf", "trace", "-s", "-p", "{pid}"),
        "strace": bench.background("strace", "-f", "-c", "-p", "{pid}"),
    }), [(1.0, "bpftrace")])
    bench.add("a probe for every system call", "ns", bench.hit_costs("hit_system", {
        "utrace": lambda target, names: bench.background(
            bench.utrace, "-e", "global n probe syscall.* { n[name]++ }")(target, names),
        # Its sys_enter_* takes 23 s to attach; one program for all of them is what its users take.
        "bpftrace": _bpftrace(bench, "tracepoint:raw_syscalls:sys_enter { @[args->id] = count() }"),
    }), [(1.0, "bpftrace")])
    with bench.target() as target:
        target.command("hit_system", 1, 1000, 1, 1)
        samples = {"utrace": [target.command("hit_system", 1, 100_000, 1, 1) for _ in range(bench.runs)]}
        bench.add("a system call that nobody traces", "ns", samples)


def _bpftrace(bench, program):
    return bench.background(bench.bpftrace, "-e", program) if bench.bpftrace else None
