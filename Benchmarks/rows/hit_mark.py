"""A hit of a USDT mark that adds up its argument, with and without a semaphore."""


def measure(bench):
    for name, mark, what in [("hit_mark", "plain", "without"), ("hit_counted", "counted", "with")]:
        bench.add(f"sum of a mark's argument, {what} semaphore", "ns", bench.hit_costs(name, {
            "utrace": bench.with_utrace(
                f'global s probe process("{{path}}").mark("{mark}") {{ s <<< $arg1 }} probe end {{ println(@sum(s)) }}'),
            "bpftrace": bench.with_bpftrace(f"usdt:{{path}}:hits:{mark} {{ @ = sum(arg0) }}"),
        }), [(1.0, "bpftrace")])
