"""How the cost of a hit grows: with the keys of an array, and with the number of probed functions."""

from lib.tracing import Tracer

FLAT = 1.2


def measure(bench):
    script = bench.with_utrace('global n[131072] probe process("{path}").function("hit_key").call { n[$key]++ }')
    sizes = 1, 100, 10_000, 100_000
    with bench.target() as target:
        results = bench.interleaved(
            {keys: (lambda keys=keys: bench.hit_cost(target, "hit_key", script, keys=keys)) for keys in sizes})
    for keys in sizes[1:]:
        bench.add(f"cost of a hit, {keys:,} keys against 1", "ns",
                  {"utrace": results[keys], "1 key": results[1]}, [(FLAT, "1 key")])
    _functions(bench)


def _functions(bench):
    def ours(digits, count):
        patterns = ["f0"] if digits == 0 else ["f" + "?" * n for n in range(1, digits + 1)]
        points = ", ".join(f'process("{target.path}").function("{pattern}").call' for pattern in patterns)
        script = f"global n probe {points} {{ n[tid()]++ }}"
        return cost(Tracer([bench.utrace, "-e", script], target, [f"f{count - 1}"]), count)

    def empty(count):
        return cost(bench.with_empty()(target, [f"f{index}" for index in range(count)]), count)

    def cost(tracer, count):
        try:
            target.command(count, 2 * count)
            return min(target.command(count, max(count, 10_000)) for _ in range(10))
        finally:
            tracer.stop()

    with bench.target("functions") as target:
        sizes = {0: 1, 2: 100, 3: 1000, 4: 10_000}
        results = bench.interleaved({
            **{size: (lambda digits=digits, size=size: ours(digits, size)) for digits, size in sizes.items()},
            **{("empty", size): (lambda size=size: empty(size)) for size in sizes.values()},
        })
    for size in list(sizes.values())[1:]:
        # The kernel looks a site up in a tree, and each function is other code: an empty program pays for that, too. What
        # ours would cost if it grew as that one grows is the measure where that is more than the bar.
        like_empty = [one and few and many and one * many / few for one, few, many in zip(
            results[1], results["empty", 1], results["empty", size])]
        bench.add(f"cost of a hit, {size:,} functions against 1", "ns",
                  {"utrace": results[size], "1 function": results[1], "like empty": like_empty,
                   "empty": results["empty", size]},
                  [(FLAT, "1 function" if size <= 1000 else "like empty")])
    many = list(sizes.values())[-1]
    bench.add(f"the same of an empty program, {many:,} functions against 1", "ns",
              {"utrace": results["empty", many], "1 function": results["empty", 1]})
