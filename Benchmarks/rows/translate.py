"""Translating scripts: parsing 10,000 lines, and elaborating and translating a probe on 50,000 functions."""

import os
import subprocess
import time

PROBE = """probe process("psql").function("SendQuery").call, process("psql").function("SendQuery").return? {
  if (pid() != target() && !@defined($query)) next
  name = user_string($query)
  start[tid(), name] = gettimeofday_us()
  foreach ([t, q] in start- limit 10) {
    elapsed = gettimeofday_us() - start[t, q]
    times[q] <<< elapsed * 1000 / 3 + (t & 0xff)
    printf("%-20s %5d %s\\n", q, elapsed, @entry($query->text$))
  }
}
"""


def measure(bench):
    path = os.path.join(bench.scratch, "long.stp")
    with open(path, "w") as file:
        file.write("global start, times\n" + PROBE * 1000)
    _add(bench, "parse and print 10,000 lines", "--pass", "1", path)
    many = bench.program("functions")
    for what, text in ("count", "global n probe %s { n++ }"), ("name", "probe %s { println(probefunc()) }"):
        _add(bench, f"translate a probe on 50,000 functions, {what}", "--pass", "4", "--no-cache", "-e",
             text % f'process("{many}").function("f*").call')


def _add(bench, name, *arguments):
    def ran():
        start = time.monotonic()
        subprocess.run([bench.utrace, *arguments], check=True, stdout=subprocess.DEVNULL)
        return (time.monotonic() - start) * 1e3
    bench.add(name, "ms", bench.interleaved({"utrace": ran}))
