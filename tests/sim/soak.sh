#!/usr/bin/env bash
# tests/sim/soak.sh BUILD - many seeds of the simulation in slices, JOBS side by side; one line a slice goes to docs/evidence/soak.log.
# SEEDS (10000) seeds of STEPS (10000) steps from FIRST (1) on, SLICE (100) a line. A line says the sum over its seeds and the least that a
# seed had. RESUME=1 leaves out what the log has already, where model, dispatch and store are what they were at that line's commit.
# met: so many of them had twenty crashes (a restore is one) and 2,000 deliveries that stand at the end, as the bound wants it.
# A seed that failed is named below its line, with its reason: `make sim SEED=N STEPS=…` plays it again. Exit 1 where one failed.
set -u
cd "$(dirname "$0")/../.."
log=docs/evidence/soak.log
slices() { # the first seed of each slice that is still to be run
	local first=${FIRST:-1} at
	for ((at = first; at < first + ${SEEDS:-10000}; at += slice)); do
		grep -qx "$at" <<<"$done_already" || echo "$at"
	done
}
same_code() { git diff --quiet "$1" HEAD -- daemon/model daemon/dispatch daemon/store 2>/dev/null; }
in_log() { # first seeds of the slices of this size and these steps whose code is ours
	local commit seeds
	while read -r commit seeds; do
		same_code "$commit" && echo "${seeds%-*}"
	done < <(awk -v steps="$steps" -v n="$slice" '$3 == "commit" && $8 == steps { split($6, s, "-"); if (s[2] - s[1] + 1 == n) print $4, $6 }' "$log" 2>/dev/null)
}
one() { # one BUILD FIRST SLICE STEPS
	local began out rc sums
	began=$(date -u +%FT%TZ)
	out=$(SIM_FIRST=$2 SIM_SEEDS=$3 SIM_STEPS=$4 SIM_VERBOSE=1 SIM_ONLY=1 "$1/tests/sim/test_sim" 2>&1)
	rc=$?
	sums=$(awk '/^seed [0-9]+ steps/ {
		here = mine = 0
		for (i = 2; i <= NF; i++) { # the number stands before its word; a restore is a crash, too
			if ($i == "crashes,") here += $(i - 1)
			if ($i == "restores,") { here += $(i - 1); r += $(i - 1) }
			if ($i == "commits,") m += $(i - 1)
			if ($i == "posts,") p += $(i - 1)
			if ($i == "effects,") e += $(i - 1)
			if ($i == "unknown,") u += $(i - 1)
			if ($i == "deliveries,") { mine = $(i - 1) + 0; d += mine; if (!n || $(i - 1) + 0 < ld) ld = $(i - 1) + 0 }
		}
		c += here
		if (!n || here < lc) lc = here
		n++
		if (here >= 20 && mine >= 2000) met++
		if (!/: ok;/) f++
	} END { printf "ran %d met %d crashes %d least %d restores %d deliveries %d least %d commits %d posts %d effects %d unknown %d failed %d", n, met, c, lc, r, d, ld, m, p, e, u, f }' <<<"$out")
	{
		printf '%s %s commit %s seeds %d-%d steps %d %s exit %d\n' "$began" "$(date -u +%FT%TZ)" \
			"$(git rev-parse --short HEAD)" "$2" $(($2 + $3 - 1)) "$4" "$sums" $rc
		grep '^seed ' <<<"$out" | grep -v ': ok;' | sed 's/^/  /'
	} | tee -a "$log"
	[ $rc -eq 0 ]
}
if [ "${1:-}" = --one ]; then
	shift
	one "$@"
	exit
fi
build=$1 slice=${SLICE:-100} steps=${STEPS:-10000} done_already=
mkdir -p docs/evidence
if ! git diff --quiet HEAD -- daemon adapters include tests/sim tests/lib; then
	echo "soak: commit first, so that a line's commit says what ran" >&2
	exit 2
fi
[ -n "${RESUME:-}" ] && done_already=$(in_log)
slices | xargs -r -P "${JOBS:-$(nproc)}" -I{} "$0" --one "$build" {} "$slice" "$steps"
