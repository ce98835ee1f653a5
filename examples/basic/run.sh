#!/usr/bin/env bash
# Fan out, fan in: every input goes to each of three workers, which multiplies it by its number. Prints each
# result as it comes, then the total. The fantail command is that of $FANTAIL, or the one built in this checkout.
set -euo pipefail
cd "$(dirname "$0")"
fantail=${FANTAIL:-../../build/bin/fantail}
report=$(mktemp)
trap 'rm -f "$report"' EXIT

"$fantail" run -j 3 --format csv --progress quiet --report "$report" map --sum . -- ./multiply.py ::: 1 2 3 4 5 ::: 1 2 3 |
  awk -F, 'NR > 1 { sub(/\t/, " x ", $2); print $2 " = " $11 }'
python3 -c 'import json, sys; print("total", json.load(open(sys.argv[1]))["aggregate"]["sum"]["total"])' "$report"
