"""The programs of the benchmark: building them, finding them, running one.

Every program takes a case and a size, checks its own work, and prints its figures as lines of JSON (see
harness/harness.hpp). All have two worker threads.
"""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

BENCH = Path(__file__).resolve().parent.parent
ROOT = BENCH.parent.parent

# What each system needs beyond Muster's own packages; see peers/packages.txt.
NEEDS = {
    "muster": [], "caf": [], "compile": [],
    "go": ["golang-go", "golang-golang-x-sync-dev"],
    "tokio": ["cargo", "rustc", "librust-tokio-dev"],
    "otp": ["erlang-base"],
    "tbb": ["libtbb-dev"],
}


class Failed(Exception):
    """A program that did not do its work, or a build that did not succeed; its text is one for the user."""


class NoSuchCase(Exception):
    """This program has no such case: it was built without what that needs."""


@dataclass
class Figures:
    values: dict  # figure -> value
    units: dict  # figure -> unit


class Programs:
    """The programs in one folder."""

    def __init__(self, bin_folder, patience=300):
        self.bin = Path(bin_folder)
        self.patience = patience

    def command(self, system, case, n):
        """How a system's program is called, or None if it is not there."""
        if system == "otp":
            if not (self.bin / "bench.beam").exists() or not shutil.which("erl"):
                return None
            # Two schedulers; room for more processes than the default; otherwise as it comes.
            return ["erl", "+S", "2:2", "+P", "4000000", "-noshell", "-pa", str(self.bin),
                    "-run", "bench", "main", case, str(n)]
        program = self.bin / f"bench_{system}"
        return [str(program), case, str(n)] if program.exists() else None

    def there(self, system):
        return self.command(system, "", 0) is not None

    def run(self, system, case, n):
        """Its figures. Failed or NoSuchCase if there are none."""
        command = self.command(system, case, n)
        tuning = ("GOGC", "GODEBUG", "GOMEMLIMIT", "ERL_FLAGS", "ERL_AFLAGS", "MALLOC_ARENA_MAX")
        environment = {name: value for name, value in os.environ.items() if name not in tuning}
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=self.patience,
                                  stdin=subprocess.DEVNULL, env=environment, check=False)
        except subprocess.TimeoutExpired:
            raise Failed(f"{system} {case} {n} did not end within {self.patience} s") from None
        if done.returncode == 2 and "no case" in done.stderr:
            raise NoSuchCase(case)
        if done.returncode != 0:
            said = done.stderr.strip() or done.stdout.strip() or "it said nothing"
            raise Failed(f"{system} {case} {n} ended with {done.returncode}: {said}")
        figures = Figures({}, {})
        for line in done.stdout.splitlines():
            try:
                one = json.loads(line)
                figures.values[one["case"]] = float(one["value"])
                figures.units[one["case"]] = one["unit"]
            except (ValueError, KeyError, TypeError):
                raise Failed(f"{system} {case} {n} printed what is no figure: {line}") from None
        return figures


def build(say):
    """Configures and builds everything in build/bench, optimised. Returns the folder of the programs."""
    folder = ROOT / "build" / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    fresh = []
    cache = folder / "CMakeCache.txt"
    if cache.exists() and f"CMAKE_HOME_DIRECTORY:INTERNAL={ROOT}\n" not in cache.read_text():
        fresh = ["--fresh"]  # it came here with a moved or copied repository
    generator = ["-G", "Ninja"] if shutil.which("ninja") else []
    say("configuring build/bench")
    _logged(folder / "configure.log",
            ["cmake", *fresh, "-S", str(ROOT), "-B", str(folder), *generator, "-DCMAKE_BUILD_TYPE=Release",
             "-DMUSTER_BENCH_PEERS=ON", "-DMUSTER_BUILD_TESTS=OFF", "-DMUSTER_BUILD_EXAMPLES=OFF", "-DMUSTER_INSTALL=OFF"])
    say("building build/bench (the first time this takes some minutes)")
    _logged(folder / "build.log",
            ["cmake", "--build", str(folder), "--target", "bench", "--parallel", str(os.cpu_count() or 2)])
    return folder / "bin"


def _logged(log, command):
    if not shutil.which(command[0]):
        raise Failed(f"there is no {command[0]}; tools/test installs what Muster is built with")
    with open(log, "w", encoding="utf-8") as out:
        done = subprocess.run(command, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        tail = log.read_text(encoding="utf-8", errors="replace").splitlines()[-40:]
        raise Failed("\n".join([*tail, f"{' '.join(command[:2])} failed; all it said is in {log.relative_to(ROOT)}"]))


def install_peers(say):
    """Installs the packages of peers/packages.txt that are missing, with apt-get."""
    wanted = [line.split("#")[0].strip() for line in (BENCH / "peers" / "packages.txt").read_text().splitlines()]
    wanted = [name for name in wanted if name]
    if not shutil.which("apt-get"):
        raise Failed(f"this system has no apt-get, so please install what these are here: {' '.join(wanted)}")
    known = subprocess.run(["dpkg-query", "-W", "-f=${db:Status-Status} ${Package}\n", *wanted],
                           capture_output=True, text=True, check=False).stdout.splitlines()
    missing = [name for name in wanted if f"installed {name}" not in known]
    if not missing:
        say("all packages of the peers are installed")
        return
    say(f"installing {' '.join(missing)}")
    as_root = [] if os.geteuid() == 0 else ["sudo"]
    install = [*as_root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-y", "--no-install-recommends",
               *missing]
    if subprocess.run(install, stdout=subprocess.DEVNULL, check=False).returncode == 0:
        return
    # The package lists may be absent or too old.
    subprocess.run([*as_root, "apt-get", "update"], stdout=subprocess.DEVNULL, check=False)
    if subprocess.run(install, stdout=subprocess.DEVNULL, check=False).returncode != 0:
        raise Failed("apt-get could not install them")
