#!/usr/bin/env bash
# test_zalo.sh - the sample release with a broadcast to 35 OAs and the group, through the real daemon, while the provider hangs before and after
# what it does, answers 502 pages, storms of -32, lets tokens expire, loses the answer of a refresh, runs out of quota, has a disabled OA and
# one without rights, and the daemon is killed between steps. Each article is shown once, each broadcast goes out once.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/lib_zalo.sh"
place_new
R=TTBC-2026-112
cp -r "$TOP/config/examples/release-ttbc-112" "$PLACE/bundle"
sed -i 's/^campaign: /zalo: {broadcast: yes}\ncampaign: /; s/spread: 10s/spread: 2s/; s/embargo: 10s/embargo: 1s/' "$PLACE/bundle/release.md"
oa() { zalo_oas | sed -n "$1p" | cut -d' ' -f1; }         # oa N: id of the N-th
office() { zalo_oas | sed -n "$1p" | cut -d' ' -f2; }     # office N
LOST_CAST=$(oa 5) DEAD=$(oa 6) SLOW=$(oa 7) POOR=$(oa 8) OFF=$(oa 9) NORIGHT=$(oa 10) HAND=$(oa 11)
TITLE=$(sed -n 's/^title: //p' "$PLACE/bundle/release.md")
echo "{\"zalo\": $(zalo_script ',"polls":1')}" >"$PLACE/script.json"
sandbox_start --script "$PLACE/script.json"
zalo_conf "$(sandbox_port zalo)"
conf_write "$SMTP_PORT"
zalo_public
rule() { printf '{"server":"zalo","match":"%s","do":"%s","when":"%s","times":%s%s}' "$1" "$2" "$3" "$4" "${5:-}"; } # PATH DO WHEN TIMES [MORE]
STORM=',"code":200,"type":"application/json","body":"{\"error\":-32,\"message\":\"limit\"}"'
PAGE=',"code":502,"type":"text/html","body":"<html>502</html>"'
cast_lost=$(rule /v2.0/oa/message silent after 0 ",\"has\":\"AT-$LOST_CAST-\"")
faults=" $(rule /v4/oa/access_token drop after 1 ",\"has\":\"RT-$DEAD-0\""), $(rule /v4/oa/access_token drop before 1 ",\"has\":\"RT-$SLOW-0\""),
 $(rule /v4/oa/access_token reply before 2 "$PAGE"),
 $(rule /v2.0/article/create silent after 2), $(rule /v2.0/article/create reset after 2), $(rule /v2.0/article/create silent before 1),
 $(rule /v2.0/article/create reply after 1 "$PAGE"), $(rule /v2.0/article/verify reply before 4 "$PAGE"), $(rule /v2.0/article/update drop after 2),
 $(rule /v2.0/article/update silent before 1), $(rule /v2.0/article/getslice reply before 6 "$STORM"), $(rule /v3.0/oa/group/message reply before 1 "$STORM"),
 $cast_lost"
check "the provider takes the faults" zalo_tell "{\"cmd\":\"http_rules\",\"replace\":true,\"rules\":[${faults//$'\n'/}]}"
zalo_tell "{\"cmd\":\"zalo\",\"oa\":{\"id\":\"$POOR\",\"casts_left\":0}}"
zalo_tell "{\"cmd\":\"zalo\",\"oa\":{\"id\":\"$OFF\",\"disabled\":true}}"
zalo_tell "{\"cmd\":\"zalo\",\"oa\":{\"id\":\"$NORIGHT\",\"no_right\":true}}"
zalo_tell "{\"cmd\":\"zalo\",\"by_hand\":{\"oa\":\"$HAND\",\"title\":\"$TITLE\"}}"
daemon_start || { not_ok "the daemon starts"; tap_end; exit 1; }
check "the sample files are imported" import_samples
check "the editor submits, with a broadcast" editor -q submit "$PLACE/bundle"
check "a second person approves" approver -q approve $R --hash "$(hash_of $R)"

