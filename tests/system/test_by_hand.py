"""The three processes started by hand, in any order; workers that come, go and die."""
import itertools
import json
import os
import signal
import time
import unittest

import fantail


class ByHand(fantail.SystemTest):
    def setUp(self):
        super().setUp()
        self.sink_port = fantail.free_port_pair()
        self.ventilator_port = fantail.free_port()

    def start_sink(self):
        return self.start("sink", "--bind", f"tcp://127.0.0.1:{self.sink_port}", "--output", self.path("rows.jsonl"),
                          "--report", self.path("report.json"))

    def start_ventilator(self, *arguments):
        return self.start("ventilator", "--bind", f"tcp://127.0.0.1:{self.ventilator_port}", "--worker-ports", "0",
                          "--sink", f"tcp://127.0.0.1:{self.sink_port}", *arguments)

    def start_worker(self, *arguments):
        return self.start("worker", "--ventilator", f"tcp://127.0.0.1:{self.ventilator_port}", *arguments)

    def report(self):
        with open(self.path("report.json"), encoding="utf-8") as file:
            return json.load(file)

    def rows(self):
        return fantail.read_rows(self.path("rows.jsonl")) if os.path.exists(self.path("rows.jsonl")) else []

    def rows_so_far(self):
        if not os.path.exists(self.path("rows.jsonl")):
            return []
        with open(self.path("rows.jsonl"), encoding="utf-8") as file:
            return [json.loads(line) for line in file if line.endswith("\n")]

    def test_every_order(self):
        digests = set()
        starts = {"sink": self.start_sink, "worker": self.start_worker,
                  "ventilator": lambda: self.start_ventilator("files", "/usr/include/linux", "/etc/passwd")}
        for order in itertools.permutations(starts):
            processes = {}
            for role in order:
                processes[role] = starts[role]()
                # The next is started once this one has said that it is there.
                processes[role].stderr.readline()
            for role in order:
                code, _, errors = self.finish(processes[role])
                self.assertEqual(0, code, f"{role} in {order}: {errors}")
            self.assert_balanced(self.report())
            digests.add(self.report()["digest"])
        self.assertEqual(1, len(digests))

    def test_a_late_worker_gets_work_within_a_second(self):
        sink, ventilator = self.start_sink(), self.start_ventilator("echo", "--count", "400", "--sleep", "20ms")
        first = self.start_worker("--slots", "2")
        fantail.wait_until(lambda: len(self.rows_so_far()) > 20, 20, "rows of the first worker")
        second = self.start_worker("--slots", "2")
        started = time.monotonic()
        fantail.wait_until(lambda: len({row["worker"] for row in self.rows_so_far()}) == 2, 5, "rows of the second worker")
        self.assertLess(time.monotonic() - started, 1)
        for process in (ventilator, sink, first, second):
            self.assertEqual(0, self.finish(process)[0])
        self.assert_each_job_once(self.rows(), 400)
        self.assertEqual(2, self.report()["workers"])

    def test_a_drained_worker_leaves_nothing_behind(self):
        sink, ventilator = self.start_sink(), self.start_ventilator("echo", "--count", "200", "--sleep", "20ms")
        first, second = self.start_worker("--slots", "2"), self.start_worker("--slots", "2")
        fantail.wait_until(lambda: len({row["worker"] for row in self.rows_so_far()}) == 2, 20, "rows of both")
        first.send_signal(signal.SIGTERM)
        self.assertEqual(0, self.finish(first, 10)[0])
        for process in (ventilator, sink, second):
            self.assertEqual(0, self.finish(process)[0])
        self.assert_each_job_once(self.rows(), 200)
        self.assert_balanced(self.report())
        # A drained worker finishes what it runs and gives the rest back: nothing runs twice.
        self.assertEqual(0, self.report()["retries"])

    def test_a_killed_worker_takes_nothing_with_it(self):
        sink = self.start_sink()
        ventilator = self.start_ventilator("--heartbeat", "100ms", "echo", "--count", "200", "--sleep", "20ms")
        first, second = self.start_worker("--slots", "2"), self.start_worker("--slots", "2")
        fantail.wait_until(lambda: len({row["worker"] for row in self.rows_so_far()}) == 2, 20, "rows of both")
        first.kill()
        for process in (ventilator, sink, second):
            self.assertEqual(0, self.finish(process)[0])
        self.assert_each_job_once(self.rows(), 200)
        self.assert_balanced(self.report())
        # What it held was tried again, and only that: two slots and the job at hand.
        self.assertTrue(1 <= self.report()["retries"] <= 4, self.report()["retries"])

    def test_a_worker_stopped_for_a_while_counts_once(self):
        sink = self.start_sink()
        ventilator = self.start_ventilator("--heartbeat", "50ms", "echo", "--count", "150", "--sleep", "20ms")
        first, second = self.start_worker("--slots", "1"), self.start_worker("--slots", "1")
        fantail.wait_until(lambda: len({row["worker"] for row in self.rows_so_far()}) == 2, 20, "rows of both")
        first.send_signal(signal.SIGSTOP)
        fantail.wait_until(lambda: any(row["attempt"] > 1 for row in self.rows_so_far()), 20, "its jobs run elsewhere")
        first.send_signal(signal.SIGCONT)
        for process in (ventilator, sink, first, second):
            self.assertEqual(0, self.finish(process)[0])
        self.assert_each_job_once(self.rows(), 150)

    def test_a_worker_that_stays_serves_the_next_ventilator(self):
        worker = self.start_worker("--stay")
        for _ in range(2):
            sink, ventilator = self.start_sink(), self.start_ventilator("echo", "--count", "50")
            self.assertEqual(0, self.finish(ventilator)[0])
            self.assertEqual(0, self.finish(sink)[0])
            self.assert_each_job_once(self.rows(), 50)
        self.assertIsNone(worker.poll())
        worker.send_signal(signal.SIGTERM)
        self.assertEqual(0, self.finish(worker, 10)[0])

    def test_uneven_workers_each_get_what_they_can_do(self):
        sink = self.start_sink()
        ventilator = self.start_ventilator("echo", "--count", "1000", "--sleep", "5ms")
        many, slow = self.start_worker("--slots", "16"), self.start_worker("--slots", "1", "--slowdown", "20")
        for process in (ventilator, sink, many, slow):
            self.assertEqual(0, self.finish(process)[0])
        self.assert_each_job_once(self.rows(), 1000)
        names = [row["worker"] for row in self.rows()]
        shares = sorted(names.count(name) for name in set(names))
        # 16 slots of 5 ms beside one of 100 ms: about 1 in 320.
        self.assertLess(shares[0], 30)


if __name__ == "__main__":
    unittest.main()
