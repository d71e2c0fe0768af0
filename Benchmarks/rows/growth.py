"""How the cost of a hit grows: with the keys of an array, and with the number of probed functions."""

from lib.tracing import Tracer

FLAT = 1.2


def measure(bench):
    script = bench.with_utrace('global n[1000000] probe process("{path}").function("hit_key").call { n[$key]++ }')
    for keys in 100, 10_000, 100_000:
        few = bench.hit_costs("hit_key", {"1 key": script}, keys=1)
        many = bench.hit_costs("hit_key", {"utrace": script}, keys=keys)
        bench.add(f"cost of a hit, {keys:,} keys against 1", "ns", {**many, **few}, [(FLAT, "1 key")])
    _functions(bench)


def _functions(bench):
    def cost(digits, count):
        patterns = ["f0"] if digits == 0 else ["f" + "?" * n for n in range(1, digits + 1)]
        points = ", ".join(f'process("{target.path}").function("{pattern}").call' for pattern in patterns)
        tracer = Tracer([bench.utrace, "-e", f"global n probe {points} {{ n[tid()]++ }}"], target,
                        [f"f{count - 1}"])
        try:
            target.command(count, 2 * count)
            return min(target.command(count, max(count, 10_000)) for _ in range(10))
        finally:
            tracer.stop()

    with bench.target("functions") as target:
        sizes = {0: 1, 2: 100, 3: 1000, 4: 10_000}
        results = bench.interleaved({size: (lambda digits=digits, size=size: cost(digits, size))
                                     for digits, size in sizes.items()})
    for size in list(sizes.values())[1:]:
        bench.add(f"cost of a hit, {size:,} functions against 1", "ns",
                  {"utrace": results[size], "1 function": results[1]}, [(FLAT, "1 function")])
