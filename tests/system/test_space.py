"""Storage that is full for a while: what was accepted is kept, nothing more is taken in, and it goes on when there is room."""
import json
import os
import time
import unittest

import fantail
import storage

SIZE_MB = 96
AGAIN_S = 5  # so soon after there is room, the run goes on
# So many results wait for a commit, by CommitSchedule, and those of the message after them.
PAYLOAD_BYTES = 300
UNDER_WAY = (5 << 20) // PAYLOAD_BYTES
STILL_S = 1.5  # so long nothing moves while there is none: three times what is tried again


def setUpModule():
    storage.need_own_mounts()


def resident_mb(process):
    with open(f"/proc/{process.pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) // 1024 for line in file if line.startswith("VmRSS"))


def fill(folder):
    """Takes all the room there is, to the last page."""
    with open(os.path.join(folder, "filler"), "ab", buffering=0) as file:
        for piece in (1 << 20, 1 << 12, 1):
            try:
                while file.write(b"x" * piece) == piece:
                    pass
            except OSError:
                pass


def make_room(folder):
    os.remove(os.path.join(folder, "filler"))


class Space(fantail.SystemTest):
    def setUp(self):
        super().setUp()
        self.small = self.path("small")
        self.sink_port, self.ventilator_port = fantail.free_port_pair(), fantail.free_port()
        self.logs = {}

    def use_tmpfs(self):
        storage.mount_tmpfs(self, self.small, f"{SIZE_MB}m")

    def use_ext4(self):
        storage.PoweredImage(self, self.path("image"), self.small, 3 * SIZE_MB)

    def sink_command(self, state, rows, *arguments):
        self.rows_path = rows
        return ("sink", "--state-dir", state, "--bind", f"tcp://127.0.0.1:{self.sink_port}", "--output", rows, "--report",
                self.path("report.json"), *arguments)

    def ventilator_command(self, state, *kind):
        return ("ventilator", "--state-dir", state, "--bind", f"tcp://127.0.0.1:{self.ventilator_port}", "--worker-ports", "0",
                "--sink", f"tcp://127.0.0.1:{self.sink_port}", *kind)

    def start_worker(self):
        return self.start("worker", "--ventilator", f"tcp://127.0.0.1:{self.ventilator_port}", "--slots", "4")

    def start_watched(self, command):
        process = self.start(*command)
        self.logs[process] = b""
        os.set_blocking(process.stderr.fileno(), False)
        return process

    def said(self, process):
        """What it has said so far."""
        try:
            self.logs[process] += os.read(process.stderr.fileno(), 1 << 20)
        except BlockingIOError:
            pass
        return self.logs[process].decode("utf-8", "replace")

    def lines(self):
        try:
            with open(self.rows_path, "rb") as file:
                return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))
        except FileNotFoundError:
            return 0

    def ended(self, process):
        fantail.wait_until(lambda: self.said(process) is not None and process.poll() is not None, 120, "it ends")
        self.assertEqual(0, process.returncode, self.said(process))

    def check_result(self, count):
        with open(self.path("report.json"), encoding="utf-8") as file:
            report = json.load(file)
        self.assert_balanced(report)
        self.assertEqual(count, report["jobs"]["ok"])
        self.assert_each_job_once(fantail.read_rows(self.rows_path), count)

    def full_for_a_while(self, sink, complaint):
        """Fills the storage under the sink, and sees that it stands still and goes on."""
        goes_on = "results are taken in again"
        went_on, until_now = self.said(sink).count(goes_on), len(self.said(sink))
        fill(self.small)
        fantail.wait_until(lambda: complaint in self.said(sink)[until_now:], 10, "the sink says that it lacks space")
        before, memory = self.lines(), resident_mb(sink)
        until = time.monotonic() + STILL_S
        while time.monotonic() < until:
            self.assertIsNone(sink.poll(), self.said(sink))
            complaints = [line.split(" ", 1)[1] for line in self.said(sink)[until_now:].splitlines()]
            self.assertEqual(len(set(complaints)), len(complaints), "each is said once: " + self.said(sink))
            time.sleep(0.02)
        self.assertLess(resident_mb(sink) - memory, 8)
        self.assertLessEqual(self.lines(), before + UNDER_WAY, "what was under way at most")
        before = self.lines()
        make_room(self.small)
        fantail.wait_until(lambda: self.said(sink).count(goes_on) > went_on, AGAIN_S, "it says that it goes on")
        fantail.wait_until(lambda: self.lines() > before, AGAIN_S, "the run goes on")

    def sink_that_lacks_space(self, complaint, state, rows):
        count = 90_000
        sink = self.start_watched(self.sink_command(state, rows))
        ventilator = self.start_watched(self.ventilator_command(
            self.path("ventilator"), "echo", "--count", str(count), "--payload", f"{PAYLOAD_BYTES}B", "--sleep", "400us"))
        self.start_worker()
        # Early in the run: a ledger without space for its pages writes them to its log, which grows as large as what there was so
        # far, and a storage that is full later leaves it that much.
        for cycle in range(3):
            fantail.wait_until(lambda: self.lines() > (cycle + 1) * count // 12, 60, "the run is on its way")
            self.full_for_a_while(sink, complaint)
        self.ended(ventilator)
        self.ended(sink)
        self.check_result(count)

    def test_the_ledger_has_no_space(self):
        self.use_tmpfs()
        self.sink_that_lacks_space("ledger.db cannot be written: no space is left for it", os.path.join(self.small, "state"),
                                   self.path("rows.jsonl"))

    def test_the_file_of_rows_has_no_space(self):
        self.use_tmpfs()
        self.sink_that_lacks_space("No space left on device", self.path("state"), os.path.join(self.small, "rows.jsonl"))

    def test_neither_has_space_on_ext4(self):
        self.use_ext4()
        self.sink_that_lacks_space("o space", os.path.join(self.small, "state"), os.path.join(self.small, "rows.jsonl"))

    def test_the_spool_has_no_space(self):
        # More than there is room for.
        self.use_tmpfs()
        count = 60_000
        inputs = self.path("inputs")
        with open(inputs, "w", encoding="ascii") as file:
            file.writelines(f"{job:0500}\n" for job in range(count))
        fill(self.small)
        with open(os.path.join(self.small, "filler"), "r+b") as file:
            file.truncate((SIZE_MB - 8) << 20)
        sink = self.start_watched(self.sink_command(self.path("sink"), self.path("rows.jsonl")))
        self.start_worker()
        ventilator = self.start_watched(self.ventilator_command(os.path.join(self.small, "state"), "echo", "--input",
                                                                             inputs))
        complaint = "make room there, and it goes on"
        fantail.wait_until(lambda: complaint in self.said(ventilator), 30, "the ventilator says that it lacks space")
        until = time.monotonic() + STILL_S
        memory = resident_mb(ventilator)
        while time.monotonic() < until:
            self.assertIsNone(ventilator.poll(), self.said(ventilator))
            time.sleep(0.02)
        self.assertEqual(1, self.said(ventilator).count(complaint), self.said(ventilator))
        self.assertLess(resident_mb(ventilator) - memory, 16)
        make_room(self.small)
        fantail.wait_until(lambda: "there is space again" in self.said(ventilator), AGAIN_S, "it goes on reading")
        before = self.lines()
        fantail.wait_until(lambda: self.lines() > before, AGAIN_S, "the run goes on")
        self.ended(ventilator)
        self.ended(sink)
        self.check_result(count)

    def test_a_start_while_it_is_full_says_so(self):
        self.use_tmpfs()
        count = 4000
        sink_command = self.sink_command(os.path.join(self.small, "sink"), self.path("rows.jsonl"))
        ventilator_command = self.ventilator_command(os.path.join(self.small, "ventilator"), "echo", "--count", str(count),
                                                     "--sleep", "2ms")
        processes = {command: self.start(*command) for command in (sink_command, ventilator_command)}
        self.start_worker()
        fantail.wait_until(lambda: self.lines() > count // 4, 30, "the run is on its way")
        fill(self.small)
        for command, process in processes.items():
            process.kill()
            process.wait()
            code, _, errors = self.finish(self.start(*command), 10)
            self.assertEqual(3, code, errors)
            self.assertIn("No space left on device; make room there", errors)
        make_room(self.small)
        sink, ventilator = (self.start_watched(command) for command in processes)
        self.ended(ventilator)
        self.ended(sink)
        self.check_result(count)


if __name__ == "__main__":
    unittest.main()
