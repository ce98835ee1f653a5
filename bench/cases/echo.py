"""Jobs of 64 bytes there and back, beside chains that do nothing else."""
from harness import Bar, Case, Metric, Variant

RATE = Metric("rate", "jobs/s")
JOBS, QUICK_JOBS = 20_000_000, 100_000


def fantail_echo(bench, jobs=JOBS, quick_jobs=QUICK_JOBS, **more):
    return bench.fantail(["echo", "--count", str(bench.sized(jobs, quick_jobs)), "--payload", "64B"], **more)


def rate_of_report(bench, argv, jobs=JOBS, quick_jobs=QUICK_JOBS):
    count = bench.sized(jobs, quick_jobs)
    return {"rate": count / bench.report(argv, count)["wall_s"]}


def raw_chain(mode):
    return lambda bench: ["bench-raw-chain", mode, str(bench.sized(JOBS, QUICK_JOBS))]


CASES = [
    Case(
        name="echo",
        what="64 bytes there and back through 2 workers: every job counted exactly once, against chains that guarantee nothing.",
        metrics=(RATE,),
        variants=(
            Variant("fantail", "fantail run echo, --keep summary; jobs / wall_s.", fantail_echo, rate_of_report),
            Variant("raw batched", "libzmq and protobuf alone: 256 jobs a message, one submessage per job, objects reused.",
                    raw_chain("batched")),
            Variant("raw single", "libzmq and protobuf alone: one job a message.", raw_chain("single")),
            Variant("raw columnar", "libzmq and protobuf alone: 256 jobs a message, ids as a range, payloads as one column.",
                    raw_chain("columnar")),
        ),
        bars=(
            Bar(least=1.0, of=("raw batched",)),
            Bar(least=3.0, of=("raw single",)),
            Bar(least=0.5, of=("raw columnar",), goal=True),
        ),
    ),
]
