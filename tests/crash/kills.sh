#!/usr/bin/env bash
# kills.sh KILLS LIST - kill -9 at random instants while the sample's mails and a list go out; after each kill: what was open, what
# became unknown, what the relay truly has. Lost 0, undeclared doubles 0, unknown never more than was open. A scripted operator,
# who looks into the relay's ledger as a person would ask the recipient, settles the unknown; then everything is settled.
. "$(dirname "${BASH_SOURCE[0]}")/../system/lib.sh"
KILLS=${1:-5} LIST=${2:-2000} RATE=${RATE:-1500}
place_new
sandbox_start
LANE_INTENTS=256 conf_write "$SMTP_PORT" "rate: $RATE/s"
daemon_start || { not_ok "the daemon starts"; tap_end; exit 1; }
import_samples || not_ok "imports"
{ cat "$TOP/config/examples/targets.csv" | tr -d '\r'; for i in $(seq 1 "$LIST"); do echo "email,p$i@list.example,trung-uong,P $i,,many"; done; } >"$PLACE/all.csv"
check "the sample's targets and a list of $LIST are imported" admin -q targets import "$PLACE/all.csv"
{ cat "$TOP/config/examples/audiences.yaml"; echo 'many: {name: "Many", any: [{tag: many}]}'; } >"$PLACE/aud.yaml"
admin -q audiences import "$PLACE/aud.yaml"
printf -- '---\ncode: KILL-1\nkind: notice\ncategory: public_notice\ntitle: KILL-1\nparts:\n  all: {to: many, channels: [email], at: now}\n---\nNội dung.\n' >"$PLACE/list.md"
editor -q submit "$PLACE/list.md" && approver -q approve KILL-1 --hash "$(hash_of KILL-1)" || not_ok "the list is approved"
editor -q submit "$TOP/config/examples/release-ttbc-112" && approver -q approve TTBC-2026-112 --hash "$(hash_of TTBC-2026-112)" || not_ok "the sample is approved"
WANT=$((LIST + 73))
DB=$PLACE/state/lantoa.db
db() { sqlite3 -readonly "$DB" "$1"; }
printf '%5s %7s %8s %9s %9s\n' kill open unknown received waiting
bad_unknown=0 max_open=0 kills=0 known_unknown=0
for k in $(seq 1 "$KILLS"); do
	sleep "0.$((RANDOM % 90 + 10))"
	daemon_kill
	kills=$k
	open=$(db "SELECT count(*) FROM delivery WHERE state=1")
	before=$(db "SELECT count(*) FROM delivery WHERE state=8")
	[ "$open" -gt "$max_open" ] && max_open=$open
	daemon_start || { not_ok "it starts after kill $k"; break; }
	operator -q status >/dev/null
	after=$(operator --json queue | json - '.totals.unknown // 0')
	received=$(wc -l <"$LEDGER")
	waiting=$(operator --json queue | json - '(.totals.waiting // 0)')
	new=$((after - before))
	[ "$new" -gt "$open" ] && bad_unknown=$((bad_unknown + 1))
	printf '%5d %7d %8d %9d %9d\n' "$k" "$open" "$new" "$received" "$waiting"
	known_unknown=$after
	if [ "$waiting" = 0 ] && [ "$k" -lt "$KILLS" ]; then # all out: another wave, so that every kill falls into work
		printf -- '---\ncode: KILL-%d\nkind: notice\ncategory: public_notice\ntitle: KILL-%d\nparts:\n  all: {to: many, channels: [email], at: now}\n---\nNội dung.\n' $((k + 1)) $((k + 1)) >"$PLACE/list.md"
		editor -q submit "$PLACE/list.md" && approver -q approve "KILL-$((k + 1))" --hash "$(hash_of "KILL-$((k + 1))")" && WANT=$((WANT + LIST))
	fi
done
same "$kills kills, each restart works" "$kills" "$KILLS"
same "unknown was never more than what was open" "$bad_unknown" 0
check "kills fell into work" [ "$max_open" -gt 0 ]
if [ "$max_open" -le 256 ]; then ok "never more than 256 open intents (at most $max_open)"; else not_ok "$max_open intents were open"; fi

calm() { operator --json queue | json - '((.totals.waiting // 0) + (.totals.sending // 0)) == 0' | grep -q true; }
check "what was not touched goes out by itself" until_true 300 calm
# Release and mailbox of every mail that the relay took: the subject of a KILL release is its code.
ledger_keys() { jq -r 'select(.t == "mail") | "\(if (.subject | startswith("KILL-")) then .subject else "TTBC-2026-112" end) \(.mailbox)"' "$LEDGER"; }
# The scripted operator: asks the relay about each unknown.
settle() {
	operator --json deliveries --state unknown --limit 1000 | jq -r '.rows[] | "\(.delivery) \(.release) \(.address)"' >"$PLACE/unknown"
	[ -s "$PLACE/unknown" ] || return 1
	ledger_keys | sort >"$PLACE/ledger.now"
	: >"$PLACE/sent"; : >"$PLACE/absent"
	awk -v sent="$PLACE/sent" -v absent="$PLACE/absent" 'NR == FNR { has[$0] = 1; next } { sub(/@[0-9]+$/, "", $2); print $1 > (($2 " " $3) in has ? sent : absent) }' "$PLACE/ledger.now" "$PLACE/unknown"
	[ -s "$PLACE/sent" ] && operator -q resolve sent $(cat "$PLACE/sent") -m "the relay has it"
	[ -s "$PLACE/absent" ] && operator -q resolve absent $(cat "$PLACE/absent") -m "the relay never had it"
	return 0
}
for _ in $(seq 1 50); do settle || break; done
check "after the operator's word everything comes to rest" until_true 120 calm
same "nothing is unknown any more" "$(operator --json queue | json - '(.totals.unknown // 0) + (.totals.doubt // 0)')" 0
ledger_keys | sort >"$PLACE/got"
same "lost: 0" "$((WANT - $(sort -u "$PLACE/got" | wc -l)))" 0
same "undeclared doubles: 0" "$(uniq -d "$PLACE/got" | wc -l | tr -d ' ')" 0
check "fsck is clean" operator fsck
check "the audit chain holds" operator audit verify
tap_end
