"""Pages that a server on this machine gives out at once, or a while later."""
import contextlib
import getpass
import os
import re
import resource
import shutil
import time

from harness import Bar, Case, Metric, Variant, answers, free_port
from pages import write_pages

RATE = Metric("rate", "pages/s")
CPU = Metric("cpu", "us/page", more_is_better=False)
PAGES, QUICK_PAGES = 10_000, 200
SLOW_REQUESTS, QUICK_SLOW_REQUESTS = 40_000, 400
IN_FLIGHT, SLOW_IN_FLIGHT = 64, 1024

NGINX = """
daemon off;
user {user};
pid {folder}/nginx.pid;
error_log {folder}/error.log;
worker_processes 1;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  types {{ text/html html; }}
  charset utf-8;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 10000000;
  open_file_cache max=20000 inactive=600s;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    root {pages};
  }}
}}
"""

WRK = """local number = -1
request = function()
  number = (number + 1) % {count}
  return wrk.format("GET", "/" .. number .. ".html")
end
"""


# ---- what the variants get

def file_of(bench, name):
    return os.path.join(bench.data, bench.sized(name, f"quick-{name}"))


def make_pages(bench, name, count, sizes):
    folder = file_of(bench, name)
    if not os.path.isdir(folder):
        shutil.rmtree(folder + ".new", ignore_errors=True)
        write_pages(folder + ".new", count, sizes)
        os.rename(folder + ".new", folder)


def write_file(name, text):
    with open(name, "w", encoding="utf-8") as file:
        file.write(text)


@contextlib.contextmanager
def nginx(bench):
    """nginx on a port of its own, and the lists of its pages that its clients read."""
    port, count, folder = free_port(), bench.sized(PAGES, QUICK_PAGES), file_of(bench, "nginx")
    os.makedirs(folder, exist_ok=True)
    configuration = os.path.join(folder, "nginx.conf")
    write_file(configuration, NGINX.format(user=getpass.getuser(), folder=folder, port=port, pages=file_of(bench, "pages")))
    urls = [f"http://127.0.0.1:{port}/{number}.html" for number in range(count)]
    write_file(file_of(bench, "urls.txt"), "\n".join(urls) + "\n")
    write_file(file_of(bench, "curl.txt"), "".join(f'url = "{url}"\noutput = "/dev/null"\n' for url in urls))
    write_file(file_of(bench, "wrk.lua"), WRK.format(count=count))
    write_file(file_of(bench, "server.txt"), f"http://127.0.0.1:{port}/")
    with bench.server(["nginx", "-p", folder, "-c", configuration], ready=lambda: answers(port)):
        yield


@contextlib.contextmanager
def slow_server(bench):
    port, folder = free_port(), file_of(bench, "small-pages")
    count = len(os.listdir(folder))
    requests = bench.sized(SLOW_REQUESTS, QUICK_SLOW_REQUESTS)
    write_file(file_of(bench, "slow-urls.txt"), "".join(f"http://127.0.0.1:{port}/{number % count}.html\n" for number in range(requests)))
    with bench.server(["bench-slow-server", str(port), "50", folder], ready=lambda: answers(port)):
        yield


# ---- how they are measured

def children_cpu():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def timed(run, pages):
    """Pages a second from start to end, and what the process and its children used."""
    cpu, start = children_cpu(), time.monotonic()
    run()
    return {"rate": pages / (time.monotonic() - start), "cpu": (children_cpu() - cpu) / pages * 1e6}


