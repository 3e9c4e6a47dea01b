#!/usr/bin/env bash
# test_sweep_calls.sh - as test_sweep.sh, but system calls fail. The library that makes them fail cannot live beside a sanitizer, so the
# release build is what is looked at.
cd "$(dirname "$0")/../.." || exit 1
case ${B:-} in '' | *asan* | *tsan*) [ -x build/release/lantoad ] && B=build/release ;; esac
if [ ! -x "${B:-none}/lantoad" ] || nm -D "$B/lantoad" | grep -qE '__[at]san_init'; then
	echo "1..1"; echo "not ok 1 - calls that fail: needs a release build (make VARIANT=release all)"; exit 1
fi
export B SHORT_MAX=1
exec tests/crash/sweep.sh short
