"""Power cuts: the file systems of ventilator and sink are shut down at random moments of a run, without what was not on the
storage by then. After each the same commands go on, and what was acknowledged is there.

Two observers know what was acknowledged: a reader of the ledger, who compares what it saw before the cut with what is on the
storage after it; and the ventilator, which was told, and says so when its sink knows less.

FANTAIL_POWER_CUTS (default 100) says how many, FANTAIL_POWER_SEED which; the seed is printed."""
import glob
import itertools
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "system"))
import fantail  # noqa: E402
import storage  # noqa: E402

CUTS = int(os.environ.get("FANTAIL_POWER_CUTS", "100"))
SEED = int(os.environ.get("FANTAIL_POWER_SEED", str(random.SystemRandom().randrange(1 << 32))))
CUTS_OF_SUMMARY = max(5, CUTS // 4)
SLOTS = 8
SLEEP_MS = 40
IMAGE_MB = 96
WRITING = {"18": "pwrite", "1": "write", "74": "fsync", "75": "fdatasync"}  # system calls of x86-64
VOLATILE = ("attempt", "worker", "queued_ms", "duration_ms")
LOST = "outcomes that it had recorded"  # the ventilator's words about a sink that knows less than it said


def setUpModule():
    storage.need_own_mounts()


def line(job):
    return b"input %d %s\n" % (job, b"." * (job * 7 % 50))


class Input:
    """A stream that is still being written: the same from its beginning for every ventilator, and never far ahead of the jobs
    that are done, so that cuts hit the spool while it grows. However fast the machine is, it lasts as long as there are cuts."""

    AHEAD = 100
    AT_ONCE = 20

    def __init__(self, done):
        self.done = done
        self.jobs = 0  # as many as any ventilator was given
        self.over = threading.Event()

    def write(self, descriptor):
        try:
            with os.fdopen(descriptor, "wb", buffering=0) as pipe:
                for first in itertools.count(0, self.AT_ONCE):
                    while first > self.done() + self.AHEAD and not self.over.is_set():
                        time.sleep(0.005)
                    if first >= self.jobs and self.over.is_set():
                        return
                    pipe.write(b"".join(map(line, range(first, first + self.AT_ONCE))))
                    self.jobs = max(self.jobs, first + self.AT_ONCE)
        except BrokenPipeError:
            pass  # the ventilator had its power cut


class Observer:
    """What a reader of the sink's ledger has seen committed."""

    def __init__(self, state_dir, rows_path):
        self.state_dir, self.rows_path = state_dir, rows_path
        self.rows = {}  # where the ledger keeps them
        self.chains = {}
        self.done = set()
        self.output_length = 0

    def ledger(self):
        runs = os.path.join(self.state_dir, "runs")
        for run in os.listdir(runs) if os.path.isdir(runs) else ():
            path = os.path.join(runs, run, "ledger.db")
            if os.path.exists(path):
                return path
        return None

    def read(self, path, sequence):
        """Takes in what was committed after `sequence`."""
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)
        try:
            connection.execute("BEGIN")
            for number, chain, length in connection.execute(
                    "SELECT sequence, chain, output_length FROM commits WHERE sequence > ? ORDER BY sequence", (sequence,)):
                self.chains[number] = chain
                self.output_length = length
            for first, count in connection.execute("SELECT first, count FROM completed WHERE commit_sequence > ?", (sequence,)):
                self.done.update(range(first, first + count))
            for row in connection.execute("SELECT job, status, attempt, worker, queued_us, duration_us, input, payload,"
                                          " commit_sequence FROM outcomes WHERE commit_sequence > ?", (sequence,)):
                self.rows[row[0]] = row
        finally:
            connection.close()

    def look(self):
        """While the sink runs. What is seen is committed: SQLite shows a commit to others when its log is synced."""
        path = self.ledger()
        try:
            if path:
                self.read(path, max(self.chains, default=-1))
        except sqlite3.Error:
            pass  # it is being made, or recovered

    def compare(self, test, keeps_rows):
        """After the cut, with copies of what is on the storage: nobody repairs anything before the sink does."""
        path = self.ledger()
        if not self.chains:
            return
        test.assertIsNotNone(path, "the ledger is gone")
        stored = Observer(self.state_dir, self.rows_path)
        with tempfile.TemporaryDirectory() as folder:
            for end in ("", "-wal"):
                if os.path.exists(path + end):
                    shutil.copy(path + end, folder)
            copy = os.path.join(folder, "ledger.db")
            connection = sqlite3.connect(copy)
            test.assertEqual("ok", connection.execute("PRAGMA quick_check").fetchone()[0])
            connection.close()
            stored.read(copy, -1)
        test.assertEqual([], [number for number, chain in self.chains.items() if stored.chains.get(number) != chain],
                         "commits that were acknowledged, and are not there")
        test.assertEqual([], [job for job, row in self.rows.items() if stored.rows.get(job) != row])
        test.assertEqual(set(), self.done - stored.done)
        # As far as the ledger says, the file is on the storage: whole lines, and all jobs where nobody else has their rows.
        with open(self.rows_path, "rb") as file:
            content = file.read(stored.output_length)
        test.assertEqual(stored.output_length, len(content), "the file of rows is shorter than what was synced")
        test.assertTrue(not content or content.endswith(b"\n"))
        jobs = [json.loads(each)["job"] for each in content.splitlines()]
        test.assertEqual(len(jobs), len(set(jobs)))
        test.assertEqual(set(), set(jobs) - stored.done)
        if not keeps_rows:
            test.assertEqual(set(), stored.done - set(jobs), "no one has the rows of these jobs")
        self.__dict__.update(stored.__dict__)


