"""Finding a function and its parameters in a large program with DWARF, with and without an index."""

import os
import shutil
import subprocess
import time


def measure(bench):
    binary = bench.utrace
    pattern = f'process("{binary}").function("main")'
    cache = os.environ["XDG_CACHE_HOME"] + "/utrace"

    def ran(*command):
        start = time.monotonic()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return (time.monotonic() - start) * 1e3

    def cold():
        shutil.rmtree(cache, ignore_errors=True)
        return ran(bench.utrace, "-L", pattern)

    peers = {}
    if shutil.which("gdb"):
        peers["gdb"] = lambda: ran("gdb", "-nx", "-batch", "-ex", "info scope main", binary)
    psql = subprocess.run(["Scripts/build-psql"], check=True, capture_output=True, text=True).stdout.strip()
    for binary, function in (psql, "SendQuery"), (bench.utrace, "main"):
        pattern = f'process("{binary}").function("{function}")'
        size = os.path.getsize(binary) >> 20
        name = f"{os.path.basename(binary)} ({size} MB)"
        bench.add(f"function and parameters in {name}, no index", "ms", bench.interleaved({"utrace": cold, **peers}))
        bench.add(f"function and parameters in {name}, index there", "ms", bench.interleaved(
            {"utrace": lambda: ran(bench.utrace, "-L", pattern), **peers}))
