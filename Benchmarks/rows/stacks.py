"""Call chains of user space, printed at each hit: what the traced program waits, and the tracer's own work."""

import time

from lib.tracing import processor_seconds

CALLS = 500
# Room for every copied piece of stack until it is read.
RING_MEGABYTES = "256"
SCRIPTS = {
    "printf": 'probe process("{path}").function("hit_key").call { printf("%x\\n", uaddr()) }',
    "print_ubacktrace": 'probe process("{path}").function("hit_key").call { print_ubacktrace() }',
    "print_ubacktrace_fileline": 'probe process("{path}").function("hit_key").call { print_ubacktrace_fileline() }',
}
# By frame pointers, which this program keeps.
THEIRS = 'uprobe:{path}:hit_key { printf("%s\\n", ustack) }'


def measure(bench):
    tracers = {name: bench.with_utrace(script, "-s", RING_MEGABYTES) for name, script in SCRIPTS.items()}
    tracers["bpftrace"] = bench.with_bpftrace(THEIRS)
    results = bench.interleaved(
        {who: (lambda make=make: _chains(bench, make)) for who, make in tracers.items() if make}, runs=min(3, bench.runs))
    for index, what in enumerate(["in the traced program", "the tracer's own processor time"]):
        for name in SCRIPTS:
            samples = {"utrace": [sample and sample[index] for sample in results[name]]}
            if name == "print_ubacktrace" and "bpftrace" in results:
                samples["bpftrace"] = [sample and sample[index] for sample in results["bpftrace"]]
            bench.add(f"{name} per hit, {what}", "ns", samples)


def _chains(bench, make):
    """Time per hit, the tracer's time per hit."""
    with bench.target() as target:
        tracer = make(target, ["hit_key"])
        # The first chains bring in what is known of the files; hits that come before the session runs are none.
        time.sleep(0.3)
        target.command("hit_key", 1, 100, 1, 1)
        time.sleep(0.3)
        before = processor_seconds(tracer.process.pid)
        cost = min(target.command("hit_key", 1, CALLS, 1, 1) for _ in range(5))
        time.sleep(1)
        work = processor_seconds(tracer.process.pid) - before
        tracer.stop()
        if "lost" in tracer.said:
            raise RuntimeError(f"chains were lost: {tracer.said}")
    return cost, work * 1e9 / (5 * CALLS)
