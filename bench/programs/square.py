#!/usr/bin/env python3
"""A function for `fantail run map`: a number in, its square out, a line each."""
import json
import sys

for line in sys.stdin:
    number = json.loads(line)
    print(number * number, flush=True)
