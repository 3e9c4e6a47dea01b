#!/usr/bin/env bash
# test_stops.sh - hold, pause and cancel in the middle: no later publishing byte at the relay beyond the number that was answered.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
place_new
MANY=${MANY:-2000}
sandbox_start
CONNECTIONS=2 LANE_INTENTS=64 conf_write "$SMTP_PORT" "rate: 400/s"
daemon_start || { not_ok "the daemon starts"; tap_end; exit 1; }
admin -q offices import "$TOP/config/examples/offices.csv"
{ echo "channel,address,office,name,lang,tags"; for i in $(seq 1 "$MANY"); do echo "email,p$i@list.example,trung-uong,P $i,,many"; done; } >"$PLACE/many.csv"
check "a list is imported" admin -q targets import "$PLACE/many.csv"
echo 'many: {name: "Many", any: [{tag: many}]}' >"$PLACE/aud.yaml"
admin -q audiences import "$PLACE/aud.yaml"
release() { # release CODE: one short release to the list, approved
	printf -- '---\ncode: %s\nkind: notice\ncategory: public_notice\ntitle: Thông báo %s\nparts:\n  all: {to: many, channels: [email], at: now, again: yes}\n---\nNội dung %s.\n' "$1" "$1" "$1" >"$PLACE/$1.md"
	editor -q submit "$PLACE/$1.md" && approver -q approve "$1" --hash "$(hash_of "$1")"
}
taken() { jq -r 'select(.t == "mail") | .mailbox' "$LEDGER" 2>/dev/null | wc -l; }
past() { [ "$(taken)" -ge "$1" ]; }

under_way() { [ "$(operator --json status | jq .intents_open)" -ge 2 ]; }
none_under_way() { [ "$(operator --json status | jq .intents_open)" -eq 0 ]; }
# stop_now NAME PHASE COMMAND...: the relay takes its time, so that mails are under way when the stop comes: it has them and has not said so
# (final), or has not yet let their text come (data). The ledger is counted right after the answer; later it grows by what was named, no more.
stop_now() {
	local what="$1, $2" phase=$2 before after wire; shift 2
	sandbox_ctl "{\"cmd\":\"rules\",\"rules\":[{\"match\":\"*\",\"at\":\"$phase\",\"do\":\"delay\",\"delay_ms\":1500}]}"
	until_true 20 under_way
	sleep 0.5 # and the relay has seen them
	"$@" --json >"$PLACE/stop.json" || { not_ok "$what is answered"; return; }
	before=$(taken) wire=$(json "$PLACE/stop.json" .on_wire)
	until_true 60 none_under_way
	sleep 1.5
	after=$(taken)
	sandbox_ctl '{"cmd":"rules","rules":[]}'
	if [ "$wire" -gt 64 ] || { [ "$phase" = final ] && [ "$wire" -lt 1 ]; }; then not_ok "$what: $wire were named; at least one is under way, at most 64"
	elif [ $((after - before)) -le "$wire" ]; then ok "$what: nothing leaves beyond what was named ($wire named, $((after - before)) came)"
	else not_ok "$what: $((after - before)) came, $wire were named"; fi
}
goes_on() { # goes_on "sentence": further mails leave
	local n; n=$(taken)
	check "$1" until_true 30 past $((n + 50))
}
check "the first release goes out" release STOP-1
until_true 20 past 100
for phase in final data; do
	stop_now hold $phase operator hold --release STOP-1 -m "test"
	check "it goes on after resume" operator resume --release STOP-1 -m "test"
	goes_on "mails leave again"
	stop_now "pause of the channel" $phase operator channel pause mail -m "test"
	operator -q channel resume mail -m "test"
	goes_on "mails leave again after the pause"
done
stop_now cancel final operator --yes cancel STOP-1 -m "test"
check "a second release goes out" release STOP-2
goes_on "to the same people"
stop_now cancel data operator --yes cancel STOP-2 -m "test"
done_all() { operator --json watch "$1" --timeout 1 | json - '((.counts.waiting // 0) + (.counts.sending // 0)) == 0' | grep -q true; }
for code in STOP-1 STOP-2; do check "a cancelled release has nothing waiting: $code" until_true 20 done_all $code; done
jq -r 'select(.t == "mail") | .subject + " " + .mailbox' "$LEDGER" | sort >"$PLACE/got"
same "nobody got two copies" "$(uniq -d "$PLACE/got" | wc -l)" 0
accepted=$(for code in STOP-1 STOP-2; do operator --json watch $code --timeout 1 2>/dev/null | json - '(.counts.accepted // 0)'; done | awk '{ n += $1 } END { print n }')
same "what the store says was accepted is what the relay took" "$accepted" "$(wc -l <"$PLACE/got" | tr -d ' ')"
check "fsck is clean" operator fsck
tap_end
