#!/usr/bin/env bash
# test_zalo_cast.sh - broadcasts through the real daemon: a line of their own, further articles, what stands in the way of one, its lost answer,
# the allowance in check, approval and on the way out, holds, recall and correction.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/lib_zalo.sh"
place_new
echo "{\"zalo\": $(zalo_script ',"polls":0,"casts_left":9')}" >"$PLACE/script.json"
sandbox_start --script "$PLACE/script.json"
ZALO_CHANNEL='broadcasts: {month: 3, campaign: 2}
correct: edit' zalo_conf "$(sandbox_port zalo)"
conf_write "$SMTP_PORT"
zalo_public
daemon_start || { not_ok "the daemon starts"; tap_end; exit 1; }
import_samples
printf 'two: {name: "Two", any: [{tag: page, office: [hue, ha-noi]}]}\none: {name: "One", any: [{tag: page, office: hue}]}\n' >"$PLACE/aud.yaml"
admin -q audiences import "$PLACE/aud.yaml"
HUE=$(zalo_oas | awk '$2 == "hue" { print $1 }')
bundle() { # bundle CODE AUDIENCE OPTIONS: a folder with that release
	mkdir -p "$PLACE/$1"; cp "$TOP/config/examples/release-ttbc-112/cover-16x9.png" "$PLACE/$1/"
	printf -- '---\ncode: %s\nkind: notice\ntitle: Thông báo %s\nsummary: Tóm tắt\nlink: https://portal.example/%s\ncover: {file: cover-16x9.png, alt: bìa}\n%s\nparts:\n  p: {to: %s, channels: [zalo], at: now}\n---\nNội dung.\n' "$1" "$1" "$1" "$3" "$2" >"$PLACE/$1/release.md"
	printf '%s' "$PLACE/$1"
}
submit() { editor submit "$(bundle "$@")" >"$PLACE/out" 2>&1; }
refused() { ! submit "$@"; }
approve() { approver -q approve "$1" --hash "$(hash_of "$1")"; }
release() { submit "$@" && approve "$1"; }
state() { operator --json deliveries --limit 1000 --release "$1" | jq -r --argjson b "$2" '[.rows[] | select(.broadcast == $b) | .state] | sort | join(",")'; } # state CODE IS-A-BROADCAST
is() { [ "$(state "$1" "$2")" = "$3" ]; }
dlv() { operator --json deliveries --limit 1000 --release "$1" | jq -r '[.rows[] | select(.broadcast) | .delivery] | join(" ")'; }
cast_of() { zalo_ledger "map(select(.kind == \"broadcast\" and .title == \"Thông báo $1\")) | length"; }
says() { grep -q -- "$1" "$PLACE/out" || { sed 's/^/# /' "$PLACE/out"; false; }; }

echo "# further articles"
check "a release without a broadcast" release ZC-1 two ''
check "is shown" until_true 20 is ZC-1 false accepted,accepted
same "and nobody is told" "$(zalo_show | json - .broadcasts)" 0
check "another at one office" release ZC-2 one ''
check "is shown there" until_true 20 is ZC-2 false accepted
check "a broadcast with an article that one OA has not is refused" refused ZC-3 two 'zalo: {broadcast: yes, with: [ZC-1, ZC-2]}'
check "and the office is named" says 'ZC-2 has none on this account: office ha-noi'
check "one that is not there is refused" refused ZC-3 two 'zalo: {broadcast: yes, with: [ZC-8]}'
check "and named" says "there is no release 'ZC-8'"
check "more than five are refused" refused ZC-3 two 'zalo: {broadcast: yes, with: [A, B, C, D, E]}'
check "with how many may be" says "at most 5 articles"
operator -q hold --part p.broadcast --release ZC-1 -m "no such part" 2>"$PLACE/out"
check "a part that is not there is named" says "p.broadcast"
check "with the article of another release it is fine" submit ZC-3 two 'zalo: {broadcast: yes, with: [ZC-1]}'
check "the check shows each OA and what is left" says 'broadcast · hue · .* · 2 articles · this month: 0 of 3 spent'
operator -q hold --release ZC-3 --part p.broadcast -m "the director reads it first"
approve ZC-3
check "held, it lets its article go" until_true 20 is ZC-3 false accepted,accepted
same "and waits" "$(state ZC-3 true) $(cast_of ZC-3)" "waiting,waiting 0"
same "in a line of its own" "$(operator --json queue | jq -r '[.rows[] | select(.what == "broadcast") | .waiting] | add')" 2
operator -q resume --release ZC-3 --part p.broadcast -m "read"
check "let go, it goes" until_true 20 is ZC-3 true accepted,accepted
same "with both articles in their order" "$(zalo_ledger 'map(select(.kind == "broadcast") | .titles | join("+")) | unique | join(" ")')" "Thông báo ZC-3+Thông báo ZC-1"
same "the report tells it by its part" "$(operator --json report ZC-3 | jq -r '[.deliveries[] | select(.part == "p.broadcast") | .state] | join(",")')" "accepted,accepted"

