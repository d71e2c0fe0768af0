"""The index of a very large program: 257 MB of compressed C++ .debug_info (openjdk-17-dbg)."""

import importlib.util
import os
import shutil
import subprocess
import sys
import time

LIBJVM = "/usr/lib/jvm/java-17-openjdk-amd64/lib/server/libjvm.so"
DEBUG_INFO_BYTES = 257_505_564
FUNCTION = "jni_GetVersion"

DRGN = """import drgn, sys
program = drgn.Program()
module = program.extra_module(sys.argv[1], create=True)
module.try_file(sys.argv[1], force=True)
module.try_file(sys.argv[2], force=True)
program.function(sys.argv[3])"""


def measure(bench):
    debug = _debug_file()
    if not debug:
        return
    cache = os.environ["XDG_CACHE_HOME"] + "/utrace"

    def ran(*command):
        start = time.monotonic()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return (time.monotonic() - start) * 1e3

    def listed(function=FUNCTION, option="-l"):
        return ran(bench.utrace, option, f'process("{LIBJVM}").function("{function}")')

    def cold(*arguments):
        shutil.rmtree(cache, ignore_errors=True)
        return listed(*arguments)

    def named():
        """A session with one function that has code of its own, armed and ended: symbols tell where it is."""
        shutil.rmtree(cache, ignore_errors=True)
        return ran(bench.utrace, "-e", f'global n probe process("{LIBJVM}").function("{FUNCTION}").call {{ n++ }} '
                   "probe begin { exit() }")

    peers = {}
    if shutil.which("gdb"):
        peers["gdb"] = lambda: ran("gdb", "-nx", "-batch", "-iex", "set debuginfod enabled off", "-ex",
                                   f"info scope {FUNCTION}", LIBJVM)
    if importlib.util.find_spec("drgn"):
        peers["drgn"] = lambda: ran(sys.executable, "-c", DRGN, LIBJVM, debug, FUNCTION)
    peers["libdw"] = lambda: ran(bench.program("walk_dwarf"), debug)
    bench.add("libjvm.so: index made and a function found", "ms", bench.interleaved({"utrace": cold, **peers}), [(1000,)])
    bench.add("libjvm.so: a session with one .call, no index", "ms", bench.interleaved({"utrace": named}), [(300,)])
    bench.interleaved({"utrace": cold}, 1)
    bench.add("libjvm.so: a function found by the index", "ms", bench.interleaved({"utrace": listed}))
    size = sum(os.path.getsize(os.path.join(cache, "index", name)) for name in os.listdir(cache + "/index"))
    bench.add("libjvm.so: index file, % of .debug_info", "%", {"utrace": [100 * size / DEBUG_INFO_BYTES]}, [(10,)])
    bench.add("libjvm.so: parameters of a function, index there", "ms",
              bench.interleaved({"utrace": lambda: listed(FUNCTION, "-L")}), [(300,)])
    shutil.rmtree(cache, ignore_errors=True)
    bench.add("libjvm.so: peak memory while the index is made", "MB", {"utrace": [_peak(bench)]}, [(600,)])


def _debug_file():
    """What has the DWARF of libjvm.so; None where it is not installed."""
    if not os.path.exists(LIBJVM) or not shutil.which("readelf"):
        return None
    notes = subprocess.run(["readelf", "-n", LIBJVM], capture_output=True, text=True).stdout
    build_id = notes.split("Build ID: ")[-1].split()[0]
    path = f"/usr/lib/debug/.build-id/{build_id[:2]}/{build_id[2:]}.debug"
    return path if os.path.exists(path) else None


def _peak(bench):
    process = subprocess.Popen([bench.utrace, "-l", f'process("{LIBJVM}").function("{FUNCTION}")'],
                               stdout=subprocess.DEVNULL)
    _, _, usage = os.wait4(process.pid, 0)
    process.returncode = 0
    return usage.ru_maxrss / 1024
