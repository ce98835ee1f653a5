"""Heavy-tailed sleeps: how near the makespan comes to that of list scheduling."""
import contextlib
import heapq
import json
import os

from harness import Bar, Case, Metric, Variant

WORKERS, SLOWDOWN = 4, 20
JOBS, QUICK_JOBS = 4000, 200
PARETO, MEAN_S = 1.5, 0.005


def sleeps(bench):
    return os.path.join(bench.data, f"sleeps-{bench.sized(JOBS, QUICK_JOBS)}")


def write_sleeps(bench):
    """Pareto's tail begins at mean * (a - 1) / a."""
    random = bench.random()
    with open(sleeps(bench), "w", encoding="ascii") as file:
        for _ in range(bench.sized(JOBS, QUICK_JOBS)):
            file.write(f"{random.paretovariate(PARETO) * MEAN_S * (PARETO - 1) / PARETO:.6f}\n")


def list_schedule(durations, workers):
    """Each job, in the order of input, goes to the worker that is free first; when the last one ends."""
    free = [0.0] * workers
    for duration in durations:
        heapq.heappush(free, heapq.heappop(free) + duration)
    return max(free)


def measure_rows(bench, argv, report):
    rows = os.path.join(bench.scratch, "rows.jsonl")
    with open(rows, encoding="utf-8") as file:
        durations = [row["duration_ms"] / 1e3 for row in sorted(map(json.loads, file), key=lambda row: row["job"])]
    if len(durations) != report["jobs"]["submitted"]:
        raise RuntimeError(f"{bench.shown(argv)}: rows are missing")
    ideal = list_schedule(durations, WORKERS)
    return {"ratio": report["wall_s"] / ideal, "makespan": report["wall_s"], "ideal": ideal}


def even_command(bench):
    return bench.fantail(["echo", "--sleep-from", sleeps(bench)], "--output", os.path.join(bench.scratch, "rows.jsonl"), workers=WORKERS,
                         keep="all")


def measure_even(bench, argv):
    return measure_rows(bench, argv, bench.report(argv, bench.sized(JOBS, QUICK_JOBS)))


def endpoint(bench, role):
    return f"ipc://{os.path.join(bench.memory_scratch, role)}"


@contextlib.contextmanager
def sink_and_workers(bench):
    """Three workers, and one that is slowed."""
    sink = ["fantail", "sink", "--bind", endpoint(bench, "sink"), "--state-dir", os.path.join(bench.scratch, "sink-state"), "--report",
            bench.report_path(), "--output", os.path.join(bench.scratch, "rows.jsonl"), "--progress", "quiet"]
    worker = ["fantail", "worker", "--ventilator", endpoint(bench, "ventilator"), "--slots", "1"]
    with contextlib.ExitStack() as stack:
        bench.sink = stack.enter_context(bench.server(sink))
        for _ in range(WORKERS - 1):
            stack.enter_context(bench.server(worker))
        stack.enter_context(bench.server([*worker, "--slowdown", str(SLOWDOWN)]))
        yield


def slowed_command(bench):
    return ["fantail", "ventilator", "--bind", endpoint(bench, "ventilator"), "--sink", endpoint(bench, "sink"), "--state-dir",
            os.path.join(bench.scratch, "ventilator-state"), "echo", "--sleep-from", sleeps(bench)]


def measure_slowed(bench, argv):
    bench.run(argv)
    bench.sink.wait(30)
    return measure_rows(bench, argv, bench.read_report(argv, bench.sized(JOBS, QUICK_JOBS)))


METRICS = (Metric("ratio", "of the ideal", more_is_better=False), Metric("makespan", "s", more_is_better=False),
           Metric("ideal", "s", more_is_better=False))

CASES = [
    Case(
        name="balance",
        what="4,000 sleeps, Pareto 1.5 with a mean of 5 ms, 4 workers: makespan over that of list scheduling of the durations measured.",
        metrics=METRICS,
        prepare=write_sleeps,
        variants=(Variant("fantail", "fantail run -j4 echo --sleep-from FILE.", even_command, measure_even),),
        bars=(Bar(most=1.02),),
    ),
    Case(
        name="balance-slow",
        what="The same with one of the 4 workers slowed 20 times.",
        metrics=METRICS,
        prepare=write_sleeps,
        variants=(Variant("fantail", "A sink, four workers, one of them with --slowdown 20, and a ventilator: echo --sleep-from FILE.",
                          slowed_command, measure_slowed, around=sink_and_workers),),
        bars=(Bar(most=1.10),),
        rounds=9,
    ),
]
