"""Jobs as lines of JSON: groups that are races of their own, priorities, timeouts, single jobs that are cancelled."""
import json
import os
import time
import unittest

import fantail


class JobLines(fantail.SystemTest):
    def write(self, jobs):
        path = self.path("jobs.jsonl")
        with open(path, "w", encoding="utf-8") as file:
            file.writelines((job if isinstance(job, str) else json.dumps(job)) + "\n" for job in jobs)
        return path

    def run_lines(self, jobs, *arguments):
        return self.run_fantail("--input-format", "jsonl", *arguments, self.write(jobs))

    def run_exec(self, jobs, flags, *command):
        code, rows, report, errors = self.run_fantail("--input-format", "jsonl", *flags, "exec", "--input", self.write(jobs), "--", *command)
        self.assert_balanced(report)
        self.assert_each_job_once(rows, len(jobs))
        return code, sorted(rows, key=lambda row: row["job"]), report, errors


class Races(JobLines):
    def test_each_group_has_its_winner(self):
        # In each group one is quick, one fails and the others would take for ever.
        jobs = [{"input": ["sleep 0.01", "exit 1", "sleep 600", "sleep 600", "sleep 600"][(job + group) % 5], "group": f"product {group}"}
                for group in range(100) for job in range(5)]
        started = time.monotonic()
        code, rows, report, errors = self.run_exec(jobs, ("-j", "5", "--first"), "sh", "-c", "{}")
        self.assertEqual((0, "completed"), (code, report["state"]), errors)
        self.assertLess(time.monotonic() - started, 100)
        self.assertEqual((100, 100, []), (report["first"]["groups"], report["first"]["won"], report["first"]["without_winner"]))
        self.assertEqual(100, report["jobs"]["ok"])
        self.assertEqual(400, report["jobs"]["cancelled"] + report["jobs"]["failed"])
        self.assertEqual({f"product {group}" for group in range(100)}, {row["group"] for row in rows if row["status"] == "ok"})
        self.assertTrue(all(row["input"] == jobs[row["job"]]["input"] for row in rows))
        self.assertIn("first: 100 of 100 groups have a winner; ", errors)

    def test_a_hundred_groups_of_five(self):
        jobs = [{"input": "0" if job == 3 else "600", "group": str(group)} for group in range(100) for job in range(5)]
        code, rows, report, errors = self.run_lines(jobs, "-j", "5", "--first", "echo", "--sleep-from")
        self.assertEqual(0, code, errors)
        self.assert_balanced(report)
        self.assertEqual((100, 400), (report["jobs"]["ok"], report["jobs"]["cancelled"]))
        self.assertEqual({str(group) for group in range(100)}, {row["group"] for row in rows if row["status"] == "ok"})

    def test_a_group_without_a_winner_is_a_failure(self):
        jobs = [{"input": "exit 1", "group": "bad"}, {"input": "exit 1", "group": "bad"}, {"input": "true", "group": "good"}]
        code, rows, report, _ = self.run_exec(jobs, ("--first",), "sh", "-c", "{}")
        self.assertEqual((1, "failed", ["bad"]), (code, report["state"], report["first"]["without_winner"]))
        self.assertEqual(["failed", "failed", "ok"], [row["status"] for row in rows])

    def test_winners_survive_the_processes(self):
        jobs = [{"input": "sleep 0.2" if job == 0 else "sleep 600", "group": str(group)} for group in range(10) for job in range(2)]
        arguments = ("run", "-j", "4", "--first", "--input-format", "jsonl", "--report", self.path("report.json"), "exec",
                     "--input", self.write(jobs), "--", "sh", "-c", "echo {} >> " + self.path("done") + "; {}")
        run = self.start(*arguments)
        fantail.wait_until(lambda: os.path.exists(self.path("done")), 20, "jobs start")
        run.kill()
        run.wait()
        run = self.start(arguments[0], "--resume", *arguments[1:])
        code, _, errors = self.finish(run)
        self.assertEqual(0, code, errors)
        with open(self.path("report.json"), encoding="utf-8") as file:
            report = json.load(file)
        self.assert_balanced(report)
        self.assertEqual((10, 10, 10), (report["first"]["won"], report["jobs"]["ok"], report["jobs"]["cancelled"]))


