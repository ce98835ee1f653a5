"""The n-th system call on the state directory of a running sink or ventilator fails, for n = 1, 2, 3 ... (in larger steps further
on) until a run passes untouched. The process goes on, or ends with 3 and a sentence; started again it brings the run to its end."""
import concurrent.futures
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from faults import BIN, SHIM

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "system"))
import fantail  # noqa: E402

COUNT = 120
AT_ONCE = 4  # a run waits most of its time
INFRASTRUCTURE = 3
LIMIT_S = 30  # nothing of a run takes so long: it hangs
STARTS_MAX = 4


class Ports:
    """Free ports, none of them twice: runs go on side by side."""

    lock = threading.Lock()
    given = set()

    @classmethod
    def take(cls):
        with cls.lock:
            while True:
                sink, ventilator = fantail.free_port_pair(), fantail.free_port()
                ports = {sink, sink + 1, ventilator}
                if len(ports) == 3 and not ports & cls.given:
                    cls.given |= ports
                    return sink, ventilator


class Run:
    """One run whose `role` has a fault. The others are as ever."""

    def __init__(self, base, inputs, role, call, at, error):
        self.folder = tempfile.mkdtemp(dir=base)
        self.hit = self.path("hit")
        self.role = role
        sink_port, ventilator_port = Ports.take()
        self.commands = {
            "sink": ["fantail-sink", "--state-dir", self.path("sink"), "--bind", f"tcp://127.0.0.1:{sink_port}", "--output",
                     self.path("rows.jsonl"), "--report", self.path("report.json")],
            "ventilator": ["fantail-ventilator", "--state-dir", self.path("ventilator"), "--bind",
                           f"tcp://127.0.0.1:{ventilator_port}", "--worker-ports", "0", "--sink",
                           f"tcp://127.0.0.1:{sink_port}", "--heartbeat", "100ms", "echo", "--sleep", "1ms", "--input", inputs],
            "worker": ["fantail-worker", "--ventilator", f"tcp://127.0.0.1:{ventilator_port}", "--slots", "2"]}
        self.fault = {"LD_PRELOAD": SHIM, "FANTAIL_FAULT_CALL": call, "FANTAIL_FAULT_AT": str(at), "FANTAIL_FAULT_ERROR": error,
                      "FANTAIL_FAULT_PATH": self.path(role), "FANTAIL_FAULT_HIT": self.hit}
        self.processes = {}
        self.said = dict.fromkeys(self.commands, "")
        self.ends = []  # (role, exit code)

    def path(self, name):
        return os.path.join(self.folder, name)

    def start(self, role, faulty=False):
        command = self.commands[role]
        # A file: nobody has to read it for the process to go on.
        with open(self.path(role + ".log"), "ab") as log:
            self.processes[role] = subprocess.Popen(
                [os.path.join(BIN, command[0]), *command[1:]], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log,
                env=dict(os.environ, **(self.fault if faulty else {})))

    def log(self, role):
        with open(self.path(role + ".log"), encoding="utf-8", errors="replace") as file:
            return file.read()

    def logs(self):
        return "\n".join(self.log(role) for role in self.processes)

    def hits(self):
        if not os.path.exists(self.hit):
            return []
        with open(self.hit, encoding="utf-8") as file:
            return file.read().splitlines()

    def to_its_end(self):
        """Starts all, and again with the same command who ends with another code than 0, until there is a report of success."""
        for role in self.commands:
            if role in self.processes and self.processes[role].poll() is None:
                continue  # a worker that looks for the next run
            self.start(role, faulty=role == self.role)
        starts = 0
        deadline = time.monotonic() + LIMIT_S
        over = {}
        while not (over.get("sink") == 0 and over.get("ventilator") == 0):
            if time.monotonic() > deadline:
                raise AssertionError(f"it hangs; ended: {self.ends}; {self.logs()}")
            for role in ("sink", "ventilator"):
                code = self.processes[role].poll()
                if code is None or over.get(role) == 0:
                    continue
                self.ends.append((role, code))
                over[role] = code
                if code == 0:
                    continue
                starts += 1
                if code != INFRASTRUCTURE or starts > STARTS_MAX:
                    raise AssertionError(f"ended: {self.ends}; {self.logs()}")
                self.start(role)
                # The other one may have ended with the run: whoever continues a run starts both.
                for other in ("sink", "ventilator"):
                    if other != role and self.processes[other].poll() is not None:
                        self.start(other)
                        over.pop(other, None)
            if self.processes["worker"].poll() is not None and over.get("ventilator") != 0:
                self.start("worker")
            time.sleep(0.002)

    def stop(self):
        for process in self.processes.values():
            if process.poll() is None:
                process.kill()
            process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


