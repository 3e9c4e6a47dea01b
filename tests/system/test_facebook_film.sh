#!/usr/bin/env bash
# test_facebook_film.sh - one film on 35 pages: uploaded in pieces, finished under an intent; the last step throttled, lost, called
# unsupported, the film not to be seen at first, kill -9 in between. None is live twice, none is called failed, and one whose last step
# never arrived is finished after a person's word.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/lib_facebook.sh"
place_new
P=104200000000
finish() { echo "{\"server\":\"facebook\",\"method\":\"POST\",\"match\":\"/v25.0/$P$1/videos\",\"has\":\"upload_phase=finish\",\"when\":\"$2\",\"times\":1,$3},"; }
said() { echo "\"do\":\"reply\",\"code\":$1,\"type\":\"application/json\",\"body\":\"{\\\"error\\\":{\\\"message\\\":\\\"no\\\",\\\"code\\\":$2,\\\"error_subcode\\\":$3}}\""; }
{
	echo "{$(facebook_script '"chunk_bytes":100000'), \"http_rules\": ["
	finish 101 before "$(said 400 80001 0)"
	finish 102 before "$(said 400 32 0)"
	finish 103 after "$(said 400 100 33)"
	finish 104 after '"do":"drop"'
	finish 105 after "$(said 500 2 0)"
	finish 106 before '"do":"drop"'
	echo "{\"server\":\"facebook\",\"method\":\"GET\",\"match\":\"/v25.0/122*\",\"when\":\"before\",\"times\":3,$(said 400 100 33)}]}"
} >"$PLACE/script.json"
sandbox_start --script "$PLACE/script.json"
facebook_conf "$(printf '  video_poll_ms: 200\n  video_poll_max: 3000')"
conf_write "$SMTP_PORT"
daemon_start || { not_ok "the daemon starts"; tap_end; exit 1; }
check "the sample files are imported" import_samples
{ cat "$TOP/config/examples/audiences.yaml"; echo 'pages: {name: "Pages", any: [{tag: page}]}'; } >"$PLACE/aud.yaml"
check "an audience of all pages" admin audiences import "$PLACE/aud.yaml"
mkdir "$PLACE/w"
{ printf '\0\0\0\030ftypmp42\0\0\0\0mp42isom'; head -c 350000 /dev/zero; } >"$PLACE/w/phim.mp4"
printf -- '---\ncode: PHIM-1\nkind: video\ntitle: Phim ngắn về bảo hiểm y tế học sinh\nvideo: [{file: phim.mp4, alt: "Phim"}]\nparts:\n  p: {to: pages, channels: [facebook], at: now}\n---\nMời bà con xem phim ngắn về bảo hiểm y tế học sinh, sinh viên năm học mới.\n' >"$PLACE/w/release.md"
check "a film is submitted" editor -q submit "$PLACE/w"
check "and approved" approver -q approve PHIM-1 --hash "$(hash_of PHIM-1)"
uploads() { facebook_state | jq .videos; }
saved() { sqlite3 -readonly "$PLACE/state/lantoa.db" "SELECT count(*) FROM step WHERE name='video' AND value<>''"; }
open_now() { sqlite3 -readonly "$PLACE/state/lantoa.db" "SELECT count(*) FROM delivery WHERE state=1"; }
SEEN=
still() { # the pages have worked off what a dead daemon had sent: no request since the last look
	local before=$SEEN
	SEEN=$(facebook_state | jq .requests)
	[ "$SEEN" = "$before" ]
}
CUT=0  # what the kills cut off: uploads that a page knows and whose step was not committed; the next try begins another one
OPEN=0 # what the kills may have left unknown
for wait in 0.6 0.8; do
	sleep $wait
	daemon_kill
	SEEN=; POLL=0.2 until_true 20 still
	CUT=$((CUT + $(uploads) - $(saved))) OPEN=$((OPEN + $(open_now)))
	daemon_start || not_ok "the daemon starts again"
done
row() { operator --json report PHIM-1 | jq -c --arg a "$P$1" '.deliveries[] | select(.address == $a)'; }
count() { operator --json report PHIM-1 | jq "[.deliveries[] | select(.state == \"$1\")] | length"; }
live() { facebook_state | jq .live; }
# A kill between an intent and its request leaves an unknown that nothing can settle but a person, as a lost request does.
settled() {
	local l u
	l=$(live) u=$(count unknown)
	[ "$(($(count accepted) + $(count delivered)))" = "$l" ] && [ "$u" = $((35 - l)) ] && [ "$u" -ge 1 ] && [ "$u" -le $((4 + OPEN)) ]
}
check "all that are live are known, the others are unknown" until_true 60 settled
[ $T_BAD -eq 0 ] || operator --json report PHIM-1 | jq -r '.deliveries[] | select(.state != "accepted") | [.address,.state,.tries,.code,.said,.why] | @tsv' | sed 's/^/# /'
same "one never arrived" "$(row 106 | jq -r .state)" unknown
same "none is called failed" "$(count failed)" 0
absent() { for d in $(operator --json report PHIM-1 | jq -r '.deliveries[] | select(.state == "unknown") | .delivery'); do operator -q resolve absent "$d" -m "not on the page" || return 1; done; }
check "a person looks and says so" absent
all() { [ "$(($(count accepted) + $(count delivered)))" = 35 ]; }
check "and it is finished" until_true 40 all
same "35 are live" "$(facebook_state | jq .live)" 35
same "each once" "$(facebook_state | jq .doubles)" 0
# Behind a kill a page may have a piece more than was committed: it refuses the same piece again without a word of the next one, and the film
# is begun anew. So is one of which a page says three times, before it can be seen, that it is not there.
REFUSED=$(facebook_state | jq .videos_refused)
check "one upload for each but what the kills cut off ($(uploads) for 35, $CUT cut off, $REFUSED refused a piece)" [ "$(uploads)" -le $((35 + CUT + REFUSED + 3)) ]
check "which are steps of theirs ($(saved))" [ "$(saved)" -ge 30 ]
same "no token in an address" "$(facebook_state | jq .leaks)" 0
check "fsck is clean" operator fsck
tap_end
