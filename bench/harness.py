"""What a benchmark case is made of, and what its measurements may use.

A file in bench/cases has a list CASES. A case has variants that do the same work: the first is fantail, the others are what it is
compared with. A variant is a command and a function that runs it once and returns its figures by metric. Bars are bounds for the
medians, or for the ratio of two medians.
"""
import contextlib
import ctypes
import dataclasses
import json
import os
import random
import shutil
import signal
import socket
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), ".."))
BUILD = os.path.join(ROOT, "build", "bench")
BIN = os.path.join(BUILD, "bin")
GIVE_UP_S = 900  # one run of one variant
PATH = BIN + os.pathsep + os.environ["PATH"] + os.pathsep + "/usr/sbin"


@dataclasses.dataclass(frozen=True)
class Metric:
    name: str  # the key in what a measurement returns
    unit: str
    more_is_better: bool = True


@dataclasses.dataclass(frozen=True)
class Bar:
    """The median of `metric` is at least or at most this much: of the best median of the references `of`, or by itself."""

    least: float | None = None
    most: float | None = None
    of: tuple[str, ...] = ()
    metric: str = ""  # the case's first
    subject: str = ""  # the case's first variant
    goal: bool = False  # reported, but not demanded


@dataclasses.dataclass(frozen=True)
class Variant:
    name: str
    does: str  # one sentence: what it is, and what it does not do
    command: "Callable[[Bench], list[str]]"  # made for every run; the first word is looked up in build/bench/bin, then in PATH
    measure: "Callable[[Bench, list[str]], dict[str, float]] | None" = None  # none: the command prints one JSON object
    around: "Callable[[Bench], AbstractContextManager] | None" = None  # a server, for the time of one run
    packages: tuple[str, ...] = ()  # of Debian: not installed, the variant is skipped

    def missing(self):
        return missing_packages(self.packages)


@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    what: str  # one sentence
    metrics: tuple[Metric, ...]
    variants: tuple[Variant, ...]
    bars: tuple[Bar, ...] = ()
    prepare: "Callable[[Bench], None] | None" = None  # makes the data, where it is not there yet
    around: "Callable[[Bench], AbstractContextManager] | None" = None  # a server, for the time of the whole case
    rounds: int = 5
    packages: tuple[str, ...] = ()  # of Debian: not installed, the case is skipped


