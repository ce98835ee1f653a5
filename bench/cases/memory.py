"""Ten million jobs from a file: what the processes hold, how soon it begins, and whether it slows down."""
import os
import time

import traces
from harness import Bar, Case, Metric, Variant

JOBS, QUICK_JOBS = 10_000_000, 200_000
LOOK_EVERY_S = 0.05


def jobs(bench):
    return bench.sized(JOBS, QUICK_JOBS)


def lines(bench):
    return os.path.join(bench.data, f"lines-{jobs(bench)}")


def write_lines(bench):
    if os.path.exists(lines(bench)):
        return
    with open(lines(bench) + ".new", "w", encoding="ascii") as file:
        for first in range(0, jobs(bench), 10_000):
            file.write("".join(f"{job:064d}\n" for job in range(first, min(first + 10_000, jobs(bench)))))
    os.rename(lines(bench) + ".new", lines(bench))


def family(process):
    """A process and all that descend from it."""
    found = [process]
    for each in found:
        try:
            with open(f"/proc/{each}/task/{each}/children", encoding="ascii") as file:
                found += [int(child) for child in file.read().split()]
        except OSError:
            continue
    return found


def peak_kib(process):
    try:
        with open(f"/proc/{process}/status", encoding="utf-8", errors="replace") as file:
            return next((int(line.split()[1]) for line in file if line.startswith("VmHWM:")), 0)
    except OSError:
        return 0


def watch(bench, argv):
    """Runs it; the peak of each process, in KiB."""
    peaks = {}
    process = bench.start(argv, env=traces.environment(bench.scratch))
    while process.poll() is None:
        for each in family(process.pid):
            peaks[each] = max(peaks.get(each, 0), peak_kib(each))
        time.sleep(LOOK_EVERY_S)
    if process.returncode != 0:
        raise RuntimeError(f"{bench.shown(argv)}: exit code {process.returncode}")
    return peaks


def tenths(received):
    """Bytes a second in the first and in the last tenth of what the sink received."""
    total = sum(size for _, size in received)
    marks, so_far = {}, 0
    for time_ns, size in received:
        so_far += size
        for tenth in (1, 9):
            if tenth not in marks and so_far >= total * tenth / 10:
                marks[tenth] = (time_ns, so_far)
    (first_ns, first_bytes), (ninth_ns, ninth_bytes) = marks[1], marks[9]
    return first_bytes / (first_ns - received[0][0]), (total - ninth_bytes) / (received[-1][0] - ninth_ns)


def measure(bench, argv):
    peaks = watch(bench, argv)
    report = bench.read_report(argv, jobs(bench))
    sent = traces.messages(bench.scratch, "fantail-ventilator", traces.SENT)
    received = traces.messages(bench.scratch, "fantail-sink", traces.RECEIVED)
    first, last = tenths(received)
    return {"peak": max(peaks.values()) / 1024, "first": (received[0][0] - sent[0][0]) / 1e6, "tail": last / first,
            "rate": jobs(bench) / report["wall_s"]}


CASES = [
    Case(
        name="memory",
        what="10 million echo jobs from a file of lines of 64 bytes, 2 workers.",
        metrics=(
            Metric("peak", "MiB", more_is_better=False),
            Metric("first", "ms", more_is_better=False),
            Metric("tail", "of the first tenth's rate"),
            Metric("rate", "jobs/s"),
        ),
        prepare=write_lines,
        variants=(
            Variant("fantail", "fantail run echo --input FILE, --keep summary. Peak: resident memory of the largest process. First: from "
                    "the first dispatch to the sink's first result. Tail: what the sink receives a second in the last tenth.",
                    lambda bench: bench.fantail(["echo", "--input", lines(bench)]), measure),
        ),
        bars=(
            Bar(most=100, metric="peak"),
            Bar(most=100, metric="first"),
            Bar(least=0.9, metric="tail"),
        ),
        rounds=3,
    ),
]
