#!/usr/bin/env bash
# test_smpp.sh - the duty part of the sample release through the real daemon to the sandbox's SMSC: exact texts, each phone once,
# reports for every one; then storms, lost links, kills and reports for nobody.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/lib_smpp.sh"
place_new
echo "{$(smpp_script '"ids":"hex","report_ids":"dec","report_ms":50' '"rules":[{"code":88,"times":5},{"match":"103","code":20,"times":1},{"match":"104","do":"take_silent","skip":1,"times":1}]')}" >"$PLACE/script.json"
sandbox_start --script "$PLACE/script.json"
smpp_conf
conf_write "$SMTP_PORT"
daemon_start || { not_ok "the daemon starts"; tap_end; exit 1; }
check "the sample files are imported" import_samples
check "the server lets the account in before there is work" until_true 10 bash -c "[ \"\$(jq -r 'select(.t == \"sms_link\" and .what == \"bound\") | .system_id' '$LEDGER' | tail -1)\" = bhxh ]"

# --- the duty part, through a storm of 0x58 and a full queue --------------------------------------------------------------------
cp -r "$TOP/config/examples/release-ttbc-112" "$PLACE/bundle"
release() { # release CODE: a copy of the sample with the duty part only
	rm -rf "$PLACE/bundle"
	cp -r "$TOP/config/examples/release-ttbc-112" "$PLACE/bundle"
	sed -i "s/^code: .*/code: $1/; s/after: public/at: now/; s/TTBC-2026-112 đã/$1 đã/" "$PLACE/bundle/release.md"
	sed -i '/^  press:/,/^  offices:/{/^  offices:/!d}; /^  offices:/,/^  duty:/{/^  duty:/!d}; /^  group:/,/internal: true/d' "$PLACE/bundle/release.md"
	sed -i "s/^title: .*/title: $1 Năm năm đổi mới truyền thông/" "$PLACE/bundle/release.md"
	editor -q submit "$PLACE/bundle" && approver -q approve "$1" --hash "$(hash_of "$1")"
}
expected() { smpp_expected | sed "s/TTBC-2026-112/$1/"; }
got() { smpp_got | grep -F " $1 "; }
state_count() { operator --json deliveries --release "$1" --state "$2" --limit 500 | json - '.rows | length'; }
all_in() { [ "$(state_count "$1" "$2")" = "$3" ]; }
R=TTBC-2026-201
check "a release for the duty phones is approved" release $R
check "every delivery but the lost answer is delivered" until_true 40 all_in $R delivered 34
same "one answer was lost: that one is unknown, or settled by its report" "$(( $(state_count $R unknown) + $(state_count $R delivered) ))" 35
expected $R >"$PLACE/want"
got $R >"$PLACE/got"
check "35 phones got exactly their text, each once" diff "$PLACE/want" "$PLACE/got"
same "the texts have two segments in UCS-2" "$(jq -r 'select(.t == "sms") | "\(.coding) \(.segments)"' "$LEDGER" | sort -u)" "ucs2 2"
check "the storm was answered by less, not by more" bash -c "[ $(smpp_stat throttled) -ge 1 ] && [ $(smpp_stat throttled) -le 12 ]"
same "no segment came twice" "$(smpp_stat again)" 0
check "the password stands in no log" bash -c "! grep -q '$SMPP_PASSWORD' '$PLACE/lantoad.log'"
check "no phone number stands in the log" bash -c "! grep -q '8491000' '$PLACE/lantoad.log'"

# --- reports for nobody ---------------------------------------------------------------------------------------------------------
acked=$(smpp_stat reports_acked)
smpp_ctl '"rules":[],"flood":1000' >/dev/null
flooded() { [ $(($(smpp_stat reports_acked) - acked)) -ge 1000 ]; }
check "a flood of reports for unknown ids is acknowledged" until_true 15 flooded

# --- reports before their answers, for ids that only count: none may settle another one's text --------------------------------------
smpp_ctl '"options":{"ids":"dec","report_ids":"same","report_ms":0,"reports":"before"},"rules":[{"match":"5","do":"delay","delay_ms":200}]' >/dev/null
R=TTBC-2026-203
check "a release whose reports overtake the answers is approved" release $R
check "each report finds its own text in the end" until_true 20 all_in $R delivered 35
got $R >"$PLACE/got"
expected $R >"$PLACE/want"
check "and each phone got its text once" diff "$PLACE/want" "$PLACE/got"

