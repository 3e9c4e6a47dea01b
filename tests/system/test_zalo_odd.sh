#!/usr/bin/env bash
# test_zalo_odd.sh - Zalo as it may be too: a consent page with PKCE, a demanded proof, answers without words, quoted numbers, pairs without a
# refresh token, limits told in headers, uploads that expire, groups and users that cannot be reached, and no webhook at all: everything is polled;
# a person who posts the same while a create waits, a message that is found after its release was cancelled.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/lib_zalo.sh"
place_new
FIRST=$(zalo_oas | sed -n 1p | cut -d' ' -f1) HUE=$(zalo_oas | awk '$2 == "hue" { print $1 }')
echo "{\"zalo\": $(zalo_script ',"polls":1,"need_proof":true,"no_message":true,"quoted":true,"no_id_while_working":true,"no_refresh_token":false,"old_access":-220')}" >"$PLACE/script.json"
sandbox_start --script "$PLACE/script.json"
ZALO_CHANNEL='poll: {every: 1s}
stats: {every: 1s}' zalo_conf "$(sandbox_port zalo)" '  proof: yes
  zns_template: "420017"
  zns_data: "ten={name};tin={title}"'
sed -i 's/^lane:/lane:\n  receipt_wait: 1h/' "$PLACE/conf/channels.d/zalo.yaml"
rm "$PLACE/conf/zalo/hue" # this OA has never been connected
sed -i '/name: hue,/s/, secrets: {.*}}}/}/' "$PLACE/conf/channels.d/zalo.yaml"
CONF_TOP="token_mirror: $PLACE/mirror" conf_write "$SMTP_PORT"
zalo_public
daemon_start || { not_ok "the daemon starts"; tap_end; exit 1; }
import_samples
{ cat "$TOP/config/examples/targets.csv"; cat <<-END
zalo,phone:0912000010,trung-uong,Người A,,phone
zalo,phone:0912000020,trung-uong,Người B,,lost
zalo,user:4102938475610000010,trung-uong,Bạn đọc,,user
zalo,user:4102938475610000020,trung-uong,Im lặng,,user
zalo,user:4102938475610000030,trung-uong,Đã lâu,,user
zalo,user:4102938475610000040,trung-uong,Được hỏi lại,,talk
END
} >"$PLACE/all.csv"
admin -q targets import "$PLACE/all.csv"
{ cat "$TOP/config/examples/audiences.yaml"; for a in phone lost user talk; do echo "$a: {name: \"$a\", any: [{tag: $a}]}"; done; echo 'hue: {name: "Hue", any: [{tag: page, office: hue}]}'
	echo 'centre-oa: {name: "Centre", any: [{tag: page, office: trung-uong}]}'; } >"$PLACE/aud.yaml"
admin -q audiences import "$PLACE/aud.yaml"
release() { # release CODE AUDIENCE [lines of front matter] [lines of the part]
	mkdir -p "$PLACE/w"; cp "$TOP/config/examples/release-ttbc-112/cover-16x9.png" "$PLACE/w/"
	printf -- '---\ncode: %s\nkind: notice\ntitle: Thông báo %s\nsummary: Tóm tắt\nlink: https://portal.example/%s\ncover: {file: cover-16x9.png, alt: bìa}\n%s\nparts:\n  p: {to: %s, channels: [zalo], at: now}\n---\nNội dung.\n' "$1" "$1" "$1" "${3:-}" "$2" >"$PLACE/w/release.md"
	editor -q submit "$PLACE/w" 2>/dev/null && approver -q approve "$1" --hash "$(hash_of "$1")"
}
state() { operator --json deliveries --limit 1000 --release "$1" | jq -r --arg a "$2" '[.rows[] | select(.address == $a) | .state] | join(",")'; } # state CODE ADDRESS
is() { [ "$(state "$1" "$2")" = "$3" ]; }
said() { operator --json delivery "$(operator --json deliveries --release "$1" | jq -r '.rows[0].delivery')"; }

