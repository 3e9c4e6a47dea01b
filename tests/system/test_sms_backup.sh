#!/usr/bin/env bash
# test_sms_backup.sh - a second gateway takes over: the SMSC is dead, the HTTP gateway sends what certainly was not sent, each text once;
# a lost answer stays where it was; a release that the second cannot take waits; the first gets its own back when it works.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/lib_smpp.sh"
. "$(dirname "${BASH_SOURCE[0]}")/lib_sms_http.sh"
place_new
SMS_PUBLIC=$(sms_http_port_free)
echo "{$(smpp_script '"ids":"hex","report_ms":20' '"rules":[]')}" >"$PLACE/script.json"
sandbox_start --script "$PLACE/script.json"
ALLOW=', "+8491*"'
ROUTES=$'  sms: tin-nhan/tong-dai\n'
SMPP_RESPONSE_MS=2000 smpp_conf
sed -i 's|^accounts:.*|accounts: [{name: tong-dai, backup: sms-esms/main, backup_after: 3s}]|' "$PLACE/conf/channels.d/tin-nhan.yaml"
sms_http_channel sms-esms esms "$(sandbox_port smsgw)" $'  form: accented\n  max_segments: 2'
conf_write "$SMTP_PORT"
sms_http_public
check "an account with a backup is a sound configuration" "$B/lantoad" --demo --config "$PLACE/conf/lantoad.yaml" --check
daemon_start || { not_ok "the daemon starts"; tap_end; exit 1; }
check "the sample files are imported" import_samples
sms_ctl "\"callback\":\"http://127.0.0.1:$SMS_PUBLIC/w/sms-esms/$SMS_HOOK\""

release_text() { # release_text CODE [TEXT]: the duty part alone, now
	mkdir -p "$PLACE/$1"
	sed -e "s/^code: .*/code: $1/; s/TTBC-2026-112 đã/$1 đã/" -e "s/^title: .*/title: $1 Năm năm đổi mới truyền thông/" \
		-e '/^cover:/d; /^images:/,/^campaign:/d' -e '/^parts:/,/^text:/c\parts:\n  duty:\n    to: duty\n    channels: [sms]\n    at: now\ntext:' \
		"$TOP/config/examples/release-ttbc-112/release.md" >"$PLACE/$1/release.md"
	[ -z "${2:-}" ] || sed -i "s|^  sms: .*|  sms: \"$2\"|" "$PLACE/$1/release.md"
}
release() { # release CODE [TEXT]: that one, approved
	release_text "$@"
	editor -q submit "$PLACE/$1" >"$PLACE/submit.out" 2>&1 || { cat "$PLACE/submit.out"; return 1; }
	approver -q approve "$1" --hash "$(hash_of "$1")"
}
by_channel() { operator --json report "$1" | jq -r --arg s "$2" --arg c "$3" '[.deliveries[] | select(.state == $s and (.lane | startswith($c + "/")))] | length'; }
all_by() { sleep 0.1; [ "$(by_channel "$1" "$2" "$3")" = "$4" ]; }
N=35

# --- the first works: the second gets nothing --------------------------------------------------------------------------------------
R=TTBC-2026-300
release_text "$R"
check "check shows what would go out if the second takes over" bash -c "'$B/lantoa' --as 'Nguyễn Thị Biên' check '$PLACE/$R' | grep -q 'if sms-esms takes over'"
R=TTBC-2026-301
check "a release is approved for both gateways" release $R
check "the first delivers all" until_true 20 all_by $R delivered tin-nhan $N
same "the second got nothing" "$(sms_ledger 'map(select(.vendor)) | length')" 0

# --- the first is dead, with one answer lost on the way -------------------------------------------------------------------------------
smpp_ctl '"rules":[{"at":"submit","match":"101","do":"take_drop","times":1},{"at":"submit","match":"*","do":"drop"},{"at":"bind","match":"*","do":"drop"}]' >/dev/null
R=TTBC-2026-302
check "a release is approved while the first is dead" release $R
check "the second delivers them, or what may have been sent stays unknown" until_true 40 bash -c "[ \$((\$('$B/lantoa' --as 'Lê Vận Hành' --json report $R | jq '[.deliveries[] | select((.state == \"delivered\" and (.lane | startswith(\"sms-esms/\"))) or (.state == \"unknown\" and (.lane | startswith(\"tin-nhan/\"))))] | length'))) = $N ]"
UNKNOWN=$(by_channel $R unknown tin-nhan)
check "most went through the second; what was on its way when the link died is unknown ($UNKNOWN) and stays with the first" bash -c "[ $UNKNOWN -ge 1 ] && [ $UNKNOWN -lt 20 ]"
check "channels says who has taken over" bash -c "'$B/lantoa' --as 'Lê Vận Hành' --json channels | jq -e '[.. | .why? // empty | select(startswith(\"sms-esms/main has taken over since\"))] | length >= 1'"
same "no phone got the text twice" "$(jq -r --arg r "$R" 'select(.t == "sms" and (.text | contains($r))) | .to' "$LEDGER" | sort | uniq -d | wc -l | tr -d ' ')" 0
check "the audit names the hand-over" bash -c "'$B/lantoa' --as 'Lê Vận Hành' --json audit | jq -e '[.. | .what? // empty | select(. == \"lot.over\")] | length >= 1'"

# --- a text that the second cannot take ------------------------------------------------------------------------------------------------
R=TTBC-2026-303
LONG="Thông báo dài của cơ quan bảo hiểm xã hội gửi các cán bộ trực: đề nghị kiểm tra các trang đã đăng, đối chiếu với bản gốc, báo lỗi về số trực của trung ương trước 17 giờ và ghi lại tên người kiểm tra."
check "a release that is too long for the second is approved, with a warning" release $R "$LONG"
check "the warning names the gateway" grep -q "will not take over: backup sms-esms/main" "$PLACE/submit.out"
sleep 6 # twice the time after which the second would take over
same "it waits for the first" "$(by_channel $R waiting tin-nhan)" $N

# --- the first works again ----------------------------------------------------------------------------------------------------------------
smpp_ctl '"rules":[]' >/dev/null
check "the first sends what waited for it" until_true 60 all_by $R delivered tin-nhan $N
R=TTBC-2026-304
check "another release is approved" release $R
check "it goes through the first again" until_true 40 all_by $R delivered tin-nhan $N
check "the log says that the first has its own back" until_true 10 grep -q "ev=lane.back" "$PLACE/lantoad.log"
same "no phone got any text twice, in all this time" "$(jq -r 'select(.t == "sms") | .to + " " + (.text | capture("(?<c>TTBC-2026-30[0-9])").c // .text)' "$LEDGER" | sort | uniq -d | wc -l | tr -d ' ')" 0
check "fsck is clean" operator fsck
check "the audit chain holds" operator audit verify
tap_end