dlv() { operator --json deliveries --limit 1000 | jq -r --arg a "$1" --argjson b "$2" '.rows[] | select(.address == $a and .broadcast == $b) | .delivery'; } # dlv ADDRESS IS-A-BROADCAST
said() { operator --json delivery "$(dlv "$1" false)"; }
count() { zalo_ledger "map(select(.kind == \"$1\")) | length"; }
over() { [ "$(count "$1")" -ge "$2" ]; }
expire() { local n; for n in "$@"; do zalo_tell "{\"cmd\":\"zalo\",\"oa\":{\"id\":\"$(oa "$n")\",\"expire\":true}}"; done; } # the provider revokes the access tokens of these
until_true 20 over article 3
expire 1 2 3 4 15 16 17
daemon_kill; daemon_start || not_ok "it starts after the first kill"
until_true 15 over article 12
expire 20 21 22 23 24 25
daemon_kill; daemon_start || not_ok "it starts after the second kill"
until_true 15 over broadcast 12
daemon_kill; daemon_start || not_ok "it starts after the third kill"
# Where one of the kills fell into a refresh whose token the provider had spent by then, only a person can go on. Office 6 is looked at below.
LOGINS=0
relogin() {
	local acct id
	while read -r acct; do
		[ -n "$acct" ] || continue
		id=$(zalo_oas | awk -v o="$acct" '$2 == o { print $1 }')
		admin -q channel login zalo --account "$acct" >/dev/null && printf 'CODE-%s' "$id" | admin -q channel login zalo --account "$acct" --code-stdin && LOGINS=$((LOGINS + 1))
	done < <(operator --json channels | jq -r --arg six "$(office 6)" '.rows[] | select(.channel == "zalo") | .accounts[] | select(.credential.state == "dead" and .account != $six) | .account')
}
# A person looks into the ledger of the provider, as an operator would into the console, and settles what is unknown.
settle() {
	local d a
	while read -r d a; do
		if [ "$(zalo_ledger "map(select(.kind == \"broadcast\" and .oa == \"${a#oa:}\")) | length")" -gt 0 ]; then
			operator -q resolve sent "$d" -m "the console shows it"
		else
			operator -q resolve absent "$d" -m "the console does not show it"
		fi
	done < <(operator --json deliveries --limit 1000 | jq -r '.rows[] | select(.state == "unknown" and .broadcast) | "\(.delivery) \(.address)"')
}
shown_all() { relogin; settle; [ "$(count article)" -ge 31 ] && [ "$(count broadcast)" -ge 30 ]; }
zalo_tell "{\"cmd\":\"http_rules\",\"replace\":true,\"rules\":[$cast_lost]}"
check "the others come through" until_true 40 shown_all
same "an article that a person posted is not posted again" "$(zalo_ledger "map(select(.kind == \"article\" and .oa == \"$HAND\")) | length")" 0
check "and the reason names it" bash -c "printf '%s' '$(said "oa:$HAND" | tr -d "'")' | grep -q 'already there'"
check "the OA whose refresh answer was lost waits for a person, who is told how" bash -c "'$B/lantoa' --as 'Lê Vận Hành' --json channels | grep -q 'channel login'"
check "a log-in with a code brings it back" bash -c "'$B/lantoa' --as 'Quản Trị' channel login zalo --account $(office 6) >/dev/null && printf 'CODE-$DEAD' | '$B/lantoa' --as 'Quản Trị' channel login zalo --account $(office 6) --code-stdin"
zalo_tell "{\"cmd\":\"zalo\",\"oa\":{\"id\":\"$POOR\",\"casts_left\":4}}"
more() { relogin; settle; [ "$(count article)" -ge 32 ] && [ "$(count broadcast)" -ge 32 ]; }
check "quota and log-in: the rest follows by itself" until_true 30 more
same "disabled and without rights: not shown" "$(zalo_ledger "map(select(.kind == \"article\" and (.oa == \"$OFF\" or .oa == \"$NORIGHT\"))) | length")" 0
check "the disabled OA is named" bash -c "'$B/lantoa' --as 'Lê Vận Hành' --json channels | grep -q 'OA is disabled'"
check "the missing right is named" bash -c "'$B/lantoa' --as 'Lê Vận Hành' --json channels | grep -q 'a right is missing'"
# The group waits for the part before it. The two OAs are put in order by people, then their lanes go on.
zalo_tell "{\"cmd\":\"zalo\",\"oa\":{\"id\":\"$OFF\",\"disabled\":false}}"
zalo_tell "{\"cmd\":\"zalo\",\"oa\":{\"id\":\"$NORIGHT\",\"no_right\":false}}"
check "their lanes are let go" bash -c "for o in $(office 9) $(office 10); do '$B/lantoa' --as 'Lê Vận Hành' resume --lane zalo/\$o/oa -m 'put in order' || exit 1; done"
group_done() { [ "$(count group)" -ge 1 ]; }
check "the group gets its message" until_true 20 group_done
same "once, with text, cover and link" "$(zalo_ledger 'map(select(.kind == "group")) | [length, .[0].image, (.[0].text | contains("https://portal.example/ttbc/112"))] | @csv')" "1,true,true"
check "a person logged in only where a kill fell into a refresh ($LOGINS times)" [ "$LOGINS" -le "$(grep -c 'ev=credential.doubt.*the daemon ended in the middle of a refresh' "$PLACE/lantoad.log")" ]
same "no article was shown twice, no broadcast went out twice, no spent token came back but once" "$(zalo_show | json - .violations)" 0
same "each OA has one article" "$(zalo_ledger 'map(select(.kind == "article")) | group_by(.oa) | map(select(length > 1)) | length')" 0
same "each OA has one broadcast" "$(zalo_ledger 'map(select(.kind == "broadcast")) | group_by(.oa) | map(select(length > 1)) | length')" 0
same "covers were fetched, JPEG of at most 1 MB, 16:9" "$(zalo_ledger 'map(select(.kind == "article")) | map(select(.cover_type != "jpeg" or .cover_bytes > 1048576 or .cover_bytes < 1000 or ((.cover_w * 9 / 16 - .cover_h) | fabs) > 2)) | length')" 0
same "what is told as accepted was truly shown" "$(operator --json deliveries --limit 1000 | jq -r '.rows[] | select((.state == "accepted" or .state == "delivered") and (.address | startswith("oa:")) and (.broadcast | not)) | .address[3:]' | sort >"$PLACE/told"; zalo_ledger 'map(select(.kind == "article")) | .[].oa' | sort >"$PLACE/truth"; comm -23 "$PLACE/told" "$PLACE/truth" | wc -l | tr -d ' ')" 0
same "and what is told as broadcast was truly broadcast" "$(operator --json deliveries --limit 1000 | jq -r '.rows[] | select((.state == "accepted" or .state == "delivered") and .broadcast) | .address[3:]' | sort >"$PLACE/told"; zalo_ledger 'map(select(.kind == "broadcast")) | .[].oa' | sort >"$PLACE/truth"; comm -23 "$PLACE/told" "$PLACE/truth" | wc -l | tr -d ' ')" 0
same "the broadcast of an article that is not posted waits, and says why" "$(operator --json delivery "$(dlv "oa:$HAND" true)" | json - '"\(.state) \(.why)"')" "waiting article: that of $R is held"
check "fsck is clean" operator fsck
check "the audit chain holds" operator audit verify
daemon_stop
for secret in canary RT-33 AT-33 CODE-33; do
	same "no file of ours holds '$secret'" "$(grep -rlF -- "$secret" "$PLACE/state" "$PLACE/lantoad.log" | wc -l | tr -d ' ')" 0
done
tap_end
