"""The layout rules that compilers do not check. Prints every finding; exits 1 when there is one."""
import os
import re
import subprocess
import sys

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))

LINES_MAX = 400
TEST_LINES_MAX = 500
FUNCTION_LINES_MAX = 70
DATA_TABLES = ("worker/html/entities_table.inc", "worker/html/charset_table.inc", "pipeline/currencies.cpp")
# Edges that may read the clock or sleep, beside pipeline/net and pipeline/app.
CLOCK_EDGES = ("pipeline/net/", "pipeline/app/", "pipeline/ulid.cpp", "worker/http/", "worker/processors/echo.cpp", "bench/", "tests/")
# The shells and what they start with: only they log.
LOGGING = ("pipeline/app/", "ventilator/ventilator.cpp", "worker/worker.cpp", "worker/agent.", "sink/sink.cpp",
           "ventilator/serving/", "sink/serving/", "tests/")
DECIDERS = ("ventilator/dispatcher", "ventilator/host_queues", "ventilator/leases", "ventilator/slot_time", "worker/session", "worker/slot_shares", "sink/collector",
            "sink/efficiency")
NOT_FOR_DECIDERS = ("pipeline/net/", "pipeline/app/", "<thread>", "<mutex>", "<iostream>", "<fstream>", "<unistd.h>")


def tracked_files():
    listing = subprocess.run(["git", "-C", ROOT, "ls-files", "-co", "--exclude-standard"], capture_output=True, text=True)
    if listing.returncode == 0:
        return [name for name in listing.stdout.splitlines() if os.path.isfile(os.path.join(ROOT, name))]
    found = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [each for each in folders if each not in ("build", ".git")]
        found += [os.path.relpath(os.path.join(folder, name), ROOT) for name in names]
    return found


def read(name):
    with open(os.path.join(ROOT, name), encoding="utf-8", errors="replace") as file:
        return file.read()


def code_rules(name, text, report):
    for number, line in enumerate(text.splitlines(), 1):
        where = f"{name}:{number}"
        if re.search(r"#include\s*<zmq", line) and not name.startswith(("pipeline/net/", "bench/programs/")):
            report(where, "ZeroMQ belongs into pipeline/net")
        if re.search(r"(::now\(\)|\bsleep_for\(|\busleep\(|\bsleep\()", line) and not name.startswith(CLOCK_EDGES):
            report(where, "clocks and sleeps belong to the edges; deciders get the time as an argument")
        if "spdlog" in line and not name.startswith(LOGGING):
            report(where, "only shells log")
        if re.search(r"(?<!\")\b(TODO|FIXME|XXX|HACK)\b", line):
            report(where, "an open end: finish it or say what is missing in the documentation")
        if re.search(r"catch\s*\([^)]*\)\s*\{\s*\}", line):
            report(where, "an empty catch block hides what went wrong")
        include = re.match(r'#include "([^"]+)"', line)
        if include and "/" not in include.group(1) and not include.group(1).endswith(".pb.h"):
            if not name.startswith("tests/"):
                report(where, "includes are written from the repository's root")
        if name.startswith(DECIDERS) and line.startswith("#include") and any(each in line for each in NOT_FOR_DECIDERS):
            report(where, "a decider knows no sockets, threads or files")


def function_rules(name, text, report):
    """Functions are found by their braces: a line that is `{` at its end and not indented begins one, `}` alone ends it."""
    begin = None
    for number, line in enumerate(text.splitlines(), 1):
        if begin is None and line.endswith("{") and not line.startswith((" ", "namespace", "}", "#", "class", "struct", "enum")):
            if "(" in line or line.startswith(")"):
                begin = number
        elif begin is not None and line.startswith("}"):
            if number - begin + 1 > FUNCTION_LINES_MAX:
                report(f"{name}:{begin}", f"a function of {number - begin + 1} lines; {FUNCTION_LINES_MAX} is the most")
            begin = None


def link_rules(name, text, report):
    for target in re.findall(r"\]\(([^)#\s]+)", text):
        if "://" in target or target.startswith("mailto:"):
            continue
        if not os.path.exists(os.path.join(ROOT, os.path.dirname(name), target)):
            report(name, f"links to {target}, which does not exist")


def table_rules(report):
    """Every kind stands in each role's table."""
    kinds = set(re.findall(r"(\w+)Spec \w+ = \d+;", read("proto/kinds.proto").split("message KindSpec")[1].split("message FilesSpec")[0]))
    places = {"ventilator/kinds/kind_command.cpp": "add_{}_command", "worker/processors/processors.cpp": '"{}"',
              "sink/kinds/kind.cpp": "{}"}
    if not kinds:
        report("proto/kinds.proto", "no kinds were found")
    for place, form in places.items():
        text = read(place).lower()
        for kind in kinds:
            if form.format(kind.lower()) not in text:
                report(place, f"the kind {kind.lower()} is missing from the table")


def main():
    findings = []

    def report(where, what):
        findings.append(f"{where}: {what}")

    files = tracked_files()
    for name in files:
        text = read(name) if name.endswith((".cpp", ".h", ".md", ".proto", ".inc", ".py", ".sh")) else ""
        if name.endswith((".cpp", ".h")):
            code_rules(name, text, report)
            most = TEST_LINES_MAX if name.startswith("tests/") else LINES_MAX
            if name not in DATA_TABLES and text.count("\n") > most:
                report(name, f"{text.count(chr(10))} lines; {most} is the most: is it still one thing?")
            if name.endswith(".cpp"):
                function_rules(name, text, report)
        elif name.endswith(".md"):
            link_rules(name, text, report)
    table_rules(report)
    print("\n".join(findings) if findings else f"{len(files)} files, no findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