echo "# connecting an OA"
release ZO-1 hue
check "an OA that nobody connected waits, with the command" until_true 20 bash -c "'$B/lantoa' --as 'Lê Vận Hành' --json queue | jq -e '[.rows[].why // \"\"] | any(contains(\"lantoa channel login zalo\"))'"
PAGE=$(admin --json channel login zalo --office hue | jq -r .url 2>/dev/null)
[ -n "$PAGE" ] && [ "$PAGE" != null ] || PAGE=$(admin channel login zalo --office hue </dev/null | grep -o 'http://[^ ]*')
check "log-in by office prints the consent page" bash -c "case '$PAGE' in *'/v4/oa/permission?app_id=$ZALO_APP&redirect_uri=https%3A%2F%2Flantoa.example%2Fzalo&code_challenge='*) ;; *) echo '$PAGE'; exit 1 ;; esac"
BACK=$(curl -s "$PAGE&oa_id=$HUE")
give() { printf '%s\n' "$1" | admin -q channel login zalo --office hue --code-stdin; }
refuse "a code of another page is refused" 6 give "${BACK%%state=*}state=xxxxxxxx"
refuse "that of another OA, too" 6 give "${BACK/oa_id=$HUE/oa_id=$FIRST}"
check "the address that the browser ends at connects it" give "$BACK"
refuse "a code is good once" 6 give "$BACK"
check "its article goes out" until_true 20 is ZO-1 "oa:$HUE" accepted
operator channel check zalo --account hue >"$PLACE/said" 2>&1
for w in 'package Nâng cao until' 'followers [0-9]+' 'groups 0' 'quota_left 4997' 'zns_left [0-9]+' 'credential oa-hue good, since .*, expires '; do check "check shows: $w" grep -qE "$w" "$PLACE/said"; done
zalo_tell "{\"cmd\":\"zalo\",\"oa\":{\"id\":\"$HUE\",\"unverified\":true}}"
check "and says which OA is not verified" bash -c "'$B/lantoa' --as 'Lê Vận Hành' channel check zalo --account hue | grep -q '! not_verified'"
zalo_tell "{\"cmd\":\"zalo\",\"oa\":{\"id\":\"$HUE\",\"unverified\":false}}"

echo "# what stops one lane stops no other"
zalo_tell "{\"cmd\":\"zalo\",\"group\":{\"id\":\"$ZALO_GROUP\",\"error\":-224}}"
release ZO-2 internal
waits() { said ZO-2 | jq -e '.attempts | map(select(.code == "-224")) | length > 0'; }
check "a package without groups holds the lane of the group" until_true 20 waits
check "while an article of the same OA goes" release ZO-3 centre-oa
check "it is shown" until_true 20 is ZO-3 "oa:$FIRST" accepted
zalo_tell "{\"cmd\":\"zalo\",\"group\":{\"id\":\"$ZALO_GROUP\",\"error\":0}}"
operator -q resume --lane zalo/trung-uong/group -m "package bought"
check "with the package and a word the group gets it" until_true 20 is ZO-2 "group:$ZALO_GROUP" accepted

echo "# groups, uploads"
zalo_tell "{\"cmd\":\"zalo\",\"group\":{\"id\":\"$ZALO_GROUP\",\"error\":-237}}"
release ZO-4 internal
check "a disabled group holds its delivery for a person" until_true 20 is ZO-4 "group:$ZALO_GROUP" held
groups() { operator --json channel check zalo --account trung-uong | jq -r '.rows[0].facts.groups'; }
same "and counts as none" "$(groups)" 0
zalo_tell "{\"cmd\":\"zalo\",\"group\":{\"id\":\"$ZALO_GROUP\",\"error\":0},\"upload_life_ms\":0}"
operator -q retry "$(operator --json deliveries --release ZO-4 | jq -r '.rows[0].delivery')" -m "enabled"
again() { said ZO-4 | jq -e '.attempts | length >= 2'; }
check "an upload that expired is made once more, then it waits" until_true 20 again
zalo_tell '{"cmd":"zalo","upload_life_ms":604800000}'
operator -q retry "$(operator --json deliveries --release ZO-4 | jq -r '.rows[0].delivery')" -m "again" 2>/dev/null
check "and goes when uploads live" until_true 20 is ZO-4 "group:$ZALO_GROUP" accepted
zalo_tell "{\"cmd\":\"zalo\",\"oa\":{\"id\":\"$FIRST\",\"uploads_left\":0}}"
release ZO-5 internal
used_up() { said ZO-5 | jq -e '.attempts | map(select(.said | contains("uploads of this day are used up"))) | length > 0'; }
check "a spent quota of uploads is named" until_true 20 used_up
zalo_tell "{\"cmd\":\"zalo\",\"oa\":{\"id\":\"$FIRST\",\"uploads_left\":5000}}"
check "and waited for" until_true 20 is ZO-5 "group:$ZALO_GROUP" accepted

