"""What rows are made with: the tools, the scratch directory, and interleaved rounds."""

import os
import shutil
import sys
import tempfile

from . import machine, report
from .tracing import Background, Hung, PerfTracer, Target, Tracer

STRETCHES = 10
STRETCH_NANOSECONDS = 6e6
MOST_CALLS = 1_000_000


class Bench:
    """One run of the benchmarks."""

    def __init__(self, top, utrace, runs):
        self.top, self.utrace, self.runs = top, utrace, runs
        self.programs = os.path.join(top, ".build/benchmarks")
        self.scratch = tempfile.mkdtemp(prefix="utrace-bench-")
        self.bpftrace = os.environ.get("BPFTRACE", shutil.which("bpftrace") or "")
        self.perf, self.gdb = shutil.which("perf"), shutil.which("gdb")
        self.rows = []
        # The row file that is being measured.
        self.source = ""
        # The user's own cache is neither used nor filled.
        os.environ["XDG_CACHE_HOME"] = os.path.join(self.scratch, "cache")

    def close(self):
        shutil.rmtree(self.scratch, ignore_errors=True)

    def program(self, name):
        """Path of a compiled program of Benchmarks/programs."""
        return os.path.join(self.programs, name)

    def target(self, name="hits", under=()):
        return Target(self.program(name), under)

    # MARK: Tracers, each a function from target and names of functions to a Tracer

    def with_utrace(self, script, *options, **how):
        """utrace with a script; `{path}` in it is the traced program."""
        def start(target, names):
            text = script.replace("{path}", target.path)
            return Tracer([self.utrace, *options, "-e", text], target, names, **how)
        return start

    def with_bpftrace(self, script, **how):
        """bpftrace with a script; nothing where it is not installed."""
        if not self.bpftrace:
            return None

        def start(target, names):
            return Tracer([self.bpftrace, "-e", script.replace("{path}", target.path)], target, names, **how)
        return start

    def with_empty(self, kind="entry", within=0):
        """An empty BPF program on the same sites, `within` bytes behind the start of the functions."""
        def start(target, names):
            offsets = ",".join(f"{target.offset(name) + within:x}" for name in names)
            return Tracer([self.program("empty"), kind, target.path, offsets], target, names)
        return start

    def with_perf(self, kind="p"):
        """`perf stat` counting a uprobe (`p`) or uretprobe (`r`)."""
        if not self.perf or not os.path.exists(PerfTracer.EVENTS):
            return None
        return lambda target, names: PerfTracer(self.perf, target, names, kind)

    def with_gdb(self):
        """gdb counting at a breakpoint."""
        if not self.gdb:
            return None

        def start(target, names):
            commands = [f"break *{target.addresses[name]:#x}" for name in names] + ["ignore 1 1000000000", "continue"]
            return Tracer(
                [self.gdb, "-nx", "-q", "-batch", "-p", str(target.pid), *(w for c in commands for w in ("-ex", c))],
                target, names)
        return start

    def with_stapbpf(self, script):
        """SystemTap's own runtime for eBPF; nothing where it cannot translate."""
        if not machine.stapbpf_works():
            return None
        return lambda target, names: Tracer(
            ["stap", "--bpf", "-e", script.replace("{path}", target.path)], target, names)

    def background(self, *argv):
        """A tracer of the target's process as a whole; `{pid}` in its words is that process."""
        if not shutil.which(argv[0]):
            return None
        return lambda target, _: Background([word.replace("{pid}", str(target.pid)) for word in argv])

    # MARK: Measuring

    def interleaved(self, measures, runs=None):
        """Calls each of the measures in turn, round by round: {who: [sample, …]}; None is left out.

        A peer that gives up has no sample of that round; one that hangs has none from then on.
        """
        measures = {who: measure for who, measure in measures.items() if measure}
        samples = {who: [] for who in measures}
        hung = set()
        for _ in range(runs or self.runs):
            for who, measure in measures.items():
                if who in hung:
                    samples[who].append(None)
                    continue
                try:
                    samples[who].append(measure())
                except RuntimeError as error:
                    if who == "utrace":
                        raise
                    print(f"no sample: {error}", file=sys.stderr)
                    samples[who].append(None)
                    # Not again in this row: a peer that hangs once hangs again.
                    if isinstance(error, Hung):
                        hung.add(who)
        return samples

    def hit_costs(self, form, tracers, threads=1, keys=1, length=16, runs=None):
        """Nanoseconds of a call of `form` in program `hits` under each tracer.

        A sample is the quickest of some short stretches: what else runs on the machine only ever adds. Each
        stretch visits every key.
        """
        with self.target() as target:
            return self.interleaved({
                who: (lambda start=start: self.hit_cost(target, form, start, threads, keys, length))
                for who, start in tracers.items() if start
            }, runs)

    def hit_cost(self, target, form, start, threads=1, keys=1, length=16):
        """One sample of that."""
        tracer = start(target, [form])
        try:
            # The first calls bring memory in, and all keys.
            warm = target.command(form, threads, max(2000, 2 * keys // threads), keys, length)
            calls = max(1000, keys // threads, int(STRETCH_NANOSECONDS / max(warm, 1)))
            stretches = max(2, min(STRETCHES, MOST_CALLS // calls))
            return min(target.command(form, threads, calls, keys, length) for _ in range(stretches))
        finally:
            tracer.stop()

    def add(self, name, unit, samples, bars=(), note=""):
        """Shows a row and keeps it."""
        row = report.Row(name, unit, samples, [report.Bar(*bar) for bar in bars], note, self.source)
        self.rows.append(row)
        for line in row.lines():
            print(report.TABLE.format(*line).rstrip(), flush=True)
