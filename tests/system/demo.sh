#!/usr/bin/env bash
# demo.sh - one press release from an editor's folder to every office and newsroom, on this machine alone: the daemon with a
# private state folder, the sandbox as mail relay with trouble built in, two people, one lost answer, the final table.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
OUT=$TOP/build/demo
rm -rf "$OUT"
mkdir -p "$OUT"
place_new "$(mktemp -d "${TMPDIR:-/tmp}/lantoa-demo-XXXXXX")"
if [ -t 1 ]; then B1=$'\033[1m' G=$'\033[32m' N=$'\033[0m'; else B1= G= N=; fi
step() { printf '\n%s── %s%s\n' "$B1" "$*" "$N"; }
run() { printf '%s$ lantoa %s%s\n' "$G" "$*" "$N"; }
die() { echo "demo: $*"; echo "--- last lines of the daemon"; tail -20 "$PLACE/lantoad.log" 2>/dev/null; exit 1; }

R=TTBC-2026-112
step "A mail relay that misbehaves, and the daemon, both on 127.0.0.1"
cat >"$PLACE/script.json" <<-EOF
{"options":{"pipelining":true},"rules":[
 {"match":"vanphong@son-la.bhxh.example","at":"rcpt","do":"reply","code":451,"text":"4.3.0 try again later","times":1},
 {"match":"vanphong@hue.bhxh.example","at":"rcpt","do":"reply","code":450,"text":"4.7.1 greylisted","times":1},
 {"match":"baochi@lang-son.press.example","at":"rcpt","do":"reply","code":550,"text":"5.1.1 no such mailbox"},
 {"match":"vanphong@can-tho.bhxh.example","at":"final","do":"drop_after_dot","times":1}]}
EOF
sandbox_start --script "$PLACE/script.json" --store-mails
conf_write "$SMTP_PORT"
daemon_start || die "no daemon"
echo "relay on port $SMTP_PORT: two mailboxes answer \"later\" once, one does not exist, one mail is taken but its answer gets lost"

step "Offices, targets, audiences, campaigns from the sample files"
run offices import offices.csv; admin offices import "$TOP/config/examples/offices.csv" || die "offices"
run targets import targets.csv; admin targets import "$TOP/config/examples/targets.csv" || die "targets"
run audiences import audiences.yaml; admin audiences import "$TOP/config/examples/audiences.yaml" || die "audiences"
run campaigns import campaigns.yaml; admin campaigns import "$TOP/config/examples/campaigns.yaml" || die "campaigns"

step "The editor hands over a folder"
run submit release-ttbc-112; editor submit "$TOP/config/examples/release-ttbc-112" || die "submit"
step "The editor may not approve; a second person may, and approves exactly what was shown"
HASH=$(hash_of $R) || die "review"
run approve $R --hash "${HASH:0:12}… "'(as the editor)'
approver --as 'Nguyễn Thị Biên' approve $R --hash "$HASH" && die "the author approved"
run approve $R --hash "${HASH:0:12}…"
approver approve $R --hash "$HASH" || die "approve"

step "Fan-out"
run watch $R
calm() { operator --json watch $R --timeout 1 2>/dev/null | json - '((.counts.waiting // 0) + (.counts.sending // 0) == 0) and .total >= 73' | grep -q true; }
( operator watch $R --timeout 40 & W=$!; until_true 40 calm; kill $W 2>/dev/null; wait $W 2>/dev/null ) 2>/dev/null
echo
until_true 30 calm || die "the release does not come to rest"

step "One answer was lost: nobody can know, so nobody guesses"
run deliveries --state unknown
operator deliveries --state unknown || die "deliveries"
D=$(operator --json deliveries --state unknown | json - '.rows[0].delivery') || die "no unknown delivery"
run delivery "$D"; operator delivery "$D"
TAKEN=$("$B/sandbox" show --dir "$PLACE/sandbox" --mailbox vanphong@can-tho.bhxh.example --json | grep -c can-tho)
echo "the operator asks Cần Thơ: $TAKEN mail arrived there"
run resolve sent "$D" -m '"Cần Thơ confirms by telephone"'
operator resolve sent "$D" -m "Cần Thơ confirms by telephone" || die "resolve"

step "What each mailbox received (the relay's own ledger)"
"$B/sandbox" show --dir "$PLACE/sandbox" | head -12
echo "…"
step "The report"
operator watch -q $R --timeout 20 || die "not done"
run report $R
operator report $R | head -20; echo "…"
operator --json report $R >"$PLACE/report.full.json" || die "report"
step "Proof"
run fsck; operator fsck || die "fsck"
run audit verify; operator audit verify || die "audit"

jq '{release, deliveries: [.deliveries[] | {office, channel, address, state, tries, provider_id, url}]}' "$PLACE/report.full.json" >"$OUT/report.json" || die "report"
# The proof on the provider's side: who truly got a mail, against who the report says was reached.
jq -r 'select(.t == "mail") | .mailbox' "$LEDGER" | sort >"$PLACE/got"
jq -r '.deliveries[] | select(.state == "accepted" or .state == "delivered") | .address' "$OUT/report.json" | sort >"$PLACE/reached"
cmp -s "$PLACE/got" "$PLACE/reached" || { diff "$PLACE/got" "$PLACE/reached"; die "the report and the relay's ledger disagree"; }
[ "$(uniq -d "$PLACE/got" | wc -l)" = 0 ] || die "a mailbox got two copies"
[ "$(jq '.deliveries | length' "$OUT/report.json")" = 73 ] || die "not 73 deliveries"
echo; echo "73 deliveries: $(jq -r '[.deliveries[].state] | group_by(.) | map("\(length) \(.[0])") | join(", ")' "$OUT/report.json"); $(wc -l <"$PLACE/got") mailboxes at the relay, each exactly once"
daemon_stop
echo "build/demo/report.json written; sms, facebook and zalo of the sample are left out: those channels do not exist yet"
