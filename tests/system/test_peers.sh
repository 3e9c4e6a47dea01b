#!/usr/bin/env bash
# test_peers.sh - the same release against a real Postfix with TLS and AUTH, against smtp-sink, and against aiosmtpd with TLS and AUTH;
# what arrived parses with Python's email and npm mailparser to the same text, pictures and file names that went in.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/peers/postfix.sh"
PEERS=$TOP/tests/system/peers
R=TTBC-2026-112
place_new
chmod 755 "$PLACE"
# The sample, but for its embargo of ten seconds.
cp -r "$TOP/config/examples/release-ttbc-112" "$PLACE/bundle"
BUNDLE=$PLACE/bundle
sed -i "s/embargo: 10s/embargo: 1s/" "$BUNDLE/release.md"
# Pictures of the same names, a tenth of the bytes: the parsers take minutes for 3 x 220 MB. PEERS_FULL=1 sends the real ones.
[ "${PEERS_FULL:-}" ] || for f in infographic-1 infographic-2 cover-16x9; do
	/usr/bin/python3 -c 'import os, struct, sys, zlib
w, h = 160, 200
def chunk(t, d): return struct.pack(">I", len(d)) + t + d + struct.pack(">I", zlib.crc32(t + d))
rows = b"".join(b"\0" + os.urandom(3 * w) for _ in range(h))
open(sys.argv[1], "wb").write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, 8, 2, 0, 0, 0)) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))' "$BUNDLE/$f.png"
done
# npm works on a copy, so that runs side by side do not meet and the tree stays clean.
mkdir -p "$PLACE/npm"; cp "$PEERS"/package*.json "$PEERS/parse.js" "$PLACE/npm/"
(cd "$PLACE/npm" && npm ci --no-audit --no-fund --silent >"$PLACE/npm.log" 2>&1) || { not_ok "npm installs mailparser"; tail -5 "$PLACE/npm.log"; }

send_all() { # send_all NAME: the sample through a daemon of its own; done when nothing waits
	daemon_start || { not_ok "$1: the daemon starts"; return 1; }
	import_samples && editor -q submit "$BUNDLE" 2>/dev/null && approver -q approve $R --hash "$(hash_of $R)" || { not_ok "$1: the release is approved"; return 1; }
	if operator watch -q $R --timeout 90; then ok "$1: the release is done"; else not_ok "$1: the release is done"; operator queue; tail -5 "$PLACE/lantoad.log"; fi
	same "$1: all 73 deliveries are accepted" "$(operator --json report $R | json - '[.deliveries[] | select(.state == "accepted")] | length')" 73
	daemon_stop
}
fresh() { rm -rf "$PLACE/state" "$PLACE/run" "$PLACE/conf" "$PLACE/lantoad.log"; }
kept() { ls "$1"/*.json 2>/dev/null | wc -l; }
enough() { [ "$(kept "$1")" -ge 73 ]; }

looks() { # looks NAME FOLDER: two independent parsers see what went in
	local name=$1 dir=$2
	if /usr/bin/python3 "$PEERS/parse.py" "$dir"/*.eml >"$PLACE/$name.py" 2>"$PLACE/$name.err"; then ok "$name: Python's email parses every mail without a defect"; else not_ok "$name: Python's email"; tail -3 "$PLACE/$name.err"; fi
	if (cd "$PLACE/npm" && node parse.js "$dir"/*.eml) >"$PLACE/$name.js" 2>"$PLACE/$name.err"; then ok "$name: mailparser parses every mail"; else not_ok "$name: mailparser"; tail -3 "$PLACE/$name.err"; fi
	local one two cover
	one=$(sha256sum <"$BUNDLE/infographic-1.png" | cut -d' ' -f1) two=$(sha256sum <"$BUNDLE/infographic-2.png" | cut -d' ' -f1) cover=$(sha256sum <"$BUNDLE/cover-16x9.png" | cut -d' ' -f1)
	for p in py js; do
		same "$name/$p: 73 mails" "$(wc -l <"$PLACE/$name.$p" | tr -d ' ')" 73
		same "$name/$p: every mail carries both infographics to the bit" "$(jq -r --arg a "$one" --arg b "$two" 'select(([.files[].sha256] | index($a) != null) and ([.files[].sha256] | index($b) != null)) | .file' "$PLACE/$name.$p" | wc -l | tr -d ' ')" 73
		same "$name/$p: inline pictures have a content id" "$(jq -r --arg c "$cover" 'select([.files[] | select(.sha256 == $c and .cid != null)] | length > 0) | .file' "$PLACE/$name.$p" | wc -l | tr -d ' ')" 73
		same "$name/$p: press mails carry the files under their names" "$(jq -r 'select([.files[] | select(.disposition == "attachment") | .name] | (index("infographic-1.png") != null) and (index("infographic-2.png") != null)) | .file' "$PLACE/$name.$p" | wc -l | tr -d ' ')" 37
		same "$name/$p: 72 Vietnamese subjects, one English" "$(jq -r .subject "$PLACE/$name.$p" | sort | uniq -c | sed 's/^ *//' | cut -d' ' -f1 | sort -n | tr '\n' ' ')" "1 72 "
		same "$name/$p: the subject is the title" "$(jq -r 'select(.subject == "Năm năm đổi mới truyền thông BHXH, BHYT ở vùng cao") | .file' "$PLACE/$name.$p" | wc -l | tr -d ' ')" 72
		same "$name/$p: the Vietnamese text is whole" "$(jq -r 'select(.text | (contains("612.617") and contains("đối thoại trực tiếp tại cơ sở") and contains("0200 000 004"))) | .file' "$PLACE/$name.$p" | wc -l | tr -d ' ')" 3
		same "$name/$p: Message-IDs differ" "$(jq -r .messageId "$PLACE/$name.$p" | sort -u | wc -l | tr -d ' ')" 73
		same "$name/$p: there is an HTML body" "$(jq -r 'select(.html > 200) | .file' "$PLACE/$name.$p" | wc -l | tr -d ' ')" 73
	done
	diff <(jq -c '[.messageId, (.text | gsub("[ \t\r]+\n"; "\n") | gsub("\r"; "") | gsub("\\s+$"; ""))]' "$PLACE/$name.py" | sort) <(jq -c '[.messageId, (.text | gsub("[ \t\r]+\n"; "\n") | gsub("\r"; "") | gsub("\\s+$"; ""))]' "$PLACE/$name.js" | sort) >"$PLACE/text.diff"
	if [ -s "$PLACE/text.diff" ]; then not_ok "$name: both parsers see the same text"; head -c 600 "$PLACE/text.diff"; else ok "$name: both parsers see the same text"; fi
}

