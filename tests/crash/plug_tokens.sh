#!/usr/bin/env bash
# plug_tokens.sh [CUTS] [nosync] - the plug is pulled while the tokens of 35 OAs rotate. A refresh token counts once: who finds only the pair
# before the last one is locked out, and must know it. Every call on the state folder and on the mirror of tokens is logged while articles go
# out and tokens live two seconds; then both folders are made as they may be found after a pulled plug (plug_replay.c). Held, for each OA: the
# newest pair that the provider gave before the cut is in the database or in the mirror, or the database has the word, committed before the
# call, that a rotation was under way; no mirror is torn; the daemon starts, fsck and the audit are clean.
# nosync: the same as if no sync had ever been asked for; that must be noticed, and exit 0 then means that it was.
. "$(dirname "$0")/plug_lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/../system/lib_zalo.sh"
echo "{\"zalo\": $(zalo_script ',"polls":1,"life_ms":2000,"expires_in":2,"casts_left":1000000')}" >"$PLACE/script.json"
sandbox_start --script "$PLACE/script.json"
mkdir -p "$PLACE/mirror"
ROUTES0=${ROUTES:-} ALLOW0=${ALLOW:-}
conf() { # conf PORT: the provider's
	ROUTES=$ROUTES0 ALLOW=$ALLOW0
	zalo_conf "$1"
	CONF_TOP="token_mirror: $PLACE/mirror" conf_write "$SMTP_PORT"
	zalo_public
}
conf "$(sandbox_port zalo)"
with_log "$PLACE" || { not_ok "the daemon starts"; tap_end; exit 1; }
import_samples || not_ok "the samples are imported"
printf 'all: {name: "OA", any: [{tag: page}]}\n' >"$PLACE/aud.yaml"
admin -q audiences import "$PLACE/aud.yaml"
wave=0
release() { # an article for every OA
	wave=$((wave + 1))
	mkdir -p "$PLACE/w"
	cp "$TOP/config/examples/release-ttbc-112/cover-16x9.png" "$PLACE/w/"
	printf -- '---\ncode: PT-%d\nkind: press_release\ntitle: Thông cáo PT-%d\nsummary: Tóm tắt\nlink: https://portal.example/pt/%d\ncover: {file: cover-16x9.png, alt: bìa}\nparts:\n  p: {to: all, channels: [zalo], at: now, expires: 6h}\n---\nNội dung %d.\n' $wave $wave $wave $wave >"$PLACE/w/release.md"
	editor -q submit "$PLACE/w" >/dev/null 2>&1 && approver -q approve "PT-$wave" --hash "$(hash_of "PT-$wave")" && operator -q watch "PT-$wave" --timeout 60 >/dev/null
}
rotated() { zalo_ledger 'map(select(.kind == "rotation")) | length'; }
while [ $wave -lt 30 ] && [ "$(rotated)" -lt 140 ]; do release || { not_ok "wave $wave goes out"; break; }; done
check "tokens rotated: $(rotated) times in $wave waves" test "$(rotated)" -ge 140
stop_pid "$SANDBOX_PID"; SANDBOX_PID= # after this no pair is given: what is under way stays so
daemon_kill
state_keep "$PLACE/state.whole"
pairs() { sqlite3 "$1/lantoa.db" "SELECT substr(name, 4) || ' ' || version || ' ' || state FROM credential WHERE name LIKE 'oa-%' ORDER BY name"; }
given() { # given MS: "OFFICE GENERATION" of each OA, of the pairs given before that moment
	zalo_oas | sort >"$PLACE/oas"
	jq -r --argjson at "$1" 'select(.t == "zalo" and .kind == "rotation" and .at < $at) | "\(.oa) \(.generation)"' "$LEDGER" |
		awk 'NR == FNR { office[$1] = $2; g[$2] = 0; next } { g[office[$1]] = $2 } END { for (o in g) print o, g[o] }' "$PLACE/oas" -
}
records_of "$PLACE"
conf 1 # nobody answers at the provider's port now
under_way=0 from_mirror=0
for i in $(seq 1 "$CUTS"); do
	plug_at "$i" $((RECORDS / 5)) "$PLACE"
	cp -a "$PLACE/cut/state" "$PLACE/look"; pairs "$PLACE/look" >"$PLACE/pairs" 2>"$PLACE/out"; rm -rf "$PLACE/look"
	state_fill "$PLACE/cut/state"
	rm -rf "$PLACE/mirror"; cp -a "$PLACE/cut/mirror" "$PLACE/mirror" 2>/dev/null || mkdir "$PLACE/mirror"
	sound || { enough && break; continue; }
	daemon_kill
	sed -n 's/.*ev=credential.from_mirror .*credential=oa-\([^ ]*\) .*mirror=\([0-9]*\).*/\1 \2/p' "$PLACE/lantoad.log" >"$PLACE/newer"
	from_mirror=$((from_mirror + $(wc -l <"$PLACE/newer")))
	grep 'ev=credential.mirror_unread' "$PLACE/lantoad.log" >"$PLACE/out" && fault "a mirror cannot be read"
	# A first value is version 1 and the provider's generation 0.
	given $((CUT_US / 1000)) | awk '
		FILENAME ~ /pairs$/ { has[$1] = $2; state[$1] = $3; next }
		FILENAME ~ /newer$/ { if ($2 > has[$1]) has[$1] = $2; next }
		has[$1] > $2 { next }
		$1 in state && state[$1] == 1 && has[$1] == $2 { print "under way"; next }
		{ print "lost " $1 ": the provider gave pair " $2 ", we have " has[$1] - 1 ", state " state[$1] }' "$PLACE/pairs" "$PLACE/newer" - >"$PLACE/judged"
	under_way=$((under_way + $(grep -c '^under way' "$PLACE/judged")))
	grep '^lost' "$PLACE/judged" >"$PLACE/out" && fault "$(wc -l <"$PLACE/out") pairs are lost and nobody knows"
	enough && break
done
plugs_end "$i" "no pair of tokens is lost unknown to us ($under_way rotations under way, $from_mirror pairs from the mirror)"
