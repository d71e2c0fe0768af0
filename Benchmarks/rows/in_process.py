"""Latency of a function, against uftrace, which traces in the process itself: a program that was compiled for it."""

import os
import shutil

OURS = """global latency
probe process("{path}").function("hit_key").return { latency <<< gettimeofday_ns() - @entry(gettimeofday_ns()) }
probe end { println(@avg(latency)) }"""


def measure(bench):
    if not shutil.which("uftrace"):
        return
    results = bench.interleaved({
        "utrace": lambda: _ours(bench),
        "uftrace": lambda: _uftrace(bench),
    })
    bench.add("entry and return of a function", "ns", results, note="uftrace records each call in a file")


def _ours(bench):
    with bench.target() as target:
        return bench.hit_cost(target, "hit_key", bench.with_utrace(OURS))


def _uftrace(bench):
    data = os.path.join(bench.scratch, "uftrace")
    under = ["uftrace", "record", "--no-libcall", "--no-event", "-F", "hit_key", "-d", data]
    with bench.target("hits-mcount", under=under) as target:
        # Until the file is full of what nobody reads, a few calls: each takes 32 bytes.
        target.command("hit_key", 1, 2000, 1, 1)
        cost = min(target.command("hit_key", 1, 20_000, 1, 1) for _ in range(10))
    shutil.rmtree(data, ignore_errors=True)
    return cost