echo "# users inside and outside their windows"
zalo_tell '{"cmd":"zalo","user":{"id":"4102938475610000010","ago_ms":518400000}}' # six days
zalo_tell '{"cmd":"zalo","user":{"id":"4102938475610000020","ago_ms":691200000}}' # eight
zalo_tell '{"cmd":"zalo","user":{"id":"4102938475610000030","ago_ms":3974400000}}' # 46
release ZO-6 user
check "who talked six days ago is reached" until_true 20 is ZO-6 user:4102938475610000010 accepted
check "who talked eight days ago is not" until_true 20 is ZO-6 user:4102938475610000020 failed
check "nor who has been away for 46" until_true 20 is ZO-6 user:4102938475610000030 failed

echo "# without a webhook"
release ZO-7 phone
check "a template message is delivered by asking" until_true 20 is ZO-7 phone:84912000010 delivered
sandbox_ctl '{"cmd":"http_rules","replace":true,"rules":[{"server":"zalo","match":"/message/template","do":"drop","when":"after","times":1}]}'
release ZO-8 lost
check "one whose answer was lost is unknown" until_true 20 is ZO-8 phone:84912000020 unknown

echo "# limits"
zalo_tell '{"cmd":"zalo","rate_limit":1}'
release ZO-9 centre-oa
slow() { operator --json queue | jq -e '[.rows[] | select(.release == "ZO-9" or (.why // "" | contains("paused by the provider")))] | map(.why // "") | any(contains("paused by the provider"))'; }
check "a limit of the app slows its channel down" until_true 20 slow
zalo_tell '{"cmd":"zalo","rate_limit":4000}'
check "and it goes on by itself" until_true 60 is ZO-9 "oa:$FIRST" accepted
zalo_tell "{\"cmd\":\"zalo\",\"oa\":{\"id\":\"$FIRST\",\"casts_day_left\":0}}"
release ZO-10 centre-oa 'zalo: {broadcast: yes}'
spent() { operator --json delivery "$(operator --json deliveries --release ZO-10 | jq -r '.rows[] | select(.broadcast) | .delivery')" | jq -e '.state == "waiting" and (.attempts | map(select(.code == "-211")) | length > 0)'; }
check "a broadcast over the day's allowance waits behind its article" until_true 20 spent
zalo_tell "{\"cmd\":\"zalo\",\"oa\":{\"id\":\"$FIRST\",\"casts_day_left\":1}}"
check "and goes the day after" until_true 20 is ZO-10 "oa:$FIRST" accepted,accepted
same "what was unknown all the while was not sent again" "$(state ZO-8 phone:84912000020) $(zalo_ledger 'map(select(.kind == "zns" and .to == "84912000020")) | length')" "unknown 1"

