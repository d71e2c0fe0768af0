"""Memory and processor time of a tracer that is armed and has nothing to do."""

import os
import time

SECONDS = 3


def measure(bench):
    with bench.target() as target:
        results = bench.interleaved({
            "utrace": lambda: _idle(bench.with_utrace(
                'global n probe process("{path}").function("hit_text").call { n[user_string($text)]++ }'), target),
            **({"bpftrace": lambda: _idle(
                bench.with_bpftrace("uprobe:{path}:hit_text { @[str(arg0)] = count() }"), target)}
               if bench.bpftrace else {}),
        }, runs=min(3, bench.runs))
    column = lambda index: {who: [sample and sample[index] for sample in samples] for who, samples in results.items()}
    bench.add("resident memory, armed and idle", "MB", column(0), [(25,)])
    bench.add("processor time, armed and idle", "%", column(1), [(0.05,)])


def _idle(start, target):
    tracer = start(target, ["hit_text"])
    time.sleep(0.5)
    before = _ticks(tracer.process.pid)
    time.sleep(SECONDS)
    used = (_ticks(tracer.process.pid) - before) / 1e9 / SECONDS * 100
    with open(f"/proc/{tracer.process.pid}/status") as file:
        resident = next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))
    tracer.stop()
    return resident / 1024, used


def _ticks(pid):
    """Nanoseconds on a processor of all threads."""
    total = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/schedstat") as file:
            total += int(file.read().split()[0])
    return total
