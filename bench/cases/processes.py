"""A process per job, beside the tools that do nothing else; and a function of one's own, beside the function without anything around it."""
import os

from harness import Bar, Case, Metric, Variant

PROCESSES, QUICK_PROCESSES = 10_000, 200
VALUES, QUICK_VALUES = 200_000, 1_000
RATE = Metric("rate", "jobs/s")
FUNCTION = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "programs", "square.py")


def numbers(bench, count):
    """A file of so many numbers, one a line."""
    path = os.path.join(bench.data, f"numbers-{count}")
    if not os.path.exists(path):
        with open(path + ".part", "w", encoding="ascii") as file:
            file.writelines(f"{number}\n" for number in range(count))
        os.rename(path + ".part", path)
    return path


def processes(bench):
    return bench.sized(PROCESSES, QUICK_PROCESSES)


def values(bench):
    return bench.sized(VALUES, QUICK_VALUES)


def rate_of_run(count):
    """As long as people wait: the start of the processes and their end are in it."""
    def measure(bench, argv):
        seconds = bench.seconds(argv)
        bench.read_report(argv, count(bench))
        return {"rate": count(bench) / seconds}
    return measure


def rate_of_command(count):
    return lambda bench, argv: {"rate": count(bench) / bench.seconds(argv)}


CASES = [
    Case(
        name="exec",
        what="10,000 times the program true, 2 at a time: from the start of the command to its end.",
        metrics=(RATE,),
        rounds=3,
        prepare=lambda bench: numbers(bench, processes(bench)),
        variants=(
            Variant("fantail", "fantail run exec, 2 workers, --keep summary.",
                    lambda bench: bench.fantail(["exec", "--", "true", "{}", "::::", numbers(bench, processes(bench))]),
                    rate_of_run(processes)),
            Variant("xargs", "xargs -P2 -n1.",
                    lambda bench: ["xargs", "-P2", "-n1", "-a", numbers(bench, processes(bench)), "true"], rate_of_command(processes)),
            Variant("parallel", "GNU parallel -j2.",
                    lambda bench: ["parallel", "-j2", "true", "{}", "::::", numbers(bench, processes(bench))], rate_of_command(processes),
                    packages=("parallel",)),
        ),
        bars=(Bar(least=1, of=("xargs",)),),
    ),
    Case(
        name="map",
        what="A function in Python over 200,000 numbers, 2 processes of it: from the start of the command to its end.",
        metrics=(RATE,),
        rounds=3,
        prepare=lambda bench: numbers(bench, values(bench)),
        variants=(
            Variant("fantail", "fantail run map, 2 workers, --keep summary.",
                    lambda bench: bench.fantail(["map", "--input", numbers(bench, values(bench)), "--", "python3", FUNCTION]),
                    rate_of_run(values)),
            Variant("by hand", "split deals the lines to two processes of the function, whose answers are thrown away: no answer is waited for.",
                    lambda bench: ["split", "-n", "r/2", f"--filter=python3 {FUNCTION} >/dev/null", numbers(bench, values(bench))],
                    rate_of_command(values)),
        ),
    ),
]
