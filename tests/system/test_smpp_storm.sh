#!/usr/bin/env bash
# test_smpp_storm.sh - the real daemon and an SMSC that gives trouble: a server that takes one text at a time, a rate that it enforces with
# 0x58, answers that come after the timeout, a link that is cut with 500 texts outstanding, a text of many parts. The rate adapts,
# nothing is doubled outside `unknown`, nothing is lost.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/lib_smpp.sh"
place_new
echo "{$(smpp_script '"ids":"random","report_ms":20' '"rules":[]')}" >"$PLACE/script.json"
sandbox_start --script "$PLACE/script.json"
SMPP_WINDOW=500 SMPP_RESPONSE_MS=2000 SMPP_FORM=plain smpp_conf
conf_write "$SMTP_PORT"
window() { # window N: ours, by a reload
	sed -i "s/^  window: .*/  window: $1/" "$PLACE/conf/channels.d/tin-nhan.yaml"
	admin -q reload >/dev/null
}
daemon_start || { not_ok "the daemon starts"; tap_end; exit 1; }
check "offices are imported" admin -q offices import "$TOP/config/examples/offices.csv"
{ echo channel,address,office,name,lang,tags; awk 'BEGIN { for (i = 0; i < 11100; i++) printf "sms,+8491%07d,trung-uong,P %d,,%s\n", i, i, (i < 30 ? "many few" : i < 600 ? "many" : "warm") }'; } >"$PLACE/many.csv"
check "11,100 phones are imported" admin -q targets import "$PLACE/many.csv"
printf 'many: {name: "Many", any: [{tag: many}]}\nfew: {name: "Few", any: [{tag: few}]}\nwarm: {name: "Warm", any: [{tag: warm}]}\n' >"$PLACE/aud.yaml"
check "audiences are imported" admin -q audiences import "$PLACE/aud.yaml"
release() { # release CODE AUDIENCE [TEXT]
	printf -- '---\ncode: %s\nkind: notice\ncategory: public_notice\ntitle: Thong bao %s\nparts: {all: {to: %s, channels: [sms], at: now}}\ntext:\n  sms: "%s %s"\n---\nThông báo.\n' "$1" "$1" "$2" "$1" "${3:-Thong bao cua co quan BHXH.}" >"$PLACE/$1.md"
	editor -q submit "$PLACE/$1.md" && approver -q approve "$1" --hash "$(hash_of "$1")"
}
count() { operator --json watch "$1" --timeout 1 2>/dev/null | jq -r ".counts.$2 // 0"; }
all_in() { [ "$(count "$1" "$2")" = "$3" ]; }
phones() { jq -r --arg r "$1 " 'select(.t == "sms" and (.text | startswith($r))) | .to' "$LEDGER"; }
doubles() { phones "$1" | sort | uniq -d | wc -l | tr -d ' '; }
same_text() { jq -r --arg r "$1 " 'select(.t == "sms" and (.text | startswith($r))) | .text' "$LEDGER" | sort -u | wc -l | tr -d ' '; }

refused() { smpp_ctl '"rules":[],"replace":false' | grep -o '"refused":[0-9]*' | head -1 | cut -d: -f2; } # the first is the SMSC's
# --- a server that takes one at a time --------------------------------------------------------------------------------------------
window 1
smpp_ctl '"options":{"window":1},"rules":[{"do":"delay","delay_ms":20}]' >/dev/null
check "30 texts for a window of 1 are approved" release ONE-1 few
check "all of them are delivered" until_true 60 all_in ONE-1 delivered 30
same "the server never saw two at once" "$(refused)" 0
window 4
check "30 texts with a window of 4 where the server allows 1" release ONE-2 few
check "the window adapts and all are delivered" until_true 60 all_in ONE-2 delivered 30
check "it was told so a few times only ($(refused))" bash -c "[ $(refused) -ge 1 ] && [ $(refused) -le 30 ]"
same "no phone got one of them twice" "$(doubles ONE-1) $(doubles ONE-2)" "0 0"

