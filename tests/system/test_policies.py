"""How runs fan in: first success, stop on failure, bounded concurrency, rates, retries, pause and cancel."""
import email.utils
import json
import select
import threading
import time
import unittest

import fantail


class PatientServer(fantail.QuietServer):
    """Answers each path after its latency, and knows when a client went away before that."""

    def __init__(self, test, latencies, failing=()):
        self.answered = {}   # path: when
        self.abandoned = {}  # path: when
        outer = self

        class Handler(fantail.http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                readable, _, _ = select.select([self.connection], [], [], latencies[self.path])
                if readable:
                    outer.abandoned[self.path] = time.monotonic()
                    self.close_connection = True
                    return
                outer.answered[self.path] = time.monotonic()
                self.send_response(500 if self.path in failing else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *arguments):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        test.addCleanup(self.server_close)
        test.addCleanup(self.shutdown)


class FirstWins(fantail.SystemTest):
    LATENCIES = {"/a": 0.1, "/b": 0.2, "/c": 1.5, "/d": 1.5, "/e": 1.5}

    def test_the_first_success_ends_the_race(self):
        server = PatientServer(self, self.LATENCIES, failing={"/a"})
        urls = [server.url + path for path in reversed(self.LATENCIES)]
        code, rows, report, errors = self.run_fantail("--first", "urls", "--per-host", "0", *urls)
        self.assertEqual((0, "completed", None), (code, report["state"], report["end_reason"]), errors)
        self.assert_balanced(report)
        self.assert_each_job_once(rows, 5)
        self.assertEqual({"ok": 1, "failed": 1, "cancelled": 3}, {k: report["jobs"][k] for k in ("ok", "failed", "cancelled")})
        first = report["first"]
        self.assertEqual(server.url + "/b", first["input"])
        self.assertEqual(3, first["cancelled"])
        self.assertIn(f"first: {server.url}/b after ", errors)
        self.assertIn("; 3 others cancelled", errors)
        fantail.wait_until(lambda: len(server.abandoned) == 3, 5, "the losers' connections are closed")
        self.assertLess(max(server.abandoned.values()) - server.answered["/b"], 0.2)

    def test_all_failing_is_a_failure(self):
        latencies = {"/a": 0.02, "/b": 0.05, "/c": 0.1}
        server = PatientServer(self, latencies, failing=set(latencies))
        code, rows, report, _ = self.run_fantail("--first", "urls", "--per-host", "0", *[server.url + path for path in latencies])
        self.assertEqual((1, "failed", None), (code, report["state"], report["first"]))
        self.assertEqual(["http_status"] * 3, [row["error"]["code"] for row in rows])
        self.assertEqual(sorted(server.url + path for path in latencies), sorted(error["input"] for error in report["errors"]))

    def test_more_winners_than_one(self):
        server = PatientServer(self, {f"/{i}": 0.02 if i < 2 else 2 for i in range(6)})
        code, _, report, _ = self.run_fantail("--first=2", "urls", "--per-host", "0", *[f"{server.url}/{i}" for i in range(6)])
        self.assertEqual((0, 2, 4), (code, report["jobs"]["ok"], report["jobs"]["cancelled"]))


class Halt(fantail.SystemTest):
    def server(self, failing):
        def answer(path):
            time.sleep(0.01)
            if path in failing:
                self.failed_at = time.monotonic()
                return 404, {}, b""
            return fantail.page()
        return fantail.WebServer(self, answer)

    def test_now_stops_at_the_first_failure(self):
        server = self.server({"/9"})
        code, rows, report, errors = self.run_fantail("-j", "2", "--halt", "now,fail=1", "urls", "--per-host", "4",
                                                      *[f"{server.url}/{i}" for i in range(1000)])
        self.assertEqual((4, "halted"), (code, report["state"]), errors)
        self.assertEqual("1 job failed (--halt now,fail=1)", report["end_reason"])
        self.assert_balanced(report)
        self.assert_each_job_once(rows, 1000)
        self.assertEqual(1, report["jobs"]["failed"])
        self.assertLess(max(when for when, _ in server.requests) - self.failed_at, 0.2)

    def test_soon_lets_running_jobs_finish(self):
        code, rows, report, _ = self.run_fantail("-j", "4", "--halt", "soon,done=10", "echo", "--count", "1000", "--sleep", "30ms")
        self.assertEqual((0, "completed"), (code, report["state"]))
        self.assert_balanced(report)
        self.assertGreaterEqual(report["jobs"]["ok"], 10)
        self.assertLess(report["jobs"]["ok"], 100)
        self.assertTrue(all(row["attempt"] == 0 for row in rows if row["status"] == "cancelled"))

    def test_a_share_of_all_jobs(self):
        server = self.server({f"/{i}" for i in range(0, 100, 2)})
        code, _, report, _ = self.run_fantail("--halt", "now,fail=10%", "urls", "--per-host", "2",
                                              *[f"{server.url}/{i}" for i in range(100)])
        self.assertEqual((4, "halted"), (code, report["state"]))
        self.assertTrue(10 <= report["jobs"]["failed"] < 30, report["jobs"])

    def test_what_it_does_not_understand(self):
        for arguments, words in ((("--halt", "later,fail=1"), "write now or soon"), (("--first=0",), "--first"),
                                 (("--first", "--halt", "now,fail=1"), "--first"), (("--rate", "fast"), "write 100/s"),
                                 (("--backoff", "1s"), "write 1s..30s")):
            code, _, errors = self.finish(self.start("run", *arguments, "echo"))
            self.assertEqual(2, code, arguments)
            self.assertIn(words, errors)


class Pace(fantail.SystemTest):
    def test_no_more_jobs_run_than_asked_for(self):
        changes = []
        lock = threading.Lock()
        running = 0

        def answer(path):
            nonlocal running
            with lock:
                running += 1
                changes.append((time.monotonic(), running))
            time.sleep(0.06)
            with lock:
                running -= 1
                changes.append((time.monotonic(), running))
            return fantail.page()

        server = fantail.WebServer(self, answer)
        code, _, report, _ = self.run_fantail("-j", "4", "--max-running", "3", "urls", "--per-host", "0",
                                              *[f"{server.url}/{i}" for i in range(60)])
        self.assertEqual((0, 3), (code, report["max_running"]))
        self.assertEqual(3, max(count for _, count in changes))
        full = [when for when, count in changes if count == 3]
        gaps = [after - before for (before, count), (after, _) in zip(changes, changes[1:])
                if count < 3 and full[0] < before < full[-1]]
        # One pause of this machine is not the dispatcher's.
        self.assertLess(sorted(gaps)[-3], 0.02)

    def test_so_many_starts_in_a_second(self):
        server = fantail.WebServer(self, lambda path: fantail.page())
        code, _, _, _ = self.run_fantail("-j", "4", "--rate", "50/s", "urls", "--per-host", "0",
                                         *[f"{server.url}/{i}" for i in range(150)])
        self.assertEqual(0, code)
        times = sorted(when for when, _ in server.requests)
        self.assertEqual(150, len(times))
        for begin in times:
            count = sum(begin <= when < begin + 1 for when in times)
            self.assertLessEqual(count, 55)
            if begin + 1 <= times[-1]:
                self.assertGreaterEqual(count, 45)


class Retries(fantail.SystemTest):
    def answers(self, retry_after):
        def answer(path):
            self.times.append(time.monotonic())
            if len(self.times) == 1:
                return 503, {"Retry-After": retry_after()}, b""
            return fantail.page()
        self.times = []
        return fantail.WebServer(self, answer)

    def test_retry_after_is_not_undercut(self):
        for retry_after in (lambda: "2", lambda: email.utils.formatdate(time.time() + 3, usegmt=True)):
            server = self.answers(retry_after)
            code, rows, report, errors = self.run_fantail("--retries", "2", "--backoff", "10ms..10ms", "urls", server.url)
            self.assertEqual((0, 2, 1), (code, rows[0]["attempt"], report["retries"]), errors)
            self.assertGreaterEqual(self.times[1] - self.times[0], 1.9)
            self.assertLess(self.times[1] - self.times[0], 4)

    def test_beyond_the_deadline_it_fails_at_once(self):
        server = self.answers(lambda: "60")
        started = time.monotonic()
        code, rows, _, _ = self.run_fantail("--retries", "2", "--deadline", "20s", "urls", server.url)
        self.assertLess(time.monotonic() - started, 10)
        self.assertEqual((1, "failed"), (code, rows[0]["status"]))
        self.assertEqual("HTTP 503 Service Unavailable; another attempt would come after the run's deadline",
                         rows[0]["error"]["message"])

    def test_what_is_final_is_not_tried_again(self):
        server = fantail.WebServer(self, lambda path: (404, {}, b""))
        code, rows, report, _ = self.run_fantail("--retries", "5", "urls", server.url)
        self.assertEqual((1, 1, 0), (code, rows[0]["attempt"], report["retries"]))
        self.assertEqual(1, len(server.requests))

    def test_the_last_attempt_is_the_outcome(self):
        server = fantail.WebServer(self, lambda path: (500, {}, b""))
        code, rows, report, _ = self.run_fantail("--retries", "2", "--backoff", "10ms..50ms", "urls", server.url)
        self.assertEqual((1, 3, 2), (code, rows[0]["attempt"], report["retries"]))
        self.assertEqual(3, len(server.requests))


class Timeouts(fantail.SystemTest):
    def test_an_attempt_that_takes_too_long_is_stopped(self):
        with open(self.path("sleeps.txt"), "w", encoding="utf-8") as file:
            file.write("0.01\n30\n0.01\n")
        started = time.monotonic()
        code, rows, report, _ = self.run_fantail("--timeout", "300ms", "--retries", "1", "--backoff", "0s..0s", "echo",
                                                 "--sleep-from", self.path("sleeps.txt"))
        self.assertLess(time.monotonic() - started, 10)
        self.assertEqual((1, 2, 1), (code, report["jobs"]["ok"], report["retries"]))
        slow = next(row for row in rows if row["job"] == 1)
        self.assertEqual(("timeout", 2), (slow["error"]["code"], slow["attempt"]))

    def test_transfers_too(self):
        server = PatientServer(self, {"/a": 0.01, "/b": 30})
        code, rows, _, _ = self.run_fantail("--timeout", "300ms", "urls", "--per-host", "0", server.url + "/a", server.url + "/b")
        self.assertEqual((1, "timeout"), (code, next(row for row in rows if row["job"] == 1)["error"]["code"]))
        fantail.wait_until(lambda: "/b" in server.abandoned, 5, "its connection is closed")

    def test_a_share_of_the_median_so_far(self):
        with open(self.path("sleeps.txt"), "w", encoding="utf-8") as file:
            file.write("0.02\n" * 60 + "30\n")
        code, rows, _, _ = self.run_fantail("--timeout", "2000%", "echo", "--sleep-from", self.path("sleeps.txt"))
        self.assertEqual(1, code)
        self.assertEqual(["timeout"], [row["error"]["code"] for row in rows if row["error"]])


class Control(fantail.SystemTest):
    def begin(self):
        self.server = fantail.WebServer(self, lambda path: (time.sleep(0.03), fantail.page())[1])
        run = self.start("run", "-j", "2", "--report", self.path("report.json"), "--output", self.path("rows.jsonl"), "urls",
                         "--per-host", "2", *[f"{self.server.url}/{i}" for i in range(200)])
        fantail.wait_until(lambda: len(self.server.requests) > 5, 20, "jobs start")
        return run

    def say(self, *arguments):
        return self.finish(self.start(*arguments))

    def test_pause_and_unpause(self):
        run = self.begin()
        code, output, errors = self.say("pause")
        self.assertEqual(0, code, errors)
        self.assertIn(b"is paused", output)
        paused = time.monotonic()
        time.sleep(0.7)  # what is tested is that nothing happens meanwhile
        self.assertEqual([], [when for when, _ in self.server.requests if when > paused + 0.2])
        self.assertIsNone(run.poll())
        self.assertEqual(0, self.say("unpause")[0])
        code, _, errors = self.finish(run)
        self.assertEqual(0, code, errors)
        with open(self.path("report.json"), encoding="utf-8") as file:
            self.assertEqual(200, json.load(file)["jobs"]["ok"])

    def test_cancel(self):
        run = self.begin()
        self.assertEqual(0, self.say("cancel")[0])
        code, _, errors = self.finish(run, 20)
        self.assertEqual(4, code, errors)
        with open(self.path("report.json"), encoding="utf-8") as file:
            report = json.load(file)
        self.assertEqual(("cancelled", "cancelled by fantail cancel"), (report["state"], report["end_reason"]))
        self.assert_balanced(report)
        code, _, errors = self.say("cancel")
        self.assertEqual(2, code)
        self.assertIn("no run goes on", errors)


if __name__ == "__main__":
    unittest.main()
