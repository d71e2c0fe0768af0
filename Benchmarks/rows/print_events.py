"""printf of pid, name and a string for each of 1,000,000 hits in a row: cost, lost events, the tracer's own work."""

import os
import time

from lib.tracing import processor_seconds

EVENTS = 1_000_000
LENGTH = 32
OURS = """probe process("{path}").function("hit_text").call {
  printf("%d %s %s\\n", pid(), execname(), user_string($text))
}"""
THEIRS = 'uprobe:{path}:hit_text { printf("%d %s %s\\n", pid, comm, str(arg0)) }'


def measure(bench):
    tracers = {"utrace": bench.with_utrace, "bpftrace": bench.with_bpftrace if bench.bpftrace else None}
    results = bench.interleaved({
        who: (lambda make=make, script=script: _events(bench, make, script))
        for (who, make), script in zip(tracers.items(), [OURS, THEIRS]) if make
    }, runs=min(3, bench.runs))
    column = lambda index: {who: [sample and sample[index] for sample in samples] for who, samples in results.items()}
    bench.add("printf per hit, in the traced program", "ns", column(0), [(0.5, "bpftrace")])
    bench.add("printf per event, until it is printed", "ns", column(3), [(0.5, "bpftrace")])
    bench.add("printf per event, the tracer's own processor time", "ns", column(2), [(0.5, "bpftrace")])
    bench.add(f"events lost of {EVENTS:,}", "", column(1), [(0,)])


def _events(bench, make, script):
    """Time per hit, events lost, the tracer's time per printed event, time per printed event until all are there."""
    path = os.path.join(bench.scratch, "events")
    with bench.target() as target, open(path, "w") as output:
        tracer = make(script, output=output)(target, ["hit_text"])
        before = processor_seconds(tracer.process.pid)
        start = time.monotonic()
        cost = target.command("hit_text", 1, EVENTS, 100, LENGTH)
        size, last = -1, time.monotonic()
        while time.monotonic() - last < 0.3:
            if os.path.getsize(path) != size:
                size, last = os.path.getsize(path), time.monotonic()
            time.sleep(0.002)
        work = processor_seconds(tracer.process.pid) - before
        tracer.stop()
    with open(path, "rb") as file:
        printed = sum(line.startswith(b"%d hits " % target.pid) for line in file)
    os.remove(path)
    return cost, EVENTS - printed, work * 1e9 / max(printed, 1), (last - start) * 1e9 / max(printed, 1)