# --- a part that is put off for seconds, behind its accepted one; ids with zeros in front that reports write in the other base ---------
before=$(smpp_stat sms_refused)
smpp_ctl '"options":{"ids":"hex16","report_ids":"dec","reports":"after","report_ms":50},"rules":[{"match":"105","code":100,"skip":1}]' >/dev/null
R=TTBC-2026-204
check "a release with a part that cannot be served now is approved" release $R
put_off() { [ $(($(smpp_stat sms_refused) - before)) -ge "$1" ]; }
check "the part is tried again" until_true 10 put_off 2
same "and once, not at once again and again" "$(($(smpp_stat sms_refused) - before))" 2
smpp_ctl '"rules":[]' >/dev/null
check "it gets there when it can, and every report finds its text" until_true 20 all_in $R delivered 35
got $R >"$PLACE/got"
expected $R >"$PLACE/want"
check "and each phone has its text once" diff "$PLACE/want" "$PLACE/got"

# --- a server that counts its ids anew: seven ids for all, told apart by their phones ------------------------------------------------
smpp_ctl '"options":{"ids":"few","report_ids":"same","reports":"double","report_ms":50}' >/dev/null
R=TTBC-2026-206
check "a release whose ids come again and again is approved" release $R
check "every report finds its own text" until_true 20 all_in $R delivered 35
got $R >"$PLACE/got"
expected $R >"$PLACE/want"
check "and each phone has it once" diff "$PLACE/want" "$PLACE/got"
smpp_ctl '"options":{"ids":"hex16","report_ids":"dec","reports":"after","report_ms":50}' >/dev/null

# --- a hold while a part waits: behind its answer no part goes any more ----------------------------------------------------------------
before=$(smpp_stat sms_refused)
smpp_ctl '"rules":[{"match":"105","code":100,"skip":1}]' >/dev/null
R=TTBC-2026-205
check "another release with a part that is put off is approved" release $R
check "the part is put off" until_true 10 put_off 1
check "the release is held" operator -q hold --release $R -m "a look"
smpp_ctl '"rules":[]' >/dev/null
unknown_one() { [ "$(state_count $R unknown)" = 1 ]; }
check "the half that is out is unknown, and shown" until_true 15 unknown_one
same "and its other part did not go" "$(got $R | grep -c '^+84910000105')" 0
check "the release goes on" operator -q resume --release $R -m "a look"
check "for all others it got there" until_true 20 all_in $R delivered 34

# --- kills and cuts in the middle ------------------------------------------------------------------------------------------------
smpp_ctl '"options":{"ids":"random","report_ids":"upper","report_ms":20},"rules":[{"do":"delay","delay_ms":300}]' >/dev/null
R=TTBC-2026-202
check "a second release is approved" release $R
for i in 1 2; do
	until_true 5 bash -c "jq -r 'select(.t == \"sms_part\") | .to' '$LEDGER' | grep -q ." || true
	sleep "0.$((i * 2))"
	daemon_kill
	daemon_start || { not_ok "the daemon starts after a kill"; tap_end; exit 1; }
done
smpp_ctl '"do":"cut"' >/dev/null
smpp_ctl '"rules":[]' >/dev/null
rest() { operator --json watch $R --timeout 1 2>/dev/null | json - '((.counts.waiting // 0) + (.counts.sending // 0) == 0) and .total == 35' | grep -q true; }
check "everything comes to rest" until_true 25 rest
got $R >"$PLACE/got"
same "no phone got the text twice" "$(cut -d' ' -f1 "$PLACE/got" | uniq -d | wc -l | tr -d ' ')" 0
expected $R >"$PLACE/want"
same "no text was changed" "$(comm -13 "$PLACE/want" "$PLACE/got" | wc -l | tr -d ' ')" 0
ours() { operator --json deliveries --release $R --limit 500 | json - '[.rows[] | select(.state == "delivered" or .state == "accepted")] | length'; }
check "what we call accepted the server has; the rest is unknown and shown" bash -c "[ $(ours) -le $(wc -l <"$PLACE/got") ] && [ $(( $(ours) + $(state_count $R unknown) )) = 35 ]"

expected TTBC-2026-201 >"$PLACE/want"; got TTBC-2026-201 >"$PLACE/got"
check "the answer that was lost at the beginning made nothing go again, in all this time" diff "$PLACE/want" "$PLACE/got"

# --- stop --------------------------------------------------------------------------------------------------------------------------
check "fsck is clean" operator fsck
check "the audit chain holds" operator audit verify
daemon_stop
same "at a stop the link is unbound in order" "$(jq -r 'select(.t == "sms_link") | .what' "$LEDGER" | tail -2 | xargs)" "unbound closed"
tap_end
