"""A thousand workers at one ventilator and one sink."""
import contextlib

from cases.balance import endpoint
from harness import Bar, Case, Metric, Variant

import os

JOBS, QUICK_JOBS = 5_000_000, 50_000


@contextlib.contextmanager
def sink(bench):
    argv = ["fantail", "sink", "--bind", endpoint(bench, "sink"), "--state-dir", os.path.join(bench.scratch, "sink-state"), "--report",
            bench.report_path(), "--keep", "summary", "--progress", "quiet"]
    with bench.server(argv) as bench.sink:
        yield


def command(bench):
    return ["fantail", "ventilator", "--bind", endpoint(bench, "ventilator"), "--sink", endpoint(bench, "sink"), "--state-dir",
            os.path.join(bench.scratch, "ventilator-state"), "echo", "--payload", "64B", "--count", str(bench.sized(JOBS, QUICK_JOBS))]


def with_workers(count):
    @contextlib.contextmanager
    def around(bench):
        with sink(bench), bench.server(["bench-many-workers", str(count), endpoint(bench, "ventilator")]):
            yield
    return around


def measure(bench, argv):
    bench.run(argv)
    bench.sink.wait(30)
    jobs = bench.sized(JOBS, QUICK_JOBS)
    report = bench.read_report(argv, jobs)
    return {"rate": jobs / report["wall_s"], "workers": report["workers"]}


CASES = [
    Case(
        name="workers",
        what="Echo jobs of 64 bytes to 1,000 simulated workers (one process, but sockets and a session for each), against 2 of them.",
        metrics=(Metric("rate", "jobs/s"), Metric("workers", "that took part")),
        variants=(
            Variant("1,000 workers", "A ventilator and a sink over ipc; the workers answer at once.", command, measure,
                    around=with_workers(1000)),
            Variant("2 workers", "The same with 2 of them.", command, measure, around=with_workers(2)),
        ),
        bars=(Bar(least=0.5, of=("2 workers",)),),
    ),
]
