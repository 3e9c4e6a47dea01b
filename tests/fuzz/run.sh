#!/usr/bin/env bash
# run.sh BUILD SECONDS [TARGET] - libFuzzer over each target, its corpus first; what crashes is kept in BUILD/fuzz-found and printed.
# What is new is kept in BUILD/corpus/NAME and taken up again by the next run. One line a target in docs/evidence/fuzz.log.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=$1 seconds=$2 only=${3:-} log=docs/evidence/fuzz.log bad=0 ran=0
mkdir -p docs/evidence "$build/fuzz-found"
one() { # one BINARY NAME
	local began rc sum
	mkdir -p "$build/corpus/$2"
	began=$(date -u +%FT%TZ)
	ASAN_OPTIONS=detect_leaks=1 "$1" -max_total_time="$seconds" -timeout=1 -malloc_limit_mb=256 -rss_limit_mb=1024 -max_len=1048576 \
		-artifact_prefix="$build/fuzz-found/$2-" -print_final_stats=1 "$build/corpus/$2" "tests/fuzz/corpus/$2" >"$build/$2.log" 2>&1
	rc=$?
	sum=$(sed -n 's/^stat::number_of_executed_units: *//p' "$build/$2.log")
	printf '%s %s commit %s %s: %s s, %s inputs, peak %s MB, exit %d\n' "$began" "$(date -u +%FT%TZ)" "$(git rev-parse --short HEAD 2>/dev/null || echo none)" \
		"$2" "$seconds" "${sum:-?}" "$(sed -n 's/^stat::peak_rss_mb: *//p' "$build/$2.log")" $rc | tee -a "$log"
	if [ $rc -ne 0 ]; then bad=1; grep -E 'ERROR|SUMMARY|Test unit written' "$build/$2.log" | head -5; fi
}
for src in tests/fuzz/fuzz_*.c tests/fuzz/*/fuzz_*.c; do
	name=$(basename "$src" .c); name=${name#fuzz_}
	[ "$name" = file ] && continue
	[ -z "$only" ] || [ "$only" = "$name" ] || continue
	bin=$build/tests/${src#tests/}
	one "${bin%.c}" "$name"
	ran=$((ran + 1))
done
[ $ran -gt 0 ] || { echo "fuzz: no target '$only': tests/fuzz/fuzz_NAME.c or tests/fuzz/FOLDER/fuzz_NAME.c is called NAME"; exit 2; }
exit $bad
