"""Memory, of its own and the kernel's, and processor time of an armed tracer: idle, and while it is hit all the time."""

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
    bench.add(f"kernel memory of maps and programs, {what}", "MB", column(2))
    bench.add(f"processor time, {what}", "%", column(1), bars[1], "of one processor" if is_loaded else "")


def _used(start, target, is_loaded):
    """Megabytes, per cent of a processor, and megabytes in the kernel."""
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
    kernel = _kernel_bytes(tracer.process.pid)
    tracer.stop()
    return resident / 1024, used, kernel / 2 ** 20


def _kernel_bytes(pid):
    """What the kernel says that maps and programs take, each told once, whatever number of descriptors it has."""
    found = {}
    for descriptor in os.listdir(f"/proc/{pid}/fdinfo"):
        with open(f"/proc/{pid}/fdinfo/{descriptor}") as file:
            fields = dict(line.split(":", 1) for line in file if ":" in line)
        if "memlock" in fields:
            kind = "map" if "map_id" in fields else "program"
            found[kind, fields.get("map_id", fields.get("prog_id"))] = int(fields["memlock"])
    return sum(found.values())


def _ticks(pid):
    """Nanoseconds on a processor of all threads."""
    total = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/schedstat") as file:
            total += int(file.read().split()[0])
    return total
