#!/usr/bin/env bash
# test_sms_odd.sh - a gateway whose answers say nothing: HTML, empty, cut off, 100 MB, words of the wrong type. Each text was taken for all that
# we know, so each delivery is unknown, none is sent a second time, and the daemon reads no more than it must.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/lib_sms_http.sh"
. "$(dirname "${BASH_SOURCE[0]}")/peers/scene.sh"
place_new
SMS_PUBLIC=$(sms_http_port_free)
ASKED=$PLACE/asked.jsonl
: >"$ASKED"
/usr/bin/python3 "$TOP/tests/system/peers/odd_vendor.py" "$PLACE/gw.port" "$ASKED" &
EXTRA_PIDS="$EXTRA_PIDS $!"
until_true 20 test -s "$PLACE/gw.port" || { not_ok "the gateway starts"; tap_end; exit 1; }
ALLOW=', "+8491*"'
ROUTES=$'  sms: sms-esms/main\n'
sms_http_channel sms-esms esms "$(cat "$PLACE/gw.port")"
conf_write 1
sms_http_public
daemon_start || { not_ok "the daemon starts"; tap_end; exit 1; }
check "the sample files are imported" import_samples
anon() { awk '/^Anonymous:/ {print $2}' "/proc/$DAEMON_PID/smaps_rollup"; }
BEFORE=$(anon)
mkdir -p "$PLACE/odd"
sed -e '/^cover:/d; /^images:/,/^campaign:/d' -e '/^parts:/,/^text:/c\parts:\n  duty:\n    to: duty\n    channels: [sms]\n    at: now\ntext:' \
	"$TOP/config/examples/release-ttbc-112/release.md" >"$PLACE/odd/release.md"
R=TTBC-2026-112
editor -q submit "$PLACE/odd" && approve_it $R
unknown_all() { [ "$(count_of $R unknown)" = 35 ]; }
check "all 35 are unknown: nobody knows whether they went out" until_true 60 unknown_all
sleep 3 # a second try would come a second behind the first
same "each kind of answer was given" "$(jq -r .kind "$ASKED" | sort -u | tr '\n' ' ')" "empty half html huge types "
same "no phone was asked for twice" "$(jq -r '.phones[]' "$ASKED" | sort | uniq -d | wc -l | tr -d ' ')" 0
same "and each once" "$(jq -r '.phones[]' "$ASKED" | sort -u | wc -l | tr -d ' ')" 35
AFTER=$(anon)
if nm -D "$B/lantoad" | grep -qE '__(asan|tsan)_init'; then limit=262144; else limit=16384; fi # shadow memory and quarantine count
check "answers of 100 MB do not stay in memory ($BEFORE to $AFTER KB)" [ $((AFTER - BEFORE)) -lt $limit ]
check "fsck is clean" operator fsck
tap_end