echo "# what stands in the way"
zalo_tell "{\"cmd\":\"zalo\",\"console\":{\"oa\":\"$HUE\",\"title\":\"Thông báo ZC-2\",\"shown\":false}}"
check "an article that a person hid in the console" release ZC-4 one 'zalo: {broadcast: yes, with: [ZC-2]}'
check "holds the broadcast" until_true 20 is ZC-4 true held
same "with the reason, and nothing went out" "$(operator --json delivery "$(dlv ZC-4)" | jq -r .why | grep -c 'is hidden') $(cast_of ZC-4)" "1 0"
zalo_tell "{\"cmd\":\"zalo\",\"console\":{\"oa\":\"$HUE\",\"title\":\"Thông báo ZC-2\",\"shown\":true}}"
sandbox_ctl '{"cmd":"http_rules","replace":true,"rules":[{"server":"zalo","match":"/v2.0/oa/message","do":"silent","when":"after","times":1}]}'
operator -q retry "$(dlv ZC-4)" -m "shown again"
check "shown again it goes, and its answer is lost" until_true 20 is ZC-4 true unknown
daemon_kill; daemon_start || not_ok "it starts again"
asked() { operator --json channels | jq -e '[.rows[] | select(.channel == "zalo")] | length == 1' >/dev/null && is ZC-4 true unknown; }
check "it stays unknown over a restart" until_true 10 asked
sleep 3 # a try would come a second behind the start
same "and is not sent again" "$(cast_of ZC-4)" 1

echo "# the allowance"
submit ZC-5 one 'zalo: {broadcast: yes}'
check "what may have gone out counts" says 'this month: 2 of 3 spent'
check "the last one is approved" approve ZC-5
check "and goes" until_true 20 is ZC-5 true accepted
submit ZC-6 two 'zalo: {broadcast: yes}'; rc=$?
same "one more is refused by the check" $rc 6
check "with the office and the numbers" says 'office hue, .*3 of 3 broadcasts since'
check "without a broadcast it is fine" submit ZC-6 two 'zalo: {broadcast: no}'
operator -q resolve absent "$(dlv ZC-4)" -m "the console does not show it"
check "what a person found absent goes again, once more" until_true 20 is ZC-4 true accepted
operator -q --yes cancel ZC-6 -m "not needed"
sed -i 's/{month: 3, campaign: 2}/{month: 9, campaign: 1}/' "$PLACE/conf/channels.d/zalo.yaml"
admin -q reload
check "a campaign has its own" release ZC-7 one "$(printf 'campaign: ky-hop-2-qh16\nzalo: {broadcast: yes}')"
check "its first goes" until_true 20 is ZC-7 true accepted
check "its second does not" refused ZC-9 one "$(printf 'campaign: ky-hop-2-qh16\nzalo: {broadcast: yes}')"
check "with the reason" says '1 of 1 broadcasts of this campaign'

echo "# taking back, correcting"
bundle FIX two 'zalo: {broadcast: yes}' >/dev/null
n=$(zalo_show | json - .broadcasts)
sed -i 's/^code: FIX/code: ZC-3/; s/Nội dung/Nội dung đúng/' "$PLACE/FIX/release.md"
editor correct ZC-3 "$PLACE/FIX" >"$PLACE/out" 2>&1
FIXED=$(sed -n 's/^\(ZC-3[^ ]*\) .*/\1/p' "$PLACE/out" | tail -1)
check "a correction says that it is not broadcast" says 'a correction is not broadcast'
check "is approved" approve "$FIXED"
check "and goes into the articles" until_true 20 is "$FIXED" false accepted,accepted
same "nobody is told twice" "$(zalo_show | json - .broadcasts)" "$n"
operator --json --yes recall ZC-7 -m "wrong" >"$PLACE/out"
same "a recall takes back the article and says that the broadcast stays" "$(jq -r '.channels[] | select(.channel == "zalo") | "\(.asked) \(.cannot)"' "$PLACE/out")" "1 1"
same "no violation but the second that a person asked for" "$(zalo_show | json - .violations)" 1
check "fsck is clean" operator fsck
check "the audit chain holds" operator audit verify
tap_end
