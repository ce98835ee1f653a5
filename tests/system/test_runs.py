"""What was run is read back: runs, results, verify; and what failed runs again."""
import glob
import hashlib
import json
import os
import signal
import sqlite3
import subprocess
import unittest

import fantail


class ReadBack(fantail.SystemTest):
    def fantail(self, *arguments, environment=None):
        """(exit code, stdout, stderr) of a command that ends by itself."""
        code, output, errors = self.finish(self.start(*arguments, environment=environment))
        return code, output.decode("utf-8"), errors

    def write_lines(self, name, lines):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write("".join(f"{line}\n" for line in lines))
        return self.path(name)

    def files_with_failures(self, names, missing):
        """A list of files, of which some are missing: the command that reads them."""
        for name in names:
            if name not in missing:
                self.write_lines(name, [name])
        return ("files", "--input", self.write_lines("list", [self.path(name) for name in names]))

    def jobs(self, *arguments):
        code, output, errors = self.fantail("results", *arguments)
        self.assertEqual(0, code, errors)
        return [json.loads(line) for line in output.splitlines()]

    def runs(self, *arguments):
        code, output, errors = self.fantail("runs", *arguments)
        self.assertEqual(0, code, errors)
        return [json.loads(line) for line in output.splitlines()]

    def ledgers(self):
        return sorted(glob.glob(self.path("state/fantail/sink/runs/*/ledger.db")))

    def content(self):
        """Of the ledgers and their logs; SQLite's index of a log is not part of them."""
        digest = {}
        for path in self.ledgers():
            for name in (path, path + "-wal"):
                if os.path.exists(name) and os.path.getsize(name) > 0:
                    with open(name, "rb") as file:
                        digest[name] = hashlib.sha256(file.read()).hexdigest()
        return digest

    def rows_reach(self, name, count):
        def enough():
            if not os.path.exists(self.path(name)):
                return False
            with open(self.path(name), "rb") as file:
                return file.read().count(b"\n") >= count

        fantail.wait_until(enough, 60, f"{count} rows")

    def killed_run(self, *kind, jobs=200):
        """A run of which everything was killed after some rows."""
        run = self.start("run", "-j", "2", "--output", self.path("killed.jsonl"), *kind)
        self.rows_reach("killed.jsonl", jobs)
        self.stop(run)
        os.remove(self.path("killed.jsonl"))

    def nobody_works(self):
        fantail.wait_until(lambda: all(run["state"] != "running" for run in self.runs()), 20, "everybody left")


