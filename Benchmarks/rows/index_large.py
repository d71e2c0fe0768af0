"""The index of a very large program: 257 MB of compressed C++ .debug_info (openjdk-17-dbg)."""

import os
import shutil
import subprocess
import time

LIBJVM = "/usr/lib/jvm/java-17-openjdk-amd64/lib/server/libjvm.so"
DEBUG_INFO_BYTES = 257_505_564


def measure(bench):
    if not os.path.exists(LIBJVM) or not shutil.which("readelf"):
        return
    cache = os.environ["XDG_CACHE_HOME"] + "/utrace"
    pattern = f'process("{LIBJVM}").function("jni_GetVersion")'

    def listed():
        start = time.monotonic()
        subprocess.run([bench.utrace, "-l", pattern], check=True, stdout=subprocess.DEVNULL)
        return (time.monotonic() - start) * 1e3

    def cold():
        shutil.rmtree(cache, ignore_errors=True)
        return listed()

    bench.add("libjvm.so: index made and a function found", "ms", bench.interleaved({"utrace": cold}), [(1000,)])
    bench.add("libjvm.so: a function found by the index", "ms", bench.interleaved({"utrace": listed}))
    size = sum(os.path.getsize(os.path.join(cache, "index", name)) for name in os.listdir(cache + "/index"))
    bench.add("libjvm.so: index file, % of .debug_info", "%", {"utrace": [100 * size / DEBUG_INFO_BYTES]}, [(10,)])
