"""A thousand workers at one ventilator and one sink."""
import contextlib
import os

import traces
from cases.balance import endpoint
from harness import Bar, Case, Metric, Variant

JOBS, QUICK_JOBS = 10_000_000, 50_000


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
    """Jobs a second that the ventilator sent from the moment the last worker had its lane."""
    bench.run(argv, env=traces.environment(bench.scratch))
    bench.sink.wait(30)
    jobs = bench.sized(JOBS, QUICK_JOBS)
    report = bench.read_report(argv, jobs)
    sent = traces.messages(bench.scratch, "fantail-ventilator", traces.SENT)
    begin, end = max(traces.lanes(bench.scratch)), sent[-1][0]
    share = sum(size for time_ns, size in sent if time_ns >= begin) / sum(size for _, size in sent)
    if end <= begin:
        raise RuntimeError("all jobs were sent before all workers were there: more jobs are needed")
    return {"rate": jobs * share / (end - begin) * 1e9, "overall": jobs / report["wall_s"], "workers": report["workers"]}


CASES = [
    Case(
        name="workers",
        what="Echo jobs of 64 bytes to 1,000 simulated workers (one process, but sockets and a session for each), against 2 of them.",
        metrics=(Metric("rate", "jobs/s"), Metric("overall", "jobs/s"), Metric("workers", "that took part")),
        variants=(
            Variant("1,000 workers", "A ventilator and a sink over ipc; the workers answer at once. Rate: what is sent once all of them "
                    "have their lanes; overall: jobs / wall_s.", command, measure,
                    around=with_workers(1000)),
            Variant("2 workers", "The same with 2 of them.", command, measure, around=with_workers(2)),
        ),
        bars=(Bar(least=0.5, of=("2 workers",)),),
    ),
]
