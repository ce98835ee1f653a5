#!/usr/bin/env python3
"""Recomputes the digest of a run from its rows: digest.py [ROWS.jsonl], standard input without a file.

The byte layout is in docs/REPORT.md. Compare the line that this prints with "digest" in the report.
"""
import base64
import json
import sys

try:
    import xxhash
except ImportError:
    sys.exit("digest.py needs the Python module xxhash: apt-get install python3-xxhash (or: pip install xxhash)")

STATUS = {"ok": 1, "failed": 2, "cancelled": 3, "expired": 4}

# The columns of each kind that do not depend on time, in order.
TIMELESS = {
    "files": ["path", "size", "hash", "hash_algorithm", "words", "lines"],
    "urls": ["url", "final_url", "status_code", "title", "words", "links", "bytes"],
    "prices": ["vendor", "product", "price", "currency", "in_stock"],
    "exec": ["exit_code", "signal", "stdout", "stderr", "stdout_bytes", "stderr_bytes", "truncated"],
    "map": ["result"],
    "echo": ["payload"],
}


def u64(number):
    return number.to_bytes(8, "little")


def counted(data):
    return u64(len(data)) + data


def field(row, name):
    value = row[name]
    if value is None:
        return b"n"
    if isinstance(value, bool):  # before int: a Python bool is an int
        return b"b" + bytes([value])
    if isinstance(value, int):
        return b"i" + u64(value)
    exact = row.get(name + "_base64")  # there where the bytes were not UTF-8 and the text is escaped
    if isinstance(value, list):
        strings = [text.encode() for text in value] if exact is None else map(base64.b64decode, exact)
        return b"l" + u64(len(value)) + b"".join(map(counted, strings))
    return b"s" + counted(value.encode() if exact is None else base64.b64decode(exact))


def read_row(line):
    row = json.loads(line)
    if row["kind"] == "map" and row["status"] == "ok":
        # The value as it was written, since a parser does not keep digits: it is the last column, and what begins
        # that cannot be in a string before it, where quotes are escaped.
        row["result"] = line.decode().rstrip().removesuffix("}").split(',"result":', 1)[1]
    return row


def outcome_hash(row):
    data = u64(row["job"]) + bytes([STATUS[row["status"]]])
    data += b"".join(field(row, name) for name in TIMELESS[row["kind"]])
    return xxhash.xxh3_128_intdigest(data)


def main():
    if sys.argv[1:2] in (["-h"], ["--help"]):
        print(__doc__.strip())
        return
    if len(sys.argv) > 2:
        sys.exit("digest.py takes one file of rows at most")
    total = 0
    try:
        rows = open(sys.argv[1], "rb") if len(sys.argv) == 2 else sys.stdin.buffer
    except OSError as error:
        sys.exit(f"digest.py cannot read the rows: {error}")
    with rows:
        for line in rows:
            if line.strip():
                total += outcome_hash(read_row(line))
    print(f"{total % 2**128:032x}")


if __name__ == "__main__":
    main()
