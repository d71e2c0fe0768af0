"""Translating scripts: of 100 lines, of 10,000 (parsing), with a probe on each system call and on 50,000 functions."""

import os
import re
import statistics
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

# 100 lines without debug information: arrays, statistics, functions, loops, strings, errors, a report.
HUNDRED = """global start, sizes, names, slow[100], total, times, most = 1000

function shown:string(n:long) {
  if (n < 1024) return sprintf("%d B", n)
  if (n < 1048576) return sprintf("%d kB", n / 1024)
  return sprintf("%d MB", n / 1048576)
}

function padded:string(text:string, width:long) {
  while (strlen(text) < width) text .= " "
  return text
}

function bucket:string(n:long) {
  if (n < 10) return "short"
  if (n < 1000) return "middle"
  return n < 100000 ? "long" : "endless"
}

function depth(n) { return n <= 1 ? 1 : depth(n / 2) + 1 }

probe begin {
  printf("%-16s %8s %s\\n", "name", "calls", "time")
  most = most + 1
}
""" + """
probe process("{path}").function("main").call {
  key = sprintf("%s-%d", execname(), pid() % 10)
  start[tid()] = gettimeofday_us()
  names[key]++
  sizes[key] <<< register("rdi") * 8
  if (names[key] > most && !(key in slow)) {
    try {
      slow[key] = depth(names[key])
      for (i = 0; i < 10; i++) total += i * slow[key]
    } catch (message) {
      printf("%s: %s\\n", key, message)
    }
  }
  if (execname() =~ "^(post|my)[a-z]+$") println(matched(1), " ", substr(key, 0, 4), " ", strlen(key))
}

probe process("{path}").function("main").return {
  if (!(tid() in start)) next
  elapsed = gettimeofday_us() - start[tid()]
  times[execname(), pid()] <<< elapsed
  delete start[tid()]
  foreach ([name, p] in times @sum- limit 3) {
    if (p == pid()) printf("%s %d %d\\n", name, @avg(times[name, p]), @max(times[name, p]))
  }
}
""" * 2 + """
probe timer.s(5) {
  foreach (key in names- limit 20) {
    printf("%-16s %8d %s\\n", key, names[key], shown(@sum(sizes[key])))
  }
  delete names
}

probe timer.ms(100), timer.s(1) {
  if (total > most * 100) {
    printf("%s after %d ms\\n", padded(bucket(total), 10), gettimeofday_ms())
    total = 0
  }
}

probe end {
  foreach ([name, p] in times @count-) {
    printf("%s(%d): %d calls, %d us in all\\n", name, p, @count(times[name, p]), @sum(times[name, p]))
    print(@hist_log(times[name, p]))
  }
  println(total, shown(most))
}
"""


# Where Debian's package systemtap has its sample scripts.
SAMPLES = "/usr/share/systemtap/examples"


def measure(bench):
    _hundred_lines(bench)
    _samples(bench)
    path = os.path.join(bench.scratch, "long.stp")
    with open(path, "w") as file:
        file.write("global start, times\n" + PROBE * 1000)
    _add(bench, "parse and print 10,000 lines", "--pass", "1", path)
    _add(bench, "translate probes of every system call", "--pass", "4", "--no-cache", "-w", "-e",
         "probe syscall.* { println(name, argstr) } probe syscall.*.return { println(name, retstr) }")
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


def _hundred_lines(bench):
    """The passes' own times, since starting a process is another matter (row start)."""
    program = os.path.join(bench.scratch, "plain")
    subprocess.run(["strip", "-g", "-o", program, bench.program("hits")], check=True)
    path = os.path.join(bench.scratch, "hundred.stp")
    with open(path, "w") as file:
        file.write(HUNDRED.replace("{path}", program))

    bench.add("parse to code, 100 lines, no debug information", "ms",
              bench.interleaved({"utrace": lambda: _passes(bench, path)}), [(5,)])


def _samples(bench):
    """Sample scripts of 75 to 130 lines, those that need neither arguments nor debug information."""
    known = []
    for folder, _, names in sorted(os.walk(SAMPLES)):
        paths = (os.path.join(folder, name) for name in sorted(names) if name.endswith(".stp"))
        known += [path for path in paths if 75 <= _line_count(path) <= 130 and _translates(bench, path)]
    if not known:
        return
    samples = bench.interleaved({path: lambda path=path: _passes(bench, path) for path in known})
    for path in known:
        bench.add(f"parse to code, {os.path.basename(path)}, {_line_count(path)} lines", "ms", {"utrace": samples[path]})
    medians = [statistics.median(of_round) for of_round in zip(*samples.values())]
    bench.add(f"parse to code, median of {len(known)} samples of about 100 lines", "ms", {"utrace": medians}, [(5,)])


def _translates(bench, path):
    try:
        return _passes(bench, path) > 0
    except (RuntimeError, subprocess.TimeoutExpired):
        return False


def _line_count(path):
    with open(path, errors="replace") as file:
        return sum(1 for _ in file)


def _passes(bench, path):
    said = subprocess.run([bench.utrace, "-v", "-w", "--no-cache", "--pass", "4", path],
                          capture_output=True, text=True, timeout=60).stderr
    times = re.findall(r"^Pass [123]: .* in ([0-9.]+) ms$", said, re.MULTILINE)
    if len(times) != 4:
        raise RuntimeError(f"not four times of passes: {said}")
    return sum(map(float, times))
