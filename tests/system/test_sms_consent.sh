#!/usr/bin/env bash
# test_sms_consent.sh - consent to advertising through the whole way: a [DKQC] text asks 35 phones once, phones answer by SMS, advertising
# reaches who has said yes and nobody else, and nobody is asked again.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/lib_smpp.sh"
place_new
echo "{$(smpp_script '"ids":"dec","report_ms":20' '"rules":[]')}" >"$PLACE/script.json"
sandbox_start --script "$PLACE/script.json"
SMPP_FORM=plain smpp_conf '  ad_refusal: "Tu choi: soan TC gui 9241"'
conf_write "$SMTP_PORT"
sed -i '/^categories:/,/^[a-z]/{/^categories:/d;/^  /d}' "$PLACE/conf/lantoad.yaml"
printf 'categories:\n  advertising: {hours: ["00:00-24:00"], consent: yes}\n' >>"$PLACE/conf/lantoad.yaml"
daemon_start || { not_ok "the daemon starts"; tap_end; exit 1; }
check "the sample files are imported" import_samples
release() { # release CODE CATEGORY TEXT
	printf -- '---\ncode: %s\nkind: notice\ncategory: %s\ntitle: Thong tin %s\nparts: {all: {to: duty, channels: [sms], at: now}}\ntext:\n  sms: "%s"\n---\nThông tin.\n' "$1" "$2" "$1" "$3" >"$PLACE/$1.md"
	editor -q submit "$PLACE/$1.md" && approver -q approve "$1" --hash "$(hash_of "$1")"
}
count() { operator --json watch "$1" --timeout 1 2>/dev/null | jq -r ".counts.$2 // 0"; }
are() { [ "$(count "$1" delivered) $(count "$1" suppressed)" = "$2" ]; }
phones() { jq -r --arg r "$1" 'select(.t == "sms" and (.text | contains($r))) | .to' "$LEDGER" | sort | paste -sd, -; }
says() { smpp_ctl "\"rules\":[],\"mo\":{\"from\":\"$1\",\"to\":\"9241\",\"text\":\"$2\"}" >/dev/null; }
consents() { sqlite3 -readonly "$PLACE/state/lantoa.db" "SELECT count(*) FROM consent WHERE state=$1"; }
known() { [ "$(consents "$1")" = "$2" ]; }

check "advertising is approved before anybody has agreed" release AD-1 advertising "Hoi cho AD-1 viec lam tinh"
check "it reaches nobody" until_true 20 are AD-1 "0 35"
same "nor has the SMSC any of it" "$(phones AD-1)" ""
check "a text that asks is approved" release ASK-1 advertising "[DKQC] ASK-1 Dong y nhan tin viec lam: soan DK gui 9241."
check "it reaches all 35" until_true 20 are ASK-1 "35 0"
check "and each is noted as asked" known 1 35
says 84910000101 DK
says 84910000102 "Đồng ý"
says 84910000103 TC
check "two have said yes" until_true 10 known 2 2
check "one has said no" until_true 10 known 3 1
check "the same advertising, later" release AD-2 advertising "Hoi cho AD-2 viec lam huyen"
check "it reaches those two" until_true 20 are AD-2 "2 33"
same "and only them" "$(phones AD-2)" "+84910000101,+84910000102"
check "another text that asks" release ASK-2 advertising "[DKQC] ASK-2 Moi nhan tin hoi cho: soan DK gui 9241."
check "asks nobody a second time" until_true 20 are ASK-2 "0 35"
says 84910000103 "DK QC"
check "who says yes in clear words later has agreed" until_true 10 known 2 3
says 84910000101 TC
check "and a no after a yes is a no" until_true 10 known 3 1
says 84910000101 "DK QC"
check "a yes after that is a yes" until_true 10 known 2 3
says 84910000101 TC
check "and the same no behind it is no repetition" until_true 10 known 3 1
check "advertising again" release AD-3 advertising "Hoi cho AD-3 viec lam xa"
check "it reaches two" until_true 20 are AD-3 "2 33"
same "who have agreed by now" "$(phones AD-3)" "+84910000102,+84910000103"
refuse "a no by SMS is not lifted with a reason alone" 6 admin targets allow 0910000101 -m "sửa danh bạ"
check "but by who vouches that the person agreed again" admin targets allow 0910000101 --agreed-again -m "gọi điện ngày 22/11"
check "what it agreed to is no advertising" release AD-4 advertising "Hoi cho AD-4 viec lam thon"
check "so that leaves it out (and waits for who got three today)" until_true 20 are AD-4 "1 33"
same "and goes to who has agreed" "$(phones AD-4)" "+84910000103"
check "a public notice reaches whom it may" release NOTICE-1 public_notice "Thong bao NOTICE-1 tam dung he thong"
check "nobody's consent matters there" until_true 20 are NOTICE-1 "35 0"
operator --json audit --limit 500 >"$PLACE/audit.json"
same "the audit has every change: 35 asked, two yes, one no, and four later" "$(jq '[.rows[] | select(.what == "consent")] | length' "$PLACE/audit.json")" 42
same "each by hash" "$(jq -r '[.rows[] | select(.what == "consent") | .subject | test("^contact:[0-9a-f]{64}$")] | all' "$PLACE/audit.json")" true
same "no phone number stands in audit or log" "$(grep -lE '(84|0)91000[0-9]{4}' "$PLACE/audit.json" "$PLACE/lantoad.log" | wc -l)" 0
check "fsck is clean" operator fsck
check "the audit chain holds" operator audit verify
tap_end
