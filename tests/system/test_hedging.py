"""Second copies of stragglers: they shorten a run, cost no more than they may, and leave no trace but in the report."""
import glob
import json
import os
import subprocess
import sys
import time
import unittest

import fantail

QUICK = 12  # jobs, so that it is known what a straggler is


def is_running(*command):
    for name in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            with open(name, "rb") as file:
                if file.read().split(b"\0")[:-1] == [word.encode() for word in command]:
                    return True
        except (FileNotFoundError, ProcessLookupError):
            continue
    return False


class Fleet(fantail.SystemTest):
    JOBS, SLEEP, SLOWER = 300, "30ms", 20

    def makespan(self, name, slow, *policy):
        """Three workers, and one that is slow where that is wanted: the report of a run for which they waited."""
        def at(role):
            return f"ipc://{self.path(name + role)}"
        report = self.path(name + ".json")
        sink = self.start("sink", "--bind", at("s"), "--state-dir", self.path(name + "-sink"), "--report", report,
                          "--output", self.path(name + ".jsonl"))
        ventilator = self.start("ventilator", "--bind", at("v"), "--sink", at("s"), "--state-dir", self.path(name + "-ventilator"),
                                *policy, "echo", "--sleep", self.SLEEP, "--input", "-", stdin=subprocess.PIPE)
        worker = ("worker", "--ventilator", at("v"), "--slots", "1")
        workers = [self.start(*worker) for _ in range(3)]
        if slow:
            workers.append(self.start(*worker, "--slowdown", str(self.SLOWER)))
        joined = 0
        while joined < len(workers):
            line = ventilator.stderr.readline()
            self.assertNotEqual(b"", line, "the ventilator ended")
            joined += b" joined with 1 slots" in line
        ventilator.stdin.write(b"".join(b"%d\n" % job for job in range(self.JOBS)))
        ventilator.stdin.close()
        ventilator.stdin = None
        for process in (ventilator, sink, *workers):
            self.assertEqual(0, self.finish(process)[0])
        self.assert_each_job_once(fantail.read_rows(self.path(name + ".jsonl")), self.JOBS)
        with open(report, encoding="utf-8") as file:
            return json.load(file)

    def test_a_slow_worker_costs_a_tenth_at_most(self):
        without = self.makespan("without", False)
        self.assertIsNone(without["hedged"])
        for policy in ("p95", "200%"):
            hedged = self.makespan("hedged-" + policy.strip("%"), True, "--hedge", policy, "--hedge-limit", "5%")
            self.assertLessEqual(hedged["wall_s"], 1.1 * without["wall_s"], hedged)
            self.assertLessEqual(hedged["hedged"]["extra_s"], 0.05 * hedged["work_s"], hedged)
            self.assertEqual(0, hedged["dropped"]["duplicate"], hedged)
            self.assert_balanced(hedged)


