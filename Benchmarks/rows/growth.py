"""How the cost of a hit grows: with the keys of an array, and with the number of probed functions."""

from lib.tracing import Tracer

FLAT = 1.2
# For as many keys in bpftrace, by its names of two ages.
ROOM = {"BPFTRACE_MAP_KEYS_MAX": "131072", "BPFTRACE_MAX_MAP_KEYS": "131072"}


def measure(bench):
    script = bench.with_utrace('global n[131072] probe process("{path}").function("hit_key").call { n[$key]++ }')
    # An array that nobody but the kernel's hash can keep: single elements are deleted.
    hashed = bench.with_utrace(
        'global n[131072] probe process("{path}").function("hit_key").call { n[$key]++ } probe end { delete n[1] }')
    theirs = bench.with_bpftrace("uprobe:{path}:hit_key { @[arg0]++ }", environment=ROOM)
    sizes = 1, 100, 10_000, 100_000
    starts = {"utrace": script, "deleted from": hashed, "bpftrace": theirs}
    with bench.target() as target:
        results = bench.interleaved({
            (who, keys): (lambda start=start, keys=keys: bench.hit_cost(target, "hit_key", start, keys=keys))
            for who, start in starts.items() if start for keys in sizes})
    for keys in sizes[1:]:
        peers = {who: results[who, keys] for who in starts if (who, keys) in results}
        bench.add(f"cost of a hit, {keys:,} keys against 1", "ns",
                  {**peers, "1 key": results["utrace", 1]}, [(FLAT, "1 key")])
    _wrapping(bench)
    _functions(bench)


def _wrapping(bench):
    """Every hit makes an element, for which the oldest one makes room."""
    def made(count):
        script = f'global n%[{count}] probe process("{{path}}").function("hit_key").call {{ n[$key]++ }}'
        return bench.hit_cost(target, "hit_key", bench.with_utrace(script), keys=200_000)

    with bench.target() as target:
        results = bench.interleaved({count: (lambda count=count: made(count)) for count in (10, 1000, 10_000)})
    for count in 1000, 10_000:
        bench.add(f"new element of an array that wraps, {count:,} against 10", "ns",
                  {"utrace": results[count], "10 elements": results[10]}, [(2, "10 elements")],
                  "memory that no cache holds, as with keys")


def _functions(bench):
    def ours(digits, count):
        patterns = ["f0"] if digits == 0 else ["f" + "?" * n for n in range(1, digits + 1)]
        points = ", ".join(f'process("{target.path}").function("{pattern}").call' for pattern in patterns)
        script = f"global n probe {points} {{ n[tid()]++ }}"
        return cost(Tracer([bench.utrace, "-e", script], target, [f"f{count - 1}"]), count)

    def empty(count):
        return cost(bench.with_empty()(target, [f"f{index}" for index in range(count)]), count)

    # Nanoseconds of a hit of each of the functions in turn, and of one of them while all are probed.
    def cost(tracer, count):
        try:
            return tuple(_quickest(target, called) for called in (count, 1))
        finally:
            tracer.stop()

    with bench.target("functions") as target:
        sizes = {0: 1, 2: 100, 3: 1000, 4: 10_000}
        results = bench.interleaved({
            **{size: (lambda digits=digits, size=size: ours(digits, size)) for digits, size in sizes.items()},
            **{("empty", size): (lambda size=size: empty(size)) for size in sizes.values()},
        })
        untraced = {size: [_quickest(target, size) for _ in range(bench.runs)] for size in sizes.values()}
    one = {who: [sample and sample[1] for sample in samples] for who, samples in results.items()}
    turn = {who: [sample and sample[0] for sample in samples] for who, samples in results.items()}
    for size in list(sizes.values())[1:]:
        bench.add(f"hit of one function, {size:,} probed against 1", "ns",
                  {"utrace": one[size], "1 function": one[1], "empty": one["empty", size]}, [(FLAT, "1 function")])
    for size in list(sizes.values())[1:]:
        # Each function has its own code, and its own descriptions in the kernel, which the processor fetches from memory
        # when they are too many for its caches. That is no tracer's doing: what an empty program pays more, ours may.
        more = [first and few and many and first + many - few for first, few, many in zip(
            turn[1], turn["empty", 1], turn["empty", size])]
        bench.add(f"hit of {size:,} functions in turn, all probed", "ns",
                  {"utrace": turn[size], "1 function": turn[1], "1 function and what empty pays more": more,
                   "empty": turn["empty", size]},
                  [(FLAT, "1 function and what empty pays more")])
        bench.add(f"call of {size:,} functions in turn, none probed", "ns",
                  {"utrace": untraced[size], "1 function": untraced[1]})


def _quickest(target, called):
    target.command(called, 2 * called)
    return min(target.command(called, max(called, 10_000)) for _ in range(10))