class LedgerFaults(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.base = tempfile.mkdtemp(prefix="fantail-faults-")
        cls.addClassCleanup(shutil.rmtree, cls.base, ignore_errors=True)
        cls.inputs = os.path.join(cls.base, "inputs")
        with open(cls.inputs, "w", encoding="ascii") as file:
            file.writelines(f"input {job}\n" for job in range(COUNT))
        run, report = cls.run_once("sink", "none", 1, "EIO")
        assert not run.ends or all(code == 0 for _, code in run.ends), run.ends
        cls.digest = report["digest"]

    @classmethod
    def run_once(cls, role, call, at, error):
        run = Run(cls.base, cls.inputs, role, call, at, error)
        try:
            run.to_its_end()
            run.found = run.hits()
            run.text = run.log(role)
            with open(run.path("report.json"), encoding="utf-8") as file:
                report = json.load(file)
            run.rows = fantail.read_rows(run.path("rows.jsonl"))
            return run, report
        finally:
            run.stop()

    def every(self, role, call, errors, least):
        for error in errors:
            n, ended, untouched = 1, 0, False
            while not untouched:
                numbers = []
                while len(numbers) < AT_ONCE:
                    numbers.append(n)
                    n += max(1, n // 4)
                with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
                    runs = {at: pool.submit(self.run_once, role, call, at, error) for at in numbers}
                for at, future in runs.items():
                    with self.subTest(role=role, call=call, error=error, n=at):
                        run, report = future.result()
                        self.check(run, report)
                        ended += (role, INFRASTRUCTURE) in run.ends
                        untouched = untouched or not run.found
            print(f"{role}: {call} {error}: up to the {numbers[-1]}th, {ended} ended it", flush=True)
            self.assertGreater(numbers[-1], least, f"{call} was called too seldom for this to mean anything")
            self.assertGreater(ended, 0, "none of them mattered")

    def check(self, run, report):
        again = [line for line in run.found if line.startswith("again")]
        if re.search(r"ledger\.db cannot be (created|opened)", run.text):
            # SQLite takes a new file back: it writes its pages again before it syncs them again, and nothing was in it.
            again = [line for line in again if not line.endswith("/ledger.db")]
        self.assertFalse(again, "a failed sync is final")
        self.assertEqual(self.digest, report["digest"])
        self.assertEqual((COUNT, 0), (report["jobs"]["ok"], report["jobs"]["lost"]))
        self.assertEqual(list(range(COUNT)), sorted(row["job"] for row in run.rows))
        if (run.role, INFRASTRUCTURE) in run.ends:
            self.assertTrue(run.found, "it ended without a fault: " + run.text)
            self.assertRegex(run.text, r"cannot (be )?\w+", "why did it end?")

    def test_sink_writes(self):
        self.every("sink", "write", ("EIO", "ENOSPC"), 20)

    def test_sink_syncs(self):
        self.every("sink", "fdatasync", ("EIO", "ENOSPC"), 3)
        self.every("sink", "fsync", ("EIO",), 4)

    def test_sink_opens(self):
        self.every("sink", "open", ("EIO", "ENOSPC"), 8)
        self.every("sink", "rename", ("EIO",), 1)

    def test_ventilator_writes(self):
        self.every("ventilator", "write", ("EIO", "ENOSPC"), 5)

    def test_ventilator_syncs(self):
        self.every("ventilator", "fdatasync", ("EIO", "ENOSPC"), 3)
        self.every("ventilator", "fsync", ("EIO",), 4)

    def test_ventilator_opens(self):
        self.every("ventilator", "open", ("EIO", "ENOSPC"), 5)
        self.every("ventilator", "rename", ("EIO",), 1)

    def test_a_run_whose_end_was_not_recorded_is_asked_for_again(self):
        applied = 0
        for n in range(4, 16):
            run = Run(self.base, self.inputs, "ventilator", "write", n, "EIO")
            try:
                run.to_its_end()
                if not (run.hits() and run.hits()[0].endswith("/spool")) or any(code != 0 for _, code in run.ends):
                    continue
                applied += 1
                first = run.log("ventilator").count(": listening for workers")
                run.role = None  # no fault any more
                run.to_its_end()
                self.assertEqual(first + 1, run.log("ventilator").count(": listening for workers"))
                self.assertIn("goes on: 120 jobs were submitted", run.log("ventilator"))
                self.assertTrue(all(code == 0 for _, code in run.ends), run.logs())
                with open(run.path("report.json"), encoding="utf-8") as file:
                    self.assertEqual(self.digest, json.load(file)["digest"])
                self.assertEqual(list(range(COUNT)), sorted(row["job"] for row in fantail.read_rows(run.path("rows.jsonl"))))
            finally:
                run.stop()
        self.assertGreater(applied, 0, "no write was the end's")


if __name__ == "__main__":
    unittest.main()
