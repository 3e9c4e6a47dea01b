#!/usr/bin/env bash
# test_sweep.sh - the short set of sweep.sh for every commit: fault points in the sanitized build, calls in the release build.
cd "$(dirname "$0")/../.." || exit 1
exec tests/crash/sweep.sh short
