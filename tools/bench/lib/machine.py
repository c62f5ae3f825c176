"""What the figures were measured on, in one line. Read from /proc and the compilers; no state."""

import os
import platform
import re
import subprocess


def _first_line(*command):
    try:
        text = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False).stdout
        return text.splitlines()[0].strip()
    except (OSError, IndexError, subprocess.TimeoutExpired):
        return ""


def _cpu():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as info:
            return re.search(r"model name\s*:\s*(.*)", info.read()).group(1)
    except (OSError, AttributeError):
        return platform.machine()


def memory():
    """How many bytes of memory are free to be used."""
    try:
        with open("/proc/meminfo", encoding="utf-8") as info:
            return int(re.search(r"MemAvailable:\s*(\d+) kB", info.read()).group(1)) * 1024
    except (OSError, AttributeError):
        return float("inf")


def description():
    versions = [_first_line("c++", "--version"), _first_line("go", "version").removeprefix("go version "),
                _first_line("/usr/bin/rustc", "--version")]
    erlang = _first_line("erl", "-noshell", "-eval",
                         'io:format("Erlang/OTP ~s~n",[erlang:system_info(otp_release)]),halt().')
    load = f"load {os.getloadavg()[0]:.1f} at the start"
    if os.nice(0) > 0:
        load += f", at niceness {os.nice(0)}"
    return (f"{_cpu()}, {os.cpu_count()} processors, Linux {platform.release()}, {load}; "
            + ", ".join(version for version in [*versions, erlang] if version) + ".")
