"""Where the time of a run's slots goes: the parts add up, and what binds is named."""
import json
import subprocess
import threading
import time
import unittest

import fantail

LOST_IN_ROUNDING = 1e-5
TWO_SLOTS = ("-j", "1", "--slots", "2")


class Efficiency(fantail.SystemTest):
    def measure(self, *arguments):
        """Runs it with one worker of two slots, which are there from the first job on; the report, whose parts add up."""
        _, _, report, errors = self.run_fantail(*TWO_SLOTS, *arguments)
        self.check(report)
        self.assertIn("efficiency: ", errors)
        return report

    def check(self, report, slots=2):
        efficiency = report["efficiency"]
        parts = efficiency["parts_s"]
        total = report["wall_s"] * slots
        self.assertGreaterEqual(min(parts.values()), 0)
        self.assertAlmostEqual(efficiency["slots_s"], sum(parts.values()), delta=LOST_IN_ROUNDING)
        self.assertAlmostEqual(total, sum(parts.values()), delta=0.02 * total, msg=report)
        self.assertAlmostEqual(slots, efficiency["slots"], delta=0.02 * slots, msg=report)
        self.assertAlmostEqual(100 * parts["working"] / efficiency["slots_s"], efficiency["percent"], delta=0.1)
        self.assertAlmostEqual(report["work_s"], parts["working"] + parts["cancelled"], delta=LOST_IN_ROUNDING)

    def lines(self, name, lines):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.writelines(line + "\n" for line in lines)
        return self.path(name)

    def jobs(self, count):
        return self.lines("jobs", (str(number) for number in range(count)))

    def share(self, report, part):
        return report["efficiency"]["parts_s"][part] / report["efficiency"]["slots_s"]

    def test_workers_bind_a_run_that_keeps_them_busy(self):
        report = self.measure("echo", "--sleep", "20ms", "--input", self.jobs(200))
        self.assertEqual("workers", report["efficiency"]["bound_by"], report)
        self.assertGreater(self.share(report, "working"), 0.8, report)
        self.assertAlmostEqual(1.9, report["efficiency"]["one_more_worker"]["speedup"], delta=0.2, msg=report)
        self.assertAlmostEqual(report["work_s"] / report["wall_s"], report["speedup"], delta=0.001)

    def test_a_rate_binds(self):
        report = self.measure("--rate", "40/s", "echo", "--sleep", "5ms", "--input", self.jobs(80))
        self.assertEqual("rate", report["efficiency"]["bound_by"], report)
        self.assertGreater(self.share(report, "rate"), 0.7, report)
        self.assertLess(report["efficiency"]["one_more_worker"]["speedup"], 1.1)

    def test_so_many_jobs_at_a_time_bind(self):
        report = self.measure("--max-running", "1", "echo", "--sleep", "20ms", "--input", self.jobs(80))
        self.assertEqual("max_running", report["efficiency"]["bound_by"], report)
        self.assertAlmostEqual(0.5, self.share(report, "max_running"), delta=0.1, msg=report)

    def test_one_long_job_is_a_tail(self):
        seconds = ["0.01"] * 40 + ["1.5"]
        report = self.measure("echo", "--sleep-from", self.lines("seconds", seconds))
        self.assertEqual("tail", report["efficiency"]["bound_by"], report)
        self.assertAlmostEqual(1.5 / 2 / report["wall_s"], self.share(report, "tail"), delta=0.1, msg=report)

    def test_attempts_that_are_tried_again_are_a_part(self):
        flaky = f"sleep 0.1; test -e {self.path('mark')}-$0 || {{ touch {self.path('mark')}-$0; exit 1; }}"
        report = self.measure("--retries", "1", "--backoff", "10ms..10ms", "exec", "--", "sh", "-c", flaky, "{}", ":::",
                              *[str(number) for number in range(10)])
        self.assertEqual((10, 10), (report["jobs"]["ok"], report["retries"]), report)
        self.assertGreater(report["efficiency"]["parts_s"]["retried"], 1, report)
        self.assertGreater(report["efficiency"]["parts_s"]["working"], 1, report)

    def test_waiting_to_try_again_is_a_part(self):
        report = self.measure("--retries", "3", "--backoff", "600ms..600ms", "exec", "--", "false", ":::", "a", "b")
        self.assertEqual(6, report["retries"])
        self.assertGreater(self.share(report, "backoff"), 0.5, report)
        self.assertEqual("backoff", report["efficiency"]["bound_by"], report)

    def test_cancelled_work_is_a_part(self):
        seconds = ["1", "30"]
        report = self.measure("--first", "echo", "--sleep-from", self.lines("seconds", seconds))
        self.assertEqual({"ok": 1, "cancelled": 1}, {status: report["jobs"][status] for status in ("ok", "cancelled")})
        self.assertAlmostEqual(1, report["efficiency"]["parts_s"]["cancelled"], delta=0.2, msg=report)
        self.assertAlmostEqual(1, report["efficiency"]["parts_s"]["working"], delta=0.1, msg=report)

    def test_a_slow_input_binds(self):
        rows, path = self.path("rows.jsonl"), self.path("report.json")
        process = self.start("run", *TWO_SLOTS, "--output", rows, "--report", path, "echo", "--sleep", "10ms", "--input", "-",
                             stdin=subprocess.PIPE)

        def write():
            for number in range(40):
                process.stdin.write(b"%d\n" % number)
                process.stdin.flush()
                time.sleep(0.05)
            process.stdin.close()

        writer = threading.Thread(target=write)
        writer.start()
        writer.join()
        process.stdin = None
        code, _, errors = self.finish(process)
        self.assertEqual(0, code, errors)
        with open(path, encoding="utf-8") as file:
            report = json.load(file)
        self.check(report)
        self.assertEqual("input", report["efficiency"]["bound_by"], report)
        self.assertGreater(self.share(report, "input"), 0.6, report)
        self.assertIn("bound by input\n", errors)

    def test_a_run_without_jobs_has_none(self):
        _, _, report, errors = self.run_fantail("echo", "--input", self.lines("none", []))
        self.assertIsNone(report["efficiency"])
        self.assertNotIn("efficiency", errors)


if __name__ == "__main__":
    unittest.main()
