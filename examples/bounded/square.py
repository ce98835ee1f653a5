#!/usr/bin/env python3
"""The function: a number in, its square out, one line each."""
import sys

for line in sys.stdin:
    print(int(line) ** 2, flush=True)
