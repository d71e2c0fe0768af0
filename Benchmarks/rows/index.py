"""Finding a function and its parameters in a large program with DWARF, with and without an index."""

import os
import importlib.util
import shutil
import subprocess
import sys
import time

DRGN = """import drgn, sys
program = drgn.Program()
program.extra_module(sys.argv[1], create=True).try_file(sys.argv[1], force=True)
print([parameter.name for parameter in program.function(sys.argv[2]).type_.parameters])"""


def measure(bench):
    binary = bench.utrace
    pattern = f'process("{binary}").function("main")'
    cache = os.environ["XDG_CACHE_HOME"] + "/utrace"

    def ran(*command):
        start = time.monotonic()
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if done.returncode:
            raise RuntimeError(f"{os.path.basename(command[0])} finds no {function} in {name}")
        return (time.monotonic() - start) * 1e3

    def cold():
        shutil.rmtree(cache, ignore_errors=True)
        return ran(bench.utrace, "-L", pattern)

    peers = {}
    if shutil.which("gdb"):
        peers["gdb"] = lambda: ran("gdb", "-nx", "-batch", "-ex", f"info scope {function}", binary)
    if importlib.util.find_spec("drgn"):
        peers["drgn"] = lambda: ran(sys.executable, "-c", DRGN, binary, function)
    psql = subprocess.run(["Scripts/build-psql"], check=True, capture_output=True, text=True).stdout.strip()
    for binary, function in (psql, "SendQuery"), (bench.utrace, "main"):
        pattern = f'process("{binary}").function("{function}")'
        size = os.path.getsize(binary) >> 20
        name = f"{os.path.basename(binary)} ({size} MB)"
        bench.add(f"function and parameters in {name}, no index", "ms", bench.interleaved({"utrace": cold, **peers}))
        bench.add(f"function and parameters in {name}, index there", "ms", bench.interleaved(
            {"utrace": lambda: ran(bench.utrace, "-L", pattern), **peers}))
