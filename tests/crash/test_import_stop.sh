#!/usr/bin/env bash
# test_import_stop.sh [STOPS [LIST]] - a daemon that is told to stop while it goes on with an import that a kill had cut: it ends in order,
# soon, and the next start goes on; at the end the list is there whole.
. "$(dirname "${BASH_SOURCE[0]}")/../system/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/../bench/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/lib_import.sh"
STOPS=${1:-8} LIST=${2:-60000}
import_daemon
starts() { grep -ac "ev=start " "$PLACE/lantoad.log"; }
{ echo $CSV_HEAD; people_csv 1 "$LIST" "many"; } >"$PLACE/list.csv"
admin -q targets import "$PLACE/list.csv" >"$PLACE/out" 2>&1 & import=$!
check "the import begins" until_true 60 begun
daemon_kill
wait "$import"
cut=0 bad=0
for k in $(seq 1 "$STOPS"); do
	n=$(starts)
	"$B/lantoad" --config "$PLACE/conf/lantoad.yaml" --demo >>"$PLACE/lantoad.log" 2>&1 & DAEMON_PID=$!
	until [ "$(starts)" -gt "$n" ] || ! kill -0 "$DAEMON_PID"; do :; done # as soon as it listens to signals
	kill -TERM "$DAEMON_PID"
	wait "$DAEMON_PID"; rc=$?
	DAEMON_PID=
	[ "$rc" -eq 0 ] || { bad=$((bad + 1)); echo "# stop $k: exit $rc"; tail -3 "$PLACE/lantoad.log" | sed 's/^/# /'; }
	begun && cut=$((cut + 1))
done
same "$STOPS times it is told to stop, and ends in order" "$bad" 0
check "in the middle of the import" [ "$cut" -gt 0 ]
daemon_start
check "which then goes on to its end" until_true 60 settled
same "the list is there whole" "$(visible)" "$LIST"
check "fsck is clean" operator fsck
tap_end