class EachJob(JobLines):
    def test_higher_priorities_go_first(self):
        priorities = [0, 5, -1, 5, 0, 9]
        jobs = [{"input": f"job {index}", "priority": priority} for index, priority in enumerate(priorities)]
        code, _, _, errors = self.run_exec(jobs, ("-j", "1", "--max-running", "1"), "sh", "-c", f"echo {{}} >> {self.path('order')}")
        self.assertEqual(0, code, errors)
        with open(self.path("order"), encoding="utf-8") as file:
            order = [int(line.split()[1]) for line in file]
        # Jobs go out while the input is still read: what comes first may have started before the rest was known.
        rest = [index for index in (5, 1, 3, 0, 4, 2) if index != order[0]]
        self.assertIn(order, ([order[0]] + rest, [5, 1, 3, 0, 4, 2]))

    def test_a_job_may_have_a_timeout_of_its_own(self):
        jobs = [{"input": "sleep 600", "timeout": "200ms"}, {"input": "sleep 600", "timeout": 0.2}, {"input": "sleep 0.5"}]
        code, rows, _, _ = self.run_exec(jobs, ("-j", "3"), "sh", "-c", "{}")
        self.assertEqual(1, code)
        self.assertEqual(["timeout", "timeout", None], [row["error"] and row["error"]["code"] for row in rows])

    def test_a_line_that_is_no_job_fails(self):
        jobs = ["no JSON", {"group": "x"}, {"input": "a", "priority": "high"}, {"input": "a", "speed": 1}, {"input": {"a": [1, 2]}}, "[" * 100000]
        code, rows, report, _ = self.run_exec(jobs, (), "echo", "{}")
        self.assertEqual((1, 1), (code, report["jobs"]["ok"]))
        self.assertEqual(["invalid_input"] * 4 + ["invalid_input"], [row["error"]["code"] for row in rows if row["error"]])
        self.assertIn("no JSON object with an input", rows[0]["error"]["message"])
        self.assertIn("write a whole number", rows[2]["error"]["message"])
        self.assertIn('a job has no "speed"', rows[3]["error"]["message"])
        self.assertEqual('{"a":[1,2]}\n', rows[4]["stdout"])

    def test_urls_too(self):
        server = fantail.WebServer(self, lambda path: fantail.page())
        jobs = [{"input": f"{server.url}/{index}", "group": "g"} for index in range(20)] + ["nonsense"]
        code, rows, report, errors = self.run_lines(jobs, "urls", "--input")
        self.assertEqual((1, 20), (code, report["jobs"]["ok"]), errors)
        self.assertEqual({f"{server.url}/{index}" for index in range(20)}, {row["input"] for row in rows if row["status"] == "ok"})
        self.assertEqual({"g"}, {row["group"] for row in rows if row["status"] == "ok"})

    def test_what_has_no_lines_is_refused(self):
        code, _, errors = self.finish(self.start("run", "--input-format", "jsonl", "echo", "--count", "3"))
        self.assertEqual(2, code)
        self.assertIn("needs jobs as lines of JSON", errors)

    def test_rows_are_read_back(self):
        code, rows, report, _ = self.run_exec([{"input": "a", "group": "x"}, {"input": "b"}], (), "echo", "{}")
        self.assertEqual(0, code)
        code, output, errors = self.finish(self.start("results", report["run_id"]))
        self.assertEqual(0, code, errors)
        back = sorted((json.loads(line) for line in output.splitlines()), key=lambda row: row["job"])
        self.assertEqual([("a", "x"), ("b", None)], [(row["input"], row["group"]) for row in back])
        self.assertEqual(0, self.finish(self.start("verify", report["run_id"]))[0])


class CancelJob(fantail.SystemTest):
    def test_one_job_is_stopped_and_the_run_goes_on(self):
        marks = self.path("marks")
        run = self.start("run", "-j", "2", "--output", self.path("rows.jsonl"), "--report", self.path("report.json"), "exec", "--", "sh", "-c",
                         f"echo {{}} >> {marks}; sleep {{}}", ":::", "600", "1", "600", "0")
        fantail.wait_until(lambda: os.path.exists(marks), 20, "jobs start")
        code, output, errors = self.finish(self.start("cancel", "--job", "0", "--job", "2"))
        self.assertEqual(0, code, errors)
        self.assertIn(b"2 jobs have ended", output)
        code, _, errors = self.finish(run, 20)
        with open(self.path("report.json"), encoding="utf-8") as file:
            report = json.load(file)
        self.assertEqual((2, 2), (report["jobs"]["ok"], report["jobs"]["cancelled"]), errors)
        self.assert_balanced(report)
        rows = fantail.read_rows(self.path("rows.jsonl"))
        self.assertEqual({0, 2}, {row["job"] for row in rows if row["status"] == "cancelled"})

    def test_a_job_that_is_not_there(self):
        run = self.start("run", "-j", "1", "exec", "--", "sleep", "{}", ":::", "600")
        self.addCleanup(self.stop, run)
        fantail.wait_until(lambda: self.finish(self.start("cancel", "--job", "99"))[2].find("it has no such job") >= 0, 20, "the answer")
        self.assertEqual(0, self.finish(self.start("cancel", "--job", "0"))[0])
        self.finish(run, 20)


if __name__ == "__main__":
    unittest.main()
