#!/usr/bin/env bash
# million_sms.sh [MESSAGES] - a million short messages waiting: imported, planned, started over one SMPP bind with window 500 and reports,
# then the daemon's anonymous memory at its highest while all but the first are still waiting. SECONDS_SENT (20) of sending are watched;
# WHOLE=yes sends every one of them.
. "$(dirname "${BASH_SOURCE[0]}")/../system/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/../bench/lib.sh"
. "$TOP/tests/system/lib_smpp.sh"
N=${1:-1000000} SECONDS_SENT=${SECONDS_SENT:-20}
LIMIT_KB=65536 # issue: one million waiting SMS under 64 MB
place_new
machine
at_most() { # at_most "sentence" VALUE LIMIT UNIT
	if awk -v a="$2" -v b="$3" 'BEGIN { exit !(a != "" && a + 0 > 0 && a + 0 <= b + 0) }'; then ok "$1: $2 $4 (at most $3)"; else not_ok "$1: $2 $4 (at most $3)"; fi
}
"$B/tests/bench/bench_smsc" 0 random reports >"$PLACE/smsc.out" &
SMSC_PID=$!
EXTRA_PIDS="$EXTRA_PIDS $SMSC_PID"
until_true 10 test -s "$PLACE/smsc.out" || { not_ok "the SMSC starts"; tap_end; exit 1; }
SMSC_PORT=$(head -1 "$PLACE/smsc.out")
sandbox_port() { echo "$SMSC_PORT"; }
SMPP_FORM=accented SMPP_WINDOW=500 SMPP_TIMEOUT=60s SMPP_RESPONSE_MS=30000 smpp_conf
sed -i 's/concurrency: 500/concurrency: 1024/; s/intents_max: 500/intents_max: 1024\n  bulk: yes/' "$PLACE/conf/channels.d/tin-nhan.yaml"
conf_write 9
daemon_start || { not_ok "the daemon starts"; tap_end; exit 1; }
check "offices are imported" admin -q offices import "$TOP/config/examples/offices.csv"
IDLE_KB=$(anon_kb "$DAEMON_PID")
echo "idle:       $IDLE_KB KB anonymous"
sampler_start
{ echo $CSV_HEAD; awk -v n="$N" 'BEGIN { for (i = 0; i < n; i++) printf "sms,+8491%07d,trung-uong,P %d,,many\n", i, i }'; } >"$PLACE/many.csv"
a=$(now_ms)
check "$N phones are imported" admin -q targets import "$PLACE/many.csv"
echo "import:     $(($(now_ms) - a)) ms, $(sampled_max 1) KB at its highest"
rm -f "$PLACE/many.csv"
printf 'many: {name: "Many", any: [{tag: many}]}\n' >"$PLACE/aud.yaml"
check "the audience is known" admin -q audiences import "$PLACE/aud.yaml"
# An accented text of three segments in UCS-2: what a message costs while it is composed, sent and waited for is at its largest.
printf -- '---\ncode: SMS-1\nkind: notice\ncategory: public_notice\npriority: bulk\ntitle: SMS-1\nparts:\n  all: {to: many, channels: [sms], go: signal, window: 12h}\ntext:\n  sms: "Thông báo: từ ngày 01/12/2026, người tham gia nộp hồ sơ bảo hiểm xã hội, bảo hiểm y tế qua mạng; chi tiết tại cơ quan bảo hiểm xã hội nơi cư trú hoặc số điện thoại {{office.hotline}}."\n---\nThông báo.\n' >"$PLACE/SMS-1.md"
check "$N deliveries are planned" release_plan SMS-1
echo "planning:   $PLANNED_MS ms ($(per_s "$N" "$PLANNED_MS")/s), $(sampled_max 1) KB at its highest"
same "all of them are waiting" "$(count_state waiting)" "$N"
check "they are told to go" operator -q go SMS-1 --part all
seen() { [ "$(operator --json watch SMS-1 --timeout 1 2>/dev/null | jq -r '.counts.delivered // 0')" -gt "${1:-0}" ]; }
check "the first are delivered" until_true 60 seen
if [ "${WHOLE:-}" = yes ]; then
	check "all $N are delivered" until_true 1800 seen $((N - 1))
else
	sleep "$SECONDS_SENT" # what is measured is how large it gets in this time, nothing is waited for
fi
sampler_stop
LEFT=$(count_state waiting)
echo "sending:    $((N - LEFT)) of $N went out; $LEFT are waiting"
[ "${WHOLE:-}" = yes ] || check "most of them were still waiting at the end" test "$LEFT" -gt $((N / 4))
at_most "anonymous memory at its highest, with a million short messages" "$(sampled_max 1)" $LIMIT_KB KB
echo "intents:    $(sampled_max 2) open at once at most"
check "nothing of it failed" test "$(operator --json watch SMS-1 --timeout 1 | jq -r '.counts.failed // 0')" = 0
check "fsck is clean" operator fsck
tap_end
