"""Processes that are killed, suspended or out of space: the run goes on with the same command, and nothing is lost."""
import contextlib
import glob
import json
import os
import signal
import sqlite3
import time
import unittest

import fantail


class Recovery(fantail.SystemTest):
    def setUp(self):
        super().setUp()
        self.sink_port = fantail.free_port_pair()
        self.ventilator_port = fantail.free_port()

    def command(self, role, *arguments):
        if role == "sink":
            return ("sink", "--bind", f"tcp://127.0.0.1:{self.sink_port}", "--output", self.path("rows.jsonl"),
                    "--report", self.path("report.json"), *arguments)
        if role == "ventilator":
            return ("ventilator", "--bind", f"tcp://127.0.0.1:{self.ventilator_port}", "--worker-ports", "0",
                    "--sink", f"tcp://127.0.0.1:{self.sink_port}", *arguments)
        return ("worker", "--ventilator", f"tcp://127.0.0.1:{self.ventilator_port}", *arguments)

    def report(self):
        with open(self.path("report.json"), encoding="utf-8") as file:
            return json.load(file)

    def lines(self):
        if not os.path.exists(self.path("rows.jsonl")):
            return 0
        with open(self.path("rows.jsonl"), "rb") as file:
            return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))

    def rows_reach(self, count, seconds=60):
        fantail.wait_until(lambda: self.lines() >= count, seconds, f"{count} rows")

    def undisturbed_digest(self, *kind):
        report = self.path("undisturbed.json")
        process = self.start("run", "--report", report, "--output", self.path("undisturbed.jsonl"),
                             "--state-dir", self.path("undisturbed"), *kind)
        self.assertEqual(0, self.finish(process)[0])
        with open(report, encoding="utf-8") as file:
            return json.load(file)["digest"]

    def kill(self, process):
        process.kill()
        process.wait()

    def start_and_kill_two(self, count, sink_command, ventilator_command, worker_command):
        """Two workers, and a sink and a ventilator that were killed in turn: those that took their places."""
        sink, ventilator = self.start(*sink_command), self.start(*ventilator_command)
        workers = [self.start(*worker_command) for _ in range(2)]
        self.rows_reach(count // 10)
        self.kill(sink)
        sink = self.start(*sink_command)
        self.rows_reach(count * 2 // 10)
        self.kill(ventilator)
        return sink, self.start(*ventilator_command), workers

    def test_each_process_killed_in_mid_run(self):
        count = 100_000
        sink_command = self.command("sink")
        ventilator_command = self.command("ventilator", "--max-deaths", "0", "echo", "--count", str(count))
        worker_command = self.command("worker", "--slots", "4", "--slowdown", "100")
        sink, ventilator, workers = self.start_and_kill_two(count, sink_command, ventilator_command, worker_command)
        self.rows_reach(count * 3 // 10)
        for worker in workers:
            self.kill(worker)
        workers = [self.start(*worker_command) for _ in range(2)]
        self.assertEqual(0, self.finish(ventilator)[0])
        code, _, errors = self.finish(sink)
        self.assertEqual(0, code, errors)
        self.assertIn("goes on", errors)
        self.assert_balanced(self.report())
        self.assertEqual(count, self.report()["jobs"]["ok"])
        self.assert_each_job_once(fantail.read_rows(self.path("rows.jsonl")), count)
        self.assertEqual(self.undisturbed_digest("echo", "--count", str(count)), self.report()["digest"])

    def test_only_what_killed_workers_held_runs_again(self):
        count, slots = 30_000, 2
        folder, function = self.path("executions"), self.path("function.py")
        os.makedirs(folder)
        with open(function, "w", encoding="ascii") as file:
            file.write(f"import os, sys\nlog = open(f'{folder}/{{os.getpid()}}', 'a', buffering=1)\n"
                       "for line in sys.stdin:\n    log.write(line)\n    print(line.strip(), flush=True)\n")

        def executed():
            lines = []
            for path in glob.glob(os.path.join(folder, "*")):
                with open(path, encoding="ascii") as file:
                    lines += file.read().splitlines()
            return len(lines), len(set(lines))

        sink_command = self.command("sink")
        ventilator_command = self.command("ventilator", "--max-deaths", "0", "map", "--count", str(count), "--", "python3", function)
        worker_command = self.command("worker", "--slots", str(slots), "--kinds", "map")
        sink, ventilator, workers = self.start_and_kill_two(count, sink_command, ventilator_command, worker_command)
        self.rows_reach(count * 4 // 10)
        for process in workers:
            process.send_signal(signal.SIGSTOP)
        durable = self.lines()
        for process in workers:
            self.kill(process)
        executions, different = executed()
        self.assertEqual(different, executions, "what finished runs once, whoever else dies")
        for _ in range(2):
            self.start(*worker_command)
        self.assertEqual(0, self.finish(ventilator)[0])
        code, _, errors = self.finish(sink)
        self.assertEqual(0, code, errors)
        self.assert_balanced(self.report())
        again, different = executed()
        again -= different
        self.assertEqual(count, different)
        print(f"{again} jobs ran again", flush=True)
        # And what a function began as its worker died.
        self.assertLessEqual(again, executions - durable + 2 * slots)

    def test_all_killed_at_once(self):
        count = 3000
        commands = [self.command("sink"), self.command("ventilator", "echo", "--count", str(count), "--sleep", "2ms"),
                    self.command("worker", "--slots", "4")]
        processes = [self.start(*command) for command in commands]
        self.rows_reach(count // 3)
        for process in processes:
            self.kill(process)
        sink, ventilator, _ = [self.start(*command) for command in commands]
        self.assertEqual(0, self.finish(ventilator)[0])
        self.assertEqual(0, self.finish(sink)[0])
        self.assert_balanced(self.report())
        self.assert_each_job_once(fantail.read_rows(self.path("rows.jsonl")), count)

    def test_summary_only_goes_on_as_well(self):
        count = 3000
        sink_command = self.command("sink", "--keep", "summary")
        sink = self.start(*sink_command)
        ventilator = self.start(*self.command("ventilator", "echo", "--count", str(count), "--sleep", "2ms"))
        self.start(*self.command("worker", "--slots", "4"))
        self.rows_reach(count // 3)
        self.kill(sink)
        sink = self.start(*sink_command)
        self.assertEqual(0, self.finish(ventilator)[0])
        self.assertEqual(0, self.finish(sink)[0])
        self.assert_each_job_once(fantail.read_rows(self.path("rows.jsonl")), count)
        self.assertEqual(self.undisturbed_digest("echo", "--count", str(count), "--sleep", "2ms"),
                         self.report()["digest"])

    def test_rows_in_order_go_on_in_order(self):
        count = 2000
        for output_format in ("jsonl", "csv"):
            sink_command = self.command("sink", "--keep-order", "--format", output_format)
            sink = self.start(*sink_command)
            ventilator = self.start(*self.command("ventilator", "echo", "--count", str(count), "--sleep", "2ms"))
            self.start(*self.command("worker", "--slots", "8"))
            self.rows_reach(count // 3)
            self.kill(sink)
            sink = self.start(*sink_command)
            self.assertEqual(0, self.finish(ventilator)[0])
            self.assertEqual(0, self.finish(sink)[0])
            if output_format == "jsonl":
                jobs = [row["job"] for row in fantail.read_rows(self.path("rows.jsonl"))]
            else:
                with open(self.path("rows.jsonl"), encoding="utf-8") as file:
                    self.assertTrue(next(file).startswith("job,"))
                    jobs = [int(line.split(",")[0]) for line in file]
            self.assertEqual(list(range(count)), jobs)

    def test_rows_in_order_that_memory_does_not_hold_are_read_back(self):
        """One worker's jobs outlast all others, whose rows are more than 64 MiB."""
        count = 50_000
        sink = self.start(*self.command("sink", "--keep-order"))
        ventilator = self.start(*self.command("ventilator", "--heartbeat", "20s", "echo", "--count", str(count),
                                              "--payload", "1000", "--sleep", "1ms"))
        slow = self.start(*self.command("worker", "--slots", "1"))
        self.rows_reach(1)
        slow.send_signal(signal.SIGSTOP)
        self.start(*self.command("worker", "--slots", "32"))

        def nearly_all_done():
            ledger, = glob.glob(self.path("state/fantail/sink/runs/*/ledger.db"))
            with contextlib.closing(sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)) as database:
                return database.execute("SELECT ok FROM books").fetchone()[0] > count * 99 // 100

        fantail.wait_until(nearly_all_done, 120, "all but one worker's jobs are done")
        self.assertLess(self.lines(), count // 2)
        slow.send_signal(signal.SIGCONT)
        self.assertEqual(0, self.finish(ventilator)[0])
        self.assertEqual(0, self.finish(sink)[0])
        code, rows, errors = self.finish(self.start("results", "--format", "jsonl"))
        self.assertEqual(0, code, errors)
        with open(self.path("rows.jsonl"), "rb") as file:
            self.assertTrue(file.read() == rows, "the rows are not those of the ledger in order")
        self.assertEqual(count, rows.count(b"\n"))
        self.assertGreater(len(rows), 64 << 20)

    def test_a_killed_workers_jobs_run_elsewhere_soon(self):
        # Sooner than silence alone tells: its connection drops.
        for heartbeat, limit in (("1s", 2.5), ("250ms", 1)):
            sink = self.start(*self.command("sink"))
            ventilator = self.start(*self.command("ventilator", "--heartbeat", heartbeat, "echo", "--count", "1000",
                                                  "--sleep", "20ms"))
            first = self.start(*self.command("worker", "--slots", "2"))
            self.start(*self.command("worker", "--slots", "2"))
            self.rows_reach(100)
            self.kill(first)
            killed = time.monotonic()

            def tried_again():
                with open(self.path("rows.jsonl"), encoding="utf-8") as file:
                    return any('"attempt":2' in line for line in file)

            fantail.wait_until(tried_again, 10, "its jobs run elsewhere")
            self.assertLess(time.monotonic() - killed, limit)
            self.assertEqual(0, self.finish(ventilator)[0])
            self.assertEqual(0, self.finish(sink)[0])
            self.assert_each_job_once(fantail.read_rows(self.path("rows.jsonl")), 1000)

    def test_a_suspended_ventilator_and_sink_go_on(self):
        count = 2000
        sink_command = self.command("sink")
        ventilator_command = self.command("ventilator", "echo", "--count", str(count), "--sleep", "2ms")
        sink, ventilator = self.start(*sink_command), self.start(*ventilator_command)
        self.start(*self.command("worker", "--slots", "4"))
        self.rows_reach(count // 4)
        ventilator.send_signal(signal.SIGTERM)
        self.assertEqual(143, self.finish(ventilator, 10)[0])
        sink.send_signal(signal.SIGTERM)
        self.assertEqual(143, self.finish(sink, 10)[0])
        self.assertFalse(os.path.exists(self.path("report.json")), "nothing has ended")
        sink, ventilator = self.start(*sink_command), self.start(*ventilator_command)
        self.assertEqual(0, self.finish(ventilator)[0])
        self.assertEqual(0, self.finish(sink)[0])
        self.assert_balanced(self.report())
        self.assertEqual(count, self.report()["jobs"]["ok"])

    def wait_for_words(self, process, words):
        for line in process.stderr:
            if words in line.decode("utf-8", "replace"):
                return
        self.fail(f"it ended without saying: {words}")

    def test_an_interrupt_that_nobody_heard_of_is_not_forgotten(self):
        commands = [self.command("sink"), self.command("ventilator", "echo", "--count", "500", "--sleep", "50ms")]
        sink, ventilator = [self.start(*command) for command in commands]
        self.start(*self.command("worker", "--slots", "2"))
        self.rows_reach(5)
        sink.send_signal(signal.SIGSTOP)
        ventilator.send_signal(signal.SIGINT)
        self.wait_for_words(ventilator, "interrupted")
        self.kill(ventilator)
        self.kill(sink)
        sink, ventilator = [self.start(*command) for command in commands]
        code, _, errors = self.finish(ventilator)
        self.assertEqual(130, code, errors)
        self.assertIn("stopped before", errors)
        self.assertEqual(130, self.finish(sink)[0])
        report = self.report()
        self.assertEqual("cancelled", report["state"])
        self.assert_balanced(report)
        self.assertGreater(report["jobs"]["cancelled"], 100)
        self.assert_each_job_once(fantail.read_rows(self.path("rows.jsonl")), 500)

    def test_an_interrupt_before_there_is_a_sink_ends_nothing_but_the_wait(self):
        command = self.command("ventilator", "echo", "--count", "5")
        ventilator = self.start(*command)
        self.wait_for_words(ventilator, "listening")
        ventilator.send_signal(signal.SIGINT)
        self.assertEqual(130, self.finish(ventilator)[0])
        sink, ventilator = self.start(*self.command("sink")), self.start(*command)
        self.start(*self.command("worker"))
        code, _, errors = self.finish(ventilator)
        self.assertEqual(0, code, errors)
        self.assertEqual(0, self.finish(sink)[0])
        self.assertEqual(5, self.report()["jobs"]["ok"])

    def test_a_second_ventilator_on_a_live_run_says_whose_it_is(self):
        command = self.command("ventilator", "echo", "--count", "10")
        first = self.start(*command)
        first.stderr.readline()
        self.ventilator_port = fantail.free_port()
        second = self.start(*self.command("ventilator", "echo", "--count", "10"))
        code, _, errors = self.finish(second, 10)
        self.assertEqual(3, code)
        self.assertIn(f"process {first.pid}", errors)

    def test_run_killed_then_resumed(self):
        count = 2000
        arguments = ("run", "-j", "2", "--output", self.path("rows.jsonl"), "--report", self.path("report.json"))
        kind = ("echo", "--count", str(count), "--sleep", "2ms")
        run = self.start(*arguments, *kind)
        self.rows_reach(count // 4)
        self.kill(run)
        again = self.start("run", "--output", self.path("other.jsonl"), *kind)
        code, _, errors = self.finish(again)
        self.assertEqual(0, code)
        self.assertRegex(errors, r"run [0-9A-Z]{26} stopped at [0-9]+ %: continue with --resume")
        resumed = self.start(*arguments, "--resume", *kind)
        code, _, errors = self.finish(resumed)
        self.assertEqual(0, code, errors)
        self.assert_balanced(self.report())
        self.assert_each_job_once(fantail.read_rows(self.path("rows.jsonl")), count)
        nothing = self.start(*arguments, "--resume", *kind)
        code, _, errors = self.finish(nothing)
        self.assertEqual(2, code)
        self.assertIn("no unfinished run", errors)

    def test_children_of_run_are_started_again(self):
        count = 3000
        run = self.start("run", "-j", "2", "--max-deaths", "0", "--output", self.path("rows.jsonl"), "--report",
                         self.path("report.json"), "echo", "--count", str(count), "--sleep", "2ms")
        for index, role in enumerate(("sink", "ventilator", "worker")):
            self.rows_reach(count * (index + 1) // 5)
            with open(f"/proc/{run.pid}/task/{run.pid}/children", encoding="ascii") as file:
                children = [int(pid) for pid in file.read().split()]
            for pid in children:
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    name = file.read().split(b"\0")[0]
                if name.endswith(b"fantail-" + role.encode()):
                    os.kill(pid, signal.SIGKILL)
                    break
            else:
                self.fail(f"no {role} among the children")
        code, _, errors = self.finish(run)
        self.assertEqual(0, code, errors)
        self.assertEqual(3, errors.count("starting it again"))
        self.assert_balanced(self.report())
        self.assert_each_job_once(fantail.read_rows(self.path("rows.jsonl")), count)

    def test_a_suspended_run_goes_on(self):
        count = 2000
        arguments = ("run", "-j", "2", "--output", self.path("rows.jsonl"), "--report", self.path("report.json"))
        kind = ("echo", "--count", str(count), "--sleep", "2ms")
        run = self.start(*arguments, *kind)
        self.rows_reach(count // 4)
        run.send_signal(signal.SIGTERM)
        self.assertEqual(143, self.finish(run, 15)[0])
        self.assertFalse(os.path.exists(self.path("report.json")))
        resumed = self.start(*arguments, "--resume", *kind)
        self.assertEqual(0, self.finish(resumed)[0])
        self.assert_each_job_once(fantail.read_rows(self.path("rows.jsonl")), count)
        # What ran was finished and handed over before everybody left.
        self.assertEqual(0, self.report()["retries"])

    def test_a_walk_goes_on_behind_its_last_file(self):
        # More files than the reader is ahead, in names that sort before and after what comes later.
        tree = self.path("tree")
        for index in range(3000):
            folder = os.path.join(tree, f"{index % 30:02}")
            os.makedirs(folder, exist_ok=True)
            with open(os.path.join(folder, f"{index:05}"), "w", encoding="ascii") as file:
                file.write("x" * index)
        sink_command, ventilator_command = self.command("sink"), self.command("ventilator", "files", tree)
        sink, ventilator = self.start(*sink_command), self.start(*ventilator_command)
        ventilator.stderr.readline()
        self.kill(ventilator)
        ventilator = self.start(*ventilator_command)
        self.start(*self.command("worker"))
        self.assertEqual(0, self.finish(ventilator)[0])
        self.assertEqual(0, self.finish(sink)[0])
        paths = [row["path"] for row in fantail.read_rows(self.path("rows.jsonl"))]
        self.assertEqual(3000, len(paths))
        self.assertEqual(3000, len(set(paths)))

    def test_a_run_of_another_output_is_left_alone_until_it_is_wanted(self):
        count = 1000
        first_sink = self.command("sink")
        first_ventilator = self.command("ventilator", "echo", "--count", str(count), "--sleep", "2ms")
        sink, ventilator = self.start(*first_sink), self.start(*first_ventilator)
        worker = self.start(*self.command("worker", "--slots", "4"))
        self.rows_reach(count // 4)
        for process in (ventilator, worker, sink):
            self.kill(process)
        # Another command with its own files, in the same state directory, is not held up.
        other = self.path("other.jsonl")
        with open(other, "w", encoding="ascii") as file:
            file.write("what was there before, longer than what the first run has written\n" * 10_000)
        sink = self.start("sink", "--bind", f"tcp://127.0.0.1:{self.sink_port}", "--output", other, "--report",
                          self.path("other.json"))
        ventilator = self.start(*self.command("ventilator", "echo", "--count", "10"))
        worker = self.start(*self.command("worker"))
        self.assertEqual(0, self.finish(ventilator, 10)[0])
        self.assertEqual(0, self.finish(sink, 10)[0])
        self.assert_each_job_once(fantail.read_rows(other), 10)
        # The first one goes on, even where its rows are to be in another file now.
        sink = self.start("sink", "--bind", f"tcp://127.0.0.1:{self.sink_port}", "--output", other, "--report",
                          self.path("report.json"))
        ventilator = self.start(*first_ventilator)
        self.start(*self.command("worker", "--slots", "4"))
        self.assertEqual(0, self.finish(ventilator)[0])
        self.assertEqual(0, self.finish(sink)[0])
        self.assert_balanced(self.report())
        self.assert_each_job_once(fantail.read_rows(other), count)

    def test_a_job_that_kills_workers_is_quarantined(self):
        inputs = self.path("inputs")
        with open(inputs, "w", encoding="ascii") as file:
            file.write("".join(f"{'9' if index == 7 else '0.001'}\n" for index in range(50)))
        sink = self.start(*self.command("sink"))
        ventilator = self.start(*self.command("ventilator", "--heartbeat", "100ms", "echo", "--sleep-from", inputs))
        workers = [self.start(*self.command("worker", "--slots", "2")) for _ in range(2)]
        # Job 7 sleeps: whoever still works when all others are done has it, and dies of it.
        self.rows_reach(49)
        deadline = time.monotonic() + 60
        while self.lines() < 50 and time.monotonic() < deadline:
            time.sleep(0.3)  # the fault's own time: a worker works for so long before it dies
            for index, worker in enumerate(workers):
                self.kill(worker)
                workers[index] = self.start(*self.command("worker", "--slots", "2"))
        self.assertEqual(1, self.finish(ventilator)[0])
        self.assertEqual(1, self.finish(sink)[0])
        rows = fantail.read_rows(self.path("rows.jsonl"))
        self.assert_each_job_once(rows, 50)
        failed = [row for row in rows if row["status"] == "failed"]
        self.assertEqual([7], [row["job"] for row in failed])
        self.assertEqual("quarantined", failed[0]["error"]["code"])


if __name__ == "__main__":
    unittest.main()
