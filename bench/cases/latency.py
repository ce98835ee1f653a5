"""One job at a time through an idle pipeline: how long until the sink has it, and until it is durable."""
import bisect
import statistics
import subprocess
import time

import traces
from harness import Bar, Case, Metric, Variant

JOBS, QUICK_JOBS = 500, 50
START_S = 30
APART_S = 0.005  # as in bench-raw-chain latency


def jobs(bench):
    return bench.sized(JOBS, QUICK_JOBS)


def fantail_command(bench):
    return bench.fantail(["echo", "--input", "-"])


def feed(bench, argv):
    """Writes a line of 64 bytes every few milliseconds, once both workers have their lanes."""
    process = bench.start(argv, stdin=subprocess.PIPE, env=traces.environment(bench.scratch))
    until = time.monotonic() + START_S
    while len(traces.lanes(bench.scratch)) < 2:
        if process.poll() is not None or time.monotonic() > until:
            process.kill()
            raise RuntimeError(f"{bench.shown(argv)}: the workers do not start")
        time.sleep(0.05)
    for job in range(jobs(bench)):
        process.stdin.write(f"{job:063d}\n".encode())
        process.stdin.flush()
        time.sleep(APART_S)
    process.stdin.close()
    if process.wait() != 0:
        raise RuntimeError(f"{bench.shown(argv)}: exit code {process.returncode}")


def first_after(moments, moment):
    return moments[bisect.bisect_left(moments, moment)]


def measure(bench, argv):
    """From the moment the ventilator sends a job to the one at which the sink has received it; and from the one at which the ventilator
    has read its line to the end of the first sync of the sink after that. Spool and ledger are synced on that way: two times. What a sync takes is measured in the same rhythm."""
    fdatasync_us = bench.fdatasync_s(apart_s=APART_S) * 1e6
    feed(bench, argv)
    bench.read_report(argv, jobs(bench))
    sent = [time_ns for time_ns, _ in traces.messages(bench.scratch, "fantail-ventilator", traces.SENT)]
    received = [time_ns for time_ns, _ in traces.messages(bench.scratch, "fantail-sink", traces.RECEIVED)]
    read = traces.times(bench.scratch, "fantail-ventilator", traces.READ)
    synced = traces.times(bench.scratch, "fantail-sink", traces.SYNCED)
    decoded_us = [(first_after(received, moment) - moment) / 1e3 for moment in sent]
    durable_us = [(first_after(synced, first_after(received, first_after(sent, moment))) - moment) / 1e3 for moment in read]
    p50 = statistics.median(decoded_us)
    durable = statistics.median(durable_us)
    return {"p50": p50, "p99": statistics.quantiles(decoded_us, n=100)[98], "durable p50": durable,
            "syncs beyond": (durable - p50) / fdatasync_us}


CASES = [
    Case(
        name="latency",
        what="One job of 64 bytes every 5 ms through an idle pipeline with 2 workers: from the ventilator to the sink.",
        metrics=(
            Metric("p50", "us", more_is_better=False),
            Metric("p99", "us", more_is_better=False),
            Metric("durable p50", "us", more_is_better=False),
            Metric("syncs beyond", "fdatasyncs", more_is_better=False),
        ),
        variants=(
            Variant("fantail", "fantail run echo --input -, a line at a time; a shim notes when messages go and come and when storage was "
                    "synced. Durable: from the line read to its outcome committed.", fantail_command, measure),
            Variant("raw", "libzmq and protobuf alone, ventilator, worker, sink over ipc: from the making of the job to its decoding.",
                    lambda bench: ["bench-raw-chain", "latency", str(jobs(bench))]),
        ),
        bars=(
            Bar(most=1.5, of=("raw",)),
            Bar(most=2, metric="syncs beyond"),
        ),
    ),
]
