"""Entry and return of a function: a histogram of its latency for each value of a string argument."""

OURS = """global latency
probe process("{path}").function("hit_text").return {
  latency[user_string($text)] <<< gettimeofday_ns() - @entry(gettimeofday_ns())
}
probe end { foreach (text in latency) println(@hist_log(latency[text])) }"""

# As one writes it: bpftrace has no arguments in a uretprobe, so the string waits in a map.
THEIRS = """uprobe:{path}:hit_text { @start[tid] = nsecs; @text[tid] = str(arg0) }
uretprobe:{path}:hit_text /@start[tid]/ {
  @latency[@text[tid]] = hist(nsecs - @start[tid]); delete(@start[tid]); delete(@text[tid])
}"""


def measure(bench):
    for length in 16, 60:
        bench.add(f"latency histogram by a string of {length} bytes", "ns", bench.hit_costs("hit_text", {
            "utrace": bench.with_utrace(OURS),
            "empty": bench.with_empty("session"),
            "bpftrace": bench.with_bpftrace(THEIRS),
        }, keys=100, length=length), [(0.8, "bpftrace")])
