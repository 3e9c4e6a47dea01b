#!/usr/bin/env bash
# run.sh BUILD SECONDS [TARGET] - libFuzzer over each target, its corpus first, JOBS (1) side by side; what crashes is kept in
# BUILD/fuzz-found and printed. What is new is kept in BUILD/corpus/NAME and taken up again by the next run. One line a target in
# docs/evidence/fuzz.log. RESUME=1 leaves out the targets that the log has with as many seconds and without a finding, where model,
# dispatch and store are what they were at that line's commit: hours may be collected over several runs.
set -u
cd "$(dirname "$0")/../.." || exit 1
log=docs/evidence/fuzz.log
one() { # one BUILD SECONDS BINARY NAME
	local build=$1 seconds=$2 began rc sum TIMEFORMAT='%U %S'
	mkdir -p "$build/corpus/$4"
	began=$(date -u +%FT%TZ)
	{ time ASAN_OPTIONS=detect_leaks=1 "$3" -max_total_time="$seconds" -timeout=1 -malloc_limit_mb=256 -rss_limit_mb=1024 -max_len=1048576 \
		-artifact_prefix="$build/fuzz-found/$4-" -print_final_stats=1 "$build/corpus/$4" "tests/fuzz/corpus/$4" >"$build/$4.log" 2>&1; } 2>"$build/$4.time"
	rc=$?
	sum=$(sed -n 's/^stat::number_of_executed_units: *//p' "$build/$4.log")
	printf '%s %s commit %s %s: %s s (%.0f s of processor time), %s inputs, peak %s MB, exit %d\n' "$began" "$(date -u +%FT%TZ)" "$(git rev-parse --short HEAD 2>/dev/null || echo none)" \
		"$4" "$seconds" "$(awk '{ print $1 + $2 }' "$build/$4.time")" "${sum:-?}" "$(sed -n 's/^stat::peak_rss_mb: *//p' "$build/$4.log")" $rc | tee -a "$log"
	[ $rc -eq 0 ] && return
	grep -E 'ERROR|SUMMARY|Test unit written' "$build/$4.log" | head -5
	return 1
}
if [ "${1:-}" = --one ]; then
	shift
	one "$@"
	exit
fi
build=$1 seconds=$2 only=${3:-} ran=0 known=
mkdir -p docs/evidence "$build/fuzz-found"
in_log() { # names of the targets that had their time
	local commit name
	while read -r commit name; do
		git diff --quiet "$commit" HEAD -- daemon/model daemon/dispatch daemon/store 2>/dev/null && echo "$name"
	done < <(sed -n 's/^[^ ]* [^ ]* commit \([^ ]*\) \([^ ]*\): \([0-9]*\) s[, ].*, exit 0$/\1 \2 \3/p' "$log" 2>/dev/null | awk -v s="$seconds" '$3 + 0 >= s + 0 { print $1, $2 }')
}
[ -z "${RESUME:-}" ] || known=$(in_log)
todo=()
for src in tests/fuzz/fuzz_*.c tests/fuzz/*/fuzz_*.c; do
	name=$(basename "$src" .c); name=${name#fuzz_}
	[ "$name" = file ] && continue
	[ -z "$only" ] || [ "$only" = "$name" ] || continue
	ran=$((ran + 1))
	grep -qx "$name" <<<"$known" && continue
	bin=$build/tests/${src#tests/}
	todo+=("${bin%.c}" "$name")
done
[ $ran -gt 0 ] || { echo "fuzz: no target '$only': tests/fuzz/fuzz_NAME.c or tests/fuzz/FOLDER/fuzz_NAME.c is called NAME"; exit 2; }
[ ${#todo[@]} -gt 0 ] || { echo "fuzz: the log has $seconds s of each target already"; exit 0; }
printf '%s\n' "${todo[@]}" | xargs -P "${JOBS:-1}" -n 2 "$0" --one "$build" "$seconds" || exit 1
