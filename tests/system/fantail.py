"""What the system tests share: starting roles, waiting for conditions, a scripted HTTP server."""
import http.server
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

BIN = os.environ.get("FANTAIL_BIN", os.path.join(os.path.dirname(__file__), "..", "..", "build", "bin"))
FANTAIL = os.path.join(BIN, "fantail")
DIGEST = os.path.join(os.path.dirname(__file__), "..", "..", "examples", "digest.py")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def free_port_pair():
    """A port whose neighbour is free as well: the sink's control and results."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
            try:
                second.bind(("127.0.0.1", port + 1))
                return port
            except (OSError, OverflowError):
                continue


def wait_until(condition, seconds, what):
    """Waits for a condition, never for a time. Returns the condition's value."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.005)
    raise AssertionError(f"not within {seconds} s: {what}")


def read_rows(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


class SystemTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="fantail-test-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.environment = dict(os.environ, XDG_STATE_HOME=self.path("state"), LC_ALL="C.UTF-8")
        for name in list(self.environment):
            if name.startswith("FANTAIL_") and name != "FANTAIL_BIN":
                del self.environment[name]

    def path(self, name):
        return os.path.join(self.folder, name)

    def start(self, *arguments, stdin=subprocess.DEVNULL, environment=None):
        """Starts fantail in a process group of its own, which ends with the test."""
        process = subprocess.Popen([FANTAIL, *arguments], stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   env=environment or self.environment, start_new_session=True)
        self.addCleanup(self.stop, process)
        return process

    def stop(self, process):
        if process.poll() is None:
            # fantail run has given each child a group of its own; they end with it.
            os.kill(process.pid, signal.SIGKILL)
        process.wait()
        for stream in (process.stdout, process.stderr, process.stdin):
            if stream:
                stream.close()

    def finish(self, process, seconds=60):
        output, errors = process.communicate(timeout=seconds)
        return process.returncode, output, errors.decode("utf-8", "replace")

    def run_fantail(self, *arguments, seconds=120, input_bytes=None, environment=None):
        """fantail run with rows and report in files: (exit code, rows, report, stderr)."""
        rows, report = self.path("rows.jsonl"), self.path("report.json")
        process = self.start("run", "--output", rows, "--report", report, *arguments,
                             stdin=subprocess.PIPE if input_bytes is not None else subprocess.DEVNULL,
                             environment=environment)
        _, errors = process.communicate(input=input_bytes, timeout=seconds)
        self.assertTrue(os.path.exists(report), errors.decode("utf-8", "replace"))
        with open(report, encoding="utf-8") as file:
            return process.returncode, read_rows(rows), json.load(file), errors.decode("utf-8", "replace")

    def assert_balanced(self, report):
        jobs = report["jobs"]
        self.assertEqual(jobs["submitted"], jobs["ok"] + jobs["failed"] + jobs["cancelled"] + jobs["expired"])
        self.assertEqual(0, jobs["lost"])

    def assert_each_job_once(self, rows, count):
        self.assertEqual(list(range(count)), sorted(row["job"] for row in rows))


class QuietServer(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request, client_address):
        pass  # a client that went away is what some tests are about


class WebServer:
    """A web server whose answers are functions of the path: answer(path) -> (status, headers, body)."""

    def __init__(self, test, answer):
        self.requests = []  # (monotonic seconds, path)
        self.in_flight = 0
        self.in_flight_max = 0
        self.lock = threading.Lock()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = -1

            def do_GET(self):
                with outer.lock:
                    outer.requests.append((time.monotonic(), self.path))
                    outer.in_flight += 1
                    outer.in_flight_max = max(outer.in_flight_max, outer.in_flight)
                try:
                    status, headers, body = answer(self.path)
                finally:
                    with outer.lock:
                        outer.in_flight -= 1
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET

            def log_message(self, *arguments):
                pass

        self.server = QuietServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        test.addCleanup(self.server.server_close)
        test.addCleanup(self.server.shutdown)


def page(body="hello world", title="A page"):
    return 200, {"Content-Type": "text/html"}, f"<title>{title}</title><body>{body}</body>".encode()


def start_nginx(test, server_block, files):
    """nginx over `files` ({path: bytes}) with the given directives; its URL."""
    program = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")
    if program is None:
        test.skipTest("nginx is not installed: apt-get install nginx-light")
    folder = tempfile.mkdtemp(prefix="fantail-nginx-")
    test.addCleanup(shutil.rmtree, folder, ignore_errors=True)
    os.chmod(folder, 0o755)
    for name, content in files.items():
        target = os.path.join(folder, "site", name)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "wb") as file:
            file.write(content)
    port = free_port()
    temporary = "\n".join(f"{name}_temp_path {folder}/{name};"
                          for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    with open(os.path.join(folder, "nginx.conf"), "w", encoding="utf-8") as file:
        file.write(f"""pid {folder}/nginx.pid; error_log {folder}/error.log; daemon off; worker_processes 1;
events {{ worker_connections 256; }}
http {{ access_log off; {temporary}
types {{ text/html html; application/json json; }}
server {{ listen 127.0.0.1:{port}; root {folder}/site;
{server_block.replace('@PORT@', str(port))} }} }}""")
    process = subprocess.Popen([program, "-p", folder, "-c", os.path.join(folder, "nginx.conf")],
                               stderr=subprocess.DEVNULL)

    def stop():
        process.terminate()
        process.wait()

    test.addCleanup(stop)

    def answers():
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    wait_until(answers, 10, "nginx answers")
    return f"http://127.0.0.1:{port}"