class Bench:
    """The place where one measurement runs. `data` outlives it, `scratch` is empty and its own, and so is
    `memory_scratch`: no storage is behind that one, and its path is short enough for sockets."""

    def __init__(self, data, quick=False):
        self.data = data
        self.quick = quick
        self.scratch = ""
        self.memory_scratch = ""
        self.address = ""  # of the server that a variant or case has started
        self.sink = None  # the process, where a variant has started one
        os.makedirs(data, exist_ok=True)

    def sized(self, full, quick):
        """How much work: so much, or with --quick only enough to see that the case works."""
        return quick if self.quick else full

    @contextlib.contextmanager
    def own_scratch(self):
        self.scratch = tempfile.mkdtemp(prefix="run-", dir=self.data)
        self.memory_scratch = tempfile.mkdtemp(prefix="fantail-bench-", dir="/dev/shm")
        os.chmod(self.scratch, 0o755)  # servers may become another user
        try:
            yield
        finally:
            shutil.rmtree(self.scratch, ignore_errors=True)
            shutil.rmtree(self.memory_scratch, ignore_errors=True)
            self.scratch = self.memory_scratch = ""

    def shown(self, argv):
        """A command for people: paths that differ from run to run by name."""
        line = " ".join(argv)
        names = {self.scratch: "$SCRATCH", self.memory_scratch: "$MEMORY", self.data: "$DATA", BIN + "/": "", ROOT + "/": ""}
        for path, name in names.items():
            if path:
                line = line.replace(path, name)
        return line

    # ---- running

    def options(self, argv, **more):
        """How every process is started: `env` comes on top of the environment."""
        return {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE,
                "executable": shutil.which(argv[0], path=PATH), **more,
                "env": {**os.environ, "PATH": PATH, "LC_ALL": "C.UTF-8", **more.get("env", {})}}

    def run(self, argv, **more):
        """Runs a command to its end; what it printed. An exit code other than 0 is an error."""
        done = subprocess.run(argv, check=False, timeout=GIVE_UP_S, **self.options(argv, **more))
        if done.returncode != 0:
            raise RuntimeError(f"{self.shown(argv)}: exit code {done.returncode}: {done.stderr.decode(errors='replace')[-1000:]}")
        return done.stdout

    def seconds(self, argv, **more):
        """Wall-clock seconds from start to end of a command whose output nobody needs."""
        start = time.monotonic()
        self.run(argv, stdout=subprocess.DEVNULL, **more)
        return time.monotonic() - start

    def timed(self, argv, **more):
        """Wall-clock seconds from start to end, and what it printed."""
        start = time.monotonic()
        printed = self.run(argv, **more)
        return time.monotonic() - start, printed

    def start(self, argv, **more):
        """Starts a process that dies with this one; `stop` ends it."""
        silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **more}
        return subprocess.Popen(argv, start_new_session=True, preexec_fn=_die_with_parent, **self.options(argv, **silent))

    @contextlib.contextmanager
    def server(self, argv, ready=lambda: True, deadline_s=60, **more):
        """A server for the time of the block. `ready()` says whether it answers."""
        log_name = os.path.join(self.scratch or self.data, os.path.basename(argv[0]) + ".log")
        with open(log_name, "wb") as log:
            process = self.start(argv, stdout=log, stderr=log, **more)
            try:
                until = time.monotonic() + deadline_s
                while not ready():
                    if process.poll() is not None or time.monotonic() > until:
                        with open(log_name, encoding="utf-8", errors="replace") as text:
                            raise RuntimeError(f"{self.shown(argv)} does not start: {text.read()[-1000:]}")
                    time.sleep(0.02)
                yield process
            finally:
                stop(process)

    # ---- fantail

    def fantail(self, kind, *options, workers=2, keep="summary", state=None):
        """The command line of `fantail run`: `kind` is the kind's name and its arguments."""
        return ["fantail", "run", f"-j{workers}", "--keep", keep, *options, "--progress", "quiet", "--state-dir",
                state or os.path.join(self.scratch, "state"), "--report", self.report_path(), *kind]

    def report_path(self):
        return os.path.join(self.scratch, "report.json")

    def report(self, argv, jobs=None, ok=True):
        """Runs a command that `fantail` made; its report."""
        self.run(argv)
        return self.read_report(argv, jobs, ok)

    def read_report(self, argv, jobs=None, ok=True):
        """The report of a run that is over, once its books are seen to balance."""
        with open(self.report_path(), encoding="utf-8") as file:
            report = json.load(file)
        books = report["jobs"]
        balanced = books["lost"] == 0 and (not ok or books["ok"] == books["submitted"]) and jobs in (None, books["submitted"])
        if not balanced:
            raise RuntimeError(f"{self.shown(argv)}: the books do not balance: {books}")
        return report

    # ---- what the machine has

    def random(self, seed=1):
        return random.Random(seed)

    def fdatasync_s(self, times=100, apart_s=0):
        """How long the data folder's storage takes to sync one small write: the median. One that was idle meanwhile takes longer."""
        name = os.path.join(self.data, f"fdatasync-{os.getpid()}")
        took = []
        descriptor = os.open(name, os.O_CREAT | os.O_WRONLY)
        try:
            for _ in range(times):
                os.write(descriptor, b"x" * 512)
                start = time.monotonic()
                os.fdatasync(descriptor)
                took.append(time.monotonic() - start)
                time.sleep(apart_s)
        finally:
            os.close(descriptor)
            os.remove(name)
        return statistics.median(took)


def run_json(bench, argv):
    """The usual measurement: the command prints one JSON object that has the metrics."""
    return json.loads(bench.run(argv))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(address):
    """Whether somebody listens: at a port of this machine, or at the path of a socket."""
    with socket.socket(socket.AF_INET if isinstance(address, int) else socket.AF_UNIX) as probe:
        return probe.connect_ex(("127.0.0.1", address) if isinstance(address, int) else address) == 0


def stop(process):
    """Ends a process that `start` began, with all that it started: politely, after 10 s not."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            continue
        break
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def missing_packages(packages):
    """Those that are not installed."""
    missing = []
    for package in packages:
        found = subprocess.run(["dpkg-query", "-W", "-f", "${db:Status-Abbrev}", package], capture_output=True, text=True, check=False)
        if not found.stdout.startswith("ii"):
            missing.append(package)
    return missing


def _die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
