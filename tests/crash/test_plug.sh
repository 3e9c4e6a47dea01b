#!/usr/bin/env bash
# test_plug.sh - the short sets of plug.sh and plug_tokens.sh: a few pulled plugs, and the build without syncs that must be noticed.
here=$(dirname "$0")
n=0 bad=0
one() { # one SENTENCE SCRIPT ARGUMENT...: the last line of a run counts, its faults are shown
	local what=$1 script=$2 out rc; shift 2
	out=$("$here/$script" "$@" 2>&1); rc=$?
	n=$((n + 1))
	if [ $rc -eq 0 ]; then echo "ok $n - $what"; else echo "not ok $n - $what"; grep -E '^not ok|^#' <<<"$out" | sed 's/^/# /' | head -12; bad=1; fi
}
one "a plug pulled at eight places: what had gone out is known, the rest waits, fsck and audit are clean" plug.sh 8
one "the same without a single sync is noticed" plug.sh 12 nosync
one "a plug pulled at eight places while tokens rotate: none is lost unknown to us" plug_tokens.sh 8
one "the same without a single sync is noticed" plug_tokens.sh 12 nosync
echo "1..$n"
exit $bad
