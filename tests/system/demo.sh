#!/usr/bin/env bash
# demo.sh - one press release from an editor's folder to every office, newsroom, duty phone, page, OA and group, on this machine alone: the
# daemon with a private state folder, the sandbox as every provider with trouble built in, two people, the final table, the proof.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
for lib in facebook zalo smpp sms_http; do . "$(dirname "${BASH_SOURCE[0]}")/lib_$lib.sh"; done
OUT=$TOP/build/demo
rm -rf "$OUT"
mkdir -p "$OUT"
place_new "$(mktemp -d "${TMPDIR:-/tmp}/lantoa-demo-XXXXXX")"
if [ -t 1 ]; then B1=$'\033[1m' G=$'\033[32m' N=$'\033[0m'; else B1= G= N=; fi
step() { printf '\n%s── %s%s\n' "$B1" "$*" "$N"; }
run() { printf '%s$ lantoa %s%s\n' "$G" "$*" "$N"; }
die() { echo "demo: $*"; echo "--- last lines of the daemon"; tail -20 "$PLACE/lantoad.log" 2>/dev/null; exit 1; }

R=TTBC-2026-112
PAGE=1042000000001 # pages 00 to 34
step "Providers that misbehave, and the daemon, all on 127.0.0.1"
LATE_OA=$(zalo_oas | sed -n 3p | cut -d' ' -f1)
cat >"$PLACE/script.json" <<-EOF
{"options":{"pipelining":true},"rules":[
 {"match":"vanphong@son-la.bhxh.example","at":"rcpt","do":"reply","code":451,"text":"4.3.0 try again later","times":1},
 {"match":"vanphong@hue.bhxh.example","at":"rcpt","do":"reply","code":450,"text":"4.7.1 greylisted","times":1},
 {"match":"baochi@lang-son.press.example","at":"rcpt","do":"reply","code":550,"text":"5.1.1 no such mailbox"},
 {"match":"vanphong@can-tho.bhxh.example","at":"final","do":"drop_after_dot","times":1}],
 $(facebook_script), $(smpp_script '"ids":"hex","report_ids":"dec","report_ms":50' '"rules":[{"code":88,"times":6},{"match":"104","do":"take_drop","times":1}]'),
 "zalo": $(zalo_script ',"life_ms":20000,"expires_in":20,"polls":1'),
 "http_rules":[
 {"server":"facebook","method":"POST","match":"/v25.0/${PAGE}01/feed","do":"reply","when":"after","times":1,"code":500,"body":"{\"error\":{\"code\":2,\"is_transient\":true}}"},
 {"server":"facebook","method":"POST","match":"/v25.0/${PAGE}02/feed","do":"drop","when":"after","times":1},
 {"server":"zalo","match":"/v2.0/article/create","do":"drop","when":"after","times":1}]}
EOF
sandbox_start --script "$PLACE/script.json" --store-mails
facebook_conf
ZALO_POLL=100 zalo_conf "$(sandbox_port zalo)"
# Articles have no receipts: the lane does not wait for any.
sed -i 's/^  ask_every: 1s/&\n  receipt_wait: 1s/' "$PLACE/conf/channels.d/zalo.yaml"
smpp_conf
SMS_PUBLIC=$(sms_http_port_free)
sms_http_channel gateway esms "$(sandbox_port smsgw)"
# Five provinces have a contract with a gateway over HTTP; the others go over SMPP.
ROUTES=$(sed 's|^  sms: tin-nhan/tong-dai$|  sms: {default: tin-nhan/tong-dai, offices: {da-nang: gateway/main, hue: gateway/main, lam-dong: gateway/main, can-tho: gateway/main, an-giang: gateway/main}}|' <<<"$ROUTES")$'\n'
conf_write "$SMTP_PORT"
sms_http_public
daemon_start || die "no daemon"
facebook_ctl "\"do\":\"page\",\"page\":\"${PAGE}16\",\"revoked\":true" >/dev/null
cat <<EOF
mail relay   two mailboxes answer "later" once, one does not exist, one mail is taken but its answer gets lost
SMS          a storm of 0x58 at the start, and the link dies with a message on it; five provinces use a gateway over HTTP
Facebook     one page answers 500 after it has posted, one loses the answer, one page's token is revoked
Zalo         access tokens expire while it runs, and one article is made but its answer gets lost
EOF

step "Offices, targets, audiences, campaigns from the sample files"
run offices import offices.csv; admin offices import "$TOP/config/examples/offices.csv" || die "offices"
run targets import targets.csv; admin targets import "$TOP/config/examples/targets.csv" || die "targets"
run audiences import audiences.yaml; admin audiences import "$TOP/config/examples/audiences.yaml" || die "audiences"
sample_campaigns
run campaigns import campaigns.yaml; admin campaigns import "$PLACE/campaigns.yaml" || die "campaigns"

step "The editor hands over a folder"
run submit release-ttbc-112
editor submit "$TOP/config/examples/release-ttbc-112" >"$PLACE/submit.out" || { cat "$PLACE/submit.out"; die "submit"; }
# Every office's text message is shown; three will do here.
awk '/ · SMS from / && ++n > 3 { skip = 2 } skip > 0 { skip--; if (!said++) print "  …"; next } { print }' "$PLACE/submit.out"
step "The editor may not approve; a second person may, and approves exactly what was shown"
HASH=$(hash_of $R) || die "review"
run approve $R --hash "${HASH:0:12}… "'(as the editor)'
approver --as 'Nguyễn Thị Biên' approve $R --hash "$HASH" && die "the author approved"
run approve $R --hash "${HASH:0:12}…"
approver approve $R --hash "$HASH" || die "approve"

