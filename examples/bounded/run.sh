#!/usr/bin/env bash
# Bounded concurrency: n x n for n = 1 to N (./run.sh [N], else 10), at most 3 at a time however many workers there
# are, printed in order. The fantail command is that of $FANTAIL, or the one built in this checkout.
set -euo pipefail
cd "$(dirname "$0")"
fantail=${FANTAIL:-../../build/bin/fantail}

seq "${1:-10}" |
  "$fantail" run -j 6 --max-running 3 --keep-order --format csv --progress quiet map -- ./square.py |
  awk -F, 'NR > 1 { print $2 " x " $2 " = " $11 }'
