"""Limits per host hold for the run, whatever the number of workers."""
import time
import unittest

import fantail

# The server's own clock and the kernel may be this much off.
TOLERANCE_S = 0.010


class Politeness(fantail.SystemTest):
    def test_delay_between_requests_to_one_host(self):
        one = fantail.WebServer(self, lambda path: fantail.page())
        other = fantail.WebServer(self, lambda path: fantail.page())
        urls = [f"{one.url}/{index}" for index in range(15)] + [f"{other.url}/{index}" for index in range(15)]
        started = time.monotonic()
        code, rows, _, _ = self.run_fantail("-j", "4", "urls", "--delay", "100ms", *urls)
        took = time.monotonic() - started
        self.assertEqual(0, code)
        self.assert_each_job_once(rows, 30)
        for server in (one, other):
            times = [when for when, _ in server.requests]
            self.assertEqual(15, len(times))
            gaps = [after - before for before, after in zip(times, times[1:])]
            self.assertGreaterEqual(min(gaps), 0.1 - TOLERANCE_S)
        # Side by side, not one host after the other.
        self.assertLess(took, 2.8)

    def test_a_blocked_host_does_not_hold_others_up(self):
        slow = fantail.WebServer(self, lambda path: fantail.page())
        quick = fantail.WebServer(self, lambda path: fantail.page())
        # A long queue for one host lies before the other's few pages.
        with open(self.path("urls.txt"), "w", encoding="utf-8") as file:
            for index in range(30000):
                file.write(f"{slow.url}/{index}\n")
            for index in range(20):
                file.write(f"{quick.url}/{index}\n")
        code, _, report, _ = self.run_fantail("--deadline", "5s", "urls", "--delay", "100ms", "--input", self.path("urls.txt"))
        self.assertEqual(4, code)
        self.assert_balanced(report)
        self.assertEqual(20, len(quick.requests))
        self.assertGreater(len(slow.requests), 20)

    def test_requests_in_flight_per_host(self):
        def answer(path):
            time.sleep(0.03)
            return fantail.page()

        server = fantail.WebServer(self, answer)
        code, rows, _, _ = self.run_fantail("-j", "4", "urls", "--per-host", "2", *[f"{server.url}/{i}" for i in range(40)])
        self.assertEqual(0, code)
        self.assert_each_job_once(rows, 40)
        self.assertEqual(2, server.in_flight_max)

    def test_a_redirect_waits_for_the_other_hosts_permit(self):
        target = fantail.WebServer(self, lambda path: fantail.page())
        source = fantail.WebServer(self, lambda path: (302, {"Location": target.url + path}, b""))
        urls = [f"{source.url}/s{i}" for i in range(6)] + [f"{target.url}/t{i}" for i in range(6)]
        code, rows, _, _ = self.run_fantail("-j", "2", "urls", "--delay", "100ms", *urls)
        self.assertEqual(0, code)
        self.assert_each_job_once(rows, 12)
        times = [when for when, _ in target.requests]
        self.assertEqual(12, len(times))
        self.assertGreaterEqual(min(after - before for before, after in zip(times, times[1:])), 0.1 - TOLERANCE_S)

    def test_a_busy_host_is_left_alone_by_all_workers_and_no_other_host_is(self):
        told = []

        def answer(_):
            time.sleep(0.01)
            if told or len(busy.requests) < 20:
                return fantail.page()
            told.append(time.monotonic())
            return 429, {"Retry-After": "1"}, b""

        busy = fantail.WebServer(self, answer)
        quick = fantail.WebServer(self, lambda path: fantail.page())
        urls = [f"{busy.url}/{i}" for i in range(60)] + [f"{quick.url}/{i}" for i in range(2000)]
        code, _, report, _ = self.run_fantail("-j", "4", "--rate", "1000/s", "urls", "--per-host", "4", *urls)
        self.assertEqual(1, code)
        self.assert_balanced(report)
        self.assertEqual(1, report["jobs"]["failed"], "the one that was told so")
        # Those that were under way come a moment later.
        self.assertEqual([], [when for when, _ in busy.requests if told[0] + 0.2 < when < told[0] + 1 - TOLERANCE_S])
        self.assertEqual(60, len(busy.requests))
        self.assertGreater(len([when for when, _ in quick.requests if told[0] + 0.2 < when < told[0] + 1]), 100)


if __name__ == "__main__":
    unittest.main()
