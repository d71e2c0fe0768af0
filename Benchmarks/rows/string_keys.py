"""Counting by a string: execname(), and strings of the traced program of 8 to 4,096 bytes."""


def measure(bench):
    bench.add("count by execname()", "ns", bench.hit_costs("hit_push", {
        "utrace": bench.with_utrace('global n probe process("{path}").function("hit_push").call { n[execname()]++ }'),
        "empty": bench.with_empty(),
        "bpftrace": bench.with_bpftrace("uprobe:{path}:hit_push { @[comm] = count() }"),
    }), [(1.0, "bpftrace")])
    # bpftrace's strings end at 200 bytes; ours are compared whole.
    for length, peer_length in (8, 64), (60, 64), (190, 200), (500, None), (4096, None):
        options = ["-DMAXSTRINGLEN=4200"] if length > 511 else []
        bench.add(f"count by a string of {length:,} bytes", "ns", bench.hit_costs("hit_text", {
            "utrace": bench.with_utrace(
                'global n probe process("{path}").function("hit_text").call { n[user_string($text)]++ }', *options),
            "empty": bench.with_empty(),
            "bpftrace": bench.with_bpftrace(
                "uprobe:{path}:hit_text { @[str(arg0)] = count() }",
                environment={"BPFTRACE_STRLEN": str(peer_length)}) if peer_length else None,
        }, keys=100, length=length), [(1.0, "bpftrace")] if peer_length else [])
