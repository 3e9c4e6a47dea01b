#!/usr/bin/env bash
# test_release.sh - the sample release through the real daemon to the sandbox: everything settles, each mailbox once, and the
# promises about approval, stops and evidence hold as a user sees them.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
place_new
R=TTBC-2026-112
cp -r "$TOP/config/examples/release-ttbc-112" "$PLACE/bundle"
cat >"$PLACE/script.json" <<-EOF
{"rules":[
 {"match":"vanphong@hue.bhxh.example","at":"rcpt","do":"reply","code":450,"text":"4.7.1 greylisted","times":1},
 {"match":"baochi@lang-son.press.example","at":"rcpt","do":"reply","code":550,"text":"5.1.1 no such mailbox"},
 {"match":"vanphong@can-tho.bhxh.example","at":"final","do":"drop_after_dot","times":1}]}
EOF
sandbox_start --script "$PLACE/script.json" --store-mails
conf_write "$SMTP_PORT"
daemon_start || { not_ok "the daemon starts"; tap_end; exit 1; }

check "the sample files are imported" import_samples
check "a second import changes nothing" bash -c "'$B/lantoa' --as 'Quản Trị' --json offices import '$TOP/config/examples/offices.csv' | jq -e '.added == 0 and .changed == 0 and .gone == 0'"
check "check says what would go out, and stores nothing" bash -c "'$B/lantoa' --as 'Nguyễn Thị Biên' check '$PLACE/bundle' && test \$('$B/lantoa' --as 'Nguyễn Thị Biên' --json releases | jq '.rows | length') = 0"
refuse "somebody without a role may not look" 3 "$B/lantoa" status
refuse "an approver may not submit" 3 approver submit "$PLACE/bundle"
check "the editor submits a folder" editor submit "$PLACE/bundle"
same "press and offices are planned, the rest is named as left out" "$(approver --json review $R | json - '[.parts[] | select((.skipped | length) > 0) | .name] | sort | join(",")')" "duty,group,public"
check "a preview shows an office's own values" bash -c "'$B/lantoa' --as 'Nguyễn Thị Biên' preview $R --part offices --office dien-bien | grep -q 'BHXH tỉnh Điện Biên'"
check "a local paragraph stands only in its office's text" bash -c "'$B/lantoa' --as 'Nguyễn Thị Biên' preview $R --part offices --office dien-bien | grep -q 'tiếng Mông và tiếng Thái, phủ sóng' && ! '$B/lantoa' --as 'Nguyễn Thị Biên' preview $R --part offices --office hue | grep -q 'phủ sóng'"
seen() { grep -qE "$1" "$PLACE/review.txt"; }
approver review $R >"$PLACE/review.txt" 2>&1
check "who reviews reads to whom and when each part goes" seen '^  press +to press · ngay khi duyệt · window 1h · under embargo until 10s sau khi duyệt · expires 2d after its start$'
check "and after what" seen '^  offices +to offices · after public · window 1h · expires 2d after its start$'
check "and what is internal, of which category, with what priority" bash -c "grep -qE '^  group .*· internal$' '$PLACE/review.txt' && grep -qx 'public_notice, priority normal' '$PLACE/review.txt'"
check "and the texts in both languages" bash -c "grep -q '^Hà Nội, ngày 23/11/2026' '$PLACE/review.txt' && grep -q '^Hanoi, 23 November 2026' '$PLACE/review.txt'"
check "and how many outputs there are beside those that were shown" seen '^[0-9]+ of [0-9]+ outputs are shown; the others: lantoa preview '
from_name() { sed -i "s/^  from_name: .*/  from_name: $1/" "$PLACE/conf/channels.d/mail.yaml" && admin -q reload; }
check "other settings make other outputs" from_name 'BHXH khác'
check "which a preview says" bash -c "'$B/lantoa' --as 'Nguyễn Thị Biên' preview $R --part offices --office hue | grep -q '^== .* · NOT AS IT WAS MADE FOR APPROVAL'"
check "and not of those that are as they were" bash -c "sed -i 's/^  from_name: .*/  from_name: BHXH Việt Nam/' '$PLACE/conf/channels.d/mail.yaml' && '$B/lantoa' --as 'Quản Trị' -q reload && ! '$B/lantoa' --as 'Nguyễn Thị Biên' preview $R --part offices --office hue | grep -q 'NOT AS IT WAS'"
check "a sheet of paper says the same times" bash -c "'$B/lantoa' --as 'Trần Văn Duyệt' sheet $R | grep -q 'press .*ngay khi duyệt.*expires 2d'"
HASH=$(hash_of $R)
refuse "the author may not approve" 3 editor approve $R --hash "$HASH"
refuse "a wrong hash is a conflict" 7 approver approve $R --hash "${HASH//[0-9]/a}"
sed -i 's/vùng cao$/vùng cao (bản sửa)/' "$PLACE/bundle/release.md"
check "a new revision is submitted" editor submit "$PLACE/bundle"
refuse "the hash of the older revision is stale" 7 approver approve $R --hash "$HASH"
check "diff shows what changed" bash -c "'$B/lantoa' --as 'Nguyễn Thị Biên' diff $R | grep -q 'bản sửa'"
HASH=$(hash_of $R)
check "a second person approves exactly this" approver approve $R --hash "$HASH"
rest() { operator --json watch $R --timeout 1 2>/dev/null | json - '((.counts.waiting // 0) + (.counts.sending // 0) == 0) and .total == 73' | grep -q true; }
check "everything comes to rest" until_true 60 rest
same "one answer was lost, one delivery is unknown" "$(operator --json deliveries --state unknown | json - '.rows | length')" 1
D=$(operator --json deliveries --state unknown | json - '.rows[0].delivery')
refuse "a reason is needed" 2 operator resolve sent "$D"
check "the operator resolves it" operator resolve sent "$D" -m "asked by telephone"
check "the release is done" operator watch -q $R --timeout 20
operator --json report $R >"$PLACE/report.json"
operator report $R >"$PLACE/report.txt"
same "to people it says that no receipt came, and does not call them delivered" "$(grep -c '  accepted, no receipt  ' "$PLACE/report.txt") $(grep -c '  delivered  ' "$PLACE/report.txt")" "72 0"
same "73 deliveries are reported" "$(json "$PLACE/report.json" '.deliveries | length')" 73
same "one hard bounce" "$(json "$PLACE/report.json" '[.deliveries[] | select(.state == "failed")] | map(.address) | join(",")')" "baochi@lang-son.press.example"
jq -r 'select(.t == "mail") | .mailbox' "$LEDGER" | sort >"$PLACE/got"
same "no mailbox got two copies" "$(uniq -d "$PLACE/got" | wc -l)" 0
same "72 mailboxes got one" "$(wc -l <"$PLACE/got" | tr -d ' ')" 72
ENGLISH=$(sed -n 's/^title: //p' "$PLACE/bundle/body.en.md")
same "the English variant reaches the one target with lang en" "$(jq -r --arg t "$ENGLISH" 'select(.t == "mail" and .subject == $t) | .mailbox' "$LEDGER")" news@foreign-press.example
check "fsck is clean" operator fsck
check "the audit chain holds" operator audit verify
check "a refused approval stands in the audit" bash -c "'$B/lantoa' --as 'Lê Vận Hành' --json audit --limit 200 | jq -e '[.rows[] | select(.what | test(\"approve\") and test(\"refused\"))] | length >= 1'"
check "the sent mails name no address in the log" bash -c "! grep -qE '@[a-z.-]+[.]example' '$PLACE/lantoad.log'"
check "metrics tell states" bash -c "p=\$(sed -n 's/.*ev=api.listen what=private.*port=\([0-9]*\).*/\1/p' '$PLACE/lantoad.log' | tail -1); exec 3<>/dev/tcp/127.0.0.1/\$p; printf 'GET /metrics HTTP/1.0\r\n\r\n' >&3; grep -q '^lantoa_' <&3"

# Restart: nothing is sent again.
daemon_stop
daemon_start || not_ok "the daemon starts again"
check "after a restart it is at rest" until_true 10 rest
sleep 3 # what is tried again would come a second behind the start
same "a restart sends nothing again" "$(jq -r 'select(.t == "mail") | .mailbox' "$LEDGER" | wc -l | tr -d ' ')" 72
# Evidence: a forged row is found.
daemon_stop
cp -r "$PLACE/state" "$PLACE/state.good"
sqlite3 "$PLACE/state/lantoa.db" "DROP TRIGGER audit_keep; UPDATE audit SET person='nobody' WHERE seq=3;"
daemon_start || not_ok "the daemon starts on it"
refuse "a changed audit row is found" 6 operator audit verify
says "by its number" 'audit row 3 was changed'
daemon_stop
tap_end
