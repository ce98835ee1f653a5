"""A million jobs: memory while the sink stands still, and how soon a restarted ventilator goes on."""
import os
import signal
import time
import unittest

import fantail

MILLION = 1_000_000
MIB = 1 << 20


def resident(process):
    with open(f"/proc/{process.pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmRSS"))


class Scale(fantail.SystemTest):
    def setUp(self):
        super().setUp()
        sink_port, ventilator_port = fantail.free_port_pair(), fantail.free_port()
        self.sink_command = ("sink", "--bind", f"tcp://127.0.0.1:{sink_port}", "--output", self.path("rows.jsonl"))
        self.ventilator_command = ("ventilator", "--bind", f"tcp://127.0.0.1:{ventilator_port}", "--worker-ports", "0",
                                   "--sink", f"tcp://127.0.0.1:{sink_port}")
        self.worker_command = ("worker", "--ventilator", f"tcp://127.0.0.1:{ventilator_port}", "--slots", "2")

    def rows_reach(self, size, seconds):
        path = self.path("rows.jsonl")
        fantail.wait_until(lambda: os.path.exists(path) and os.path.getsize(path) > size, seconds, f"{size} bytes of rows")

    def test_nothing_grows_while_the_sink_stands_still(self):
        sink = self.start(*self.sink_command)
        ventilator = self.start(*self.ventilator_command, "echo", "--count", str(MILLION), "--payload", "100")
        workers = [self.start(*self.worker_command) for _ in range(2)]
        self.rows_reach(MIB, 60)
        sink.send_signal(signal.SIGSTOP)
        processes = {"sink": sink, "ventilator": ventilator, "worker 1": workers[0], "worker 2": workers[1]}
        before = {name: resident(process) for name, process in processes.items()}
        most = dict(before)
        until = time.monotonic() + 60  # as long as the promise says

        def measured():
            for name, process in processes.items():
                most[name] = max(most[name], resident(process))
            return time.monotonic() >= until

        fantail.wait_until(measured, 90, "the end of the pause")
        sink.send_signal(signal.SIGCONT)
        for name in processes:
            growth = (most[name] - before[name]) / MIB
            print(f"{name} grew by {growth:.1f} MiB", flush=True)
            self.assertLess(growth, 64, name)
        self.assertEqual(0, self.finish(ventilator, 240)[0])
        self.assertEqual(0, self.finish(sink)[0])

    def test_a_ventilator_restarted_over_a_million_finished_jobs_goes_on_within_two_seconds(self):
        jobs = self.path("jobs")
        with open(jobs, "w", encoding="ascii") as file:
            file.write("0\n" * MILLION + "0.01\n" * 40_000)
        command = (*self.ventilator_command, "echo", "--sleep-from", jobs)
        sink, ventilator = self.start(*self.sink_command), self.start(*command)
        first = self.start(*self.worker_command)
        # The first million rows take about 130 bytes each.
        self.rows_reach(125 * MILLION, 240)
        ventilator.kill()
        ventilator.wait()
        first.kill()
        first.wait()
        size = os.path.getsize(self.path("rows.jsonl"))
        second = self.start(*self.worker_command)
        second.stderr.readline()
        started = time.monotonic()
        ventilator = self.start(*command)

        def worked():
            with open(self.path("rows.jsonl"), encoding="utf-8") as file:
                file.seek(size)
                return f'-{second.pid}"' in file.read()

        fantail.wait_until(worked, 60, "a row of the new worker")
        took = time.monotonic() - started
        print(f"{took:.2f} s until the first row of a job that was dispatched again", flush=True)
        self.assertLess(took, 2)


if __name__ == "__main__":
    unittest.main()
