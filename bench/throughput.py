#!/usr/bin/env python3
"""How many echo results a second the whole pipeline takes, on one machine, through `fantail run`.

Runs the variants in turn, several times, and prints the median of each and its ratio to the first:
  memory    --keep summary with the sink's state on a memory file system: what the pipeline does without a ledger's storage
  summary   --keep summary
  all       --keep all
usage: bench/throughput.py [--bin build/bin] [--jobs 3000000] [--rounds 5] [--workers 2]
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

VARIANTS = {"memory": ("summary", "/dev/shm"), "summary": ("summary", None), "all": ("all", None)}


def rate(options, keep, folder):
    state = tempfile.mkdtemp(prefix="fantail-bench-", dir=folder)
    try:
        report = os.path.join(state, "report.json")
        subprocess.run([os.path.join(options.bin, "fantail"), "run", "-j", str(options.workers), "--keep", keep,
                        "--progress", "quiet", "--state-dir", state, "--report", report, "--output", "/dev/null",
                        "echo", "--count", str(options.jobs)], check=True)
        with open(report, encoding="utf-8") as file:
            figures = json.load(file)
        assert figures["jobs"]["ok"] == options.jobs and figures["jobs"]["lost"] == 0
        return options.jobs / figures["wall_s"]
    finally:
        shutil.rmtree(state, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default=os.path.join(os.path.dirname(__file__), "..", "build", "bin"))
    parser.add_argument("--jobs", type=int, default=3_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    rates = {name: [] for name in VARIANTS}
    for round_number in range(options.rounds):
        for name, (keep, folder) in VARIANTS.items():
            rates[name].append(rate(options, keep, folder))
        print(f"round {round_number + 1} of {options.rounds}", file=sys.stderr)
    base = statistics.median(rates["memory"])
    for name, measured in rates.items():
        median = statistics.median(measured)
        print(f"{name:8} {median:12,.0f} results/s  {median / base:5.2f} of memory  "
              f"({min(measured):,.0f} to {max(measured):,.0f})")


if __name__ == "__main__":
    main()