step "Fan-out"
run watch $R
watch_until() { # watch_until SECONDS CONDITION...: progress until the condition holds
	local w s=$1; shift
	"$B/lantoa" --as 'Lê Vận Hành' watch $R --timeout "$s" 2>/dev/null & w=$!
	until_true "$s" "$@"
	kill "$w" 2>/dev/null; wait "$w" 2>/dev/null
}
count() { operator --json report $R | jq "[.deliveries[] | select($1)] | length"; }
page_held() { operator --json channels | grep -q '"held'; }
public_rest() { [ "$(count '.channel == "facebook" and (.state == "accepted" or .state == "delivered")')" -ge 34 ] && [ "$(count '.channel == "zalo" and (.state == "accepted" or .state == "delivered")')" -ge 35 ]; }
watch_until 50 public_rest
echo
until_true 20 public_rest || { for s in unknown held waiting failed; do operator deliveries --state $s; done; die "pages and OAs do not come to rest"; }

step "One page's token was revoked: its lane waits and says why; the other pages did not notice"
page_held || die "no lane waits for the page"
run channels; operator channels | awk 'NR == 1 || /held/' | cut -c1-160 | head -3
facebook_ctl "\"do\":\"page\",\"page\":\"${PAGE}16\",\"revoked\":false" >/dev/null
echo "the office gives the right back at the provider; the daemon asks for a token until it gets one"
calm() { operator --json watch $R --timeout 1 2>/dev/null | json - '((.counts.waiting // 0) + (.counts.sending // 0) == 0) and .total >= 179' | grep -q true; }
watch_until 80 calm
echo
until_true 20 calm || { for s in unknown held waiting failed sending; do operator deliveries --state $s; done; die "the release does not come to rest"; }

step "What was lost on the way back was found again by asking; what cannot be asked waits for a person"
asked() { [ "$(count '.state == "unknown"')" -le 2 ]; }
until_true 20 asked || { operator deliveries --state unknown; die "more than the mail and the text are unknown"; }
run deliveries --state unknown
operator deliveries --state unknown || die "deliveries"
unknown_of() { operator --json deliveries --state unknown | json - ".rows[] | select(.channel == \"$1\") | .delivery"; }
D=$(unknown_of email) S=$(unknown_of sms)
[ -n "$D" ] && [ -n "$S" ] || die "the lost mail and the lost text are not unknown"
run delivery "$D"; operator delivery "$D"
TAKEN=$("$B/sandbox" show --dir "$PLACE/sandbox" --mailbox vanphong@can-tho.bhxh.example --json | grep -c can-tho)
echo "the operator asks Cần Thơ: $TAKEN mail arrived there"
run resolve sent "$D" -m '"Cần Thơ confirms by telephone"'
operator resolve sent "$D" -m "Cần Thơ confirms by telephone" || die "resolve"
echo "the duty officer of Điện Biên got no text: the link died behind its first half"
run resolve absent "$S" -m '"no text on the phone of the duty officer"'
operator resolve absent "$S" -m "no text on the phone of the duty officer" || die "resolve"
settled() { [ "$(count '.state == "delivered" and .channel == "sms"')" -eq 35 ]; }
until_true 20 settled || { operator delivery "$S"; die "the text is not sent again"; }
echo "now, and only now, it was sent again, and its report came"

step "What each provider holds (its own ledger)"
jq -r 'select(.t == "sms") | "SMS      " + .to + "  " + .text' "$LEDGER" | head -3
jq -r 'select(.t == "fb" and .what == "live") | "page     " + .page + "  " + .permalink + "  " + (.photos | length | tostring) + " pictures"' "$LEDGER" 2>/dev/null | head -3
jq -r 'select(.t == "zalo") | "Zalo     " + .kind + " of " + (.oa // "") + "  " + (.title // .text // "")[0:60]' "$LEDGER" | sort | head -4
"$B/sandbox" show --dir "$PLACE/sandbox" | head -6
echo "…"
step "The report"
operator watch -q $R --timeout 20 || die "not done"
run report $R
operator report $R | head -24; echo "…"
operator --json report $R >"$PLACE/report.full.json" || die "report"
step "Proof"
run fsck; operator fsck || die "fsck"
run audit verify; operator audit verify || die "audit"

jq '{release, deliveries: [.deliveries[] | {office, channel, address, state, tries, provider_id, url}]}' "$PLACE/report.full.json" >"$OUT/report.json" || die "report"
# The proof on the providers' side: who truly got something, against who the report says was reached.
jq -r 'if .t == "mail" then .mailbox elif .t == "sms" then .to elif .t == "fb" and .what == "live" then .page elif .t == "zalo" and .kind == "article" then "oa:" + .oa elif .t == "zalo" and .kind == "group" then "group:" + (.group // .to) else empty end' "$LEDGER" | sort >"$PLACE/got"
jq -r '.deliveries[] | select(.state == "accepted" or .state == "delivered") | .address' "$OUT/report.json" | sort >"$PLACE/reached"
cmp -s "$PLACE/got" "$PLACE/reached" || { diff "$PLACE/got" "$PLACE/reached"; die "the report and the providers' ledgers disagree"; }
[ "$(uniq -d "$PLACE/got" | wc -l)" = 0 ] || die "somebody got it twice"
[ "$(jq '.deliveries | length' "$OUT/report.json")" = 179 ] || die "not 179 deliveries"
echo; jq -r '.deliveries | group_by(.channel) | .[] | "\(.[0].channel): \(length) deliveries, " + ([.[].state] | group_by(.) | map("\(length) \(.[0])") | join(", "))' "$OUT/report.json"
echo "179 deliveries; $(wc -l <"$PLACE/got") at the providers, each exactly once"
daemon_stop || die "the daemon did not end in order"
echo "build/demo/report.json written"
