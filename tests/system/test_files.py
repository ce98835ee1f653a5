"""files: every regular file exactly one row, and every figure as other programs have it."""
import base64
import hashlib
import os
import random
import shutil
import socket
import subprocess
import unittest

import fantail

SEPARATORS = b" \t\n\v\f\r"
SEED = 20260


TO_SPACE = bytes(32 if byte in SEPARATORS else byte for byte in range(256))


def words_of(data):
    return sum(1 for part in data.translate(TO_SPACE).split(b" ") if part)


def make_tree(root, count, random_source):
    """Files of many kinds, {path: content}."""
    contents = {}
    for index in range(count):
        folder = os.path.join(root, f"d{index % 97:02d}".encode(), f"e{index % 13}".encode())
        os.makedirs(folder, exist_ok=True)
        size = random_source.choice([0, 1, 10, 100, 1000, 3000, random_source.randrange(65536)])
        if index % 3 == 0:
            data = random_source.randbytes(size)
        else:
            data = bytes(random_source.choices(b"abc DEF\n\t.,", k=min(size, 4000)))
        name = b"f%d" % index
        if index % 50 == 1:
            name += b" with space"
        elif index % 50 == 2:
            name += b"\nline"
        elif index % 50 == 3:
            name += b"\xff\xfe"
        path = os.path.join(folder, name)
        with open(path, "wb") as file:
            file.write(data)
        contents[path] = data
    return contents


def path_of(row):
    return base64.b64decode(row["path_base64"]) if "path_base64" in row else row["path"].encode()


class Files(fantail.SystemTest):
    def test_every_file_of_a_large_tree(self):
        print(f"seed {SEED}")
        root = self.path("tree").encode()
        contents = make_tree(root, 20500, random.Random(SEED))
        os.symlink(root, os.path.join(root, b"loop"))
        os.symlink(b"/etc/passwd", os.path.join(root, b"link"))
        os.mkfifo(os.path.join(root, b"fifo"))
        listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(listener.close)
        listener.bind(os.path.join(self.folder, "tree", "socket"))

        code, rows, report, _ = self.run_fantail("files", self.path("tree"))
        self.assertEqual(0, code)
        self.assert_balanced(report)
        self.assert_each_job_once(rows, len(contents))
        self.assertEqual(2, report["aggregate"]["skipped"])
        seen = set()
        for row in rows:
            path = path_of(row)
            seen.add(path)
            data = contents[path]
            self.assertEqual((len(data), words_of(data), data.count(b"\n")), (row["size"], row["words"], row["lines"]), path)
        self.assertEqual(set(contents), seen)
        totals = report["aggregate"]
        self.assertEqual(sum(map(len, contents.values())), totals["bytes"])

        # The digest is that of the rows, and does not depend on the number of workers.
        python = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else "python3"
        digest = subprocess.run([python, fantail.DIGEST, self.path("rows.jsonl")], capture_output=True, text=True)
        self.assertEqual((0, report["digest"]), (digest.returncode, digest.stdout.strip()), digest.stderr)
        _, _, eight, _ = self.run_fantail("-j", "8", "files", self.path("tree"))
        _, _, one, _ = self.run_fantail("-j", "1", "files", self.path("tree"))
        self.assertEqual([report["digest"]] * 2, [one["digest"], eight["digest"]])
        self.assertEqual(8, eight["workers"])

        # xxhsum escapes odd names; plain ones suffice here.
        if shutil.which("xxhsum"):
            plain = [path for path in contents if b"\n" not in path and b"\xff" not in path]
            listing = subprocess.run(["xargs", "-0", "xxhsum", "-H2"], input=b"\0".join(plain), capture_output=True).stdout
            expected = dict(reversed(line.split(b"  ", 1)) for line in listing.splitlines())
            actual = {path_of(row): row["hash"].encode() for row in rows}
            for path in plain:
                self.assertEqual(expected[path], actual[path], path)

    def test_words_and_lines_are_those_of_wc(self):
        random_source = random.Random(SEED)
        names = []
        for index in range(500):
            name = self.path(f"t{index}")
            with open(name, "wb") as file:
                file.write(bytes(random_source.choices(bytes(range(32, 127)) + b" \t\n\n\v\f\r", k=index * 7)))
            names.append(name)
        code, rows, _, _ = self.run_fantail("files", *names)
        self.assertEqual(0, code)
        listing = subprocess.run(["wc", "-lwc", *names], capture_output=True, text=True, env={"LC_ALL": "C", "PATH": os.environ["PATH"]})
        expected = {}
        for line in listing.stdout.splitlines()[:-1]:
            lines, words, size, name = line.split()
            expected[name] = (int(lines), int(words), int(size))
        self.assertEqual(expected, {row["path"]: (row["lines"], row["words"], row["size"]) for row in rows})

    def test_hashes_are_those_of_the_tools(self):
        names = []
        for index, size in enumerate((0, 1, 63, 64, 65, 255, 262143, 262144, 262145, 3000000)):
            names.append(self.path(f"h{index}"))
            with open(names[-1], "wb") as file:
                file.write(random.Random(size).randbytes(size))
        for algorithm in ("md5", "sha1", "sha256", "sha512", "blake2b"):
            _, rows, _, _ = self.run_fantail("files", "--hash", algorithm, *names)
            for row in rows:
                with open(row["path"], "rb") as file:
                    self.assertEqual(hashlib.new(algorithm, file.read()).hexdigest(), row["hash"], algorithm)
        listing = subprocess.run(["sha256sum", *names], capture_output=True, text=True).stdout
        _, rows, _, _ = self.run_fantail("files", "--hash", "sha256", *names)
        self.assertEqual(dict(reversed(line.split("  ")) for line in listing.splitlines()),
                         {row["path"]: row["hash"] for row in rows})

    def test_what_cannot_be_read_is_a_row(self):
        os.mkfifo(self.path("fifo"))
        names = [self.path("fifo"), self.path("vanished"), "/etc/passwd"]
        if os.geteuid() != 0:
            names.append(self.path("unreadable"))
            open(names[-1], "w", encoding="utf-8").close()
            os.chmod(names[-1], 0)
        code, rows, report, errors = self.run_fantail("files", *names)
        self.assertEqual(1, code)
        self.assert_balanced(report)
        codes = [row["error"] and row["error"]["code"] for row in sorted(rows, key=lambda row: row["job"])]
        self.assertEqual(["not_regular", "not_found", None, "permission_denied"][:len(names)], codes)
        self.assertIn(f"{len(names) - 1} failed", errors)

    def test_a_list_with_nul_bytes(self):
        names = [self.path("plain").encode(), self.path("new\nline").encode(), os.path.join(self.folder.encode(), b"\xff")]
        for name in names:
            with open(name, "wb") as file:
                file.write(b"one two\n")
        code, rows, _, _ = self.run_fantail("-k", "files", "-0", "--input", "-", input_bytes=b"\0".join(names))
        self.assertEqual(0, code)
        self.assertEqual(names, [path_of(row) for row in rows])


if __name__ == "__main__":
    unittest.main()
