"""From exec until all probes of Examples/database/psql-query-times.stp are in a running psql."""

import os
import shutil
import subprocess
import time

PAUSE_SECONDS = 0.4
SCRIPT = "Examples/database/psql-query-times.stp"
PEER = """uprobe:{psql}:SendQuery { @start[tid] = nsecs; @query[tid] = str(arg0);
                             printf("%s(%d): %s\\n", comm, pid, str(arg0)) }
uretprobe:{psql}:SendQuery { @us[@query[tid]] = stats((nsecs - @start[tid]) / 1000) }"""


def measure(bench):
    psql = subprocess.run(["Scripts/build-psql"], check=True, capture_output=True, text=True).stdout.strip()
    cluster = subprocess.run(
        ["Scripts/postgres-cluster", "start"], check=True, capture_output=True, text=True).stdout.strip()
    client = subprocess.Popen(
        [psql, "-X", "-h", cluster, "-U", "postgres"], stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        time.sleep(0.3)
        _measure(bench, psql, client.pid)
    finally:
        client.kill()
        client.wait()
        subprocess.run(["Scripts/postgres-cluster", "stop", cluster], check=True, stdout=subprocess.DEVNULL)


def _measure(bench, psql, pid):
    os.environ["PATH"] = os.path.dirname(psql) + ":" + os.environ["PATH"]
    cache = os.environ["XDG_CACHE_HOME"] + "/utrace"
    address = _address(psql, pid, "SendQuery")

    def armed(*tracer):
        # A session that has just ended leaves the kernel ready for the next one, which would be the peer's gain.
        time.sleep(PAUSE_SECONDS)
        run = subprocess.run([bench.program("armed"), str(pid), address, *tracer], capture_output=True, text=True,
                             env={**os.environ, "ARMED_VERBOSE": "1"})
        if run.returncode:
            if tracer[0] != bench.utrace:
                return None
            raise RuntimeError(f"utrace was never armed: {run.stderr}")
        return float(run.stdout.split()[0])

    def cold():
        shutil.rmtree(cache, ignore_errors=True)
        return armed(bench.utrace, SCRIPT)

    # The floor: one empty program on the same place, by a program of a few system calls.
    link = f"{int(address, 16) - _base(psql, pid):x}"
    peer = {"empty": lambda: armed(bench.program("empty"), "entry", psql, link)}
    if bench.bpftrace:
        peer["bpftrace"] = lambda: armed(bench.bpftrace, "-e", PEER.replace("{psql}", psql))
    bars = [(0.1, "bpftrace")]
    bench.add("psql script, exec to armed, no index yet", "ms",
              bench.interleaved({"utrace": cold, **peer}), [(150,)])
    bench.add("psql script, exec to armed, index there", "ms",
              bench.interleaved({"utrace": lambda: armed(bench.utrace, "--no-cache", SCRIPT), **peer}),
              [(20,), *bars])
    armed(bench.utrace, SCRIPT)
    bench.add("psql script, exec to armed, module in the cache", "ms",
              bench.interleaved({"utrace": lambda: armed(bench.utrace, SCRIPT), **peer}), [(12,), *bars])
    module = os.path.join(bench.scratch, "psql.o")
    subprocess.run([bench.utrace, "build", "-o", module, SCRIPT], check=True)
    bench.add("psql script, exec to armed, utrace run MODULE", "ms",
              bench.interleaved({"utrace": lambda: armed(bench.utrace, "run", module), **peer}), [(12,), *bars])


def _address(path, pid, name):
    """Run-time address of a function, hexadecimal: link address + where the first segment lies."""
    symbols = subprocess.run(["nm", path], check=True, capture_output=True, text=True).stdout
    link = next(int(line.split()[0], 16) for line in symbols.splitlines() if line.endswith(f" T {name}"))
    return f"{_base(path, pid) + link:x}"


def _base(path, pid):
    with open(f"/proc/{pid}/maps") as maps:
        return next(int(line.split("-")[0], 16) for line in maps if line.rstrip().endswith(os.path.realpath(path)))
