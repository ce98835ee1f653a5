"""fantail run exec: a process per argument, as GNU parallel runs them."""
import hashlib
import json
import os
import shutil
import signal
import subprocess
import time
import unittest

import fantail

# Writes so many bytes that no two 64 KiB of them are alike.
BIG = "import sys\nfor n in range(int(sys.argv[1]) // 64): sys.stdout.write('%063d\\n' % n)"


def big_digest(size):
    digest = hashlib.sha256()
    for number in range(size // 64):
        digest.update(b"%063d\n" % number)
    return digest.hexdigest()


class Exec(fantail.SystemTest):
    def run_exec(self, *arguments, input_bytes=None, seconds=60):
        """(exit code, stdout, stderr), as bytes."""
        process = self.start("run", *arguments, stdin=subprocess.PIPE if input_bytes is not None else subprocess.DEVNULL)
        output, errors = process.communicate(input=input_bytes, timeout=seconds)
        return process.returncode, output, errors

    def assert_as_parallel(self, *words, parallel_flags=("-q",), fantail_flags=()):
        """With GNU parallel at hand its bytes are the expectation."""
        code, output, errors = self.run_exec("exec", "-k", *fantail_flags, "--", *words)
        self.assertEqual(b"", errors)
        self.assertEqual(0, code)
        if shutil.which("parallel"):
            expected = subprocess.run(["parallel", "--will-cite", "-k", *parallel_flags, *words], capture_output=True,
                                      stdin=subprocess.DEVNULL, check=False, timeout=60)
            self.assertEqual(expected.stdout, output)
        return output

    def test_prints_what_parallel_prints(self):
        self.assertEqual(b"a\nb\nc\n", self.assert_as_parallel("echo", "{}", ":::", "a", "b", "c"))
        self.assertEqual(b"a  b\n'\n$HOME\n", self.assert_as_parallel("echo", ":::", "a  b", "'", "$HOME"))
        self.assertEqual(b"a 1\na 2\nb 1\nb 2\n", self.assert_as_parallel("echo", ":::", "a", "b", ":::", "1", "2"))
        self.assertEqual(b"x/a.b y 1\nz z 2\n", self.assert_as_parallel(
            "echo", "{1.}", "{2/}", "{#}", ":::", "x/a.b.c", "z", ":::+", "y", "z"))

    def test_a_shell_runs_the_command(self):
        self.assertEqual(b"A  B\n", self.assert_as_parallel("echo {} | tr a-z A-Z", ":::", "a  b", parallel_flags=(),
                                                            fantail_flags=("--shell",)))

    def test_arguments_are_the_commands_where_there_is_none(self):
        code, output, _ = self.run_exec("exec", "-k", "--", ":::", "echo a | wc -c", "echo b")
        self.assertEqual((0, b"2\nb\n"), (code, output))

    def test_reads_standard_input_and_files(self):
        self.assertEqual((0, b"[a b]\n[]\n[c]\n", b""),
                         self.run_exec("exec", "-k", "--", "echo", "[{}]", input_bytes=b"a b\n\nc"))
        self.assertEqual((0, b"[a\nb]\n[c]\n", b""),
                         self.run_exec("exec", "-k", "-0", "-a", "-", "--", "echo", "[{}]", input_bytes=b"a\nb\0c\0"))
        with open(self.path("lines"), "w", encoding="utf-8") as file:
            file.write("1\n2\n")
        self.assertEqual((0, b"a 1\na 2\n", b""), self.run_exec("exec", "-k", "--", "echo", ":::", "a", "::::", self.path("lines")))

    def test_processes_that_fail(self):
        code, output, errors = self.run_exec("exec", "-k", "--shell", "--", "echo {}; echo e{} >&2; exit {}", ":::", "0", "3", "0")
        self.assertEqual((1, b"0\n3\n0\n"), (code, output))
        lines = errors.splitlines()
        self.assertEqual([b"e0", b"e3", b"e0"], lines[:3])
        self.assertTrue(lines[3].startswith(b"3 jobs: 2 ok, 1 failed"), errors)

    def test_a_command_that_is_not_there(self):
        code, output, errors = self.run_exec("exec", "--", "no-such-command", ":::", "a")
        self.assertEqual((1, b""), (code, output))
        self.assertTrue(errors.startswith(b"fantail: job 1 (a): "), errors)
        self.assertIn(b"no-such-command", errors)

    def test_nothing_of_200_megabytes_is_lost(self):
        size = 200 << 20
        process = self.start("run", "-j", "2", "exec", "-k", "--", "python3", "-c", BIG, ":::", str(size), "640", "1280")
        digest, left = hashlib.sha256(), size
        while left > 0:
            piece = process.stdout.read(min(left, 1 << 20))
            self.assertTrue(piece, f"{left} bytes are missing")
            digest.update(piece)
            left -= len(piece)
        rest, errors = process.communicate(timeout=120)
        self.assertEqual((0, b""), (process.returncode, errors))
        self.assertEqual(big_digest(size), digest.hexdigest())
        self.assertEqual(640 + 1280, len(rest))

    def test_output_of_jobs_is_not_mixed(self):
        script = "import sys, time\nfor n in range(200): sys.stdout.write(sys.argv[1] * 1000 + '\\n'); sys.stdout.flush()"
        code, output, _ = self.run_exec("-j", "4", "exec", "--", "python3", "-c", script, ":::", "a", "b", "c", "d")
        self.assertEqual(0, code)
        letters = [line[:1] for line in output.splitlines()]
        changes = sum(1 for one, other in zip(letters, letters[1:]) if one != other)
        self.assertEqual((800, 3), (len(letters), changes))

    def test_bytes_are_exact(self):
        everything = bytes(range(256)) * 1000
        with open(self.path("binary"), "wb") as file:
            file.write(everything)
        self.assertEqual((0, everything, b""), self.run_exec("exec", "--", "cat", "{}", ":::", self.path("binary")))
        process = subprocess.run([fantail.FANTAIL, "run", "exec", "--shell", "--", "cat {} >&2", ":::", self.path("binary")],
                                 capture_output=True, env=self.environment, stdin=subprocess.DEVNULL, timeout=60, check=True)
        self.assertEqual((b"", everything), (process.stdout, process.stderr))

    def test_tags(self):
        command = "printf '<%s>\\n\\nb\\n' {}; echo e{} >&2"
        code, output, errors = self.run_exec("exec", "-k", "--tag", "--shell", "--", command, ":::", "t u", "v")
        self.assertEqual((0, b"t u\t<t u>\nt u\t\nt u\tb\nv\t<v>\nv\t\nv\tb\n"), (code, output))
        self.assertEqual(b"t u\tet u\nv\tev\n", errors)

    def test_dry_run(self):
        code, output, errors = self.run_exec("exec", "-n", "--", "echo", "x y", "{}", ":::", "it's", "", "a")
        self.assertEqual((0, b""), (code, errors))
        self.assertEqual(b"echo 'x y' 'it'\"'\"'s'\necho 'x y' ''\necho 'x y' a\n", output)
        _, output, _ = self.run_exec("exec", "--dry-run", "--shell", "--", "echo {} | wc", ":::", "a b")
        self.assertEqual(b"echo 'a b' | wc\n", output)
        self.assertFalse(os.path.exists(self.path("state")), "nothing was started")

    def test_joblog(self):
        code, _, _ = self.run_exec("exec", "-k", "--joblog", self.path("log"), "--shell", "--", "echo {}; exit {}", ":::", "0", "3")
        self.assertEqual(1, code)
        with open(self.path("log"), encoding="utf-8") as file:
            header, *lines = [line.rstrip("\n").split("\t") for line in file]
        self.assertEqual(["Seq", "Host", "Starttime", "JobRuntime", "Send", "Receive", "Exitval", "Signal", "Command"], header)
        rows = {line[0]: line for line in lines}
        self.assertEqual(["2", "0", "echo 0; exit 0"], [rows["1"][index] for index in (5, 6, 8)])
        self.assertEqual(["2", "3", "echo 3; exit 3"], [rows["2"][index] for index in (5, 6, 8)])
        self.assertLess(abs(float(rows["1"][2]) - time.time()), 300)

    def test_rows_where_they_are_asked_for(self):
        code, rows, report, _ = self.run_fantail("-k", "exec", "--shell", "--", "echo {}; kill -{} $$; sleep 9", ":::", "9", "15")
        self.assertEqual(1, code)
        self.assert_each_job_once(rows, 2)
        self.assertEqual(["SIGKILL", "SIGTERM"], [row["signal"] for row in rows])
        self.assertEqual(["9\n", "15\n"], [row["stdout"] for row in rows])
        self.assertEqual([None, None], [row["exit_code"] for row in rows])
        self.assertEqual({"SIGKILL": 1, "SIGTERM": 1}, report["aggregate"]["signals"])
        self.assert_balanced(report)
        digest = subprocess.run(["python3", fantail.DIGEST, self.path("rows.jsonl")], capture_output=True, text=True, check=False)
        if digest.returncode == 0:
            self.assertEqual(report["digest"], digest.stdout.strip())

    def test_rows_say_where_they_have_the_beginning_only(self):
        code, rows, _, _ = self.run_fantail("exec", "--", "python3", "-c", BIG, ":::", "128000")
        self.assertEqual(0, code)
        self.assertEqual((128000, 65536, True), (rows[0]["stdout_bytes"], len(rows[0]["stdout"]), rows[0]["truncated"]))

    def test_output_is_read_back_later(self):
        self.run_exec("exec", "--", "echo", "{}", ":::", "a", "b")
        listing = subprocess.run([fantail.FANTAIL, "results", "--format", "jsonl"], capture_output=True, text=True,
                                 env=self.environment, check=True, timeout=60)
        self.assertEqual(["a\n", "b\n"], [json.loads(line)["stdout"] for line in listing.stdout.splitlines()])

    def test_a_killed_sink_and_worker_lose_nothing(self):
        size = 8 << 20
        process = self.start("run", "-j", "2", "exec", "-k", "--", "python3", "-c", BIG + "\nimport time; time.sleep(0.3)", ":::",
                             *[str(size)] * 4)
        children = f"/proc/{process.pid}/task/{process.pid}/children"

        def child(role):
            with open(children, encoding="utf-8") as file:
                for pid in file.read().split():
                    with open(f"/proc/{pid}/comm", encoding="utf-8") as name:
                        if name.read().startswith(f"fantail-{role}"):
                            return int(pid)
            return None

        os.kill(fantail.wait_until(lambda: child("sink"), 10, "a sink"), signal.SIGKILL)
        time.sleep(0.5)
        os.kill(fantail.wait_until(lambda: child("worker"), 10, "a worker"), signal.SIGKILL)
        output, _ = process.communicate(timeout=180)
        self.assertEqual(0, process.returncode)
        # At least once: each job's output is there as a whole, in order, and perhaps the beginning twice.
        one = b"".join(b"%063d\n" % number for number in range(size // 64))
        self.assertTrue(output.endswith(one * 4), len(output))

    def test_a_killed_run_goes_on(self):
        words = ("exec", "-k", "--shell", "--", "sleep 0.2; echo {}; test {} != 7", ":::", *map(str, range(20)))
        process = self.start("run", "-j", "2", *words)
        self.assertEqual(b"0\n", process.stdout.readline())
        process.kill()
        process.wait()
        code, output, _ = self.run_exec("-j", "2", "--resume", *words)
        self.assertEqual((1, b"".join(b"%d\n" % number for number in range(20))), (code, output))
        code, output, errors = self.run_exec("--retry-failed", *words)
        self.assertEqual((1, b"7\n"), (code, output), errors)

    def test_output_passes_through_a_ledger_without_rows(self):
        code, output, errors = self.run_exec("--keep", "summary", "exec", "--", "python3", "-c", BIG, ":::", "128000", "128000")
        self.assertEqual((0, 256000, b""), (code, len(output), errors))

    def test_mistakes(self):
        for words, reason in [
                (("exec", "--", "echo", "{2}", ":::", "a"), b"the command names argument {2}, and there is 1 source"),
                (("exec", "--", "echo", ":::+", "a"), b":::+ is linked to the arguments before it"),
                (("exec", "-a", "/nowhere", "--", "echo"), b"cannot read --input /nowhere"),
                (("--joblog", self.path("log"), "files", "/etc"), b"--tag and --joblog are about processes"),
                (("exec", "--tag", "--format", "csv", "--", "echo", ":::", "a"), b"--tag marks what processes print")]:
            code, output, errors = self.run_exec(*words)
            self.assertEqual((2, b""), (code, output))
            self.assertIn(reason, errors)


if __name__ == "__main__":
    unittest.main()
