#!/usr/bin/env bash
# zalo_steps.sh [ROUNDS] - kill -9 between every two steps of Zalo and around a refresh of a token. In each round 28 deliveries hang, each at a
# step of its own, before it took effect or behind it, when the daemon dies: every call of an article and of its broadcast, the refresh of a
# token that expired in the middle, upload and message of a group, a template message. The OAs change places from round to round.
# Afterwards, with a person where only a person can know: every article is shown once, every broadcast, message and template message went out
# once, and a spent refresh token was tried once where its answer was lost, nowhere else.
. "$(dirname "${BASH_SOURCE[0]}")/../system/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/../system/lib_zalo.sh"
ROUNDS=${1:-1}
place_new
PROVIDER=$(zalo_script ',"polls":1,"casts_left":1000000')
echo "{\"zalo\": $PROVIDER}" >"$PLACE/script.json"
sandbox_start --script "$PLACE/script.json"
ZALO_CALL=60000 zalo_conf "$(sandbox_port zalo)" '  zns_template: "420017"
  zns_data: "ten={name};tin={title}"
  group_pause_ms: 0'
conf_write "$SMTP_PORT"
zalo_public
daemon_start || exit 1
mapfile -t IDS < <(zalo_oas | cut -d' ' -f1)
mapfile -t OFFICES < <(zalo_oas | cut -d' ' -f2)
N=${#IDS[@]}
oa_of() { zalo_oas | awk -v o="$1" '$2 == o { print $1 }'; }
# Four groups and two phones, each of an OA of its own.
EXTRA=(30 31 32 33 34 29)
{
	cat "$TOP/config/examples/targets.csv"
	for k in 0 1 2 3; do echo "zalo,group:9a1b2c3d4e5f6071829$k,${OFFICES[${EXTRA[$k]}]},Nhóm $k,,extra"; done
	for k in 4 5; do echo "zalo,phone:8491200005$k,${OFFICES[${EXTRA[$k]}]},Người $k,,extra"; done
} >"$PLACE/all.csv"
for k in 0 1 2 3; do zalo_tell "{\"cmd\":\"zalo\",\"groups\":[{\"id\":\"9a1b2c3d4e5f6071829$k\",\"oa\":\"${IDS[${EXTRA[$k]}]}\"}]}"; done
import_samples >/dev/null
admin -q targets import "$PLACE/all.csv" 2>/dev/null
printf 'all: {name: "OA", any: [{tag: page}, {tag: extra}]}\n' >"$PLACE/aud.yaml"
admin -q audiences import "$PLACE/aud.yaml"

STEPS=("getslice guard /v2.0/article/getslice 0" "create draft /v2.0/article/create 0" "verify first /v2.0/article/verify 0" "verify last /v2.0/article/verify 1"
	"update show /v2.0/article/update 0" "verify shown /v2.0/article/verify 2" "verify shown-last /v2.0/article/verify 3" "getdetail link /v2.0/article/getdetail 0"
	"getdetail look /v2.0/article/getdetail 1" "message broadcast /v2.0/oa/message 0" "token refresh /v4/oa/access_token 0")
RULES= HANGS=0
hang() { # hang OA-ID PATH SKIP WHEN [TOKEN-PREFIX]
	RULES="$RULES${RULES:+,}{\"server\":\"zalo\",\"match\":\"$2\",\"has\":\"${5:-AT}-$1-\",\"do\":\"silent\",\"when\":\"$4\",\"skip\":$3,\"times\":1}"
	HANGS=$((HANGS + 1))
}
states() { operator --json deliveries --limit 1000 --release "$1" | jq -r "[.rows[] | select($2) | .state] | map(select(. == \"accepted\" or . == \"delivered\")) | length"; }
person() { # person CODE: logs in where a token is spent, looks into the console where an answer was lost
	local acct d a b kind
	while read -r acct; do
		[ -n "$acct" ] || continue
		admin -q channel login zalo --account "$acct" >/dev/null 2>&1
		printf 'CODE-%s' "$(oa_of "$acct")" | admin -q channel login zalo --account "$acct" --code-stdin >/dev/null 2>&1 && LOGINS=$((LOGINS + 1))
	done < <(operator --json channels | jq -r '.rows[] | select(.channel == "zalo") | .accounts[] | select(.credential.state == "dead") | .account')
	while read -r d a b; do
		case $a in
		oa:*) [ "$b" = true ] || continue; kind=broadcast; filter=".oa == \"${a#oa:}\" and .title == \"Thông cáo $1\"" ;;
		group:*) kind=group; filter=".to == \"${a#group:}\" and (.text | contains(\"Thông cáo $1\\n\"))" ;;
		phone:*) kind=zns; filter=".to == \"${a#phone:}\" and .data.tin == \"Thông cáo $1\"" ;;
		*) continue ;;
		esac
		if [ "$(zalo_ledger "map(select(.kind == \"$kind\" and $filter)) | length")" = 0 ]; then
			operator -q resolve absent "$d" -m "the console does not show it" >/dev/null 2>&1
		else
			operator -q resolve sent "$d" -m "the console shows it" >/dev/null 2>&1
		fi
		ASKED=$((ASKED + 1))
	done < <(operator --json deliveries --limit 1000 --state unknown --release "$1" | jq -r '.rows[] | "\(.delivery) \(.address) \(.broadcast)"')
}
LOGINS=0 ASKED=0 DEATHS=0
round() { # round K
	local k=$1 code=ZS-$1 i oa when step expire=() name path skip
	RULES= HANGS=0 i=0
	for step in "${STEPS[@]}"; do
		read -r name _ path skip <<<"$step"
		for when in before after; do
			oa=${IDS[$(((i + 3 * k) % 29))]}
			if [ "$name" = token ]; then
				hang "$oa" "$path" "$skip" "$when" RT
				expire+=("$oa")
			else
				hang "$oa" "$path" "$skip" "$when"
			fi
			i=$((i + 1))
		done
	done
	hang "${IDS[${EXTRA[0]}]}" /v2.0/oa/upload/image 0 before; hang "${IDS[${EXTRA[1]}]}" /v2.0/oa/upload/image 0 after
	hang "${IDS[${EXTRA[2]}]}" /v3.0/oa/group/message 0 before; hang "${IDS[${EXTRA[3]}]}" /v3.0/oa/group/message 0 after
	hang "${IDS[${EXTRA[4]}]}" /message/template 0 before; hang "${IDS[${EXTRA[5]}]}" /message/template 0 after
	zalo_tell "{\"cmd\":\"http_rules\",\"replace\":true,\"rules\":[$RULES]}"
	for oa in "${expire[@]}"; do zalo_tell "{\"cmd\":\"zalo\",\"oa\":{\"id\":\"$oa\",\"expire\":true}}"; done
	mkdir -p "$PLACE/w"; cp "$TOP/config/examples/release-ttbc-112/cover-16x9.png" "$PLACE/w/"
	printf -- '---\ncode: %s\nkind: press_release\ntitle: Thông cáo %s\nsummary: Tóm tắt\nlink: https://portal.example/zs/%d\ncover: {file: cover-16x9.png, alt: bìa}\nzalo: {broadcast: yes}\nparts:\n  p: {to: all, channels: [zalo], at: now, expires: 6h}\n---\nNội dung %d.\n' "$code" "$code" "$k" "$k" >"$PLACE/w/release.md"
	editor -q submit "$PLACE/w" >/dev/null 2>"$PLACE/err" && approver -q approve "$code" --hash "$(hash_of "$code")" || { sed 's/^/# /' "$PLACE/err"; return 1; }
	# of the articles all go through but those that hang before their link is read; of the broadcasts those that hang nowhere
	hanging() { [ "$(states "$code" '(.broadcast | not) and (.address | startswith("oa:"))')" = $((N - 18)) ] && [ "$(states "$code" .broadcast)" = $((N - 22)) ]; }
	until_true 60 hanging || { echo "# not as expected: $(states "$code" '(.broadcast | not) and (.address | startswith("oa:"))') articles, $(states "$code" .broadcast) broadcasts"; return 1; }
	sleep 0.5
	daemon_kill
	daemon_start >/dev/null || return 1
	DEATHS=$((DEATHS + HANGS))
	over() { person "$code"; [ "$(states "$code" true)" = $((2 * N + 6)) ]; }
	until_true 120 over || { operator --json deliveries --limit 1000 --release "$code" | jq -r '.rows[] | select(.state != "accepted" and .state != "delivered") | "# \(.address) \(.broadcast) \(.state) \(.why // "")"'; return 1; }
}
ready() { [ "$(zalo_show | json - .rotations)" -ge "$N" ]; }
check "every OA has its first pair of tokens" until_true 30 ready
for k in $(seq 1 "$ROUNDS"); do
	round "$k" || { not_ok "round $k comes to its end"; break; }
	[ $((k % 6)) -ne 0 ] || echo "# $k rounds, $DEATHS deaths at a step, $LOGINS log-ins, $(zalo_show | json - '"\(.shown) articles, \(.broadcasts) broadcasts, \(.rotations) rotations, \(.spent) spent tokens tried, \(.violations) violations"')"
done
same "28 deliveries died at steps of their own in each round" "$DEATHS" $((28 * ROUNDS))
once() { zalo_ledger "map(select(.kind == \"$1\")) | [length, (map([.oa, .to, .title, .text, .data.tin]) | unique | length)] | @csv"; }
same "every article is shown once" "$(once article)" "$((N * ROUNDS)),$((N * ROUNDS))"
same "every broadcast went out once" "$(once broadcast)" "$((N * ROUNDS)),$((N * ROUNDS))"
same "every group has its message once" "$(once group)" "$((4 * ROUNDS)),$((4 * ROUNDS))"
same "every template message went out once" "$(once zns)" "$((2 * ROUNDS)),$((2 * ROUNDS))"
same "no violation in the provider's eyes" "$(zalo_show | json - .violations)" 0
same "a spent token was tried once where its answer was lost, nowhere else" "$(zalo_show | json - .spent)" "$ROUNDS"
same "and only there a person logged in" "$LOGINS" "$ROUNDS"
check "a person was asked for broadcasts, messages and template messages alone ($ASKED times)" [ "$ASKED" -ge $((3 * ROUNDS)) ]
check "fsck is clean" operator fsck
check "the audit chain holds" operator audit verify
tap_end