class Runs(ReadBack):
    def test_files_named_after_the_run(self):
        """By the ventilator's choice of the run, and by fantail run's."""
        names = (self.path("rows-{run}.jsonl"), self.path("report-{run}.json"))
        sink = self.start("sink", "--bind", f"ipc://{self.path('sink')}", "--output", names[0], "--report", names[1])
        self.start("worker", "--ventilator", f"ipc://{self.path('ventilator')}")
        ventilator = self.start("ventilator", "--bind", f"ipc://{self.path('ventilator')}", "--sink",
                                f"ipc://{self.path('sink')}", "echo", "--count", "30")
        self.assertEqual(0, self.finish(ventilator)[0])
        self.assertEqual(0, self.finish(sink)[0])
        code, _, errors = self.fantail("run", "--output", names[0], "--report", names[1], "echo", "--count", "20")
        self.assertEqual(0, code, errors)
        submitted = []
        for path in sorted(glob.glob(self.path("report-*.json"))):
            with open(path, encoding="utf-8") as file:
                report = json.load(file)
            self.assertEqual(path, names[1].replace("{run}", report["run_id"]))
            submitted.append(report["jobs"]["submitted"])
            self.assert_each_job_once(fantail.read_rows(names[0].replace("{run}", report["run_id"])), submitted[-1])
        self.assertEqual([30, 20], submitted)

    def test_without_runs(self):
        code, output, errors = self.fantail("runs")
        self.assertEqual((0, ""), (code, output))
        self.assertIn("there are no runs", errors)
        for command in ("results", "verify"):
            code, output, errors = self.fantail(command)
            self.assertEqual((2, ""), (code, output))
            self.assertIn("there are no runs", errors)
        self.assertFalse(os.path.exists(self.path("state")), "looking makes nothing")

    def test_rows_are_read_back_as_they_were_written(self):
        self.files_with_failures(["a", "b", "ü"], ["b"])
        command = ("files", self.path("ü"), self.path("b"), self.path("a"))
        for output_format in ("jsonl", "csv"):
            rows = self.path("rows")
            code, _, errors = self.fantail("run", "-k", "--format", output_format, "--output", rows, *command)
            self.assertEqual(1, code, errors)
            code, output, errors = self.fantail("results", "-k", "--format", output_format)
            self.assertEqual((0, ""), (code, errors))
            with open(rows, encoding="utf-8") as file:
                self.assertEqual(file.read(), output)
            self.assertEqual(0, self.fantail("results", "--format", output_format, "--output", self.path("again"))[0])
            with open(self.path("again"), encoding="utf-8") as file:
                self.assertEqual(output, file.read())
        self.assertEqual([1], [row["job"] for row in self.jobs("--status", "failed")])
        self.assertEqual([0, 2], [row["job"] for row in self.jobs("--status", "ok")])
        self.assertEqual([], self.jobs("--status", "expired"))
        self.assertEqual(2, self.fantail("results", "--status", "lost")[0])

    def test_the_runs_newest_first(self):
        self.fantail("run", "echo", "--count", "3")
        self.fantail("run", "files", self.path("missing"))
        self.fantail("run", "--deadline", "200ms", "echo", "--count", "4", "--sleep", "10s")
        runs = self.runs()
        self.assertEqual(["echo", "files", "echo"], [run["kind"] for run in runs])
        self.assertEqual(["timed_out", "completed", "completed"], [run["state"] for run in runs])
        self.assertEqual({"submitted": 1, "done": 1, "ok": 0, "failed": 1, "cancelled": 0, "expired": 0}, runs[1]["jobs"])
        self.assertEqual("echo --count=3", runs[2]["command"])
        self.assertEqual(sorted((run["run_id"] for run in runs), reverse=True), [run["run_id"] for run in runs])
        code, output, _ = self.fantail("runs", "--format", "table", environment=dict(self.environment, LC_ALL="C"))
        lines = output.splitlines()
        self.assertEqual(0, code)
        self.assertEqual(4, len(lines))
        self.assertTrue(output.isascii())
        self.assertEqual(["RUN", "BEGAN", "KIND", "STATE", "DONE", "FAILED", "COMMAND"], lines[0].split())
        self.assertIn("timed out", lines[1])
        self.assertTrue(lines[2].startswith(runs[1]["run_id"]))
        # The beginning of an id is enough where it is the only one, also in small letters.
        self.assertEqual(3, len(self.jobs(runs[2]["run_id"].lower())))
        for command in ("results", "verify"):
            code, _, errors = self.fantail(command, "0")
            self.assertEqual(2, code)
            self.assertIn("3 runs begin with 0", errors)
            code, _, errors = self.fantail(command, "7ZZZ")
            self.assertEqual(2, code)
            self.assertIn("`fantail runs`", errors)

    def test_the_state_directories_of_run_and_of_the_sink(self):
        self.fantail("run", "--state-dir", self.path("here"), "echo", "--count", "3")
        for folder in (self.path("here"), self.path("here/sink")):
            self.assertEqual(1, len(self.runs("--state-dir", folder)))
            self.assertEqual(3, len(self.jobs("--state-dir", folder)))
        self.assertEqual(0, self.fantail("verify", "--state-dir", self.path("here"))[0])
        self.assertEqual([], self.runs())

    def test_the_table(self):
        command = self.files_with_failures([f"file{index:02}" for index in range(50)], ["file07"])
        self.fantail("run", *command)
        code, output, _ = self.fantail("results", "--format", "table")
        self.assertEqual(0, code)
        self.assertIn("not_found", output.splitlines()[0])
        self.assertEqual(40 + 3, len(output.splitlines()))
        self.assertIn("50 files: 49 ok, 1 failed", output.splitlines()[-2])
        self.assertEqual(50 + 2, len(self.fantail("results", "--format", "table", "--all")[1].splitlines()))
        self.assertEqual(1, len(self.fantail("results", "--format", "table", "--status", "failed")[1].splitlines()))
        self.assertEqual(2, self.fantail("results", "--format", "table", "--output", self.path("rows"))[0])

    def test_rows_that_were_not_kept(self):
        command = self.files_with_failures(["a", "b", "c"], ["b"])
        for keep, kept, absent in (("failures", [1], "2 rows were not kept"), ("summary", [], "3 rows were not kept")):
            self.fantail("run", "--keep", keep, *command)
            code, output, errors = self.fantail("results")
            self.assertEqual(0, code)
            self.assertEqual(kept, [json.loads(line)["job"] for line in output.splitlines()])
            self.assertIn(f"{absent} (--keep {keep})", errors)
        self.assertIn("1 row was not kept", self.fantail("results", "--status", "failed")[2])
        self.assertEqual("", self.fantail("results", "--status", "expired")[2])
        code, output, _ = self.fantail("verify")
        self.assertEqual(0, code)
        self.assertIn("not every row was kept", output)

    def test_a_run_that_goes_on(self):
        run = self.start("run", "-j", "2", "--output", self.path("rows"), "echo", "--count", "1000000", "--sleep", "1ms")
        fantail.wait_until(lambda: [each for each in self.runs() if each["jobs"]["done"] > 50], 60, "some are done")
        self.assertEqual("running", self.runs()[0]["state"])
        code, output, errors = self.fantail("results")
        self.assertEqual(0, code)
        jobs = [json.loads(line)["job"] for line in output.splitlines()]
        self.assertEqual(sorted(set(jobs)), jobs)
        self.assertGreater(len(jobs), 50)
        self.assertIn("is running", errors)
        self.assertEqual(0, self.fantail("verify")[0])
        self.assertIsNone(run.poll(), "looking does not disturb it")
        run.send_signal(signal.SIGINT)
        self.assertEqual(130, self.finish(run)[0])
        self.assertEqual("cancelled", self.runs()[0]["state"])
        self.assertIn("have no row each", self.fantail("results")[2])

    def test_looking_changes_nothing(self):
        self.fantail("run", "echo", "--count", "10")
        self.killed_run("echo", "--count", "5000", "--sleep", "2ms")
        self.nobody_works()
        self.assertEqual(["unfinished", "completed"], [run["state"] for run in self.runs()])
        before = self.content()
        self.assertEqual(3, len(before), "the log of a killed sink is there")
        for arguments in (("runs",), ("results",), ("verify",), ("results", self.runs()[1]["run_id"])):
            self.assertEqual(0, self.fantail(*arguments)[0], arguments)
        self.assertEqual(before, self.content())
        finished = os.path.dirname(self.ledgers()[0])
        self.assertEqual(["finished", "ledger.db", "lock"], sorted(os.listdir(finished)))
        code, _, errors = self.fantail("run", "--resume", "echo", "--count", "5000", "--sleep", "2ms")
        self.assertEqual(0, code, errors)
        self.assertEqual(5000, len(self.jobs()))

    def test_a_reader_that_leaves_early(self):
        self.fantail("run", "echo", "--count", "50000", "--payload", "100")
        process = subprocess.Popen([fantail.FANTAIL, "results"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   env=self.environment)
        self.assertEqual(0, json.loads(process.stdout.readline())["job"])
        process.stdout.close()
        self.assertEqual(b"", process.stderr.read())
        process.stderr.close()
        self.assertEqual(-signal.SIGPIPE, process.wait())

    def test_verify_finds_damage(self):
        self.fantail("run", "echo", "--count", "20")
        code, output, _ = self.fantail("verify")
        self.assertEqual(0, code)
        self.assertIn("is sound: 20 jobs", output)
        connection = sqlite3.connect(self.ledgers()[0])
        connection.execute("UPDATE outcomes SET duration_us = duration_us + 1 WHERE job = 7")
        connection.commit()
        connection.close()
        code, output, _ = self.fantail("verify")
        self.assertEqual(1, code)
        self.assertEqual(2, len(output.splitlines()))
        self.assertIn("was changed", output)
        self.assertIn("is not sound", output)
        connection = sqlite3.connect(self.ledgers()[0])
        connection.execute("UPDATE books SET ok = ok + 1")
        connection.commit()
        connection.close()
        self.assertEqual(1, self.fantail("verify")[0])
        with open(self.ledgers()[0], "wb") as file:
            file.write(b"no ledger at all" * 1000)
        code, output, _ = self.fantail("verify")
        self.assertEqual(1, code)
        self.assertIn("is not sound", output)
        code, output, errors = self.fantail("runs")
        self.assertEqual(0, code)
        self.assertEqual("unreadable", json.loads(output)["state"])
        self.assertIn("ledger.db", errors)
        os.remove(self.ledgers()[0])
        os.mkdir(os.path.join(glob.glob(self.path("state/fantail/sink/runs/*"))[0], "ledger.db"))
        self.assertEqual(3, self.fantail("verify")[0])


class Retries(ReadBack):
    def retry(self, *arguments):
        """(exit code, rows, stderr) of a run with rows in a file."""
        rows = self.path("retried.jsonl")
        if os.path.exists(rows):
            os.remove(rows)
        code, _, errors = self.fantail("run", "-k", "--output", rows, *arguments)
        return code, fantail.read_rows(rows) if os.path.exists(rows) else None, errors

    def test_only_what_is_not_ok_runs_again(self):
        names = [f"file{index:03}" for index in range(300)]
        missing = [names[index] for index in (0, 17, 18, 299)]
        command = self.files_with_failures(names, missing)
        self.assertEqual(1, self.fantail("run", *command)[0])
        self.write_lines(names[17], ["it came"])
        # The list is no longer what it was: the inputs are those of the run.
        self.write_lines("list", [])
        code, rows, errors = self.retry("--retry-failed", *command)
        self.assertEqual(1, code, errors)
        self.assertRegex(errors, r"retrying 4 of 300 jobs of run [0-9A-Z]{26}")
        self.assertEqual([self.path(name) for name in missing], [row["input"] for row in rows])
        self.assertEqual([0, 1, 2, 3], [row["job"] for row in rows])
        self.assertEqual(["failed", "ok", "failed", "failed"], [row["status"] for row in rows])
        self.assertIn("--retry-failed=", self.runs()[0]["command"])
        # The next one goes on with what the last one left.
        for name in missing:
            self.write_lines(name, ["it came"])
        code, rows, errors = self.retry("--retry-failed", *command)
        self.assertEqual(0, code, errors)
        self.assertIn("retrying 3 of 4 jobs", errors)
        code, rows, errors = self.retry("--retry-failed", *command)
        self.assertEqual((0, None), (code, rows))
        self.assertIn("nothing to retry: 3 jobs", errors)
        # Any finished run can be named, also with other flags.
        first = self.runs()[-1]["run_id"]
        code, rows, errors = self.retry(f"--retry-failed={first}", *command, "--hash", "md5")
        self.assertEqual(0, code, errors)
        self.assertEqual(["md5"] * 4, [row["hash_algorithm"] for row in rows])

    def test_jobs_without_rows_run_again(self):
        kind = ("echo", "--count", "150000", "--sleep", "1ms")
        # One slot: what is ok is then a number of the first ones.
        self.assertEqual(4, self.fantail("run", "-j", "1", "--deadline", "500ms", *kind)[0])
        jobs = self.runs()[0]["jobs"]
        self.assertGreater(jobs["expired"], 100000)
        run = self.start("run", "-j", "2", "--retry-failed=" + self.runs()[0]["run_id"], *kind)
        fantail.wait_until(lambda: len(self.runs()) == 2 and self.runs()[0]["jobs"]["ok"] > 10, 60, "it runs")
        run.send_signal(signal.SIGINT)
        _, _, errors = self.finish(run)
        self.assertIn(f"retrying {jobs['expired']:,} of 150,000 jobs", errors)
        self.assertEqual(jobs["expired"], self.runs()[0]["jobs"]["submitted"])
        self.assertEqual(str(jobs["ok"]), self.jobs()[0]["input"])

    def test_a_retry_and_its_command_are_resumed_each_on_its_own(self):
        inputs = self.write_lines("inputs", [0.002] * 1500)
        kind = ("echo", "--sleep-from", inputs)
        self.assertEqual(4, self.fantail("run", "-j", "2", "--deadline", "300ms", *kind)[0])
        old = self.runs()[0]["run_id"]
        left = self.runs()[0]["jobs"]["expired"]
        self.killed_run(f"--retry-failed={old}", *kind)
        self.nobody_works()
        code, _, errors = self.fantail("run", "--resume", *kind)
        self.assertEqual(2, code)
        self.assertIn("no unfinished run of this command", errors)
        retried = self.runs()[0]["run_id"]
        code, _, errors = self.fantail("run", f"--resume={retried}", *kind)
        self.assertEqual(2, code)
        self.assertIn("belongs to another command", errors)
        code, _, errors = self.fantail("run", "--resume", f"--retry-failed={old}", *kind)
        self.assertEqual(2, code)
        # It has its inputs, whatever became of the old run.
        subprocess.run(["rm", "-rf", self.path(f"state/fantail/ventilator/runs/{old}")], check=True)
        code, _, errors = self.fantail("run", "--resume", "--retry-failed", *kind)
        self.assertEqual(0, code, errors)
        self.assertEqual(retried, self.runs()[0]["run_id"])
        self.assertEqual(left, self.runs()[0]["jobs"]["ok"])
        self.assertEqual(list(range(left)), [row["job"] for row in self.jobs()])
        # And the other way round: a plain run is not resumed as a retry.
        self.killed_run(*kind)
        self.nobody_works()
        code, _, errors = self.fantail("run", "--resume", "--retry-failed", *kind)
        self.assertEqual(2, code)
        self.assertIn("no unfinished run of this command", errors)
        unfinished = self.runs()[0]["run_id"]
        code, _, errors = self.fantail("run", f"--retry-failed={unfinished}", *kind)
        self.assertEqual(2, code)
        self.assertIn(f"--resume={unfinished}", errors)
        self.assertEqual(0, self.fantail("run", "--resume", *kind)[0])
        self.assertEqual(1500, self.runs()[0]["jobs"]["ok"])

    def test_children_of_a_retry_are_started_again(self):
        inputs = self.write_lines("inputs", [0.002] * 1500)
        kind = ("echo", "--sleep-from", inputs)
        self.assertEqual(4, self.fantail("run", "-j", "2", "--deadline", "300ms", *kind)[0])
        old, left = self.runs()[0]["run_id"], self.runs()[0]["jobs"]["expired"]
        os.remove(inputs)
        self.write_lines("inputs", ["5"])
        rows = self.path("rows.jsonl")
        run = self.start("run", "-j", "2", "--output", rows, f"--retry-failed={old}", *kind)
        self.rows_reach("rows.jsonl", 100)
        with open(f"/proc/{run.pid}/task/{run.pid}/children", encoding="ascii") as file:
            for pid in file.read().split():
                with open(f"/proc/{pid}/cmdline", "rb") as command:
                    if command.read().startswith(b"fantail-ventilator"):
                        os.kill(int(pid), signal.SIGKILL)
        code, _, errors = self.finish(run)
        self.assertEqual(0, code, errors)
        self.assertIn("a ventilator died", errors)
        self.assert_each_job_once(fantail.read_rows(rows), left)

    def test_what_cannot_be_retried(self):
        kind = ("echo", "--count", "3")
        code, _, errors = self.fantail("run", "--retry-failed", *kind)
        self.assertEqual(2, code)
        self.assertIn("no finished run of this command", errors)
        self.fantail("run", "--deadline", "200ms", *kind, "--sleep", "5s")
        old = self.runs()[0]["run_id"]
        code, _, errors = self.fantail("run", "--retry-failed", *kind)
        self.assertEqual(2, code, "other flags are another command")
        code, _, errors = self.fantail("run", f"--retry-failed={old}", "files", self.path("x"))
        self.assertEqual(3, code)
        self.assertIn("another kind of jobs", errors)
        code, _, errors = self.fantail("run", "--retry-failed=7ZZZ", *kind)
        self.assertEqual(2, code)
        self.assertIn("there is no run 7ZZZ", errors)
        runs = self.path("state/fantail/ventilator/runs/")
        os.rename(runs + old, runs + "away")
        code, _, errors = self.fantail("run", f"--retry-failed={old}", *kind)
        self.assertEqual(2, code)
        self.assertIn("run its command anew", errors)
        os.rename(runs + "away", runs + old)
        os.remove(self.ledgers()[0])
        code, _, errors = self.fantail("run", f"--retry-failed={old}", *kind)
        self.assertEqual(2, code)
        self.assertIn("no longer kept", errors)


if __name__ == "__main__":
    unittest.main()
