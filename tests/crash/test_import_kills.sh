#!/usr/bin/env bash
# test_import_kills.sh [KILLS [LIST]] - kill -9 at random instants of an import, from the upload to the last chunk. After each restart the
# list is there whole or not at all, no staging file and no half of it is left, and fsck is clean; at the end it is imported whole.
. "$(dirname "${BASH_SOURCE[0]}")/../system/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/../bench/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/lib_import.sh"
KILLS=${1:-6} LIST=${2:-20000}
import_daemon
# Every round another list, so that each import has all to do; what stood before must stay.
rows() { echo $CSV_HEAD; people_csv $(($1 * LIST + 1)) $((($1 + 1) * LIST)) "many;round$1"; }
rows 0 >"$PLACE/time.csv"
a=$(now_ms); admin -q targets import "$PLACE/time.csv" || not_ok "a first import"
TOOK=$(($(now_ms) - a)) HAVE=$LIST whole=0 none=0 bad=0
for k in $(seq 1 "$KILLS"); do
	rows "$k" >"$PLACE/list$k.csv"
	admin -q targets import "$PLACE/list$k.csv" >"$PLACE/out" 2>&1 & import=$!
	sleep "$(awk -v t="$TOOK" -v r="$RANDOM" 'BEGIN { printf "%.3f", t * r / 32768 / 1000 }')"
	daemon_kill
	wait "$import"
	daemon_start || { not_ok "it starts after kill $k"; break; }
	until_true 60 settled || { bad=$((bad + 1)); echo "# kill $k: the import does not come to rest"; find "$PLACE/state/staging" -type f | sed 's/^/# /'; }
	n=$(visible)
	if [ "$n" = "$HAVE" ]; then none=$((none + 1))
	elif [ "$n" = $((HAVE + LIST)) ]; then whole=$((whole + 1)); HAVE=$n
	else bad=$((bad + 1)); echo "# kill $k: $n targets are there, $HAVE or $((HAVE + LIST)) were right"; fi
	[ "$(db "SELECT count(*) FROM target_tag x JOIN tag g ON g.id=x.tag_id WHERE g.name='many'")" = "$HAVE" ] || { bad=$((bad + 1)); echo "# kill $k: tags"; }
	[ "$(db "SELECT count(*) FROM contact")" = "$HAVE" ] || { bad=$((bad + 1)); echo "# kill $k: contacts without a target"; }
done
echo "# $whole imports went on to their end, $none left nothing"
same "after each of $KILLS kills the list is there whole or not at all" "$bad" 0
rows "$KILLS" >"$PLACE/last.csv"
check "and can be imported again" admin -q targets import "$PLACE/last.csv"
check "fsck is clean" operator fsck
tap_end