# 1. Postfix with STARTTLS and AUTH, which relays to a server that keeps the mails.
/usr/bin/python3 "$PEERS/keep_mails.py" "$PLACE/behind" >"$PLACE/keep1.log" 2>&1 & EXTRA_PIDS=$!
until_true 20 test -s "$PLACE/behind/port" || not_ok "aiosmtpd starts"
if [ "$(id -u)" = 0 ] && postfix_start "$PLACE/postfix" "$(cat "$PLACE/behind/port")"; then
	trap 'rc=$?; postfix_stop; (exit $rc); place_end' EXIT
	cp "$PLACE/postfix/password" "$PLACE/pw"; chmod 600 "$PLACE/pw"
	SMTP_TLS=starttls SMTP_SETTINGS=$'  user: lantoa@test.example\n  secret: relay' SMTP_CHANNEL="secrets: {relay: {file: $PLACE/pw}}
tls: {ca: $POSTFIX_CA}" conf_write "$POSTFIX_PORT"
	send_all postfix
	check "postfix: passes everything on" until_true 60 enough "$PLACE/behind"
	looks postfix "$PLACE/behind"
	fresh
	printf 'wrong' >"$PLACE/pw"
	SMTP_TLS=starttls SMTP_SETTINGS=$'  user: lantoa@test.example\n  secret: relay' SMTP_CHANNEL="secrets: {relay: {file: $PLACE/pw}}
tls: {ca: $POSTFIX_CA}" conf_write "$POSTFIX_PORT"
	daemon_start && import_samples && editor -q submit "$BUNDLE" 2>/dev/null && approver -q approve $R --hash "$(hash_of $R)"
	waits() { operator --json queue | json - '(.totals.waiting // 0) == 73 and ([.rows[] | select(.why != null and .why != "")] | length) > 0' | grep -q true; }
	check "postfix: with a wrong password everything waits and the lane says why" until_true 30 waits
	check "the password stands in no log" bash -c "! grep -q wrong '$PLACE/lantoad.log'"
	daemon_stop
	fresh
	postfix_stop
elif [ "$(id -u)" = 0 ]; then
	not_ok "Postfix starts"
else
	ok "a real Postfix # SKIP needs root"
	postfix_certs "$PLACE/postfix" # for the third
fi

# 2. smtp-sink: plain, pipelining, counts what it takes.
mkdir -p "$PLACE/sink"; chmod 777 "$PLACE/sink"
SINK_PORT=$(/usr/bin/python3 -c 'import socket; s=socket.socket(); s.bind(("127.0.0.1",0)); print(s.getsockname()[1])')
/usr/sbin/smtp-sink $([ "$(id -u)" = 0 ] && echo -u nobody) -d "$PLACE/sink/m." "127.0.0.1:$SINK_PORT" 100 >"$PLACE/sink.log" 2>&1 & EXTRA_PIDS="$EXTRA_PIDS $!"
until_true 10 bash -c "exec 3<>/dev/tcp/127.0.0.1/$SINK_PORT"
conf_write "$SINK_PORT"
send_all smtp-sink
same "smtp-sink: 73 mails were dumped" "$(ls "$PLACE/sink" | wc -l | tr -d ' ')" 73
fresh

# 3. aiosmtpd: STARTTLS and AUTH demanded, no PIPELINING.
/usr/bin/python3 "$PEERS/keep_mails.py" "$PLACE/aio" --tls "$PLACE/postfix/tls.pem" "$PLACE/postfix/tls.key" --auth lantoa geheim-9 >"$PLACE/keep2.log" 2>&1 & EXTRA_PIDS="$EXTRA_PIDS $!"
until_true 20 test -s "$PLACE/aio/port" || not_ok "aiosmtpd starts with TLS"
printf 'geheim-9' >"$PLACE/pw"; chmod 600 "$PLACE/pw"
SMTP_TLS=starttls SMTP_SETTINGS=$'  user: lantoa\n  secret: relay' SMTP_CHANNEL="secrets: {relay: {file: $PLACE/pw}}
tls: {ca: $PLACE/postfix/ca.pem}" conf_write "$(cat "$PLACE/aio/port")"
send_all aiosmtpd
same "aiosmtpd: 73 mails came over TLS with AUTH" "$(cat "$PLACE"/aio/*.json | jq -r 'select(.tls and .auth) | .from' | wc -l | tr -d ' ')" 73
looks aiosmtpd "$PLACE/aio"
tap_end
