#!/usr/bin/env python3
"""The function: [input, worker] in, their product out, one line each."""
import json
import sys

for line in sys.stdin:
    number, worker = json.loads(line)
    print(number * worker, flush=True)
