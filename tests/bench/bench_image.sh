#!/usr/bin/env bash
# bench_image.sh - processor time of fitting an infographic of 1620 x 2025 pixels (PNG, over 1 MB) to a JPEG under 1 MB: the whole
# helper from its start to its end, median of BENCH_IMAGES (21) runs. B: the build folder. It measures; it never fails because it is slow.
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
B=${B:-$TOP/build/release}
N=${BENCH_IMAGES:-21}
IN=${1:-$TOP/config/examples/release-ttbc-112/infographic-2.png}
OUT=$(mktemp)
trap 'rm -f "$OUT"' EXIT
TIMEFORMAT='%U %S'
fit() { { time "$B/lantoa-image" 'jpeg<=1000000B' <"$IN" 2>/dev/null >"$OUT"; } 2>&1 | awk '{ print ($1 + $2) * 1000 }'; }
fit >/dev/null
MS=$(for _ in $(seq 1 "$N"); do fit; done | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }')
echo "  fitting a picture                 $MS ms of CPU ($(stat -c %s "$IN") bytes to $(stat -c %s "$OUT"), $N runs; aim 150)"
