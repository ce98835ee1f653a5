"""Running a program with one of its system calls failing: see fault_shim.cpp."""
import os
import shutil
import subprocess
import tempfile

BIN = os.environ.get("FANTAIL_BIN", os.path.join(os.path.dirname(__file__), "..", "..", "build", "bin"))
SHIM = os.path.join(BIN, "libfantail-fault-shim.so")


def run_with_fault(command, call, at, error, path, times=1, timeout=60):
    """Returns the finished process and the shim's lines: none, when the program did not make that many calls."""
    folder = tempfile.mkdtemp(prefix="fantail-hit-")
    try:
        hit = os.path.join(folder, "hit")
        environment = dict(os.environ, LD_PRELOAD=SHIM, FANTAIL_FAULT_CALL=call, FANTAIL_FAULT_AT=str(at),
                           FANTAIL_FAULT_ERROR=error, FANTAIL_FAULT_PATH=path, FANTAIL_FAULT_TIMES=str(times),
                           FANTAIL_FAULT_HIT=hit, ASAN_OPTIONS="verify_asan_link_order=0")
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=timeout)
        lines = []
        if os.path.exists(hit):
            with open(hit, encoding="utf-8") as file:
                lines = file.read().splitlines()
        return done, lines
    finally:
        shutil.rmtree(folder)
