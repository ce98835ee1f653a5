"""Mistakes get one sentence with the cause and the way out, and the right exit code."""
import socket
import subprocess
import unittest

import fantail


class Errors(fantail.SystemTest):
    def complaint(self, code, *arguments):
        process = self.start(*arguments)
        actual, _, errors = self.finish(process, 20)
        self.assertEqual(code, actual, errors)
        lines = errors.splitlines()
        self.assertEqual(1, len(lines), errors)
        return lines[0]

    def test_no_worker_within_wait(self):
        port, control = fantail.free_port_pair(), fantail.free_port()
        sink = self.start("sink", "--bind", f"tcp://127.0.0.1:{port}")
        ventilator = self.start("ventilator", "--bind", f"tcp://127.0.0.1:{control}", "--sink", f"tcp://127.0.0.1:{port}",
                                "--wait", "300ms", "echo", "--count", "3")
        code, _, errors = self.finish(ventilator, 20)
        self.assertEqual(5, code, errors)
        self.assertIn(f"fantail worker --ventilator tcp://127.0.0.1:{control}", errors)
        self.assertEqual(5, self.finish(sink, 20)[0])

    def test_no_sink_within_wait(self):
        ventilator = self.start("ventilator", "--bind", "tcp://127.0.0.1:0", "--sink", f"tcp://127.0.0.1:{fantail.free_port()}",
                                "--wait", "300ms", "echo")
        code, _, errors = self.finish(ventilator, 20)
        self.assertEqual(5, code)
        self.assertIn("fantail sink --bind", errors)

    def test_no_ventilator_within_wait(self):
        code, _, errors = self.finish(self.start("sink", "--bind", "tcp://127.0.0.1:0", "--wait", "300ms"), 20)
        self.assertEqual(5, code)
        self.assertIn("fantail ventilator --sink", errors)
        code, _, errors = self.finish(self.start("worker", "--ventilator", f"tcp://127.0.0.1:{fantail.free_port()}", "--wait", "300ms"), 20)
        self.assertEqual(5, code)
        self.assertIn("fantail ventilator --bind", errors)

    def test_usage(self):
        self.assertIn("bogus", self.complaint(2, "run", "bogus"))
        self.assertIn("--nonsense", self.complaint(2, "run", "--nonsense", "files", "/etc"))
        self.assertIn("files", self.complaint(2, "run"))
        self.assertIn("PATH", self.complaint(2, "run", "files"))
        self.assertIn("sha256", self.complaint(2, "run", "files", "--hash", "crc", "/etc"))
        self.assertIn("10s", self.complaint(2, "run", "--deadline", "soon", "files", "/etc"))
        self.assertIn("tcp://", self.complaint(2, "worker", "--ventilator", "somewhere"))
        self.assertIn("5600", self.complaint(2, "ventilator", "--worker-ports", "x", "echo"))
        self.assertIn("bogus", self.complaint(2, "bogus"))

    def test_missing_and_malformed_files(self):
        missing = self.path("missing")
        self.assertIn(f"--input {missing}: No such file", self.complaint(2, "run", "urls", "--input", missing))
        self.assertIn(missing, self.complaint(2, "run", "prices", "--product", "x", "--vendors", missing))
        with open(self.path("vendors.yaml"), "w", encoding="utf-8") as file:
            file.write("vendors:\n  - name: A\n    url: http://a/{product}\n    prise: /p\n")
        sentence = self.complaint(2, "run", "prices", "--product", "x", "--vendors", self.path("vendors.yaml"))
        self.assertIn("vendors.yaml:4", sentence)
        self.assertIn('did you mean "price"', sentence)
        self.assertIn(missing, self.complaint(3, "run", "--output", missing + "/x", "files", "/etc/passwd"))

    def test_an_endpoint_in_use(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            self.assertIn("in use", self.complaint(3, "sink", "--bind", f"tcp://127.0.0.1:{port}"))
            self.assertIn("in use", self.complaint(3, "ventilator", "--bind", f"tcp://127.0.0.1:{port}", "echo"))

    def test_open_addresses_need_insecure(self):
        for arguments in (["sink", "--bind", "tcp://*:5558"], ["ventilator", "--bind", "tcp://0.0.0.0:5557", "echo"],
                          ["ventilator", "--sink", "tcp://sink.example:5558", "echo"],
                          ["worker", "--ventilator", "tcp://ventilator.example:5557"]):
            self.assertIn("--insecure", self.complaint(2, *arguments))

    def test_the_environment_sets_flags_and_the_flag_wins(self):
        environment = dict(self.environment, FANTAIL_HASH="md5", FANTAIL_FORMAT="csv")
        run = [fantail.FANTAIL, "run", "files", "/etc/passwd"]
        output = subprocess.run(run, env=environment, capture_output=True, text=True, check=True).stdout
        self.assertTrue(output.startswith("job,input,"), output)
        self.assertIn(",md5,", output)
        output = subprocess.run([*run, "--hash", "sha1", "--format", "jsonl"], env=environment, capture_output=True,
                                text=True, check=True).stdout
        self.assertIn('"hash_algorithm":"sha1"', output)

    def test_help_and_version(self):
        for arguments in (["--help"], ["--version"], ["run", "--help"], ["run", "files", "--help"], ["ventilator", "--help"],
                          ["worker", "--help"], ["sink", "--help"], ["sink", "--version"]):
            code, output, _ = self.finish(self.start(*arguments), 20)
            self.assertEqual(0, code, arguments)
            self.assertTrue(output)


if __name__ == "__main__":
    unittest.main()