echo "# what is somebody else's is left alone"
rules() { sandbox_ctl "{\"cmd\":\"http_rules\",\"replace\":true,\"rules\":[${1:-}]}"; } # rules [RULES]
rules '{"server":"zalo","match":"/v2.0/article/create","do":"reply","when":"before","times":0,"code":200,"type":"application/json","body":"{\"error\":-32,\"message\":\"OA has reached its limit\"}"}'
release ZO-14 hue
refused() { said ZO-14 | jq -e '.attempts | map(select(.code == "-32")) | length > 0'; }
check "a create is refused for now" until_true 20 refused
zalo_tell "{\"cmd\":\"zalo\",\"by_hand\":{\"oa\":\"$HUE\",\"title\":\"Thông báo ZO-14\",\"ago_ms\":0}}"
rules
check "when it may be made, a person has posted it: it is held" until_true 30 is ZO-14 "oa:$HUE" held
check "and says why" bash -c "case '$(said ZO-14 | tr -d "'")' in *'already there'*) ;; *) exit 1 ;; esac"
same "the person's article is as it was" "$("$B/sandbox" ctl --dir "$PLACE/sandbox" "{\"cmd\":\"zalo\",\"article\":{\"oa\":\"$HUE\",\"title\":\"Thông báo ZO-14\"}}" | jq -r '.body[0].content')" "by hand"

echo "# what has gone out is told so, whatever was decided meanwhile"
rules '{"server":"zalo","match":"/v3.0/oa/message/cs","do":"drop","when":"after","times":1},{"server":"zalo","match":"/v2.0/oa/conversation","do":"reply","when":"before","times":0,"code":502,"type":"text/html","body":"<html>502</html>"}'
release ZO-15 talk
check "a message whose answer was lost is unknown" until_true 20 is ZO-15 user:4102938475610000040 unknown
check "its release is cancelled" operator -q --yes cancel ZO-15 -m "rút lại"
rules
check "the conversation has it: it is accepted, not cancelled" until_true 20 is ZO-15 user:4102938475610000040 accepted
same "with its id, once" "$(zalo_ledger 'map(select(.kind == "user" and .to == "4102938475610000040")) | length')" 1

echo "# a pair without a refresh token, and last night's backup"
admin -q backup "$PLACE/night"
V=$(operator --json channel check zalo --account hue | jq .rows[0].credential.version)
zalo_tell "{\"cmd\":\"zalo\",\"oa\":{\"id\":\"$HUE\",\"expire\":true}}"
rules '{"server":"zalo","match":"/v4/oa/access_token","do":"reply","when":"before","times":1,"code":200,"type":"application/json","body":"x","half":true}'
release ZO-11 hue
check "the token is rotated in the middle, though the first answer to that broke behind its headers" until_true 20 is ZO-11 "oa:$HUE" accepted
NOW=$(operator --json channel check zalo --account hue | jq .rows[0].credential.version)
check "the version went up" [ "$NOW" -gt "$V" ]
daemon_stop
rm -rf "$PLACE/state"; cp -a "$PLACE/night" "$PLACE/state"
"$B/lantoad" --config "$PLACE/conf/lantoad.yaml" --demo --restore-confirm >"$PLACE/confirm.out" 2>&1
check "the daemon starts on the backup" daemon_start
newer() { [ "$(operator --json channel check zalo --account hue | jq '.rows[0] | select(.ok) | .credential.version')" -ge "$NOW" ]; }
check "takes the newer pair of the mirror, and the provider takes it" until_true 20 newer
same "no spent token was tried" "$(zalo_show | json - .spent)" 0
zalo_tell '{"cmd":"zalo","no_refresh_token":true}'
release ZO-12 centre-oa
zalo_tell "{\"cmd\":\"zalo\",\"oa\":{\"id\":\"$FIRST\",\"expire\":true}}"
kept() { grep -q 'no new refresh token: the old one is kept' "$PLACE/lantoad.log"; }
release ZO-13 centre-oa
check "a pair without a refresh token keeps the old one, and says so" until_true 20 kept
same "no violation" "$(zalo_show | json - .violations)" 0
check "fsck is clean" operator fsck
daemon_stop
same "no secret in log, state or mirror" "$(grep -rlaF -e canary -e RT-33 -e AT-33 "$PLACE/state" "$PLACE/mirror" "$PLACE/lantoad.log" | wc -l | tr -d ' ')" 0
tap_end
