#!/usr/bin/env bash
# test_corpus.sh - every fuzz target over its corpus: what once crashed, and a file of each kind that people write.
cd "$(dirname "$0")/../.." || exit 1
B=${B:-build/release}
n=0 bad=0
for src in tests/fuzz/fuzz_*.c tests/fuzz/*/fuzz_*.c; do
	name=$(basename "$src" .c)
	[ "$name" = fuzz_file ] && continue
	n=$((n + 1))
	bin=$B/tests/${src#tests/}
	if [ ! -d "tests/fuzz/corpus/${name#fuzz_}" ]; then
		echo "not ok $n - $name has a corpus"; bad=1
	elif out=$("${bin%.c}" "tests/fuzz/corpus/${name#fuzz_}" 2>&1); then
		echo "ok $n - $name: $(grep -c '^ok' <<<"$out") inputs"
	else
		echo "not ok $n - $name"; grep -v '^ok' <<<"$out" | tail -15 | sed 's/^/# /'; bad=1
	fi
done
echo "1..$n"
exit $bad
