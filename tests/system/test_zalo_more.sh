#!/usr/bin/env bash
# test_zalo_more.sh - Zalo beside articles: webhooks signed and not, repeated and too large; template messages with receipts, refused phones and
# a quota that runs out; messages to users; a group that the OA left; a clock that is ten minutes off.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/lib_zalo.sh"
place_new
mkdir -p "$PLACE/conf/zalo"
HOOK=$(printf 'hook-canary-%024d' 7)
printf '%s\n' "$HOOK" >"$PLACE/conf/zalo/hook"
echo "{\"zalo\": $(zalo_script ',"polls":0,"clock_off_ms":-600000')}" >"$PLACE/script.json"
sandbox_start --script "$PLACE/script.json"
ZALO_CHANNEL='webhook: {secret: {file: ../zalo/hook}}' zalo_conf "$(sandbox_port zalo)" '  zns_template: "420017"
  zns_data: "ten={name};tin={title}"'
sed -i 's/^lane:/lane:\n  receipt_wait: 1h/' "$PLACE/conf/channels.d/zalo.yaml"
conf_write "$SMTP_PORT"
zalo_public
URL=$(sed -n 's/^public_url: //p' "$PLACE/conf/lantoad.yaml")/w/zalo/$HOOK
daemon_start || { not_ok "the daemon starts"; tap_end; exit 1; }
import_samples
{ cat "$TOP/config/examples/targets.csv"; cat <<-END
zalo,phone:0912000010,trung-uong,Người A,,some
zalo,phone:+84 912 000 011,trung-uong,Người B,,some
zalo,phone:84912000001,trung-uong,Không có Zalo,,some
zalo,user:4102938475610000010,trung-uong,Bạn đọc,,some
zalo,user:4102938475610000002,trung-uong,Im lặng,,some
zalo,user:4102938475610000004,trung-uong,Sai mã,,some
zalo,group:9999999999999999,trung-uong,Nhóm đã rời,,left
END
} >"$PLACE/all.csv"
{ cat "$TOP/config/examples/audiences.yaml"; echo 'some: {name: "Some", any: [{tag: some}]}'; echo 'left: {name: "Left", any: [{tag: left}]}'; echo 'one: {name: "One", any: [{tag: page, office: hue}]}'; } >"$PLACE/aud.yaml"
check "targets of every form are imported" admin -q targets import "$PLACE/all.csv"
admin -q audiences import "$PLACE/aud.yaml"
check "a wrong address is refused with what would be right" bash -c "printf 'channel,address,office,name,lang,tags\nzalo,phone:12,trung-uong,X,,x\n' >'$PLACE/bad.csv'; '$B/lantoa' --as 'Quản Trị' targets import '$PLACE/bad.csv' 2>&1 | grep -q 'phone:84'"
release() { # release CODE AUDIENCE
	mkdir -p "$PLACE/w"; cp "$TOP/config/examples/release-ttbc-112/cover-16x9.png" "$PLACE/w/"
	printf -- '---\ncode: %s\nkind: notice\ntitle: Thông báo %s\nsummary: Tóm tắt\nlink: https://portal.example/%s\ncover: {file: cover-16x9.png, alt: bìa}\nparts:\n  p: {to: %s, channels: [zalo], at: now}\n---\nNội dung.\n' "$1" "$1" "$1" "$2" >"$PLACE/w/release.md"
	editor -q submit "$PLACE/w" 2>/dev/null && approver -q approve "$1" --hash "$(hash_of "$1")"
}
state() { operator --json deliveries --limit 1000 | jq -r --arg a "$1" '[.rows[] | select(.address == $a) | .state] | join(",")'; }
is() { [ "$(state "$1")" = "$2" ]; }
push() { zalo_tell "{\"cmd\":\"zalo\",\"hook_url\":\"$URL\",\"hook\":{\"url\":\"$URL\",\"how\":\"${2:-}\",\"event\":$1}}"; } # push EVENT [HOW]
inbound() { sqlite3 -readonly "$PLACE/state/lantoa.db" "SELECT count(*) FROM inbound WHERE kind=$1"; }
has_inbound() { [ "$(inbound "$1")" -eq "$2" ]; }
answers() { jq -s -r '[.[] | select(.t == "zalo" and .kind == "hook")] | length' "$LEDGER"; }
has_answers() { [ "$(answers)" -ge "$1" ]; }

echo "# template messages and users"
zalo_tell "{\"cmd\":\"zalo\",\"hook_url\":\"$URL\",\"receipts_ms\":100}"
check "a release to phones and users is approved" release ZM-1 some
check "a phone with Zalo has it, told by a signed receipt" until_true 20 is phone:84912000010 delivered
check "and the other way of writing a number" until_true 10 is phone:84912000011 delivered
check "a phone without Zalo is told" until_true 10 is phone:84912000001 failed
check "a user inside his window has it" until_true 10 is user:4102938475610000010 accepted
check "a user outside is told" until_true 10 is user:4102938475610000002 failed
check "one whose id is wrong is told" until_true 10 is user:4102938475610000004 failed
same "and holds nobody else" "$(operator --json deliveries --limit 1000 --release ZM-1 | jq '[.rows[] | select(.state == "held" or .state == "waiting")] | length') $(operator --json channels | jq '[.rows[] | select(.channel == "zalo") | .accounts[].lanes[] | select(.gate == "held")] | length')" "0 0"
same "each once, with its parameters" "$(zalo_ledger 'map(select(.kind == "zns")) | [length, (map(.to) | unique | length), .[0].data.tin] | @csv')" '2,2,"Thông báo ZM-1"'

