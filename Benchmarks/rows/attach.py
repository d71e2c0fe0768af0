"""Attaching probes to 1 to 50,000 functions, and taking them away."""

import os

from lib.tracing import Tracer

# bpftrace opens a perf event for each function, and the kernel takes 0.1 s to close one: of 100 it needs more than 10 s
# to leave, of 10,000 a quarter of an hour.
MOST_FOR_PEER = 10


def measure(bench):
    with bench.target("functions") as target:
        for digits in range(6):
            _measure(bench, target, digits)


def _measure(bench, target, digits):
    """The functions with numbers of up to `digits` digits; one function for 0."""
    count = min(10 ** digits, 50_000)
    patterns = ["f0"] if digits == 0 else ["f" + "?" * n for n in range(1, digits + 1)]
    names = [f"f{index}" for index in {0, count // 2, count - 1}]
    points = ", ".join(f'process("{target.path}").function("{pattern}").call' for pattern in patterns)
    # bpftrace's patterns know no '?'.
    theirs = ", ".join(f"uprobe:{target.path}:f{index}" for index in range(min(count, MOST_FOR_PEER)))

    def ours():
        return _times(Tracer([bench.utrace, "-e", f"global n probe {points} {{ n++ }}"], target, names))

    def peer():
        return _times(Tracer([bench.bpftrace, "-e", f"{theirs} {{ @ = count() }}"], target, names))

    measures = {"utrace": ours}
    if bench.bpftrace and count <= MOST_FOR_PEER:
        measures["bpftrace"] = peer
    results = bench.interleaved(measures, runs=min(3, bench.runs))
    column = lambda index: {who: [sample and sample[index] for sample in samples] for who, samples in results.items()}
    both = {who: [sample and sum(sample[:2]) for sample in samples] for who, samples in results.items()}
    bench.add(f"{count:,} functions, exec to armed, module cached", "ms", column(0))
    bench.add(f"{count:,} functions, Ctrl-C to all gone", "ms", column(1))
    bench.add(f"{count:,} functions, both", "ms", both, [(500,)] if count <= 10_000 else [])
    bench.add(f"{count:,} functions, Ctrl-C to exit", "ms", column(2))


def _times(tracer):
    tracer.stop()
    return tracer.attach_ms, tracer.detach_ms, tracer.exit_ms
