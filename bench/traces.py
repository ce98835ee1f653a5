"""Reads what bench/programs/trace_shim.cpp has noted of unchanged ventilators and sinks."""
import glob
import os
import struct

from harness import BIN

SENT, RECEIVED, SYNCED, READ = 1, 2, 3, 4
RECORD = struct.Struct("=qII")
# A message with a job has at least its payload of 64 bytes and its frame; the one that opens a lane has none.
JOB_BYTES_MIN = 80


def environment(folder):
    """What a process needs in its environment to be traced."""
    return {"LD_PRELOAD": os.path.join(BIN, "libbench-trace-shim.so"), "FANTAIL_TRACE_DIR": folder}


def records(folder, program):
    """Of the one process of that name: (nanoseconds, event, bytes), by time."""
    name, = glob.glob(os.path.join(folder, f"{program}.*"))
    found = []
    with open(name, "rb") as file:
        for time_ns, event, size in iter_records(file):
            found.append((time_ns, event, size))
    return sorted(found)


def iter_records(file):
    """Up to the first that was never written."""
    while block := file.read(RECORD.size * 4096):
        for record in RECORD.iter_unpack(block):
            if record[0] == 0:
                return
            yield record


def times(folder, program, event):
    return [time_ns for time_ns, what, size in records(folder, program) if what == event and (what in (SYNCED, READ) or size >= JOB_BYTES_MIN)]
