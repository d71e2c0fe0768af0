"""Counting into an array by 1 to 1,000,000 keys, and from 1 to 16 threads."""

OURS = 'global n[1000000] probe process("{path}").function("hit_key").call { n[$key]++ }'
THEIRS = "uprobe:{path}:hit_key { @[arg0] = count() }"


def measure(bench):
    for keys in 1, 1000, 100_000, 1_000_000:
        bench.add(f"count by key, {keys:,} keys", "ns", _costs(bench, keys, 1), [(1.0, "bpftrace")])
    for threads in 1, 2, 4, 16:
        bench.add(f"count by key, 100 keys, {threads} threads", "ns", _costs(bench, 100, threads), [(1.0, "bpftrace")],
                  "for each thread's call")


def _costs(bench, keys, threads):
    return bench.hit_costs("hit_key", {
        "utrace": bench.with_utrace(OURS),
        "empty": bench.with_empty(),
        "bpftrace": bench.with_bpftrace(THEIRS, environment={"BPFTRACE_MAP_KEYS_MAX": "1000000"}),
    }, threads=threads, keys=keys)
