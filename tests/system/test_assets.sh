#!/usr/bin/env bash
# test_assets.sh - pictures through the real daemon: fitted at check, approved by their hash, sent as what was approved, served under
# addresses that cannot be guessed or pushed to a portal; kept in backup and seen by fsck; a helper that works otherwise holds the lot.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/peers/scene.sh"
place_new
EXAMPLE=$TOP/config/examples/release-ttbc-112
SPEC='jpeg<=400000B<=1200x1200px'
mkdir -p "$PLACE/portal"
/usr/bin/python3 "$TOP/tests/system/peers/receiver.py" "$PLACE/portal" & EXTRA_PIDS="$EXTRA_PIDS $!"
until_true 20 test -s "$PLACE/portal/port" || { not_ok "the portal starts"; tap_end; exit 1; }
PORTAL=$(cat "$PLACE/portal/port")
assets_conf() { # assets_conf [settings of the channel]
	conf_write 1
	rm -f "$PLACE/conf/channels.d/mail.yaml"
	sed -i 's|^  email: mail/relay|  email: loop/main|' "$PLACE/conf/lantoad.yaml"
	cat >"$PLACE/conf/channels.d/loop.yaml" <<-END
	name: loop
	kind: email
	adapter: loopback
	accounts: [{name: main}]
	settings: {url: "http://127.0.0.1:$PORTAL/publish", picture: "${WANT:-$SPEC}"${1:-}}
	lane: {timeout: 30s, backoff: [1s], tries: 20}
	END
}
bundle() { # bundle CODE PICTURE...: a release with these pictures for one office
	local code=$1 p; shift
	mkdir -p "$PLACE/$code"
	{
		printf -- '---\ncode: %s\nkind: infographic\ncategory: public_notice\ntitle: Infographic %s\nimages:\n' "$code" "$code"
		for p in "$@"; do printf '  - {file: %s, alt: "Infographic số %s"}\n' "$(basename "$p")" "$(basename "$p")"; cp "$p" "$PLACE/$code/"; done
		printf 'parts:\n  all: {to: inside, channels: [email], at: now}\n---\nNội dung.\n'
	} >"$PLACE/$code/release.md"
	echo "$PLACE/$code"
}
stored_files() { ls "$PLACE/state/assets"/*/* 2>/dev/null | wc -l | tr -d ' '; }
posted() { test -s "$PLACE/portal/post-$1"; }
posts() { ls "$PLACE/portal" | grep -c '^post-[0-9]*$'; }
is_done() { release_is "$1" done; }
sqlite() { sqlite3 -readonly "$PLACE/state/lantoa.db" "$1"; }

scene_files
sed -i 's/vanphong@ca-mau/ok@ca-mau/' "$PLACE/targets.csv"
assets_conf
daemon_start || { not_ok "the daemon starts"; tap_end; exit 1; }
check "the agency is imported" scene_import

echo "# fitted at check, stored at submit, sent as approved"
bundle PIC-1 "$EXAMPLE/infographic-1.png" >/dev/null
check "check fits the picture" editor check "$PLACE/PIC-1"
same "and stores nothing" "$(stored_files)" 0
same "nor leaves anything in staging" "$(find "$PLACE/state/staging" -type f 2>/dev/null | wc -l | tr -d ' ')" 0
check "the release is submitted" editor submit "$PLACE/PIC-1"
same "the picture and its rendition are assets" "$(stored_files)" 2
check "the preview names what will be sent" editor preview PIC-1
says "with its kind and size" 'infographic-1.png: jpeg, 960 x 1200, [0-9]+ kB'
check "it is approved" approve_it PIC-1
check "it is published" until_true 20 posted 1
check "the release is done" until_true 20 is_done PIC-1
tail -c +1 "$PLACE/portal/post-1" | /usr/bin/python3 -c 'import sys; b=sys.stdin.buffer.read(); i=b.index(b"\xff\xd8\xff"); open(sys.argv[1],"wb").write(b[i:])' "$PLACE/sent.jpg"
SENT=$(sha256sum "$PLACE/sent.jpg" | cut -d' ' -f1)
same "the bytes sent are those of the stored rendition" "$(sqlite "SELECT lower(hex(hash)) FROM rendition")" "$SENT"
same "and within the limit" "$(($(stat -c %s "$PLACE/sent.jpg") <= 400000))" 1

echo "# backup and fsck know renditions"
check "a backup is made" admin backup "$PLACE/backup"
same "and holds the rendition" "$(sha256sum "$PLACE/backup/assets/${SENT:0:2}/${SENT:2}" | cut -d' ' -f1)" "$SENT"
check "fsck is clean" operator fsck
mv "$PLACE/state/assets/${SENT:0:2}/${SENT:2}" "$PLACE/kept"
refuse "fsck misses a rendition that is gone" 6 operator fsck
check "which is made again when it is wanted" editor preview PIC-1
same "with the same bytes" "$(sha256sum "$PLACE/state/assets/${SENT:0:2}/${SENT:2}" | cut -d' ' -f1)" "$SENT"
check "and fsck is clean again" operator fsck

echo "# pictures that are none"
printf 'This is a text.\n' >"$PLACE/fake.png"
bundle PIC-2 "$PLACE/fake.png" >/dev/null
refuse "a renamed text is refused" 6 editor submit "$PLACE/PIC-2"
head -c 300000 "$EXAMPLE/infographic-2.png" >"$PLACE/half.png"
bundle PIC-3 "$PLACE/half.png" >/dev/null
refuse "a picture that is cut off is refused" 6 editor submit "$PLACE/PIC-3"
says "with its reason" "half.png.*(broken|cut off)"

FRAME='\x21\xf9\x04\x00\x0a\x00\x00\x00\x2c\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02\x44\x01\x00'
printf "GIF89a\\x01\\x00\\x01\\x00\\x80\\x00\\x00\\xff\\xff\\xff\\x00\\x00\\x00$FRAME$FRAME;" >"$PLACE/moving.gif"
bundle PIC-8 "$PLACE/moving.gif" >/dev/null
check "an animated picture is taken" editor check "$PLACE/PIC-8"
says "and it is said that only its first frame goes" 'moving.gif.* has 2 frames: only the first'

echo "# memory"
anon() { sed -n 's/^RssAnon:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$DAEMON_PID/status"; }
if nm -D "$B/lantoad" 2>/dev/null | grep -qE '__(a|t)san_init'; then
	echo "# skipped: a sanitizer's allocator keeps what is freed"
elif [ -x "$B/tests/unit/image/make_pictures" ]; then
	mkdir "$PLACE/pictures"
	"$B/tests/unit/image/make_pictures" "$PLACE/pictures"
	awk -F'\t' -v d="$PLACE/pictures/" '$2 == "good" { print d $1 }' "$PLACE/pictures/list" >"$PLACE/good"
	editor -q check "$(bundle MEM-0 $(head -2 "$PLACE/good"))"
	BEFORE=$(anon) GOOD=0
	for i in 1 2 3 4; do editor -q check "$(bundle MEM-$i $(sed -n "$((i * 10 - 9)),$((i * 10))p" "$PLACE/good"))" && GOOD=$((GOOD + 1)); done
	GROWN=$(($(anon) - BEFORE))
	same "four releases with ten pictures of every kind are good" $GOOD 4
	echo "# anonymous memory of the daemon grew by $GROWN kB over forty pictures"
	check "less than 8 MB" test $GROWN -lt 8192
fi

echo "# addresses"
daemon_stop
assets_conf ', links: "yes"'
daemon_start || not_ok "the daemon starts again"
bundle PIC-4 "$EXAMPLE/infographic-2.png" "$EXAMPLE/cover-16x9.png" >/dev/null
check "a release with two pictures goes by links" editor -q submit "$PLACE/PIC-4"
N=$(posts) # before it may be out already
approve_it PIC-4
check "it is published" until_true 20 posted $((N + 1))
grep -ao 'http://127.0.0.1/a/[a-z2-7.]*' "$PLACE/portal/post-$((N + 1))" >"$PLACE/urls"
same "with two addresses" "$(wc -l <"$PLACE/urls" | tr -d ' ')" 2
A=$(sed -n '1s|http://127.0.0.1||p' "$PLACE/urls")
get() { curl -s -m 10 -o "$PLACE/got" -D "$PLACE/head" -w '%{http_code}' "$@" "http://127.0.0.1:$(public_port)$A"; }
same "the first is served" "$(get)" 200
H1=$(sha256sum "$PLACE/got" | cut -d' ' -f1)
same "it is a rendition" "$(sqlite "SELECT count(*) FROM rendition WHERE hash = x'$H1'")" 1
same "its type, caching and length" "$(tr -d '\r' <"$PLACE/head" | grep -ciE '^(content-type: image/jpeg|cache-control: public, max-age=[0-9]+, immutable|content-length: '"$(stat -c %s "$PLACE/got")"'|x-content-type-options: nosniff|accept-ranges: bytes)$')" 5
cp "$PLACE/got" "$PLACE/whole"
same "HEAD has no body" "$(get -I) $(tr -d '\r' <"$PLACE/head" | sed -n 's/^[Cc]ontent-[Ll]ength: //p')" "200 $(stat -c %s "$PLACE/whole")"
same "a range is that range" "$(get -H 'Range: bytes=100-299') $(cmp <(tail -c +101 "$PLACE/whole" | head -c 200) "$PLACE/got" && echo same)" "206 same"
same "the last bytes" "$(get -H 'Range: bytes=-50') $(cmp <(tail -c 50 "$PLACE/whole") "$PLACE/got" && echo same)" "206 same"
same "to the end" "$(get -H 'Range: bytes=1000-') $(cmp <(tail -c +1001 "$PLACE/whole") "$PLACE/got" && echo same)" "206 same"
same "beyond the end" "$(get -H 'Range: bytes=99999999-')" 416
same "nonsense is the whole" "$(get -H 'Range: bytes=9-2')" 200
B1=$A
for bad in "${A/.jpg/.png}" "${A%.jpg}" "${A/a\/?/a/q}" "/a/$SENT" "/a/../lantoa.db" "/a/..%2f..%2flantoa.db" "/a/$(head -c 64 /dev/zero | tr '\0' a).jpg" "/a/"; do
	A=$bad
	[ "$A" = "$B1" ] && A="${B1/a\/?/a/r}"
	case $(get --path-as-is) in 404) ;; *) not_ok "$bad is no address"; continue ;; esac
	N_BAD=$((${N_BAD:-0} + 1))
done
same "what was not given out is nothing" "${N_BAD:-0}" 8
A=$B1
check "the token is not in the log" bash -c "! grep -q '$(basename "${A%.jpg}")' '$PLACE/lantoad.log'"

refuse "channel check says that nobody answers there" 1 operator channel check
says "with the reason" 'public.*assets.*does not answer'
sed -i "s|^public_url: .*|public_url: http://127.0.0.1:$(public_port)|; s|^listen_public: .*|listen_public: 127.0.0.1:$(public_port)|" "$PLACE/conf/lantoad.yaml"
daemon_stop
daemon_start || not_ok "the daemon starts at its address"
operator --json channel check >"$PLACE/checked.json" 2>&1
same "and that it is reached where it is" "$(jq -r '.rows[] | select(.channel == "public") | .ok' "$PLACE/checked.json")" true

echo "# pushed to a portal"
daemon_stop
cat >"$PLACE/push.sh" <<-END
	#!/bin/sh
	echo "\$@" >>'$PLACE/push.args'
	[ -p '$PLACE/hang' ] && read -r line <'$PLACE/hang'
	cat >'$PLACE/portal/files/'"\$2"
	[ -e '$PLACE/spoil' ] && echo x >>'$PLACE/portal/files/'"\$2"
	echo 'http://127.0.0.1:$PORTAL/files/'"\$2"
END
chmod 755 "$PLACE/push.sh"
CONF_TOP="public_assets: push
push_program: [$PLACE/push.sh, portal]"
assets_conf ', links: "yes"'
sed -i '/^public_url/d' "$PLACE/conf/lantoad.yaml"
daemon_start || not_ok "the daemon starts with push"
bundle PIC-5 "$EXAMPLE/infographic-2.png" >/dev/null
editor -q submit "$PLACE/PIC-5" && approve_it PIC-5
check "the release is published once its picture is on the portal" until_true 30 is_done PIC-5
N=$(posts)
same "with the portal's address" "$(grep -ao "http://127.0.0.1:$PORTAL/files/[0-9a-f]*.jpg" "$PLACE/portal/post-$N" | wc -l | tr -d ' ')" 1
same "the program got name and type, once" "$(sed 's/[0-9a-f]\{64\}/HASH/' "$PLACE/push.args")" "portal HASH.jpg image/jpeg"
touch "$PLACE/spoil"
bundle PIC-6 "$EXAMPLE/infographic-1.png" >/dev/null
editor -q submit "$PLACE/PIC-6" && approve_it PIC-6
spoiled() { grep -q 'ev=asset.push.*other bytes' "$PLACE/lantoad.log"; }
check "a portal that gives other bytes is not used" until_true 20 spoiled
same "and nothing was published with it" "$(posts)" "$N"

echo "# a program that hangs"
: >"$PLACE/push.args"
mkfifo "$PLACE/hang"
colours() { # colours N: a picture of its own
	/usr/bin/python3 - "$1" "$PLACE/colour-$1.png" <<-'PY'
	import struct, sys, zlib
	part = lambda t, b: struct.pack(">I", len(b)) + t + b + struct.pack(">I", zlib.crc32(t + b))
	row = b"\0" + bytes((int(sys.argv[1]) * 40, 90, 200)) * 600
	open(sys.argv[2], "wb").write(b"\x89PNG\r\n\x1a\n" + part(b"IHDR", struct.pack(">IIBBBBB", 600, 600, 8, 2, 0, 0, 0)) +
	    part(b"IDAT", zlib.compress(row * 600)) + part(b"IEND", b""))
	PY
	echo "$PLACE/colour-$1.png"
}
for i in 1 2 3 4 5 6; do editor -q submit "$(bundle "HANG-$i" "$(colours $i)")"; done
bundle TEXT-1 >/dev/null; sed -i '/^images:/d' "$PLACE/TEXT-1/release.md"
editor -q submit "$PLACE/TEXT-1"
for i in 1 2 3 4 5 6; do approve_it "HANG-$i" & done
programs() { pgrep -fc "^/bin/sh $PLACE/push.sh"; }
hangs() { [ "$(programs)" -ge 1 ]; }
check "six releases want their pictures pushed, and the program hangs" until_true 20 hangs
BEGAN=$SECONDS
approve_it TEXT-1
until_true 40 is_done TEXT-1
check "a text goes out meanwhile" test $((SECONDS - BEGAN)) -lt 15
same "one program at a time" "$(programs)" 1
BEGAN=$SECONDS
kill -TERM "$DAEMON_PID"; wait "$DAEMON_PID"
same "a stop ends in order" $? 0
DAEMON_PID=
check "and does not wait for the program" test $((SECONDS - BEGAN)) -lt 10
same "which is gone" "$(programs)" 0
rm "$PLACE/hang"
CONF_TOP=

echo "# a rendition that comes out different"
daemon_stop
rm "$PLACE/spoil"
assets_conf
mkdir -p "$PLACE/own/adapters"
cp "$B/adapters/loopback.so" "$PLACE/own/adapters/"
ln -s "$B/lantoa-image" "$PLACE/own/lantoa-image"
sed -i "s|^adapter_dir: .*|adapter_dir: $PLACE/own/adapters|" "$PLACE/conf/lantoad.yaml"
daemon_start || not_ok "the daemon starts with a helper of its own"
bundle PIC-7 "$EXAMPLE/cover-16x9.png" >/dev/null
sed -i 's/at: now}/go: signal, window: 12h}/' "$PLACE/PIC-7/release.md"
editor -q submit "$PLACE/PIC-7" && approve_it PIC-7
check "it waits for the signal" until_true 20 planned PIC-7 all
daemon_stop
rm "$PLACE/own/lantoa-image"
cat >"$PLACE/own/lantoa-image" <<-END
	#!/bin/sh
	[ "\$1" = version ] && { echo another-version; exit 0; }
	exec '$B/lantoa-image' 'jpeg<=100000B<=1200x1200px'
END
chmod 755 "$PLACE/own/lantoa-image"
daemon_start || not_ok "the daemon starts with another helper"
check "the signal is given" operator go PIC-7 --part all
held() { operator --json deliveries --release PIC-7 | jq -e '[.rows[] | select(.state == "waiting" and ((.why // "") | startswith("changed")))] | length == 1'; }
check "its lot is held as changed" until_true 20 held
same "and nothing was published of it" "$(grep -la 'Infographic PIC-7' "$PLACE"/portal/post-* | wc -l | tr -d ' ')" 0 # of others that had waited something may be
check "the audit chain holds" operator audit verify
daemon_stop

echo "# a caller who ignores the end of children and blocks the signal to stop: both are inherited"
DAEMON_UNDER='env --ignore-signal=CHLD --block-signal=TERM' daemon_start || not_ok "the daemon starts"
sed 's/PIC-1/PIC-9/' "$PLACE/PIC-1/release.md" >"$PLACE/release.md" && cp -r "$PLACE/PIC-1" "$PLACE/PIC-9" && mv "$PLACE/release.md" "$PLACE/PIC-9/"
check "a picture is fitted" editor check "$PLACE/PIC-9"
check "and it ends in order" daemon_stop
check "no sanitizer had anything to say" bash -c "! grep -E 'Sanitizer|runtime error' '$PLACE/lantoad.log'"
tap_end
