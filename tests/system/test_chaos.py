"""Random kills and pauses of every role, also while it recovers: rows and digest are those of an undisturbed run.

FANTAIL_CHAOS_KILLS (default 200) says how many, FANTAIL_CHAOS_SEED which; the seed is printed."""
import json
import os
import random
import signal
import time
import unittest

import fantail

KILLS = int(os.environ.get("FANTAIL_CHAOS_KILLS", "200"))
SEED = int(os.environ.get("FANTAIL_CHAOS_SEED", str(random.SystemRandom().randrange(1 << 32))))
JOBS = 20_000
WORKERS = 4
HEARTBEAT_S = 0.25


class Chaos(fantail.SystemTest):
    def test_kills_and_pauses(self):
        print(f"FANTAIL_CHAOS_SEED={SEED} FANTAIL_CHAOS_KILLS={KILLS}", flush=True)
        choose = random.Random(SEED)
        sink_port, ventilator_port = fantail.free_port_pair(), fantail.free_port()
        rows, report = self.path("rows.jsonl"), self.path("report.json")
        # Long enough for all kills: they come 175 ms apart, and recovery takes its time as well.
        sleep_ms = max(5, KILLS * 250 * WORKERS * 4 // JOBS)
        kind = ("echo", "--count", str(JOBS), "--sleep", f"{sleep_ms}ms")
        commands = {
            "sink": ("sink", "--bind", f"tcp://127.0.0.1:{sink_port}", "--output", rows, "--report", report),
            "ventilator": ("ventilator", "--bind", f"tcp://127.0.0.1:{ventilator_port}", "--worker-ports", "0",
                           "--sink", f"tcp://127.0.0.1:{sink_port}", "--heartbeat", f"{int(HEARTBEAT_S * 1000)}ms",
                           "--max-deaths", "0", *kind)}
        for index in range(WORKERS):
            commands[f"worker {index}"] = ("worker", "--ventilator", f"tcp://127.0.0.1:{ventilator_port}",
                                           "--slots", "4")
        processes = {name: self.start(*command) for name, command in commands.items()}
        applied = dict.fromkeys(("sink", "ventilator", "worker", "pause"), 0)
        for _ in range(KILLS):
            time.sleep(choose.uniform(0.05, 0.3))  # the fault's own time, not a wait for anything
            # Whoever has ended by itself has seen the end of the run.
            living = [name for name, process in processes.items() if process.poll() is None]
            if len(living) < len(processes):
                break
            name = choose.choice(living)
            process = processes[name]
            if choose.random() < 0.1:
                process.send_signal(signal.SIGSTOP)
                time.sleep(choose.uniform(0.5, 6) * HEARTBEAT_S)  # some longer than a lease
                process.send_signal(signal.SIGCONT)
                applied["pause"] += 1
                continue
            self.stop(process)
            self.assertEqual(-signal.SIGKILL, process.returncode)
            applied[name.split()[0]] += 1
            processes[name] = self.start(*commands[name])
        print(applied, flush=True)
        self.assertGreaterEqual(sum(applied.values()), KILLS * 9 // 10, "the run was over too soon")
        self.assertTrue(all(applied.values()), applied)
        for name in ("ventilator", "sink"):
            code, _, errors = self.finish(processes[name], 300)
            self.assertEqual(0, code, f"{name}: {errors}")
        with open(report, encoding="utf-8") as file:
            figures = json.load(file)
        self.assert_balanced(figures)
        self.assertEqual(JOBS, figures["jobs"]["ok"])
        self.assert_each_job_once(fantail.read_rows(rows), JOBS)
        undisturbed = self.path("undisturbed.json")
        process = self.start("run", "--report", undisturbed, "--output", self.path("undisturbed.jsonl"), "echo",
                             "--count", str(JOBS))
        self.assertEqual(0, self.finish(process)[0])
        with open(undisturbed, encoding="utf-8") as file:
            self.assertEqual(json.load(file)["digest"], figures["digest"])


if __name__ == "__main__":
    unittest.main()
