"""How a run ends before all is done: deadline, interrupts, SIGTERM."""
import glob
import json
import os
import signal
import time
import unittest

import fantail


class Limits(fantail.SystemTest):
    def start_run(self, *arguments):
        return self.start("run", "--output", self.path("rows.jsonl"), "--report", self.path("report.json"), *arguments)

    def wait_for_rows(self, count):
        def enough():
            try:
                with open(self.path("rows.jsonl"), "rb") as file:
                    return file.read().count(b"\n") >= count
            except FileNotFoundError:
                return False
        fantail.wait_until(enough, 20, f"{count} rows")

    def result(self, process, seconds=30):
        code, _, errors = self.finish(process, seconds)
        with open(self.path("report.json"), encoding="utf-8") as file:
            return code, fantail.read_rows(self.path("rows.jsonl")), json.load(file), errors

    def test_a_deadline_ends_the_run(self):
        started = time.monotonic()
        code, rows, report, errors = self.run_fantail("-j", "2", "--deadline", "2s", "echo", "--count", "600", "--sleep", "200ms")
        took = time.monotonic() - started
        self.assertEqual(4, code)
        self.assertTrue(2 <= took < 3, took)
        self.assertEqual("timed_out", report["state"])
        self.assert_balanced(report)
        self.assert_each_job_once(rows, 600)
        self.assertGreater(report["jobs"]["ok"], 10)
        expired = [row for row in rows if row["status"] == "expired"]
        self.assertEqual(report["jobs"]["expired"], len(expired))
        unstarted = [row for row in expired if row["attempt"] == 0]
        self.assertGreater(len(unstarted), 500)
        for row in unstarted:
            self.assertEqual((None, None), (row["worker"], row["payload"]))
        self.assertIn("deadline", errors)

    def test_a_deadline_reaches_a_long_job(self):
        started = time.monotonic()
        code, _, report, _ = self.run_fantail("--deadline", "500ms", "echo", "--count", "2", "--sleep", "60s")
        self.assertLess(time.monotonic() - started, 2)
        self.assertEqual((4, 2), (code, report["jobs"]["expired"]))

    def test_many_unstarted_jobs_are_only_counted(self):
        code, rows, report, _ = self.run_fantail("--deadline", "1500ms", "echo", "--count", "150000", "--sleep", "10s")
        self.assertEqual(4, code)
        self.assert_balanced(report)
        self.assertEqual(150000, report["jobs"]["submitted"])
        without = sum(each["count"] for each in report["jobs_without_rows"])
        self.assertGreater(without, 100000)
        self.assertEqual(150000, without + len(rows))

    def test_an_interrupt_lets_running_jobs_finish(self):
        process = self.start_run("echo", "--count", "500", "--sleep", "50ms")
        self.wait_for_rows(5)
        process.send_signal(signal.SIGINT)
        code, rows, report, _ = self.result(process)
        self.assertEqual((130, "cancelled"), (code, report["state"]))
        self.assert_balanced(report)
        self.assert_each_job_once(rows, report["jobs"]["submitted"])
        self.assertGreater(report["jobs"]["cancelled"], 100)
        self.assertTrue(all(row["attempt"] == 0 for row in rows if row["status"] == "cancelled"))

    def test_a_second_interrupt_cancels_running_jobs(self):
        process = self.start_run("-j", "2", "echo", "--count", "4", "--sleep", "60s")
        fantail.wait_until(lambda: self.sleeping_jobs() == 2, 20, "two running jobs")
        process.send_signal(signal.SIGINT)
        line = process.stderr.readline()  # says what a second one does
        self.assertIn(b"interrupt", line)
        process.send_signal(signal.SIGINT)
        code, rows, report, _ = self.result(process, 10)
        self.assertEqual(130, code)
        self.assertEqual(4, report["jobs"]["cancelled"])
        self.assertEqual(2, sum(1 for row in rows if row["attempt"] == 1))

    def sleeping_jobs(self):
        """Jobs of kind echo that run in this test's workers: threads that sleep."""
        sleeping = 0
        for name in glob.glob("/proc/[0-9]*/comm"):
            folder = os.path.dirname(name)
            try:
                with open(name, encoding="utf-8") as file:
                    if file.read().strip() != "fantail-worker":
                        continue
                with open(f"{folder}/environ", "rb") as file:
                    if self.folder.encode() not in file.read():
                        continue
                for task in os.listdir(f"{folder}/task"):
                    with open(f"{folder}/task/{task}/wchan", encoding="utf-8") as file:
                        sleeping += "nanosleep" in file.read()
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue
        return sleeping

    def test_sigterm_suspends(self):
        process = self.start_run("echo", "--count", "500", "--sleep", "50ms")
        self.wait_for_rows(5)
        process.terminate()
        self.assertEqual(143, self.finish(process)[0])
        self.assertFalse(os.path.exists(self.path("report.json")), "nothing has ended")


if __name__ == "__main__":
    unittest.main()
