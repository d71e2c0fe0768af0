"""Programs that are traced, and tracers on them.

Whether a tracer is armed no tracer is asked: the bytes of the probed functions are watched.
"""

import os
import signal
import subprocess
import time

# A tracer may slide its probe a few instructions into the function.
WINDOW = 48
# Longer than this no tracer is waited for.
PATIENCE_SECONDS = 20
# One that had to be killed is still taking its probes away: bpftrace needs 0.1 s for each.
LEAVING_SECONDS = 60


def processor_seconds(pid):
    """Processor time that a process has used."""
    with open(f"/proc/{pid}/stat") as file:
        words = file.read().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


class Hung(RuntimeError):
    """A tracer did not get done in time."""


class Target:
    """A program of Benchmarks/programs that says where its functions are and obeys commands."""

    def __init__(self, path, under=()):
        """`under`: the command of a tracer that starts the program itself."""
        self.path = os.path.realpath(path)
        self.process = subprocess.Popen(
            [*under, self.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.pid = self.process.pid
        self.addresses = {}
        for line in self.process.stdout:
            if line == "ready\n":
                break
            name, address = line.split()
            self.addresses[name] = int(address, 16)
        self.memory = os.open(f"/proc/{self.pid}/mem", os.O_RDONLY)
        self.originals = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.memory)
        self.process.kill()
        self.process.wait()

    def command(self, *words):
        """The number that the program answers."""
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())

    def code(self, name):
        """What stands now where the function begins."""
        return os.pread(self.memory, WINDOW, self.addresses[name])

    def original(self, name):
        """What stood there when somebody asked for the first time: before any tracer."""
        return self.originals.setdefault(name, self.code(name))

    def offset(self, name):
        """File offset of a function."""
        address = self.addresses[name]
        with open(f"/proc/{self.pid}/maps") as maps:
            for line in maps:
                words = line.split()
                start, end = (int(part, 16) for part in words[0].split("-"))
                if start <= address < end:
                    return address - start + int(words[2], 16)
        raise RuntimeError(f"{name} is not mapped")


class Tracer:
    """A tracer on some functions of a target, armed when it is made."""

    def __init__(self, argv, target, names, environment=None, output=subprocess.DEVNULL):
        self.target = target
        self.before = {name: target.original(name) for name in names}
        self.process = None
        # What a tracer left that had to be killed goes a little later.
        self._wait(lambda name: target.code(name) == self.before[name], patience=LEAVING_SECONDS)
        self.errors = os.memfd_create("errors")
        start = time.monotonic()
        self.process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=output, stderr=self.errors,
            env={**os.environ, **(environment or {})},
        )
        self._wait(lambda name: target.code(name) != self.before[name])
        self.attach_ms = (time.monotonic() - start) * 1e3

    def _wait(self, holds, may_end=False, patience=PATIENCE_SECONDS):
        deadline = time.monotonic() + patience
        while not all(map(holds, self.before)):
            if self.process and not may_end and self.process.poll() is not None:
                raise RuntimeError(f"{self.process.args[0]} ended: {self.messages()}")
            if time.monotonic() > deadline:
                self._give_up()
            time.sleep(0.0005)

    def _give_up(self):
        if not self.process:
            raise Hung("a probe of an earlier tracer stays")
        self.process.kill()
        self.process.wait()
        raise Hung(f"{os.path.basename(self.process.args[0])} took more than {PATIENCE_SECONDS} s")

    def messages(self):
        """What it wrote to standard error."""
        return os.pread(self.errors, 1 << 16, 0).decode(errors="replace")

    def stop(self):
        """Ctrl-C; returns when all probes are gone and the tracer is."""
        start = time.monotonic()
        self.process.send_signal(signal.SIGINT)
        self._wait(lambda name: self.target.code(name) == self.before[name], may_end=True)
        self.detach_ms = (time.monotonic() - start) * 1e3
        _wait_for_end(self.process)
        self.exit_ms = (time.monotonic() - start) * 1e3
        self.said = self.messages()
        os.close(self.errors)


def _wait_for_end(process):
    try:
        process.wait(PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise Hung(f"{process.args[0]} took more than {PATIENCE_SECONDS} s") from None


class Background:
    """A tracer of something other than functions, which nobody can see arrive in the code: it gets a second."""

    def __init__(self, argv):
        self.process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(1)
        if self.process.poll() is not None:
            raise RuntimeError(f"{argv[0]} ended at once")

    def stop(self):
        """Ctrl-C; returns when it is gone."""
        self.process.send_signal(signal.SIGINT)
        _wait_for_end(self.process)


class PerfTracer(Tracer):
    """`perf stat` counting the hits of a uprobe event on one function, as `perf probe -x` makes them."""

    EVENTS = "/sys/kernel/tracing/uprobe_events"
    GROUP = "utrace_bench"

    def __init__(self, perf, target, names, kind):
        name, = names
        self.event = f"{self.GROUP}/{name}"
        self._define(f"{kind}:{self.event} {target.path}:0x{target.offset(name):x}")
        try:
            super().__init__([perf, "stat", "-a", "-e", self.event.replace("/", ":")], target, names)
        except RuntimeError:
            self._define(f"-:{self.event}")
            raise

    def _define(self, line):
        # Not by open("a"), which seeks, and nobody seeks in this file.
        events = os.open(self.EVENTS, os.O_WRONLY | os.O_APPEND)
        try:
            os.write(events, (line + "\n").encode())
        finally:
            os.close(events)

    def stop(self):
        try:
            super().stop()
        finally:
            self._define(f"-:{self.event}")
