"""Memory and processor time of a tracer that is armed: with nothing to do, and while a program hits it all the time."""

import os
import time

SECONDS = 3


COUNTING = {
    "utrace": 'global n probe process("{path}").function("hit_text").call { n[user_string($text)]++ }',
    "bpftrace": "uprobe:{path}:hit_text { @[str(arg0)] = count() }",
}
PRINTING = {
    "utrace": 'probe process("{path}").function("hit_text").call { printf("%d %s\\n", tid(), user_string($text)) }',
    "bpftrace": 'uprobe:{path}:hit_text { printf("%d %s\\n", tid, str(arg0)) }',
}


def measure(bench):
    _add(bench, "armed and idle", COUNTING, False, [[(25,)], [(0.05,)]])
    _add(bench, "under hits that count by a string", COUNTING, True, [[], []])
    _add(bench, "under hits that print", PRINTING, True, [[], []])


def _add(bench, what, scripts, is_loaded, bars):
    makers = {"utrace": bench.with_utrace, "bpftrace": bench.with_bpftrace}
    with bench.target() as target:
        results = bench.interleaved({
            who: (lambda start=start: _used(start, target, is_loaded))
            for who, start in ((who, makers[who](script)) for who, script in scripts.items()) if start
        }, runs=min(3, bench.runs))
    column = lambda index: {who: [sample and sample[index] for sample in samples] for who, samples in results.items()}
    bench.add(f"resident memory, {what}", "MB", column(0), bars[0])
    bench.add(f"processor time, {what}", "%", column(1), bars[1], "of one processor" if is_loaded else "")


def _used(start, target, is_loaded):
    """Megabytes, and per cent of a processor."""
    tracer = start(target, ["hit_text"])
    time.sleep(0.5)
    before, begun = _ticks(tracer.process.pid), time.monotonic()
    if is_loaded:
        while time.monotonic() - begun < SECONDS:
            target.command("hit_text", 1, 20_000, 100, 32)
    else:
        time.sleep(SECONDS)
    used = (_ticks(tracer.process.pid) - before) / 1e9 / (time.monotonic() - begun) * 100
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
