#!/usr/bin/env bash
# test_money.sh - what short messages cost and who may get them, through the real daemon to the sandbox's SMSC: exact cost at check,
# the ceiling of a part, a budget that holds one office, a daily quota over a kill, converted numbers, advertising and its refusals.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/lib_smpp.sh"
place_new
echo "{$(smpp_script '"report_ms":20')}" >"$PLACE/script.json"
sandbox_start --script "$PLACE/script.json"
SMPP_FORM=plain smpp_conf '  ad_refusal: "Từ chối: soạn TC gửi 9241"'
CONF_TOP=$'budgets:\n  - {office: dien-bien, budget_total: 100}\ncategories:\n  advertising: {hours: ["00:00-24:00"], per_recipient: 2, per_window: 24h}'
conf_write "$SMTP_PORT"
daemon_start || { not_ok "the daemon starts"; tap_end; exit 1; }
check "the sample files are imported" import_samples

bundle() { # bundle CODE CATEGORY MAX_COST TEXT: one part to the duty phones
	mkdir -p "$PLACE/b"
	cat >"$PLACE/b/release.md" <<-END
	---
	code: $1
	kind: notice
	category: $2
	title: Tin $1
	summary: Tin nhắn tới cán bộ trực
	parts:
	  duty: {to: duty, channels: [sms], at: now${3:+, max_cost: $3}}
	text:
	  sms: "$4"
	---
	Nội dung $1.
	END
}
out() { jq -r "select(.t == \"sms\") | .to + \" \" + .text" "$LEDGER" | grep -F "$1" | sort; }
count_out() { out "$1" | wc -l | tr -d ' '; }
approve() { editor -q submit "$PLACE/b" && approver -q approve "$1" --hash "$(hash_of "$1")"; }
state_is() { [ "$(operator --json deliveries --release "$1" --state "$2" --limit 500 | json - '.rows | length')" = "$3" ]; }

# --- the check: exact text, coding, segments and cost for each office --------------------------------------------------------------
bundle M-1 public_notice '' 'M-1: {{office.short}} kiểm tra Fanpage và OA trước 17 giờ.'
editor --json check "$PLACE/b" >"$PLACE/check.json"
same "35 phones of one operator cost 35 times its price" "$(json "$PLACE/check.json" .cost)" 13300
same "and the part says so" "$(json "$PLACE/check.json" '.parts[0].cost')" 13300
same "the text of every office is shown as it will go out" "$(json "$PLACE/check.json" '.messages | length')" 35
check "word by word" grep -qF 'M-1: BHXH Dien Bien kiem tra Fanpage va OA truoc 17 gio.' "$PLACE/check.json"
check "a budget that will not do is named beforehand" grep -q 'office dien-bien, total: this release costs 380 đ there, 0 of 100 are used' "$PLACE/check.json"
bundle M-1 public_notice 13299 'M-1: {{office.short}} kiểm tra Fanpage và OA trước 17 giờ.'
refuse "a part that costs more than its ceiling is refused" 6 editor check "$PLACE/b"
said() { "$@" 2>&1 || true; }
said editor check "$PLACE/b" >"$PLACE/said"
check "with both numbers" grep -q '13.300 đ, its ceiling is 13.299' "$PLACE/said"
bundle M-1 public_notice '' "$(printf 'M-1 %0650d' 0)"
refuse "a text that is too long is refused, not cut" 6 editor check "$PLACE/b"
said editor check "$PLACE/b" >"$PLACE/said"
check "and says by how much" grep -q 'the lane allows 4' "$PLACE/said"
bundle M-1 public_notice '' 'M-1: đăng nhập http://evil.example để nhận tiền'
refuse "a link elsewhere is refused" 6 editor check "$PLACE/b"
says "by its address" "'http://evil.example' is a link"
bundle M-1 public_notice 13300 'M-1: {{office.short}} kiểm tra Fanpage và OA trước 17 giờ.'
check "a release within its ceiling is approved" approve M-1
check "the preview of an office shows the exact text" bash -c "'$B/lantoa' --as 'Lê Vận Hành' --json preview M-1 --office ha-noi | grep -q 'M-1: BHXH Ha Noi kiem tra Fanpage va OA truoc 17 gio.'"

