"""All functions of a PostgreSQL server (-g -O2) with $$parms: from exec until they are armed, and gone again."""

import os
import re
import shutil
import signal
import subprocess
import time

# What is listed, and what is promised of it in milliseconds: cold, warm.
PATTERNS = [('.function("*").call', 2000, 300), ('.function("*")', 2000, 300)]
PATIENCE_SECONDS = 60


def measure(bench):
    found = subprocess.run(["Scripts/build-psql", "--server", "--path"], capture_output=True, text=True, check=True)
    server = found.stdout.strip()
    if not os.path.exists(server):
        print("no PostgreSQL server with debug information: Scripts/build-psql --server")
        return
    cache = os.environ["XDG_CACHE_HOME"] + "/utrace"
    for pattern, cold_bar, warm_bar in PATTERNS:
        script = f'probe process("{server}"){pattern} {{ println($$parms) }}'

        def cold():
            shutil.rmtree(cache, ignore_errors=True)
            return _armed(bench, script)

        samples = bench.interleaved({"utrace": cold}, runs=min(3, bench.runs))["utrace"]
        note = f"{samples[0][2]} programs"
        bench.add(f"postgres{pattern} with $$parms, no index", "ms", {"utrace": [s[0] for s in samples]},
                  [(cold_bar,)], note)
        samples = bench.interleaved({"utrace": lambda: _armed(bench, script)}, runs=min(3, bench.runs))["utrace"]
        bench.add(f"postgres{pattern} with $$parms, module in the cache", "ms",
                  {"utrace": [s[0] for s in samples]}, [(warm_bar,)], note)
        bench.add(f"postgres{pattern}, Ctrl-C to exit", "ms", {"utrace": [s[1] for s in samples]})


def _armed(bench, script):
    """Milliseconds from exec to armed and from Ctrl-C to exit; programs, when they were made."""
    start = time.monotonic()
    tracer = subprocess.Popen([bench.utrace, "-v", "-w", "-e", script], stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    said = ""
    for line in tracer.stderr:
        said += line
        if line.startswith("Pass 5: starting"):
            break
    armed = time.monotonic()
    if tracer.poll() is not None:
        raise RuntimeError(said)
    tracer.send_signal(signal.SIGINT)
    stopped = time.monotonic()
    tracer.communicate(timeout=PATIENCE_SECONDS)
    ended = time.monotonic()
    programs = re.search(r"generated (\d+) eBPF programs", said)
    return (armed - start) * 1e3, (ended - stopped) * 1e3, programs and programs.group(1)
