"""The n-th system call on a spool's files fails, for n = 1, 2, 3 ... until a run passes untouched. What was confirmed is there
afterwards, and the run can be continued."""
import os
import shutil
import subprocess
import tempfile
import unittest

from faults import BIN, run_with_fault

DRIVER = os.path.join(BIN, "fantail-spool-driver")
ROUNDS = 4
INPUTS = ROUNDS * 5
REFUSED = 3


def said(output, word):
    return [line.split()[1:] for line in output.splitlines() if line.split()[0] == word]


class SpoolFaults(unittest.TestCase):
    def setUp(self):
        self.base = tempfile.mkdtemp(prefix="fantail-faults-")
        self.addCleanup(shutil.rmtree, self.base, ignore_errors=True)

    def prepare(self, torn):
        """Where the run begins: nothing is there, or two rounds and a write that a crash interrupted."""
        folder = os.path.join(self.base, "run")
        shutil.rmtree(folder, ignore_errors=True)
        if torn:
            subprocess.run([DRIVER, "run", folder, "2"], check=True, capture_output=True)
            with open(os.path.join(folder, "spool"), "ab") as spool:
                spool.write(b"FSPL torn")
        return folder

    def check_what_is_left(self, folder, done, torn):
        confirmed = [tuple(map(int, each)) for each in said(done.stdout, "confirmed")]
        least = max(confirmed + ([(10, 8)] if torn else []), default=None)
        if os.path.exists(os.path.join(folder, "spool")):
            check = subprocess.run([DRIVER, "check", folder], capture_output=True, text=True)
            self.assertEqual(check.returncode, 0, check.stdout)
            jobs, frontier = map(int, said(check.stdout, "there")[0])
            self.assertEqual(jobs % 5, 0)
            if least:
                self.assertGreaterEqual((jobs, frontier), least)
        else:
            self.assertIsNone(least, "what was confirmed is gone")
        epochs = said(done.stdout, "epoch")
        rest = subprocess.run([DRIVER, "run", folder, str(ROUNDS)], capture_output=True, text=True)
        self.assertEqual(rest.returncode, 0, rest.stdout)
        if epochs:
            self.assertGreater(int(said(rest.stdout, "epoch")[0][0]), int(epochs[0][0]))

    def every(self, call, error, may_fail, torn=False, times=1, least=1):
        """Lets each such call fail in turn; there must be at least `least` of them."""
        n = 1
        while True:
            folder = self.prepare(torn)
            done, hits = run_with_fault([DRIVER, "run", folder, str(ROUNDS)], call, n, error, self.base, times)
            with self.subTest(call=call, error=error, n=n, torn=torn, hits=hits):
                self.assertIn(done.returncode, (0, REFUSED) if may_fail and hits else (0,), done.stdout + done.stderr)
                self.assertFalse([line for line in hits if line.startswith("again")], "a failed sync is final")
                if done.returncode == REFUSED:
                    errors = said(done.stdout, "error")
                    self.assertEqual(len(errors), 1)
                    self.assertTrue(any(word.startswith(self.base) for word in errors[0]), "which file?")
                else:
                    self.assertEqual(said(done.stdout, "confirmed")[-1], [str(INPUTS), str(INPUTS - 2)])
                self.check_what_is_left(folder, done, torn)
            if not hits:
                break
            n += 1
        self.assertGreater(n, least, f"{call} was called too seldom for this to mean anything")

    def test_errors_of_the_disk(self):
        for call, least in (("write", 3 + ROUNDS), ("fdatasync", ROUNDS), ("fsync", 5), ("open", 8), ("rename", 2)):
            self.every(call, "EIO", may_fail=True, least=least)

    def test_errors_of_the_disk_when_a_tail_is_cut(self):
        for call, least in (("write", 5), ("fdatasync", 2), ("fsync", 4), ("open", 6), ("ftruncate", 2)):
            self.every(call, "EIO", may_fail=True, torn=True, least=least)

    def test_a_full_disk(self):
        for call in ("write", "open", "fdatasync", "rename"):
            self.every(call, "ENOSPC", may_fail=True)
        self.every("write", "EDQUOT", may_fail=True)
        self.every("write", "FULL", may_fail=True, least=3 + ROUNDS)

    def test_a_disk_that_stays_full(self):
        self.every("write", "ENOSPC", may_fail=True, times=1000)

    def test_a_record_for_which_there_is_no_room_at_first_is_written_later(self):
        folder = self.prepare(torn=True)
        path = os.path.join(folder, "spool")
        done, hits = run_with_fault([DRIVER, "run", folder, str(ROUNDS)], "write", 2, "FULL", path)
        self.assertEqual(len(hits), 1)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn("No space left", done.stdout)
        self.check_what_is_left(folder, done, torn=True)

    def test_interrupted_calls_are_continued(self):
        for call in ("write", "fdatasync", "fsync", "open"):
            self.every(call, "EINTR", may_fail=False)
        self.every("ftruncate", "EINTR", may_fail=False, torn=True)

    def test_short_writes_are_continued(self):
        self.every("write", "SHORT", may_fail=False, least=3 + ROUNDS)


if __name__ == "__main__":
    unittest.main()
