"""Statistics: a value into one of 1 to 1,000,000 by key, from 1 to 16 threads, and into a histogram."""

READ = "probe end { foreach (k in s) println(@count(s[k]), @sum(s[k]), @min(s[k]), @max(s[k])) }"
OURS = 'global s[1000000] probe process("{path}").function("hit_key").call { s[$key] <<< $key }' + READ
THEIRS = "uprobe:{path}:hit_key { @[arg0] = stats(arg0) }"


def measure(bench):
    for keys, threads in (1, 1), (1000, 1), (100_000, 1), (1_000_000, 1), (100, 2), (100, 4), (100, 16):
        bench.add(f"statistic by key, {keys:,} keys, {threads} threads", "ns", bench.hit_costs("hit_key", {
            "utrace": bench.with_utrace(OURS),
            "bpftrace": bench.with_bpftrace(THEIRS, environment={"BPFTRACE_MAP_KEYS_MAX": "1000000"}),
        }, threads=threads, keys=keys), [(1.0, "bpftrace")])
    bench.add("histogram of a value, no key", "ns", bench.hit_costs("hit_key", {
        "utrace": bench.with_utrace(
            'global s probe process("{path}").function("hit_key").call { s <<< $key } probe end { print(@hist_log(s)) }'),
        "bpftrace": bench.with_bpftrace("uprobe:{path}:hit_key { @ = hist(arg0) }"),
    }, keys=1000), [(1.0, "bpftrace")])
