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
    """Of the one process of that name: (nanoseconds, event, bytes), by time. Its process may still be running."""
    name, = glob.glob(os.path.join(folder, f"{program}.*"))
    found = []
    with open(name, "rb") as file:
        while block := file.read(RECORD.size * 4096):
            found += (record for record in RECORD.iter_unpack(block) if record[0] != 0)
            if found and block[-RECORD.size:] == bytes(RECORD.size):
                break  # the rest was never written
    return sorted(found)


def times(folder, program, event):
    return [time_ns for time_ns, what, _ in records(folder, program) if what == event]


def messages(folder, program, event):
    """Those with jobs: (nanoseconds, bytes)."""
    return [(time_ns, size) for time_ns, what, size in records(folder, program) if what == event and size >= JOB_BYTES_MIN]


def lanes(folder):
    """When the ventilator opened the lane of each worker."""
    if not glob.glob(os.path.join(folder, "fantail-ventilator.*")):
        return []
    return [time_ns for time_ns, what, size in records(folder, "fantail-ventilator") if what == SENT and size < JOB_BYTES_MIN]