class Hedging(fantail.SystemTest):
    def script(self, first, then):
        """A command whose argument is a number of seconds to sleep; for "late" the first process does one thing, the next another."""
        mark = self.path("mark")
        return ("sh", "-c", f"test $0 != late && exec sleep $0; if mkdir {mark} 2>/dev/null; then {first}; else {then}; fi", "{}")

    def begin(self, *arguments):
        """A run that reads jobs as they are written to it, with two workers of one slot."""
        return self.start("run", "-j", "2", "--report", self.path("report.json"), "--output", self.path("rows.jsonl"), "--hedge", "200%",
                          *arguments, stdin=subprocess.PIPE)

    def write(self, run, *lines):
        run.stdin.write("".join(line + "\n" for line in lines).encode())
        run.stdin.flush()

    def end(self, run, code=0):
        run.stdin.close()
        run.stdin = None
        ended, _, errors = self.finish(run)
        self.assertEqual(code, ended, errors)
        with open(self.path("report.json"), encoding="utf-8") as file:
            report = json.load(file)
        self.assert_balanced(report)
        self.assertEqual(0, report["dropped"]["duplicate"], report)
        return sorted(fantail.read_rows(self.path("rows.jsonl")), key=lambda row: row["job"]), report

    def rows_so_far(self):
        try:
            with open(self.path("rows.jsonl"), encoding="utf-8") as file:
                return [json.loads(line) for line in file if line.endswith("\n")]
        except FileNotFoundError:
            return []

    def wait_for_late(self):
        """The row of the job that had a copy."""
        return fantail.wait_until(lambda: next((row for row in self.rows_so_far() if row["job"] == QUICK), None), 20, "its row")

    def test_the_loser_is_stopped_and_its_slot_is_free_again(self):
        seconds = f"30.{os.getpid()}"
        run = self.begin("exec", "--", *self.script(f"sleep {seconds}", "true"))
        self.write(run, *["0.05"] * QUICK, "late")
        row = self.wait_for_late()
        self.assertEqual(("ok", 1, 0), (row["status"], row["attempt"], row["exit_code"]))
        # The input goes on: it is not the run's end that stops it.
        fantail.wait_until(lambda: not is_running("sleep", seconds), 1, "the loser's process is gone")
        self.write(run, *["0.05"] * 4)
        rows, report = self.end(run)
        self.assertEqual(["ok"] * (QUICK + 5), [row["status"] for row in rows])
        self.assertEqual(2, len({row["worker"] for row in rows[QUICK + 1:]}), "both slots work again")
        self.assertEqual((1, 1, 0), (report["hedged"]["copies"], report["hedged"]["won"], report["retries"]))
        self.assertEqual(QUICK + 5, report["jobs"]["ok"])
        # Where the time of the slots went still adds up.
        efficiency = report["efficiency"]
        total = efficiency["slots"] * report["wall_s"]
        self.assertGreater(efficiency["parts_s"]["hedged"], 0.1, report)
        self.assertAlmostEqual(total, sum(efficiency["parts_s"].values()), delta=0.02 * total, msg=report)

    def test_a_copy_that_fails_fails_no_job(self):
        run = self.begin("exec", "--", *self.script("sleep 1.5; echo first", "exit 7"))
        self.write(run, *["0.05"] * QUICK, "late")
        rows, report = self.end(run)
        self.assertEqual(("ok", "first\n"), (rows[-1]["status"], rows[-1]["stdout"]))
        self.assertEqual((1, 0, 0), (report["hedged"]["copies"], report["hedged"]["won"], report["retries"]))

    def test_neither_does_the_first_one(self):
        run = self.begin("exec", "--", *self.script("sleep 1; exit 7", "sleep 1.5; echo second"))
        self.write(run, *["0.05"] * QUICK, "late")
        rows, report = self.end(run)
        self.assertEqual(("ok", "second\n"), (rows[-1]["status"], rows[-1]["stdout"]))
        self.assertEqual((1, 1), (report["hedged"]["copies"], report["hedged"]["won"]))

    def test_when_both_fail_the_row_is_that_of_the_last(self):
        run = self.begin("exec", "--", *self.script("sleep 1; exit 7", "sleep 1.5; echo why; exit 8"))
        self.write(run, *["0.05"] * QUICK, "late")
        rows, report = self.end(run, code=1)
        late = rows[-1]
        self.assertEqual(("failed", "exit", 8, "why\n", 1),
                         (late["status"], late["error"]["code"], late["exit_code"], late["stdout"], late["attempt"]))
        self.assertIsNotNone(late["worker"])
        self.assertGreater(late["duration_ms"], 1000)
        self.assertEqual((1, 0), (report["hedged"]["copies"], report["retries"]))

    def test_retries_are_counted_as_ever(self):
        run = self.begin("--retries", "2", "--backoff", "10ms..10ms", "exec", "--", "sh", "-c", "exit $0", "{}")
        self.write(run, "0", "3")
        rows, report = self.end(run, code=1)
        self.assertEqual(("failed", 3, 3), (rows[1]["status"], rows[1]["exit_code"], rows[1]["attempt"]))
        self.assertEqual((0, 2), (report["hedged"]["copies"], report["retries"]))

    def test_a_function_that_lost_is_started_anew(self):
        with open(self.path("function.py"), "w", encoding="utf-8") as file:
            file.write("import os, sys, time\n"
                       "for line in sys.stdin:\n"
                       "    if line.strip() == '-1':\n"
                       "        try:\n"
                       f"            os.mkdir({self.path('mark')!r})\n"
                       "            time.sleep(60)\n"
                       "        except FileExistsError:\n"
                       "            pass\n"
                       "    time.sleep(0.03)\n"
                       "    print(int(line) * 2, flush=True)\n")
        run = self.begin("map", "--", sys.executable, self.path("function.py"))
        self.write(run, *[str(number) for number in range(QUICK)], "-1")
        self.assertEqual(("ok", -2), (self.wait_for_late()["status"], self.wait_for_late()["result"]))
        self.write(run, *["5"] * 6)
        rows, report = self.end(run)
        self.assertEqual([2 * number for number in range(QUICK)] + [-2] + [10] * 6, [row["result"] for row in rows])
        self.assertEqual(2, len({row["worker"] for row in rows[QUICK + 1:]}), "both slots work again")
        self.assertEqual((1, 1), (report["hedged"]["copies"], report["hedged"]["won"]))

    def test_output_of_both_is_shown_once(self):
        write = f"{sys.executable} -c \"print('x' * 300000)\""
        started = time.monotonic()
        run = self.start("run", "-j", "2", "--report", self.path("report.json"), "--hedge", "200%", "exec", "-k", "--",
                         *self.script(f"{write}; sleep 60", write), ":::", *["0.05"] * QUICK, "late")
        code, output, errors = self.finish(run)
        self.assertEqual((0, "x" * 300000 + "\n"), (code, output.decode()), errors)
        self.assertLess(time.monotonic() - started, 20)

    def test_what_it_refuses(self):
        for arguments, words in ((("--hedge", "50%", "echo"), "half of all jobs"), (("--hedge", "late", "echo"), "write p95, or 200%"),
                                 (("--hedge-limit", "5%", "echo"), "give --hedge p95 as well"),
                                 (("--hedge", "p95", "--hedge-limit", "0%", "echo"), "write 1% to 100%"),
                                 (("--hedge", "p95", "urls", "http://127.0.0.1:9/"), "give --per-host 0")):
            code, _, errors = self.finish(self.start("run", *arguments))
            self.assertEqual(2, code, arguments)
            self.assertIn(words, errors)


if __name__ == "__main__":
    unittest.main()
