#!/usr/bin/env bash
# sweep_log.sh BUILD... - the long sweep with each build, its counts in docs/evidence/sweep.log.
cd "$(dirname "$0")/../.." || exit 1
log=docs/evidence/sweep.log rc=0
mkdir -p docs/evidence
for build; do
	began=$(date -u +%FT%TZ)
	B=$build tests/crash/sweep.sh long >"$build/sweep.out" 2>&1 || rc=1
	{
		echo "== $began $(date -u +%FT%TZ) commit $(git rev-parse --short HEAD 2>/dev/null || echo none)"
		grep -vE '^[a-z]+ [a-z]+ [A-Za-z._]+ #[0-9]+: ' "$build/sweep.out"
	} | tee -a "$log"
done
exit $rc
