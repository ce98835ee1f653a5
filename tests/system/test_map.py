"""fantail run map: people's own functions, one process per slot for all its jobs."""
import glob
import json
import os
import signal
import subprocess
import sys
import unittest

import fantail

EXAMPLES = os.path.join(os.path.dirname(__file__), "..", "..", "examples")
LOOP = "import json, os, signal, subprocess, sys, time\nfor line in sys.stdin:\n    value = json.loads(line)\n"


def processes_of(marker):
    """Process ids of living processes whose environment has the marker."""
    found = []
    for path in glob.glob("/proc/[0-9]*/environ"):
        try:
            with open(path, "rb") as file:
                if marker.encode() in file.read():
                    found.append(int(path.split("/")[2]))
        except OSError:
            pass  # it is gone
    return found


class Map(fantail.SystemTest):
    def setUp(self):
        super().setUp()
        # Inherited by all that a test starts.
        self.marker = f"MAP_TEST={self.folder}"
        self.environment["MAP_TEST"] = self.folder

    def function(self, body):
        """The words of a function in Python whose body is run for each `value`."""
        path = self.path("function.py")
        with open(path, "w", encoding="utf-8") as file:
            file.write(LOOP + "".join(f"    {line}\n" for line in body.splitlines()))
        return "--", sys.executable, path

    def run_map(self, *words, **options):
        code, rows, report, errors = self.run_fantail("-k", *words, **options)
        self.assert_balanced(report)
        self.assert_each_job_once(rows, len(rows))
        return code, rows, report, errors

    def assert_nothing_is_left(self):
        fantail.wait_until(lambda: not processes_of(self.marker), 20, f"nothing of {self.marker} is left")

    # ---- what goes in and what comes out

    def test_results_of_one_process_per_slot(self):
        words = self.function("print(json.dumps([value * value, os.getpid()]), flush=True)")
        code, rows, report, errors = self.run_map("-j", "2", "map", *words, input_bytes=b"".join(b"%d\n" % n for n in range(2000)))
        self.assertEqual(0, code, errors)
        self.assertEqual([n * n for n in range(2000)], [row["result"][0] for row in rows])
        self.assertLessEqual(len({row["result"][1] for row in rows}), 2)
        self.assertEqual({"results": 2000, "sum": None}, report["aggregate"])
        self.assert_nothing_is_left()

    def test_json_stays_what_it_is_and_all_else_is_a_string(self):
        words = self.function("sys.stdout.write(line); sys.stdout.flush()")
        items = ["12", "007", "text", "", "true", ' {"a" : [1, 2.50]} ', '"quoted"', "1e999", "na\tive", "12345678901234567890123"]
        code, rows, _, errors = self.run_map("map", *words, ":::", *items)
        self.assertEqual(0, code, errors)
        self.assertEqual([12, "007", "text", "", True, {"a": [1, 2.5]}, "quoted", "1e999", "na\tive", 12345678901234567890123],
                         [row["result"] for row in rows])
        with open(self.path("rows.jsonl"), encoding="utf-8") as file:
            self.assertIn('"result":{"a":[1,2.50]}}', file.read(), "digits are kept")
        code, rows, _, errors = self.run_map("map", "--strings", *words, ":::", "12", "true", '{"a":1}')
        self.assertEqual((0, ["12", "true", '{"a":1}']), (code, [row["result"] for row in rows]), errors)
        code, rows, _, errors = self.run_map("map", *words, ":::", "1", "x", ":::", "true", "2")
        self.assertEqual((0, [[1, True], [1, 2], ["x", True], ["x", 2]]), (code, [row["result"] for row in rows]), errors)
        code, rows, _, errors = self.run_map("map", "--count", "3", *words)
        self.assertEqual((0, [0, 1, 2]), (code, [row["result"] for row in rows]), errors)

    def test_csv_has_the_value_as_text(self):
        words = self.function("print(json.dumps({'a': [value, 'x,y']}), flush=True)")
        process = self.start("run", "--format", "csv", "--progress", "quiet", "map", *words, ":::", "1")
        code, output, errors = self.finish(process)
        self.assertEqual(0, code, errors)
        header, row = output.decode().splitlines()
        self.assertTrue(header.endswith(",result"), header)
        self.assertTrue(row.endswith(',"{""a"":[1,""x,y""]}"'), row)

    def test_the_digest_is_that_of_the_rows(self):
        words = self.function('''sys.exit('no') if value == 3 else print('{"v":%d,"f":0.50,"result":[1e2]}' % value, flush=True)''')
        _, rows, report, _ = self.run_map("map", *words, ":::", *"12345")
        self.assertEqual(5, len(rows))
        digest = subprocess.run(["python3", fantail.DIGEST, self.path("rows.jsonl")], capture_output=True, text=True, check=False)
        if "needs the Python module xxhash" in digest.stderr:
            self.skipTest(digest.stderr.strip())
        self.assertEqual((report["digest"], 0), (digest.stdout.strip(), digest.returncode), digest.stderr)

    def test_stderr_passes(self):
        words = self.function("print('log', value, file=sys.stderr, flush=True)\nprint(value, flush=True)")
        code, _, _, errors = self.run_map("map", *words, ":::", "1", "2")
        self.assertEqual(0, code)
        self.assertIn("log 1\n", errors)
        self.assertIn("log 2\n", errors)

    def test_large_lines_do_not_block(self):
        words = self.function("sys.stderr.write('e' * 300000 + '\\n')\nprint(json.dumps('x' * value), flush=True)")
        code, rows, _, _ = self.run_map("map", *words, ":::", "10", "3000000", "10")
        self.assertEqual((0, [10, 3000000, 10]), (code, [len(row["result"]) for row in rows]))
        # It writes far more than a pipe holds before it has read its line.
        words = ("--", sys.executable, "-c",
                 "import sys, os\nwhile True:\n    first = os.read(0, 1)\n    if not first: break\n"
                 "    os.write(2, b'w' * 500000)\n    rest = sys.stdin.readline()\n    print(len(rest), flush=True)")
        with open(self.path("long"), "w", encoding="utf-8") as file:
            file.write("y" * 1000000 + "\nz\n")
        code, rows, _, _ = self.run_map("map", *words, "::::", self.path("long"))
        self.assertEqual((0, [1000002, 3]), (code, [row["result"] for row in rows]))

    # ---- functions that fail

    def test_a_crash_fails_its_job_only(self):
        body = ("if value == 3: sys.exit('about three')\nif value == 5: os.kill(os.getpid(), signal.SIGKILL)\n"
                "if value == 7: os.close(1); time.sleep(60)\nprint(value, flush=True)")
        words = self.function(body)
        code, rows, report, _ = self.run_map("-j", "1", "map", "--grace", "1s", *words, ":::", *map(str, range(10)))
        self.assertEqual((1, 7, 3), (code, report["jobs"]["ok"], report["jobs"]["failed"]))
        for row in rows:
            if row["job"] in (3, 5, 7):
                self.assertEqual("crashed", row["error"]["code"])
                self.assertIsNone(row["result"])
            else:
                self.assertEqual(row["job"], row["result"])
        messages = [rows[job]["error"]["message"] for job in (3, 5, 7)]
        self.assertIn("exit code 1: about three", messages[0])
        self.assertIn("SIGKILL", messages[1])
        self.assertIn("closed its standard output", messages[2])

    def test_one_that_ends_between_jobs_fails_none(self):
        words = self.function("print(value, flush=True)\nif value % 10 == 9: sys.exit(0)")
        code, rows, _, errors = self.run_map("-j", "1", "map", *words, ":::", *map(str, range(100)))
        self.assertEqual((0, list(range(100))), (code, [row["result"] for row in rows]), errors)

    def test_one_that_always_ends_gives_each_job_an_outcome(self):
        code, rows, _, _ = self.run_map("map", "--", "true", ":::", *map(str, range(20)))
        self.assertEqual((1, {"crashed"}), (code, {row["error"]["code"] for row in rows}))
        self.assertEqual(20, len(rows))

    def test_a_crash_passes_with_retries(self):
        flag = self.path("flag")
        body = f"if value == 2 and not os.path.exists({flag!r}):\n    open({flag!r}, 'w'); sys.exit(4)\nprint(value, flush=True)"
        code, rows, report, errors = self.run_map("--retries", "2", "--backoff", "10ms..100ms", "map", *self.function(body), ":::", "1", "2", "3")
        self.assertEqual((0, [1, 2, 3], 1), (code, [row["result"] for row in rows], report["retries"]), errors)

    def test_answers_that_are_none(self):
        body = ("if value == 1: print('hello', flush=True)\nelif value == 2: print('1\\n2', flush=True)\n"
                "elif value == 3: print('', flush=True)\nelif value == 4: print('[1', flush=True)\nelse: print(value, flush=True)")
        code, rows, _, _ = self.run_map("-j", "1", "map", *self.function(body), ":::", *map(str, range(6)))
        self.assertEqual(1, code)
        self.assertEqual([None] + ["bad_answer"] * 4 + [None], [row["error"] and row["error"]["code"] for row in rows])
        self.assertEqual([0, 5], [rows[0]["result"], rows[5]["result"]])
        self.assertIn("not JSON: hello", rows[1]["error"]["message"])
        self.assertIn("more than one line", rows[2]["error"]["message"])

    def test_a_line_that_nobody_asked_for_answers_nothing(self):
        body = f"print(value, flush=True)\nif value == 1:\n    print(99, flush=True); open({self.path('wrote')!r}, 'w')"
        process = self.start("run", "-k", "-j", "1", "map", *self.function(body), stdin=subprocess.PIPE)
        process.stdin.write(b"1\n")
        process.stdin.flush()
        fantail.wait_until(lambda: os.path.exists(self.path("wrote")), 20, "the second line")
        output, _ = process.communicate(input=b"2\n3\n", timeout=60)
        code = process.returncode
        rows = [json.loads(line) for line in output.splitlines()]
        self.assertEqual(1, code)
        self.assertNotIn(99, [row["result"] for row in rows])
        self.assertEqual(3, rows[2]["result"])

    def test_an_answer_that_is_too_long(self):
        body = "print('1' if value else json.dumps('x' * (17 << 20)), flush=True)"
        code, rows, _, _ = self.run_map("-j", "1", "map", *self.function(body), ":::", "1", "0", "1")
        self.assertEqual((1, [1, None, 1]), (code, [row["result"] for row in rows]))
        self.assertEqual("result_too_large", rows[1]["error"]["code"])
        body = "print('1', flush=True) if value else [sys.stdout.write('x' * 100000) for _ in iter(int, 1)]"
        code, rows, _, _ = self.run_map("-j", "1", "map", *self.function(body), ":::", "1", "0", "1")
        self.assertEqual((1, [1, None, 1]), (code, [row["result"] for row in rows]))
        self.assertEqual("result_too_large", rows[1]["error"]["code"])

    # ---- functions that are stopped

    def test_a_timeout_leaves_nothing_and_the_next_job_runs(self):
        body = ("if value == 1:\n    signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
                "    subprocess.Popen(['sh', '-c', 'trap \"\" TERM; sleep 1000; sleep 1000'], start_new_session=True)\n"
                f"    open({self.path('grandchild')!r}, 'w')\n    time.sleep(1000)\nprint(value, flush=True)")
        # The time is enough for Python to start.
        code, rows, _, _ = self.run_map("-j", "1", "--timeout", "6s", "map", "--grace", "300ms", *self.function(body), ":::", "0", "1", "2")
        self.assertEqual((1, [0, None, 2]), (code, [row["result"] for row in rows]))
        self.assertEqual("timeout", rows[1]["error"]["code"])
        self.assertTrue(os.path.exists(self.path("grandchild")))
        self.assert_nothing_is_left()

    def test_deadline_and_first(self):
        body = "print(value, flush=True) if value == 0 else time.sleep(1000)"
        code, rows, report, _ = self.run_map("-j", "2", "--deadline", "3s", "map", "--grace", "200ms", *self.function(body), ":::", "1", "2", "3")
        self.assertEqual((4, {"expired"}), (code, {row["status"] for row in rows}))
        code, rows, report, _ = self.run_map("-j", "2", "--first", "map", "--grace", "200ms", *self.function(body), ":::", "1", "0", "2")
        self.assertEqual((0, 1), (code, report["jobs"]["ok"]))
        self.assert_nothing_is_left()

    def test_interrupted(self):
        process = self.start("run", "map", *self.function(f"open({self.path('ready')!r}, 'w')\ntime.sleep(1000)"), ":::", "1", "2")
        fantail.wait_until(lambda: os.path.exists(self.path("ready")), 20, "a job that runs")
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGINT)
        # The second one may have come before the first one was taken.
        def ends():
            process.send_signal(signal.SIGINT)
            return process.poll() is not None
        fantail.wait_until(ends, 30, "the run is over")
        self.assertEqual(130, process.returncode)
        self.assert_nothing_is_left()

    # ---- totals

    def total(self, field, *words, **options):
        _, _, report, errors = self.run_map("map", "--sum", field, *words, **options)
        return report["aggregate"]["sum"], errors

    def test_sums_are_exact(self):
        echo = self.function("sys.stdout.write(line); sys.stdout.flush()")
        total, errors = self.total(".", *echo, ":::", *["0.1"] * 10)
        self.assertEqual({"field": ".", "total": "1", "summed": 10, "without": 0}, total)
        self.assertIn("sum 1", errors)
        total, _ = self.total(".", *echo, ":::", *["18446744073709551615"] * 5, "1e30", "-0.25")
        self.assertEqual("1000000000092233720368547758074.75", total["total"])

    def test_sum_of_a_field(self):
        items = ['{"price":1.25,"n":1}', '{"n":2}', '{"price":"7"}', "5", '{"price":-0.05}', '{"price":null}']
        total, errors = self.total("price", *self.function("sys.stdout.write(line); sys.stdout.flush()"), ":::", *items)
        self.assertEqual({"field": "price", "total": "1.2", "summed": 2, "without": 4}, total)
        self.assertIn("sum of price 1.2 (4 results without a number there)", errors)

    def test_sum_after_the_sink_was_killed(self):
        count = 4000
        process = self.start("run", "-j", "2", "--output", self.path("rows.jsonl"), "--report", self.path("report.json"),
                             "map", "--sum", "v", "--count", str(count),
                             *self.function("time.sleep(0.0005)\nprint(json.dumps({'v': value + 0.5}), flush=True)"))

        def rows():
            if not os.path.exists(self.path("rows.jsonl")):
                return 0
            with open(self.path("rows.jsonl"), "rb") as file:
                return file.read().count(b"\n")

        def sink():
            with open(f"/proc/{process.pid}/task/{process.pid}/children", encoding="utf-8") as file:
                for pid in file.read().split():
                    with open(f"/proc/{pid}/comm", encoding="utf-8") as name:
                        if name.read().startswith("fantail-sink"):
                            return int(pid)
            return None

        fantail.wait_until(lambda: rows() >= count // 10, 60, "rows")
        os.kill(fantail.wait_until(sink, 10, "a sink"), signal.SIGKILL)
        self.assertEqual(0, self.finish(process, 120)[0])
        with open(self.path("report.json"), encoding="utf-8") as file:
            report = json.load(file)
        self.assert_balanced(report)
        self.assertEqual({"field": "v", "total": str(count * count // 2), "summed": count, "without": 0}, report["aggregate"]["sum"])
        self.assert_each_job_once(fantail.read_rows(self.path("rows.jsonl")), count)

    # ---- where it runs

    def test_over_tcp_only_where_it_is_named(self):
        sink_port, port = fantail.free_port_pair(), fantail.free_port()
        sink = self.start("sink", "--bind", f"tcp://127.0.0.1:{sink_port}", "--output", self.path("rows.jsonl"))
        self.start("ventilator", "--bind", f"tcp://127.0.0.1:{port}", "--worker-ports", "0", "--sink", f"tcp://127.0.0.1:{sink_port}",
                   "map", *self.function("print(value, flush=True)"), ":::", "1", "2")
        unwilling = self.start("worker", "--ventilator", f"tcp://127.0.0.1:{port}", "--wait", "60s")
        self.assertIn(b"has no place for this worker", unwilling.stderr.readline() + unwilling.stderr.readline())
        self.assertEqual([], fantail.read_rows(self.path("rows.jsonl")))
        self.start("worker", "--ventilator", f"tcp://127.0.0.1:{port}", "--kinds", "map")
        self.assertEqual(0, self.finish(sink)[0])
        self.assertEqual([1, 2], sorted(row["result"] for row in fantail.read_rows(self.path("rows.jsonl"))))

    def test_a_function_that_is_not_there_on_the_worker(self):
        sink_port, port = fantail.free_port_pair(), fantail.free_port()
        sink = self.start("sink", "--bind", f"tcp://127.0.0.1:{sink_port}", "--output", self.path("rows.jsonl"))
        self.start("ventilator", "--bind", f"tcp://127.0.0.1:{port}", "--worker-ports", "0", "--sink", f"tcp://127.0.0.1:{sink_port}",
                   "--retries", "5", "map", "--", "/no/such/function", ":::", *map(str, range(100)))
        self.start("worker", "--ventilator", f"tcp://127.0.0.1:{port}", "--kinds", "map")
        self.assertEqual(1, self.finish(sink)[0])
        rows = fantail.read_rows(self.path("rows.jsonl"))
        self.assertEqual((100, {"not_found"}, {1}), (len(rows), {row["error"]["code"] for row in rows}, {row["attempt"] for row in rows}))

    def test_mistakes(self):
        with open(self.path("plain.py"), "w", encoding="utf-8") as file:
            file.write("pass\n")
        for words, reason in [
                (("map", ":::", "1"), b"say which function"),
                (("map", "--", "no-such-function", ":::", "1"), b"command not found: no-such-function"),
                (("map", "--", self.path("plain.py"), ":::", "1"), b"chmod +x it"),
                (("map", "--", "cat", ":::+", "1"), b":::+ is linked"),
                (("map", "--count", "3", "--", "cat", ":::", "1"), b"--count takes the place of items"),
                (("map", "--sum", "", "--", "cat", ":::", "1"), b"--sum names no field"),
                (("map", "--tag", "--", "cat", ":::", "1"), b"--tag and --joblog are about processes")]:
            process = self.start("run", *words)
            code, output, errors = self.finish(process)
            self.assertEqual((2, b""), (code, output), errors)
            self.assertIn(reason.decode(), errors)
            self.assertEqual(1, errors.count("\n"), errors)

    # ---- the examples

    def example(self, *words):
        environment = dict(self.environment, FANTAIL=fantail.FANTAIL)
        finished = subprocess.run([os.path.join(EXAMPLES, *words[0].split("/")), *words[1:]], capture_output=True, text=True,
                                  env=environment, check=False, timeout=60, stdin=subprocess.DEVNULL)
        self.assertEqual((0, ""), (finished.returncode, finished.stderr))
        return finished.stdout.splitlines()

    def test_example_basic(self):
        *results, total = self.example("basic/run.sh")
        self.assertEqual(sorted(f"{n} x {w} = {n * w}" for n in range(1, 6) for w in range(1, 4)), sorted(results))
        self.assertEqual("total 90", total)

    def test_example_bounded(self):
        self.assertEqual([f"{n} x {n} = {n * n}" for n in range(1, 11)], self.example("bounded/run.sh"))
        self.assertEqual([f"{n} x {n} = {n * n}" for n in range(1, 201)], self.example("bounded/run.sh", "200"))


if __name__ == "__main__":
    unittest.main()
