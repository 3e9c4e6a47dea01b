#!/usr/bin/env bash
# test_facebook_after.sh - after the posts are live: an unknown that the page feed confirms, numbers read back, gone and changed told and
# never posted again, checks with their warnings, a correction that edits, a recall that deletes.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/lib_facebook.sh"
place_new
R=TTBC-2026-112 P=104200000000
cp -r "$TOP/config/examples/release-ttbc-112" "$PLACE/bundle"
sed -i '/^  press:/,/^  public:/{/^  public:/!d};/^  offices:/,/^text:/{/^text:/!d};s/channels: \[zalo, facebook\]/channels: [facebook]/;s/spread: 10s/spread: 0s/' "$PLACE/bundle/release.md"
# 101 in direct mode: its answer is lost and its listing shows nothing, so only the page feed can tell.
echo "{$(facebook_script), \"http_rules\": [
 {\"server\":\"facebook\",\"method\":\"POST\",\"match\":\"/v25.0/${P}101/feed\",\"when\":\"after\",\"do\":\"drop\",\"times\":1},
 {\"server\":\"facebook\",\"method\":\"GET\",\"match\":\"/v25.0/${P}101/published_posts\",\"when\":\"before\",\"do\":\"reply\",\"code\":500,\"body\":\"{}\",\"skip\":1}]}" >"$PLACE/script.json"
sandbox_start --script "$PLACE/script.json"
FB_DIRECT="${P}101"
facebook_conf
sed -i 's/^webhook:/stats: {every: 1s, batch: 50}\nwebhook:/' "$PLACE/conf/channels.d/facebook.yaml"
conf_write "$SMTP_PORT"
daemon_start || { not_ok "the daemon starts"; tap_end; exit 1; }
check "the sample files are imported" import_samples
check "the editor submits" editor submit "$PLACE/bundle"
check "a second person approves" approver approve $R --hash "$(hash_of $R)"
row() { operator --json report $R | jq -c --arg a "$P$1" '.deliveries[] | select(.address == $a)'; }
id_of() { row "$1" | jq -r .provider_id; }
full() { operator --json delivery "$(row "$1" | jq -r .delivery)"; }
count() { operator --json report $R | jq "[.deliveries[] | select(.state == \"$1\" or .state == \"$2\")] | length"; }
most() { [ "$(count accepted delivered)" = 34 ] && [ "$(count unknown unknown)" = 1 ]; }
check "34 pages have it, one answer is unknown" until_true 25 most
[ $T_BAD -eq 0 ] || operator --json report $R | jq -r '.deliveries[] | select(.state != "accepted") | [.address,.state,.code,.said,.why] | @tsv' | sed 's/^/# /'

PORT=$(sed -n 's/.*ev=api.listen what=public.*port=\([0-9]*\).*/\1/p' "$PLACE/lantoad.log" | tail -1)
HOOK=http://127.0.0.1:$PORT/w/fb/canaryhookpath0123456789abcd
same "Facebook's question is answered with its challenge" "$(curl -s "$HOOK?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=canary-verify-word-91")" 1158201444
same "a wrong word is refused" "$(curl -s -o /dev/null -w '%{http_code}' "$HOOK?hub.mode=subscribe&hub.challenge=1&hub.verify_token=x")" 403
same "an event without signature is refused" "$(curl -s -o /dev/null -w '%{http_code}' -d '{"object":"page"}' "$HOOK")" 403
# The same text on a page that is none of ours, told to the same callback.
facebook_ctl "\"do\":\"post\",\"page\":\"${P}999\",\"message\":$(facebook_ctl "\"do\":\"posts\",\"page\":\"${P}101\"" | jq '[.posts[] | select(.ours and .live)][0].message')" >/dev/null
facebook_ctl "\"do\":\"hook\",\"page\":\"${P}999\",\"url\":\"$HOOK\"" >/dev/null
orphaned() { [ "$(sqlite3 "$PLACE/state/lantoa.db" "SELECT count(*) FROM orphan")" -ge 1 ]; }
check "what is told of another page with the same text finds nobody" until_true 10 orphaned
# The largest batch that is documented: 1000 events.
/usr/bin/python3 - "$FB_APP_SECRET" "$PLACE/batch.json" >"$PLACE/batch.sig" <<'PY'
import hashlib, hmac, json, sys
event = lambda i: {"field": "feed", "value": {"item": "status", "verb": "edited", "post_id": "104200000000998_%d" % i, "published": 1,
    "created_time": 1795395600, "message": "Thông báo số %d " % i + "về chính sách bảo hiểm " * 10, "from": {"id": "104200000000998", "name": "Trang"}}}
body = json.dumps({"object": "page", "entry": [{"id": "104200000000998", "time": 1795395600, "changes": [event(i) for i in range(1000)]}]}, ensure_ascii=False).encode()
open(sys.argv[2], "wb").write(body)
print("sha256=" + hmac.new(sys.argv[1].encode(), body, hashlib.sha256).hexdigest(), len(body))
PY
read -r SIG BYTES <"$PLACE/batch.sig"
same "a batch of 1000 events ($BYTES bytes) is taken" "$(curl -s -o /dev/null -w '%{http_code}' -H "X-Hub-Signature-256: $SIG" -H 'Content-Type: application/json' --data-binary @"$PLACE/batch.json" "$HOOK")" 200
facebook_ctl "\"do\":\"hook\",\"page\":\"${P}101\",\"url\":\"$HOOK\"" >/dev/null
confirmed() { [ "$(row 101 | jq -r .state)" = accepted ] || [ "$(row 101 | jq -r .state)" = delivered ]; }
check "the page feed confirms the unknown one" until_true 10 confirmed
LINK=$(facebook_ctl "\"do\":\"posts\",\"page\":\"${P}101\"" | jq -r '[.posts[] | select(.ours and .live)][0].permalink')
linked() { [ -n "$LINK" ] && [ "$(row 101 | jq -r .url)" = "$LINK" ]; }
check "and its permalink follows" until_true 15 linked

sandbox_ctl '{"cmd":"http_rules","rules":[],"replace":true}'
facebook_ctl "\"do\":\"change\",\"post\":\"$(id_of 102)\",\"reactions\":12,\"comments\":3,\"shares\":2,\"clicks\":44" >/dev/null
facebook_ctl "\"do\":\"change\",\"post\":\"$(id_of 103)\",\"message\":\"ai đó đã sửa\"" >/dev/null
facebook_ctl "\"do\":\"change\",\"post\":\"$(id_of 104)\",\"gone\":true" >/dev/null
numbers() { full 102 | jq -e '.stats.reactions == 12 and .stats.comments == 3 and .stats.shares == 2 and .stats.clicks == 44'; }
check "reactions, comments, shares and clicks are read back" until_true 12 numbers
changed() { full 103 | jq -e '.fate == "changed" and .fate_at > 0'; }
check "a text that somebody edited is told" until_true 12 changed
gone() { full 104 | jq -e '.fate == "gone" and .fate_at > 0'; }
check "a post that somebody deleted is told" until_true 12 gone
same "and nothing is posted again" "$(jq -c 'select(.t == "fb" and (.what == "live" or .what == "double"))' "$LEDGER" | wc -l | tr -d ' ')" 35

check "a check of a page is good" bash -c "'$B/lantoa' --as 'Lê Vận Hành' channel check fb --account hue | grep -q 'page Trang'"
same "and its feed is subscribed" "$(facebook_state | jq .subscribed)" 1
facebook_ctl "\"do\":\"page\",\"page\":\"${P}105\",\"no_rights\":true" >/dev/null
office105=$(facebook_pages | sed -n "s/^${P}105 //p")
refuse "a check names the missing permission" 1 operator --json channel check fb --account "$office105"
cp "$PLACE/check.out" "$PLACE/said"
check "in words" grep -q pages_manage_posts "$PLACE/said"
facebook_ctl '"do":"set","token_days":5' >/dev/null
check "a token that ends in five days is a warning" bash -c "'$B/lantoa' --as 'Lê Vận Hành' --json channel check fb --account hue | grep -q 'ends in [45] days'"

sed -i 's/Sau 5 năm đổi mới nội dung/Sau năm năm đổi mới nội dung/' "$PLACE/bundle/release.md"
check "a correction is handed over" editor correct $R "$PLACE/bundle" -m "sửa số"
check "and approved" approver approve $R-DC1 --hash "$(hash_of $R-DC1)"
edits() { [ "$(grep -c '"what":"edit"' "$LEDGER")" -ge 33 ]; } # all but the deleted one and the page without rights
check "it edits the posts that stand" until_true 12 edits
check "a recall takes one back" operator --yes recall $R-DC1 --office hue -m "đăng nhầm"
deleted() { grep -c '"what":"delete"' "$LEDGER" | grep -qx 1; }
check "it is deleted" until_true 10 deleted
same "one live post a page, never two" "$(facebook_state | jq .doubles)" 0
same "no token in an address" "$(facebook_state | jq .leaks)" 0
check "fsck is clean" operator fsck
tap_end
