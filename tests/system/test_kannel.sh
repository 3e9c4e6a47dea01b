#!/usr/bin/env bash
# test_kannel.sh - a real peer of the HTTP gateways: Kannel takes the sample's duty part over its HTTP interface and hands it to the
# SMSC of the sandbox; its delivery reports come back to our webhook.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/lib_sms_http.sh"
. "$(dirname "${BASH_SOURCE[0]}")/peers/scene.sh"
BEARERBOX=$(command -v bearerbox || ls /usr/sbin/bearerbox 2>/dev/null) SMSBOX=$(command -v smsbox || ls /usr/sbin/smsbox 2>/dev/null)
if [ -z "$BEARERBOX" ] || [ -z "$SMSBOX" ]; then echo "not ok 1 - Kannel is not installed: .ci/install-deps test"; echo 1..1; exit 1; fi
place_new
sandbox_start
SMS_PUBLIC=$(sms_http_port_free)
ADMIN=$(sms_http_port_free) BOX=$(sms_http_port_free) SEND=$(sms_http_port_free)
cat >"$PLACE/kannel.conf" <<END
group = core
admin-port = $ADMIN
admin-interface = 127.0.0.1
admin-password = canary-admin
smsbox-port = $BOX
smsbox-interface = 127.0.0.1
log-file = $PLACE/bearerbox.log
log-level = 1
box-allow-ip = 127.0.0.1
dlr-storage = internal

group = smsc
smsc = smpp
smsc-id = sandbox
host = 127.0.0.1
port = $(sandbox_port smsc)
transceiver-mode = true
smsc-username = kannel
smsc-password = canary
system-type = ""
interface-version = 34
source-addr-ton = 5
source-addr-npi = 0
source-addr-autodetect = no
dest-addr-ton = 1
dest-addr-npi = 1

group = smsbox
bearerbox-host = 127.0.0.1
bearerbox-port = $BOX
sendsms-port = $SEND
sendsms-interface = 127.0.0.1
log-file = $PLACE/smsbox.log
log-level = 1

group = sendsms-user
username = bhxh
password = canary-kannel
concatenation = true
max-messages = 10
END
"$BEARERBOX" "$PLACE/kannel.conf" >"$PLACE/bearerbox.out" 2>&1 &
EXTRA_PIDS="$!"
admin_up() { curl -s -m 2 "http://127.0.0.1:$ADMIN/status.txt?password=canary-admin" | grep -q running; }
check "Kannel's bearerbox runs" until_true 15 admin_up
"$SMSBOX" "$PLACE/kannel.conf" >"$PLACE/smsbox.out" 2>&1 &
EXTRA_PIDS="$! $EXTRA_PIDS"
linked() { curl -s -m 2 "http://127.0.0.1:$ADMIN/status.txt?password=canary-admin" | grep -q 'SMPP.*online' && curl -s -m 2 -o /dev/null "http://127.0.0.1:$SEND/"; }
check "it is bound to the SMSC, and its smsbox listens" until_true 20 linked
ALLOW=', "+8491*"'
ROUTES=$'  sms: kannel/main\n'
sms_http_channel kannel kannel "$SEND"
sed -i "s|^  base: .*|  base: \"http://127.0.0.1:$SEND\"|" "$PLACE/conf/channels.d/kannel.yaml"
sms_http_secret password canary-kannel
conf_write "$SMTP_PORT"
sms_http_public
daemon_start || { not_ok "the daemon starts"; tap_end; exit 1; }
check "the sample files are imported" import_samples
release() { # release CODE FORM-SETTING
	printf -- '---\ncode: %s\nkind: notice\ntitle: Thông báo %s\nparts: {duty: {to: duty, channels: [sms], at: now}}\ntext:\n  sms: "%s"\n---\nNội dung.\n' "$1" "$1" "$2" >"$PLACE/$1.md"
	editor -q submit "$PLACE/$1.md" >"$PLACE/submit.out" 2>&1 || { cat "$PLACE/submit.out"; return 1; }
	approve_it "$1"
}
in_state() { operator --json report "$1" | jq --arg s "$2" '[.deliveries[] | select(.state == $s)] | length'; }
all_in() { [ "$(in_state "$1" "$2")" = "$3" ]; }
texts() { jq -r --arg t "$1" 'select(.t == "sms" and .text == $t) | .to' "$LEDGER" | sort | uniq -c | awk '$1 == 1' | wc -l | tr -d ' '; }
check "a release in the GSM alphabet is approved" release TTBC-2026-301 'Bản tin [1] ~ 100 đồng: kiểm tra & báo lại @ số trực _ ngay.'
check "the reports of Kannel deliver all 35" until_true 40 all_in TTBC-2026-301 delivered 35
same "each phone got the exact text once" "$(texts 'Ban tin [1] ~ 100 dong: kiem tra & bao lai @ so truc _ ngay.')" 35
sed -i 's|^  sender: .*|&\n  form: accented|' "$PLACE/conf/channels.d/kannel.yaml"
check "accented texts from now on" admin -q reload
LONG='Đề nghị các đơn vị kiểm tra bài đăng trên Fanpage và OA, báo lỗi về số trực trước 17 giờ hôm nay; nếu đã kiểm tra thì trả lời.'
check "a release in two segments of UCS-2 is approved" release TTBC-2026-302 "$LONG"
check "the reports of Kannel deliver all 35 again" until_true 40 all_in TTBC-2026-302 delivered 35
same "each phone got the exact text once, reassembled" "$(texts "$LONG")" 35
sms_http_secret password wrong
check "another password" admin -q reload
check "a release is approved" release TTBC-2026-303 'Bản tin thứ ba.'
held() { operator queue | grep -q 'HTTP 403'; }
check "Kannel's 403 holds the account and says why" until_true 20 held
same "nothing of it went out" "$(texts 'Bản tin thứ ba.')" 0
tap_end
