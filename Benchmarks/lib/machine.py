"""The machine that the numbers are from, and the versions of what was measured."""

import functools
import importlib.util
import os
import re
import shutil
import subprocess
import sys


def _first_match(pattern, path):
    try:
        with open(path) as file:
            found = re.search(pattern, file.read(), re.MULTILINE)
    except OSError:
        return "?"
    return found.group(1).strip() if found else "?"


def _version(command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    except OSError:
        return "?"
    lines = (done.stdout + done.stderr).strip().splitlines()
    return lines[0] if lines else "?"


# How each peer is asked for its version; a peer that is not installed is left out by name.
VERSION_COMMANDS = {
    "bpftrace": ["bpftrace", "--version"],
    "drgn": [sys.executable, "-c", "import drgn; print('drgn', drgn.__version__)"],
    "gdb": ["gdb", "--version"],
    "perf": ["perf", "--version"],
    "stapbpf": ["stapbpf", "-V"],
    "strace": ["strace", "--version"],
    "uftrace": ["uftrace", "--version"],
}


def _is_there(peer):
    if peer == "drgn":
        return importlib.util.find_spec("drgn") is not None
    return shutil.which(peer) is not None


@functools.cache
def stapbpf_works():
    """Whether SystemTap can translate for eBPF here: it wants the kernel's build directory even then."""
    if not (shutil.which("stap") and shutil.which("stapbpf")):
        return False
    try:
        done = subprocess.run(
            ["stap", "--bpf", "-p4", "-e", "probe begin { exit() }"], capture_output=True, text=True, timeout=60,
            cwd="/tmp")
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def describe(utrace):
    """What a reader needs to judge the numbers, as a dictionary."""
    memory = int(_first_match(r"^MemTotal:\s*(\d+)", "/proc/meminfo").replace("?", "0"))
    uname = os.uname()
    return {
        "processor": _first_match(r"^model name\s*:\s*(.+)$", "/proc/cpuinfo"),
        "processors": os.cpu_count(),
        "virtual": "hypervisor" in _first_match(r"^flags\s*:\s*(.+)$", "/proc/cpuinfo").split(),
        "memory_MB": memory // 1024,
        "kernel": f"{uname.sysname} {uname.release} {uname.machine}",
        "load": round(os.getloadavg()[0], 1),
        "utrace": _version([utrace, "--version"]),
        "peers": {name: _version(command) for name, command in VERSION_COMMANDS.items() if _is_there(name)},
        "missing_peers": [name for name in VERSION_COMMANDS if not _is_there(name)],
        "unusable_peers": [] if stapbpf_works() or not shutil.which("stapbpf") else ["stapbpf (cannot translate here)"],
    }


def text(machine):
    """The same as lines."""
    kind = "virtual" if machine["virtual"] else "real"
    return "\n".join([
        f"{machine['processor']} ({kind}), {machine['processors']} CPUs, {machine['memory_MB']} MB, "
        f"{machine['kernel']}, load {machine['load']}",
        ", ".join([machine["utrace"]] + list(machine["peers"].values())),
        "not installed: " + (", ".join(machine["missing_peers"] + machine["unusable_peers"]) or "nothing"),
    ])
