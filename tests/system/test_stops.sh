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
state_is() { operator --json watch "$1" --timeout 1 2>/dev/null | json - '.counts' >"$PLACE/c"; [ "$(json "$PLACE/c" "$2")" = "$3" ]; }

# stop_now NAME: the ledger is counted right after the answer; later it may grow by what the answer named, no more.
stop_now() {
	local what=$1 before after wire; shift
	"$@" --json >"$PLACE/stop.json" || { not_ok "$what is answered"; return; }
	before=$(taken) wire=$(json "$PLACE/stop.json" .on_wire)
	sleep 1.5
	after=$(taken)
	if [ $((after - before)) -le "$wire" ]; then ok "after $what nothing leaves beyond what was named ($wire named, $((after - before)) came)"
	else not_ok "after $what $((after - before)) came, $wire were named"; fi
}
check "the first release goes out" release STOP-1
until_true 20 past 100
stop_now "hold" operator hold --release STOP-1 -m "test"
check "it goes on after resume" operator resume --release STOP-1 -m "test"
n=$(taken); check "mails leave again" until_true 20 past $((n + 50))
stop_now "pause of the channel" operator channel pause mail -m "test"
operator -q channel resume mail -m "test"
n=$(taken); check "mails leave again after the pause" until_true 20 past $((n + 50))
stop_now "cancel" operator --yes cancel STOP-1 -m "test"
done_all() { operator --json watch STOP-1 --timeout 1 | json - '((.counts.waiting // 0) + (.counts.sending // 0)) == 0' | grep -q true; }
check "a cancelled release has nothing waiting" until_true 20 done_all
jq -r 'select(.t == "mail") | .mailbox' "$LEDGER" | sort >"$PLACE/got"
same "nobody got two copies" "$(uniq -d "$PLACE/got" | wc -l)" 0
accepted=$(operator --json watch STOP-1 --timeout 1 2>/dev/null | json - '(.counts.accepted // 0)')
same "what the store says was accepted is what the relay took" "$accepted" "$(wc -l <"$PLACE/got" | tr -d ' ')"
check "fsck is clean" operator fsck
tap_end
