#!/usr/bin/env bash
# tests/sim/soak.sh BUILD - many seeds of the simulation in slices; one line a slice goes to docs/evidence/soak.log.
# SLICES (10) slices of SEEDS (100) seeds of STEPS (10000) steps, from FIRST on (after the last one in the log).
set -u
cd "$(dirname "$0")/../.."
build=$PWD/$1 log=docs/evidence/soak.log
slices=${SLICES:-10} seeds=${SEEDS:-100} steps=${STEPS:-10000}
last=$(sed -n 's/.* seeds [0-9]*-\([0-9]*\) .*/\1/p' "$log" 2>/dev/null | sort -n | tail -1)
first=${FIRST:-$((${last:-0} + 1))} bad=0
mkdir -p docs/evidence
for ((i = 0; i < slices; i++)); do
	began=$(date -u +%FT%TZ)
	out=$(SIM_FIRST=$first SIM_SEEDS=$seeds SIM_STEPS=$steps SIM_VERBOSE=1 SIM_ONLY=1 "$build/tests/sim/test_sim" 2>&1)
	rc=$?
	failed=$(grep -c '^again: ' <<<"$out")
	[ $rc -eq 0 ] || bad=1
	sums=$(sed -n 's/.*digest [0-9a-f]*, \([0-9]*\) crashes, \([0-9]*\) commits, [0-9]* acts, \([0-9]*\) posts, \([0-9]*\) effects.*/\1 \2 \3 \4/p' <<<"$out" |
		awk '{ c += $1; m += $2; p += $3; e += $4 } END { printf "crashes %d commits %d posts %d effects %d", c, m, p, e }')
	printf '%s %s commit %s seeds %d-%d steps %d %s failed %d exit %d\n' "$began" "$(date -u +%FT%TZ)" \
		"$(git rev-parse --short HEAD 2>/dev/null || echo none)" "$first" $((first + seeds - 1)) "$steps" "$sums" "$failed" $rc | tee -a "$log"
	grep '^seed ' <<<"$out" | grep -v ': ok;'
	first=$((first + seeds))
done
exit $bad
