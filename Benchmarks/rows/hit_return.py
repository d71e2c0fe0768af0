"""A hit at a function's return that counts into an array."""


def measure(bench):
    for name, what in [("hit_push", "push"), ("hit_nop5", "nop of 5 bytes")]:
        bench.add(f"count returns into an array, {what}", "ns", bench.hit_costs(name, {
            "utrace": bench.with_utrace(f'global n probe process("{{path}}").function("{name}").return {{ n[tid()]++ }}'),
            "empty": bench.with_empty("return"),
            "bpftrace": bench.with_bpftrace(f"uretprobe:{{path}}:{name} {{ @[tid] = count() }}"),
            "perf stat": bench.with_perf("r"),
        }), [(1.0, "bpftrace")])
