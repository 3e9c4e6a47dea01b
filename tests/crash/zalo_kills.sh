#!/usr/bin/env bash
# zalo_kills.sh KILLS - kill -9 between the steps of articles and broadcasts and around every refresh of a token, again and again, with a
# provider that is slow enough for the kill to fall anywhere. A scripted operator does what a person would: logs in where the provider spent a
# token whose answer was lost, looks into the console before an unknown is settled, lets go what was set aside.
# In the end: no second broadcast, no article shown twice, no spent refresh token used but for the one try after a lost answer.
. "$(dirname "${BASH_SOURCE[0]}")/../system/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/../system/lib_zalo.sh"
KILLS=${1:-20}
place_new
# Answers take 30 ms, the life of a token a quarter of a minute: kills fall into refreshes, too.
echo "{\"zalo\": $(zalo_script ',"polls":1,"delay_ms":30,"life_ms":'${LIFE:-15}000',"expires_in":'${LIFE:-15}',"casts_left":1000000')}" >"$PLACE/script.json"
sandbox_start --script "$PLACE/script.json"
zalo_conf "$(sandbox_port zalo)"
ALLOW="$ALLOW" conf_write "$SMTP_PORT"
zalo_public
daemon_start || { not_ok "the daemon starts"; tap_end; exit 1; }
import_samples || not_ok "imports"
printf 'all: {name: "OA", any: [{tag: page}]}\n' >"$PLACE/aud.yaml"
admin -q audiences import "$PLACE/aud.yaml"
wave=0
rm -f "$PLACE/sets"
release() { # the next wave: an article with a broadcast for every OA
	wave=$((wave + 1))
	mkdir -p "$PLACE/w"
	cp "$TOP/config/examples/release-ttbc-112/cover-16x9.png" "$PLACE/w/"
	printf -- '---\ncode: ZK-%d\nkind: press_release\ntitle: Thông cáo ZK-%d\nsummary: Tóm tắt\nlink: https://portal.example/zk/%d\ncover: {file: cover-16x9.png, alt: bìa}\nzalo: {broadcast: yes}\nparts:\n  p: {to: all, channels: [zalo], at: now, expires: 6h}\n---\nNội dung %d.\n' $wave $wave $wave $wave >"$PLACE/w/release.md"
	editor -q submit "$PLACE/w" >/dev/null 2>&1 && approver -q approve "ZK-$wave" --hash "$(hash_of "ZK-$wave")"
}
oa_of() { zalo_oas | awk -v o="$1" '$2 == o { print $1 }'; }
logins=0
person() { # what a person does
	local acct d a r title
	while read -r acct; do
		[ -n "$acct" ] || continue
		admin -q channel login zalo --account "$acct" >/dev/null 2>&1
		printf 'CODE-%s' "$(oa_of "$acct")" | admin -q channel login zalo --account "$acct" --code-stdin >/dev/null 2>&1 && logins=$((logins + 1))
	done < <(operator --json channels | jq -r '.rows[] | select(.channel == "zalo") | .accounts[] | select(.credential.state == "dead") | .account')
	d=$(operator --json deliveries --limit 1000 --state held | jq -r '.rows[].delivery')
	[ -z "$d" ] || operator -q retry $d -m "killed on purpose" >/dev/null 2>&1
	while read -r d a r; do
		title="Thông cáo ${r%@*}"
		if zalo_ledger "map(select(.kind == \"broadcast\" and .oa == \"${a#oa:}\" and .title == \"$title\")) | length" | grep -qx 0; then
			operator -q resolve absent "$d" -m "the console does not show it"
		else
			operator -q resolve sent "$d" -m "the console shows it"
		fi
	done < <(operator --json deliveries --limit 1000 --state unknown | jq -r '.rows[] | select(.broadcast) | "\(.delivery) \(.address) \(.release)"')
}
calm() { operator --json queue | json - '((.totals.waiting // 0) + (.totals.sending // 0) + (.totals.unknown // 0) + (.totals.held // 0)) == 0' | grep -q true; }
release
kills=0 failed=0
for k in $(seq 1 "$KILLS"); do
	sleep "0.$((RANDOM % 90 + 10))"
	daemon_kill
	daemon_start >/dev/null || { failed=$((failed + 1)); break; }
	kills=$k
	[ $((k % 3)) -eq 0 ] && person
	calm && release
	[ $((k % 25)) -eq 0 ] && echo "# $k kills, $wave waves, $logins logins, $(zalo_show | json - '"\(.shown) articles, \(.broadcasts) broadcasts, \(.rotations) rotations, \(.spent) spent tokens tried, \(.violations) violations"')"
done
same "$KILLS kills, each restart works" "$kills" "$KILLS"
rest() { person; calm; }
check "what was not touched goes out, the rest by a person's word" until_true 300 rest
WANT=$((wave * 35))
same "every article is shown, one a wave and OA" "$(zalo_ledger 'map(select(.kind == "article")) | [length, (map([.oa, .title]) | unique | length)] | @csv')" "$WANT,$WANT"
same "every broadcast went out once" "$(zalo_ledger 'map(select(.kind == "broadcast")) | [length, (map([.oa, .title]) | unique | length)] | @csv')" "$WANT,$WANT"
same "no violation in the provider's eyes" "$(zalo_show | json - .violations)" 0
echo "# $kills kills, $wave waves, $logins logins after a spent token, $(zalo_show | json - '"\(.rotations) rotations, \(.spent) spent tokens tried"')"
check "fsck is clean" operator fsck
check "the audit chain holds" operator audit verify
tap_end
