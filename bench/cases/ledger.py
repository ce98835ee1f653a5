"""What durable rows cost, beside SQLite alone and beside a ledger in memory."""
import glob
import os
import shutil

from cases.echo import RATE, fantail_echo, rate_of_report
from harness import Bar, Case, Variant

JOBS, QUICK_JOBS = 3_000_000, 50_000


def rate(bench, argv):
    return rate_of_report(bench, argv, JOBS, QUICK_JOBS)


def echo(**more):
    return lambda bench: fantail_echo(bench, JOBS, QUICK_JOBS, **more)


def in_memory(bench):
    return fantail_echo(bench, JOBS, QUICK_JOBS, state=bench.memory_scratch)


def kept_state(bench):
    return os.path.join(bench.data, "ledger")


def keep_a_ledger(bench):
    """The rows that SQLite is given, of the build that is measured."""
    shutil.rmtree(kept_state(bench), ignore_errors=True)
    with bench.own_scratch():
        bench.report(fantail_echo(bench, JOBS, QUICK_JOBS, keep="all", state=kept_state(bench)))


def sqlite_alone(bench):
    ledger, = glob.glob(os.path.join(kept_state(bench), "sink", "**", "ledger.db"), recursive=True)
    return ["bench-ledger-rows", ledger, os.path.join(bench.scratch, "copy.db")]


CASES = [
    Case(
        name="ledger",
        what="A durable row for each of 3 million echo jobs, against SQLite alone, and a durable aggregate against one in memory.",
        metrics=(RATE,),
        prepare=keep_a_ledger,
        variants=(
            Variant("keep all", "fantail run echo --keep all: a row per job in the ledger.", echo(keep="all"), rate),
            Variant("keep summary", "fantail run echo --keep summary: completed ranges and the aggregate.", echo(), rate),
            Variant("in memory", "The same with the state on a memory file system.", in_memory, rate),
            Variant("SQLite alone", "The rows of a --keep all run, same schema, same transactions, synchronous=FULL; one thread.",
                    sqlite_alone),
        ),
        bars=(
            Bar(least=0.8, of=("SQLite alone",)),
            Bar(least=0.9, of=("in memory",), subject="keep summary"),
        ),
    ),
]
