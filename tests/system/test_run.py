"""fantail run: streams, formats, and what becomes of its children."""
import csv
import glob
import io
import json
import os
import signal
import subprocess
import unittest

import fantail


class Run(fantail.SystemTest):
    def children(self, role=""):
        """Processes of this test's runs, found by the state directory in their environment."""
        found = []
        for folder in glob.glob("/proc/[0-9]*"):
            try:
                with open(f"{folder}/comm", encoding="utf-8") as file:
                    name = file.read().strip()
                with open(f"{folder}/environ", "rb") as file:
                    ours = self.folder.encode() in file.read()
                with open(f"{folder}/stat", encoding="utf-8") as file:
                    zombie = file.read().rsplit(")", 1)[1].split()[0] == "Z"
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue
            if ours and not zombie and name.startswith(f"fantail-{role}"[:15]):
                found.append(int(os.path.basename(folder)))
        return found

    def rows_so_far(self):
        try:
            with open(self.path("rows.jsonl"), "rb") as file:
                return file.read().count(b"\n")
        except FileNotFoundError:
            return 0

    def start_run(self, *arguments):
        return self.start("run", "--output", self.path("rows.jsonl"), "--report", self.path("report.json"), *arguments)

    def test_rows_on_stdout_and_all_else_on_stderr(self):
        code, output, errors = self.finish(self.start("run", "-k", "echo", "--count", "300", "--payload", "20"))
        self.assertEqual(0, code)
        rows = [json.loads(line) for line in output.splitlines()]
        self.assertEqual(list(range(300)), [row["job"] for row in rows])
        self.assertEqual(["job", "input", "kind", "status", "attempt", "worker", "queued_ms", "duration_ms", "error", "payload"],
                         list(rows[0]))
        self.assertIn("300 jobs: 300 ok, 0 failed", errors)
        self.assertEqual(2, len(errors.splitlines()))

    def test_formats(self):
        code, output, _ = self.finish(self.start("run", "--format", "csv", "files", "/etc/passwd", "/nothing"))
        self.assertEqual(1, code)
        rows = list(csv.DictReader(io.StringIO(output.decode())))
        self.assertEqual({"/etc/passwd", "/nothing"}, {row["path"] for row in rows})
        code, output, errors = self.finish(self.start("run", "--format", "table", "echo", "--count", "60"))
        lines = output.decode().splitlines()
        self.assertEqual("… 20 more (--all)", lines[40])
        self.assertIn("60 jobs: 60 ok", lines[41])
        self.assertEqual("", errors)
        code, output, _ = self.finish(self.start("run", "--format", "table", "--all", "echo", "--count", "60"))
        self.assertEqual(62, len(output.decode().splitlines()))

    def test_no_jobs(self):
        code, output, errors = self.finish(self.start("run", "echo", "--count", "0"))
        self.assertEqual((0, b""), (code, output))
        self.assertIn("nothing to do", errors)

    def test_a_killed_worker_is_started_again(self):
        process = self.start_run("--heartbeat", "100ms", "-j", "3", "echo", "--count", "300", "--sleep", "20ms")
        fantail.wait_until(lambda: self.rows_so_far() > 20, 20, "rows")
        os.kill(self.children("worker")[0], signal.SIGKILL)
        code, _, errors = self.finish(process)
        self.assertEqual(0, code, errors)
        self.assertIn("starting it again", errors)
        self.assert_each_job_once(fantail.read_rows(self.path("rows.jsonl")), 300)

    def test_a_killed_sink_goes_on(self):
        process = self.start_run("--heartbeat", "100ms", "-j", "3", "echo", "--count", "300", "--sleep", "20ms")
        fantail.wait_until(lambda: self.rows_so_far() > 20, 20, "rows")
        os.kill(self.children("sink")[0], signal.SIGKILL)
        code, _, errors = self.finish(process)
        self.assertEqual(0, code, errors)
        self.assertIn("a sink died of signal 9: starting it again", errors)
        self.assert_each_job_once(fantail.read_rows(self.path("rows.jsonl")), 300)

    def test_children_end_with_their_parent(self):
        process = self.start_run("echo", "--count", "300", "--sleep", "1s")
        fantail.wait_until(lambda: len(self.children()) >= 4, 20, "children")
        process.kill()
        process.wait()
        fantail.wait_until(lambda: not self.children(), 5, "no child is left")

    def test_the_private_directory_is_removed(self):
        runtime = self.path("runtime")
        os.mkdir(runtime)
        environment = dict(self.environment, XDG_RUNTIME_DIR=runtime)
        result = subprocess.run([fantail.FANTAIL, "run", "echo"], env=environment, capture_output=True, check=True)
        self.assertTrue(result.stdout)
        self.assertEqual([], os.listdir(runtime))


if __name__ == "__main__":
    unittest.main()
