"""What entry probes of all functions cost: emulated, emulated after a slide, single-stepped; in per cent."""

import os
import re
import subprocess

PROGRAMS = {
    "libc": "/lib/x86_64-linux-gnu/libc.so.6",
    "libjvm": "/usr/lib/jvm/java-17-openjdk-amd64/lib/server/libjvm.so",
    "python3.11": "/usr/bin/python3.11",
}


def measure(bench):
    psql = subprocess.run(["Scripts/build-psql", "--server", "--path"], capture_output=True, text=True, check=True)
    for name, path in [("postgres", psql.stdout.strip()), *PROGRAMS.items()]:
        if os.path.exists(path):
            _share(bench, name, path)


def _share(bench, name, path):
    pattern = f'process("{path}").function("*").call'
    listed = subprocess.run([bench.utrace, "-w", "-l", "-v", pattern], capture_output=True, text=True, check=True)
    remarks = [line.rsplit("  # ", 1)[-1] for line in listed.stdout.splitlines()]
    count = len(remarks) or 1

    def share(pattern):
        return 100 * sum(bool(re.match(pattern, remark)) for remark in remarks) / count

    slid = share("emulated, slid")
    stepped, refused = share("single-stepped"), share("refused")
    note = f"of {count:,} functions; {slid:.1f} slide, {stepped:.1f} are single-stepped, {refused:.1f} refused"
    bench.add(f"cheap entry probes of {name}", "%", {"utrace": [share("emulated")]}, note=note)
