"""What common probe bodies cost on top of an empty BPF program on the same site."""

BODIES = [
    ("nothing", "", "next"),
    ("a global counted", "global n", "n++"),
    ("an array by tid()", "global n", "n[tid()]++"),
    ("a statistic by tid()", "global s", "s[tid()] <<< 5", "probe end { println(@sum(s[1])) }"),
    ("a log histogram by tid()", "global s", "s[tid()] <<< get_cycles()", "probe end { print(@hist_log(s[1])) }"),
    ("if (k in a) a[k]++; else a[k] = 1", "global a", "if (tid() in a) a[tid()]++; else a[tid()] = 1"),
    ("printf of pid()", "", 'printf("%d\\n", pid())'),
    ("printf of pid() and execname()", "", 'printf("%d %s\\n", pid(), execname())'),
]


def measure(bench):
    for what, head, body, *tail in BODIES:
        script = f'{head} probe process("{{path}}").function("hit_push").call {{ {body} }} {"".join(tail)}'
        bench.add(f"body: {what}", "ns", bench.hit_costs("hit_push", {
            "utrace": bench.with_utrace(script), "empty": bench.with_empty(),
        }))