def fantail_pages(name, in_flight):
    return lambda bench: bench.fantail(["urls", "--input", file_of(bench, name), "--per-host", "0"], "--async-slots", str(in_flight // 2))


def measure_fantail(full, quick):
    def measure(bench, argv):
        report = {}
        count = bench.sized(full, quick)
        figures = timed(lambda: report.update(bench.report(argv, count)), count)
        return {**figures, "rate": count / report["wall_s"]}
    return measure


def measure_command(bench, argv):
    return timed(lambda: bench.seconds(argv), bench.sized(PAGES, QUICK_PAGES))


def measure_wrk(bench, argv):
    printed = bench.run(argv).decode()
    return {"rate": float(re.search(r"Requests/sec:\s+([\d.]+)", printed).group(1))}


def page_fetch(name, threads, in_flight, *more):
    return lambda bench: ["bench-page-fetch", str(threads), str(in_flight), file_of(bench, name), *more]


def scrapy(bench):
    script = os.path.join(os.path.dirname(__file__), "..", "programs", "scrapy_pages.py")
    return ["/usr/bin/python3", os.path.abspath(script), file_of(bench, "urls.txt"), str(IN_FLIGHT)]


def wrk(bench):
    with open(file_of(bench, "server.txt"), encoding="utf-8") as file:
        url = file.read()
    return ["wrk", "-t1", f"-c{IN_FLIGHT}", bench.sized("-d5s", "-d1s"), "-s", file_of(bench, "wrk.lua"), url]


CASES = [
    Case(
        name="urls",
        what="10,000 pages of 5 to 50 KB from an nginx beside it, 64 requests in flight, no limit per host: title, words and links of each.",
        metrics=(RATE, CPU),
        packages=("nginx-light",),
        prepare=lambda bench: make_pages(bench, "pages", bench.sized(PAGES, QUICK_PAGES), (5_000, 48_000)),
        around=nginx,
        variants=(
            Variant("fantail", "fantail run urls, 2 workers, --keep summary; pages / wall_s, CPU of all its processes.",
                    fantail_pages("urls.txt", IN_FLIGHT), measure_fantail(PAGES, QUICK_PAGES)),
            Variant("libcurl-multi", "The least on libcurl, 2 threads, with fantail's parser; reports totals only.",
                    page_fetch("urls.txt", 2, IN_FLIGHT)),
            Variant("libcurl-multi, one thread", "The same with one thread.", page_fetch("urls.txt", 1, IN_FLIGHT)),
            Variant("libcurl-multi, no parser", "The same with one thread, the pages thrown away.",
                    page_fetch("urls.txt", 1, IN_FLIGHT, "--no-parse")),
            Variant("curl --parallel", "Throws the pages away.",
                    lambda bench: ["curl", "--silent", "--parallel", "--parallel-max", str(IN_FLIGHT), "--config", file_of(bench, "curl.txt")],
                    measure_command, packages=("curl",)),
            Variant("scrapy", "Title, words and links by its selectors, in one process.", scrapy, packages=("python3-scrapy",)),
            Variant("wget2", "Throws the pages away.",
                    lambda bench: ["wget2", "--quiet", f"--max-threads={IN_FLIGHT}", "-O", "/dev/null", "-i", file_of(bench, "urls.txt")],
                    measure_command, packages=("wget2",)),
            Variant("aria2c", "Writes the pages to files in memory.",
                    lambda bench: ["aria2c", "--quiet", f"-j{IN_FLIGHT}", "--file-allocation=none", "-d", bench.memory_scratch, "-i",
                                   file_of(bench, "urls.txt")],
                    measure_command, packages=("aria2",)),
            Variant("wrk", "Asks for the same pages for 5 s: what the server can give.", wrk, measure_wrk, packages=("wrk",)),
        ),
        bars=(
            Bar(least=40, of=("scrapy",)),
            Bar(least=0.7, of=("curl --parallel",)),
            Bar(least=0.8, of=("libcurl-multi",)),
        ),
        rounds=3,
    ),
    Case(
        name="slow-urls",
        what="40,000 pages of 4 to 8 KB that each come 50 ms after the request, 1,024 requests in flight, no limit per host, parsed.",
        metrics=(RATE, CPU),
        prepare=lambda bench: make_pages(bench, "small-pages", bench.sized(2_000, 100), (4_000, 8_000)),
        around=slow_server,
        variants=(
            Variant("fantail", "fantail run urls, 2 workers, --keep summary; pages / wall_s, CPU of all its processes.",
                    fantail_pages("slow-urls.txt", SLOW_IN_FLIGHT), measure_fantail(SLOW_REQUESTS, QUICK_SLOW_REQUESTS)),
            Variant("libcurl-multi", "The least on libcurl, 2 threads, with fantail's parser; reports totals only.",
                    page_fetch("slow-urls.txt", 2, SLOW_IN_FLIGHT)),
        ),
        bars=(Bar(least=0.9, of=("libcurl-multi",)),),
    ),
    Case(
        name="html",
        what="The parser of kind urls by itself, on one core: 500 of the pages, in memory.",
        metrics=(Metric("rate", "MB/s"), CPU),
        prepare=lambda bench: make_pages(bench, "pages", bench.sized(PAGES, QUICK_PAGES), (5_000, 48_000)),
        variants=(
            Variant("fantail", "The scanner that the workers have.",
                    lambda bench: ["bench-page-scan", str(bench.sized(20, 1)), file_of(bench, "pages"), str(bench.sized(500, 50))]),
        ),
        bars=(Bar(least=300),),
    ),
]
