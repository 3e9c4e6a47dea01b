#!/usr/bin/env bash
# test_sweep.sh - the short set of sweep.sh for every commit, with fault points: the sanitized build has them. Calls: test_sweep_calls.sh.
cd "$(dirname "$0")/../.." || exit 1
exec tests/crash/sweep.sh short
