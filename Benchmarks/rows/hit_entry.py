"""A hit at a function's entry that counts into an array, by the function's first instruction."""

# Name of the function, what it begins with, and what is promised: limits in multiples of a peer.
FORMS = [
    ("hit_push", "push", [(1.0, "bpftrace"), (1.15, "empty")]),
    ("hit_endbr64", "endbr64, then push", [(0.15, "bpftrace")]),
    ("hit_nop", "nop", [(1.0, "bpftrace"), (1.15, "empty")]),
    ("hit_nop5", "nop of 5 bytes", [(1.0, "bpftrace")]),
    ("hit_mov", "mov, single-stepped", [(1.15, "empty")]),
    ("hit_sub", "sub, single-stepped", [(1.15, "empty")]),
]


def _others(bench, name):
    """Peers that are measured on one form only; perf and gdb count without a key."""
    return {
        "perf stat": bench.with_perf(),
        "gdb": bench.with_gdb(),
        "stapbpf": bench.with_stapbpf(
            f'global n probe process("{{path}}").function("{name}").call {{ n[tid()]++ }}'),
    }


def measure(bench):
    for name, what, bars in FORMS:
        bench.add(f"count into an array, {what}", "ns", bench.hit_costs(name, {
            "utrace": bench.with_utrace(f'global n probe process("{{path}}").function("{name}").call {{ n[tid()]++ }}'),
            "empty": bench.with_empty(),
            "bpftrace": bench.with_bpftrace(f"uprobe:{{path}}:{name} {{ @[tid] = count() }}"),
            **(_others(bench, name) if name == "hit_push" else {}),
        }), bars)
    with bench.target() as target:
        for name, what, _ in FORMS[:2]:
            target.command(name, 1, 1000, 1, 1)
            samples = {"utrace": [target.command(name, 1, 1000000, 1, 1) for _ in range(bench.runs)]}
            bench.add(f"a call that nobody traces, {what}", "ns", samples)