# --- a rate that is enforced with 0x58 ----------------------------------------------------------------------------------------------
window 500
smpp_ctl '"rules":[],"options":{"window":0,"per_s":150}' >/dev/null
daemon_stop; daemon_start || { not_ok "the daemon starts"; tap_end; exit 1; } # a new session: nothing is known of the server
BEFORE=$(smpp_stat throttled)
check "600 texts into a storm of 0x58 are approved" release STORM-1 many
check "all 600 are delivered" until_true 400 all_in STORM-1 delivered 600
STORM=$(($(smpp_stat throttled) - BEFORE))
check "the rate adapts: it was told 'too fast' less often than there were texts ($STORM)" bash -c "[ $STORM -ge 1 ] && [ $STORM -lt 600 ]"
same "each phone once" "$(phones STORM-1 | wc -l | tr -d ' ') $(doubles STORM-1)" "600 0"
smpp_ctl '"options":{"per_s":0}' >/dev/null
daemon_stop; daemon_start || { not_ok "the daemon starts"; tap_end; exit 1; }

# --- answers after the timeout --------------------------------------------------------------------------------------------------------
smpp_ctl '"rules":[{"match":"3","do":"delay","delay_ms":3500}],"options":{"reports":"never"}' >/dev/null
check "30 texts, three of them answered after the timeout" release LATE-1 few
unknown() { [ "$(count LATE-1 unknown)" = 3 ]; }
check "an answer that does not come makes them unknown" until_true 10 unknown
check "the late answers settle them" until_true 20 all_in LATE-1 accepted 30
same "each phone once" "$(phones LATE-1 | wc -l | tr -d ' ') $(doubles LATE-1)" "30 0"
smpp_ctl '"rules":[],"options":{"reports":"after"}' >/dev/null

# --- a link that is cut with 500 outstanding --------------------------------------------------------------------------------------------
sed -i 's/^  response_ms: .*/  response_ms: 60000/; s/^  timeout: .*/  timeout: 90s/' "$PLACE/conf/channels.d/tin-nhan.yaml"
daemon_stop; daemon_start || { not_ok "the daemon starts"; tap_end; exit 1; }
smpp_ctl '"options":{"reports":"never"}' >/dev/null
check "10,500 texts show that the server bears much at once" release WARM-1 warm
check "they are accepted" until_true 240 all_in WARM-1 accepted 10500
smpp_ctl '"rules":[{"do":"delay","delay_ms":60000}]' >/dev/null
check "600 texts to a server that answers nothing yet" release CUT-1 many
outstanding() { [ "$(phones CUT-1 | wc -l)" -ge 500 ]; }
check "500 are outstanding on one link" until_true 60 outstanding
sleep 0.5 # were there more under way than the window allows, they would come now
same "and no more than the window" "$(phones CUT-1 | wc -l | tr -d ' ')" 500
smpp_ctl '"rules":[],"do":"cut"' >/dev/null
rest() { [ $(($(count CUT-1 unknown) + $(count CUT-1 accepted))) = 600 ]; }
check "all come to rest" until_true 60 rest
same "unknown are those that were outstanding, the others went out behind them" "$(count CUT-1 unknown) $(count CUT-1 accepted)" "500 100"
same "nothing was sent again, nothing was lost" "$(phones CUT-1 | wc -l | tr -d ' ') $(doubles CUT-1)" "600 0"
smpp_ctl '"options":{"reports":"after"}' >/dev/null

# --- a text of many parts ----------------------------------------------------------------------------------------------------------------
LONG=$(printf 'phan %02d cua van ban nay, noi dung hoan toan khac nhau; ' $(seq 1 10))
check "30 texts of four segments, answered in turned order" bash -c "'$B/sandbox' ctl --dir '$PLACE/sandbox' '{\"cmd\":\"smsc\",\"options\":{\"order\":\"reversed\"}}'"
check "they are approved" release PARTS-1 few "$LONG"
check "they are delivered, each by the reports of all its segments" until_true 60 all_in PARTS-1 delivered 30
same "each phone has one text, put together as it was approved" "$(phones PARTS-1 | wc -l | tr -d ' ') $(doubles PARTS-1) $(same_text PARTS-1)" "30 0 1"
same "it had four segments" "$(jq -r 'select(.t == "sms" and (.text | startswith("PARTS-1"))) | .segments' "$LEDGER" | sort -u)" 4
same "no segment came twice" "$(smpp_stat again)" 0
check "fsck is clean" operator fsck
check "the audit chain holds" operator audit verify
tap_end