# --- a budget holds one office and no other ------------------------------------------------------------------------------------------
check "34 offices get their text" until_true 20 state_is M-1 delivered 34
same "the office over its budget gets none" "$(out M-1 | grep -c 'Dien Bien')" 0
check "it is held, with the reason" bash -c "'$B/lantoa' --as 'Lê Vận Hành' --json deliveries --release M-1 --state waiting | grep -q 'budget: office dien-bien, total: 0 of 100'"
sed -i 's/budget_total: 100}/budget_total: 1000}/' "$PLACE/conf/lantoad.yaml"
check "the budget is raised" admin -q reload
check "and the office resumed" operator -q resume --release M-1 --yes -m "kinh phí đã duyệt"
check "it gets its text" until_true 15 state_is M-1 delivered 35
same "each phone once" "$(out M-1 | cut -d' ' -f1 | sort | uniq -d | wc -l | tr -d ' ')" 0

# --- a daily quota, over a kill ------------------------------------------------------------------------------------------------------
sed -i 's/^  unknown_max:/  quota_day: 10\n  unknown_max:/' "$PLACE/conf/channels.d/tin-nhan.yaml"
check "a daily quota is set" admin -q reload
bundle M-2 public_notice '' 'M-2: {{office.short}} báo cáo trước 17 giờ.'
check "a second release is approved" approve M-2
check "what is left of the day goes out" until_true 15 bash -c "[ \$(jq -r 'select(.t == \"sms\") | .text' '$LEDGER' | grep -c M-2) -ge 10 ]"
daemon_kill
daemon_start || { not_ok "the daemon starts after a kill"; tap_end; exit 1; }
sleep 1
same "ten a day are ten a day, whatever happens in between" "$(count_out M-2)" 10
check "the lane says why" bash -c "'$B/lantoa' --as 'Lê Vận Hành' --json queue | grep -q 'quota: lane tin-nhan/tong-dai/vinaphone'"
sed -i '/quota_day/d' "$PLACE/conf/channels.d/tin-nhan.yaml"
check "the quota goes" admin -q reload
check "and the others get theirs" until_true 20 state_is M-2 delivered 35
same "nobody got it twice" "$(out M-2 | cut -d' ' -f1 | sort | uniq -d | wc -l | tr -d ' ')" 0

# --- numbers ----------------------------------------------------------------------------------------------------------------------------
printf 'channel,address,office,name,lang,tags\nsms,0168 123 4567,ha-noi,Cũ,,them\n' >"$PLACE/old.csv"
admin targets import "$PLACE/old.csv" --dry >"$PLACE/old.out" 2>&1
check "a number of before 2018 is converted and said to be" grep -q '01681234567 is a number of before 2018 and became +84381234567' "$PLACE/old.out"
printf 'channel,address,office,name,lang,tags\nsms,024 3936 1234,ha-noi,Bàn,,them\n' >"$PLACE/land.csv"
refuse "a landline is refused" 6 admin targets import "$PLACE/land.csv" --dry
printf 'channel,address,office,name,lang,tags\nsms,+8562012345678,ha-noi,Lào,,them\n' >"$PLACE/lao.csv"
refuse "so is a number abroad that no route serves" 6 admin targets import "$PLACE/lao.csv" --dry

# --- advertising ------------------------------------------------------------------------------------------------------------------------
printf 'address\n0910000101\n' >"$PLACE/dnc.csv"
check "the register of those who want no advertising is imported" admin -q do-not-call import "$PLACE/dnc.csv"
sed -i '/ad_refusal/d' "$PLACE/conf/channels.d/tin-nhan.yaml"
admin -q reload
bundle Q-1 advertising '' 'Q-1 Hội chợ việc làm tại {{office.short}}'
refuse "advertising that does not say how to refuse is refused" 6 editor check "$PLACE/b"
sed -i 's/^  form:/  ad_refusal: "Từ chối: soạn TC gửi 9241"\n  form:/' "$PLACE/conf/channels.d/tin-nhan.yaml"
admin -q reload
check "an advertising release is approved" approve Q-1
check "it reaches all but the one on the register and the office whose budget is used up" until_true 15 bash -c "[ \$(jq -r 'select(.t == \"sms\") | .text' '$LEDGER' | grep -c 'Q-1 ') = 33 ]"
check "labelled, with the way to refuse" bash -c "jq -r 'select(.t == \"sms\") | .text' '$LEDGER' | grep -q '^\[QC\] Q-1 Hoi cho viec lam tai .* Tu choi: soan TC gui 9241$'"
same "the register kept one phone out" "$(out 'Q-1 ' | grep -c '84910000101')" 0
check "fsck is clean" operator fsck
check "the audit chain holds" operator audit verify
daemon_stop
tap_end