echo "# webhooks"
FOLLOW='{"app_id":"'$ZALO_APP'","oa_id":"3300112233445500100","follower":{"id":"4102938475610293847"},"event_name":"follow","timestamp":"1788999000000"}'
n=$(answers)
push "$FOLLOW" forged; push "$FOLLOW" missing; push '{}' missing
check "forged, unsigned and the console's test are answered" until_true 10 has_answers $((n + 3))
same "all with 200" "$(jq -s -r '[.[] | select(.t == "zalo" and .kind == "hook" and .status != 200)] | length' "$LEDGER")" 0
same "and nothing is taken" "$(inbound 4)" 0
push "$FOLLOW"; push "$FOLLOW" upper; push "$FOLLOW" bare
check "a signed event is taken once, whatever its case and however often it comes" until_true 10 has_inbound 4 1
check "all of them are answered" until_true 10 has_answers $((n + 6))
same "still once" "$(inbound 4)" 1
push '{"app_id":"'$ZALO_APP'","follower":{"id":"4102938475610293847"},"event_name":"unfollow","timestamp":"1788999001000"}'
check "who leaves is noted" until_true 10 has_inbound 5 1
push '{"app_id":"'$ZALO_APP'","oaId":"3300112233445500100","event_name":"change_oa_daily_quota","quota":{"prev_value":"500","new_value":"2000"},"timestamp":"1788999002000"}'
check "a changed quota is noted" until_true 10 has_inbound 6 1
check "with the OA that it is about" grep -q 'ev=inbound ch=zalo acct=trung-uong kind=quota' "$PLACE/lantoad.log"
DN=$(zalo_oas | awk '$2 == "da-nang" { print $1 }')
push '{"app_id":"'$ZALO_APP'","oa_id":"'$DN'","event_name":"permission_revoked","timestamp":"1788999003000"}'
revoked() { [ "$(operator --json channels | jq -r '[.rows[] | select(.channel == "zalo") | .accounts[] | select(any(.lanes[]; .gate == "held" and (.why | contains("revoked by the provider")))) | .account] | join(",")')" = da-nang ]; }
check "a right that was taken back holds the lanes of that OA and of no other" until_true 10 revoked
head -c 10485760 /dev/zero >"$PLACE/big"
same "ten megabytes are refused" "$(curl -s -o /dev/null -w '%{http_code}' --data-binary "@$PLACE/big" "$URL")" 413
same "an address without its secret is not there" "$(curl -s -o /dev/null -w '%{http_code}' -d '{}' "${URL%canary*}x")" 404

sandbox_ctl '{"cmd":"http_rules","replace":true,"rules":[{"server":"zalo","match":"/message/template","do":"drop","when":"after","times":2}]}'
check "two template messages whose answers are lost" release ZM-6 some
check "are settled by their signed receipts" until_true 20 is phone:84912000010 delivered,delivered
check "both" until_true 20 is phone:84912000011 delivered,delivered
same "and went out once more each" "$(zalo_ledger 'map(select(.kind == "zns")) | length')" 4

echo "# groups, quota, clock"
check "a group that the OA left holds its delivery for a person" bash -c "$(declare -f release hash_of approver editor json is state operator until_true); B='$B' PLACE='$PLACE' TOP='$TOP' LANTOA_SOCKET='$LANTOA_SOCKET'; release ZM-2 left && until_true 10 is group:9999999999999999 held"
sandbox_ctl '{"cmd":"http_rules","replace":true,"rules":[{"server":"zalo","match":"/v2.0/article/create","do":"silent","when":"after","times":1}]}'
check "an article is approved" release ZM-3 one
HUE=$(zalo_oas | awk '$2 == "hue" { print $1 }')
check "with a clock ten minutes off a lost article is found, not made twice" until_true 30 is "oa:$HUE" accepted
same "one article, one draft" "$(zalo_show | json - '"\(.shown) \(.articles)"')" "1 1"
echo 'near: {name: "Near", any: [{tag: page, office: ha-noi}]}' >>"$PLACE/aud.yaml"
admin -q audiences import "$PLACE/aud.yaml"
zalo_tell '{"cmd":"zalo","clock_off_ms":600000}'
sandbox_ctl '{"cmd":"http_rules","replace":true,"rules":[{"server":"zalo","match":"/v2.0/article/create","do":"silent","when":"after","times":1}]}'
check "an article is approved while their clock is ten minutes ahead" release ZM-4 near
NEAR=$(zalo_oas | awk '$2 == "ha-noi" { print $1 }')
check "it is found as well" until_true 30 is "oa:$NEAR" accepted
same "two articles, no draft" "$(zalo_show | json - '"\(.shown) \(.articles)"')" "2 2"
zalo_tell "{\"cmd\":\"zalo\",\"oa\":{\"id\":\"$NEAR\",\"articles_left\":0}}"
check "an article over the quota of its OA is approved" release ZM-5 near
why() { operator --json delivery "$(operator --json deliveries --release ZM-5 | jq -r '.rows[0].delivery')" | jq -e '.attempts | map(select(.said | contains("quota of articles is used up"))) | length > 0' >/dev/null; }
check "it waits, with the reason" until_true 20 why
check "and is not posted" until_true 10 is "oa:$NEAR" accepted,waiting
zalo_tell "{\"cmd\":\"zalo\",\"oa\":{\"id\":\"$NEAR\",\"articles_left\":9}}"
check "with a new quota it goes by itself" until_true 30 is "oa:$NEAR" accepted,accepted
same "no violation" "$(zalo_show | json - .violations)" 0
check "fsck is clean" operator fsck
daemon_stop
same "no secret in log or state" "$(grep -rlF -e canary -e RT-33 -e AT-33 "$PLACE/state" "$PLACE/lantoad.log" | wc -l | tr -d ' ')" 0
tap_end