class PowerCuts(fantail.SystemTest):
    def setUp(self):
        super().setUp()
        self.images = {name: storage.PoweredImage(self, self.path(name + ".img"), self.path(name), IMAGE_MB)
                       for name in ("sink", "ventilator")}
        self.rows_path = self.path("sink/rows.jsonl")
        self.report_path = self.path("sink/report.json")
        sink_port, ventilator_port = fantail.free_port_pair(), fantail.free_port()
        self.commands = {
            "sink": ("sink", "--state-dir", self.path("sink/state"), "--bind", f"tcp://127.0.0.1:{sink_port}",
                     "--output", self.rows_path, "--report", self.report_path),
            "ventilator": ("ventilator", "--state-dir", self.path("ventilator/state"), "--bind",
                           f"tcp://127.0.0.1:{ventilator_port}", "--worker-ports", "0", "--sink",
                           f"tcp://127.0.0.1:{sink_port}", "--heartbeat", "500ms", "echo", "--sleep", f"{SLEEP_MS}ms",
                           "--input", "-")}
        self.worker = ("worker", "--ventilator", f"tcp://127.0.0.1:{ventilator_port}")
        self.observer = Observer(self.path("sink/state"), self.rows_path)
        self.errors = {name: open(self.path(name + ".log"), "w+b") for name in self.commands}
        for file in self.errors.values():
            self.addCleanup(file.close)
        self.input = Input(lambda: len(self.observer.done))
        self.processes = {}

    def start_role(self, name):
        reader, writer = os.pipe()
        process = subprocess.Popen([fantail.FANTAIL, *self.commands[name]], stdin=reader, stdout=subprocess.DEVNULL,
                                   stderr=self.errors[name], env=self.environment, start_new_session=True)
        self.addCleanup(self.stop, process)
        os.close(reader)
        if name == "ventilator":
            threading.Thread(target=self.input.write, args=(writer,), daemon=True).start()
        else:
            os.close(writer)
        self.processes[name] = process

    def log(self, name):
        with open(self.path(name + ".log"), encoding="utf-8", errors="replace") as file:
            return file.read()

    def wait(self, condition, seconds, what):
        try:
            fantail.wait_until(condition, seconds, what)
        except AssertionError as error:
            logs = [self.log(name)[-1500:] for name in self.commands]
            raise AssertionError("\n".join([str(error), *logs, *self.threads()])) from error

    def threads(self):
        """Where the kernel has each of them: who waits for the storage, and who for another thread."""
        for name, process in {**self.processes, "worker": self.worker_process}.items():
            for task in glob.glob(f"/proc/{process.pid}/task/*"):
                try:
                    with open(task + "/comm", encoding="ascii") as comm, open(task + "/wchan", encoding="ascii") as place:
                        yield f"{name} {process.pid}: {comm.read().strip()} in {place.read()}"
                except OSError:
                    pass  # it ended meanwhile

    def writing(self, name):
        """The system call with which it writes at this moment, if it does."""
        try:
            with open(f"/proc/{self.processes[name].pid}/syscall", encoding="ascii") as file:
                return WRITING.get(file.read().split()[0])
        except (OSError, IndexError):
            return None

    def sizes(self, victims):
        """Of all files as the processes saw them; after a cut and a new start, as they are on the storage."""
        found = {}
        for name in victims:
            for folder, _, names in os.walk(self.path(name)):
                for each in names:
                    path = os.path.join(folder, each)
                    try:
                        found[path] = os.stat(path).st_size
                    except OSError:
                        pass  # gone meanwhile
        return found

    def wait_for_the_moment(self, choose, victims):
        """A third of the cuts come while it recovers, the others in mid-run; half of all wait for a write to be under way."""
        before = len(self.observer.done)
        if choose.random() < 1 / 3:
            time.sleep(choose.uniform(0, 0.15))  # the fault's own time, as below
        else:
            def goes_on():
                self.observer.look()
                return len(self.observer.done) > before
            self.wait(goes_on, 30, "the run goes on")
            time.sleep(choose.uniform(0, 0.8))
        for name in victims:
            self.assertIsNone(self.processes[name].poll(), self.log(name)[-1500:])
        seen = None
        if choose.random() < 1 / 2:
            deadline = time.monotonic() + 0.3
            while seen is None and time.monotonic() < deadline:
                seen = self.writing(choose.choice(victims))
        self.observer.look()
        return seen or next(filter(None, map(self.writing, victims)), None)

    def stopped(self, name):
        """No thread of it is in a system call any more."""
        tasks = f"/proc/{self.processes[name].pid}/task"
        for task in os.listdir(tasks):
            with open(f"{tasks}/{task}/stat", encoding="ascii", errors="replace") as file:
                if file.read().rpartition(") ")[2][0] != "T":
                    return False
        return True

    def cut(self, choose, counts):
        """Who loses its power tells nobody anything after that: it is stopped first, since a sync that the cut meets may return
        success. Some go on afterwards, when no sync is under way, and see the errors first."""
        victims = choose.choice((["sink"], ["ventilator"], ["sink", "ventilator"]))
        moment = self.wait_for_the_moment(choose, victims)
        counts["mid-write"] += moment is not None
        go_on = choose.random() < 0.2
        for name in victims:
            self.processes[name].send_signal(signal.SIGSTOP)
        for name in victims if go_on else ():
            self.wait(lambda name=name: self.stopped(name), 30, f"the {name} is stopped")
        for name in victims:
            self.images[name].cut()
        if go_on:
            for name in victims:
                self.processes[name].send_signal(signal.SIGCONT)
            time.sleep(choose.uniform(0, 0.1))
        seen = self.sizes(victims)
        for name in victims:
            self.processes[name].kill()
            self.processes[name].wait()
        for name in victims:
            self.images[name].power_on()
            counts[name] += 1
        kept = self.sizes(victims)
        counts["lost bytes"] += any(kept.get(path, 0) < size for path, size in seen.items())
        counts["cuts"] += 1
        if "sink" in victims:
            self.observer.compare(self, self.keep == "all")
        for name in victims:
            self.start_role(name)

    def undisturbed(self):
        report, rows = self.path("undisturbed.json"), self.path("undisturbed.jsonl")
        process = self.start("run", "--report", report, "--output", rows, "echo", "--input", "-", stdin=subprocess.PIPE)
        process.communicate(b"".join(map(line, range(self.input.jobs))), timeout=120)
        self.assertEqual(0, process.returncode)
        with open(report, encoding="utf-8") as file:
            return json.load(file), self.settled(rows)

    @staticmethod
    def settled(path):
        """The rows of a file without what differs from run to run; a torn line would not parse."""
        rows = [{key: value for key, value in row.items() if key not in VOLATILE} for row in fantail.read_rows(path)]
        return sorted(rows, key=lambda row: row["job"])

    def run_with_cuts(self, keep, cuts):
        print(f"FANTAIL_POWER_SEED={SEED} FANTAIL_POWER_CUTS={CUTS}: {cuts} cuts", flush=True)
        self.keep = keep
        self.commands["sink"] += ("--keep", keep)
        choose = random.Random(SEED)
        counts = dict.fromkeys(("cuts", "sink", "ventilator", "mid-write", "lost bytes"), 0)
        for name in self.commands:
            self.start_role(name)
        self.worker_process = self.start(*self.worker, "--slots", str(SLOTS))
        started = time.monotonic()
        for _ in range(cuts):
            self.cut(choose, counts)
        print(counts, f"in {time.monotonic() - started:.0f} s, {len(self.observer.done)} jobs", flush=True)
        self.input.over.set()

        def over():
            self.observer.look()
            return all(process.poll() is not None for process in self.processes.values())

        self.wait(over, 120, "the run is over")
        self.assertIn(self.worker_process.poll(), (None, 0))
        for name, process in self.processes.items():
            self.assertEqual(0, process.returncode, self.log(name)[-1500:])
        self.assertNotIn(LOST, self.log("ventilator"))
        self.check_result(cuts)
        # Not in vain: cuts took away what was not synced.
        self.assertEqual(cuts, counts["cuts"])
        self.assertGreaterEqual(counts["lost bytes"], cuts // 10)
        self.assertGreater(min(counts["sink"], counts["ventilator"]), 0)

    def check_result(self, cuts):
        with open(self.report_path, encoding="utf-8") as file:
            report = json.load(file)
        self.assert_balanced(report)
        self.assertEqual(self.input.jobs, report["jobs"]["ok"])
        expected, rows = self.undisturbed()
        self.assertEqual(expected["digest"], report["digest"])
        found = self.settled(self.rows_path)
        self.assert_each_job_once(found, self.input.jobs)
        self.assertEqual(rows, found)
        # What runs again is at most what the worker held.
        print(f"executions again: {report['retries']}", flush=True)
        self.assertLessEqual(report["retries"], cuts * SLOTS)

    def test_what_was_acknowledged_is_there(self):
        self.run_with_cuts("all", CUTS)

    def test_rows_that_only_the_file_has_are_there(self):
        self.run_with_cuts("summary", CUTS_OF_SUMMARY)


if __name__ == "__main__":
    result = unittest.main(exit=False).result
    # As automake has it: 77 is neither a success nor a failure.
    sys.exit(1 if not result.wasSuccessful() else 77 if len(result.skipped) >= max(1, result.testsRun) else 0)
