#!/usr/bin/env bash
# bench_facebook.sh - 35 pages with three pictures each against answers of 50 ms (MS): wall time of a release from the first attempt to the
# last post with its link, beside the longest chain of calls (guard, three photos, draft, live, permalink: 7; the tokens are derived before),
# median of three; then what five pages that never answer do to the other 30: their p99 over ROUNDS (5) releases each, taking turns.
. "$(dirname "${BASH_SOURCE[0]}")/../system/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/../system/lib_facebook.sh"
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
MS=${MS:-50} ROUNDS=${ROUNDS:-5} P=104200000000
place_new
# Pictures of a few kilobytes: the protocol is measured, not this machine's copying (PICTURES=large: the sample's own, 70 MB a release).
mkdir -p "$PLACE/w"
cp "$TOP"/config/examples/release-ttbc-112/*.png "$PLACE/w/"
[ "${PICTURES:-small}" = large ] || /usr/bin/python3 - "$PLACE/w" <<-'END'
	import struct, sys, zlib
	def chunk(t, d): return struct.pack(">I", len(d)) + t + d + struct.pack(">I", zlib.crc32(t + d))
	for n, name in enumerate(("cover-16x9.png", "infographic-1.png", "infographic-2.png")):
	    rows = b"".join(b"\0" + bytes((x * (n + 3) + y) % 251 for x in range(3 * 320)) for y in range(180))
	    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 320, 180, 8, 2, 0, 0, 0)) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
	    open(sys.argv[1] + "/" + name, "wb").write(png)
	END
echo "{$(facebook_script "\"delay_ms\":$MS")}" >"$PLACE/script.json"
sandbox_start --script "$PLACE/script.json"
facebook_conf
conf_write "$SMTP_PORT"
daemon_start || exit 1
{ cat "$TOP/config/examples/audiences.yaml"; echo 'pages: {name: "Pages", any: [{tag: page}]}'; } >"$PLACE/aud.yaml"
{ import_samples && admin -q audiences import "$PLACE/aud.yaml"; } >/dev/null 2>&1
operator channel check fb --all >/dev/null
faults() { # faults yes|no: five pages never get an answer to what they post
	local p rules=
	[ "$1" = no ] || for p in 101 102 103 104 105; do rules="$rules${rules:+,}{\"server\":\"facebook\",\"method\":\"POST\",\"match\":\"/v25.0/$P$p/**\",\"do\":\"silent\"}"; done
	sandbox_ctl "{\"cmd\":\"http_rules\",\"rules\":[$rules],\"replace\":true}"
}
rows() { # rows CODE: account, start and time of each attempt that was accepted
	sqlite3 -readonly -separator ' ' "$PLACE/state/lantoa.db" "SELECT k.address, a.started, a.took_ms FROM release r JOIN lot l ON l.release_id = r.id JOIN delivery d ON d.lot_id = l.id JOIN contact k ON k.id = d.contact_id JOIN attempt a ON a.delivery_id = d.id WHERE r.code = '$1' AND a.outcome = 1"
}
have() { sleep 0.1; [ "$(rows "$1" | wc -l)" -ge "$2" ]; } # have CODE N
n=0
release() { # release WANT: a text of its own, or the guard would hold it. Sets R
	n=$((n + 1)) R=FB-$n
	local word; word=$(echo "$n" | sha256sum | tr -dc a-f | cut -c1-12)
	printf -- '---\ncode: %s\nkind: press_release\ntitle: Thông cáo thử %s\nlink: https://portal.example/fb/%s\nimages:\n  - {file: infographic-1.png, alt: "một"}\n  - {file: infographic-2.png, alt: "hai"}\n  - {file: cover-16x9.png, alt: "ba"}\nparts:\n  p: {to: pages, channels: [facebook], at: now}\n---\n%s\n' \
		$R "$word" "$n" "$(for i in $(seq 40); do printf '%s%d ' "$word" "$i"; done)" >"$PLACE/w/release.md"
	editor -q submit "$PLACE/w" >"$PLACE/said" 2>&1 && approver -q approve $R --hash "$(hash_of $R)" >/dev/null || { echo "release $R: not taken"; head -5 "$PLACE/said"; exit 1; }
	until_true 60 have $R "$1" || { echo "release $R: $(rows $R | wc -l) of $1"; exit 1; }
}
p99() { sort -n | awk '{ v[NR] = $1 } END { i = int(NR * 0.99 + 0.999); print v[i < NR ? i : NR] }'; }
for _ in 1 2 3; do
	release 35
	rows $R | awk 'NR == 1 || $2 < a { a = $2 } $2 + $3 > b { b = $2 + $3 } END { print b - a }' >>"$PLACE/walls"
done
chain=$((7 * MS)) wall=$(median <"$PLACE/walls")
echo "35 pages x 3 pictures     $wall ms a release; the longest chain of calls, 7 of $MS ms, is $chain ms: $(ratio "$wall" $chain) x (bound: 1.30; $(tr '\n' ' ' <"$PLACE/walls")ms)"
for _ in $(seq "$ROUNDS"); do
	for with in no yes; do
		faults $with
		release 30
		rows $R | grep -Ev "^${P}10[1-5] " | cut -d' ' -f3 >>"$PLACE/took.$with"
		operator -q --yes cancel $R -m "measured" >/dev/null 2>&1
	done
done
echo "30 pages beside 5 silent  p99 $(p99 <"$PLACE/took.yes") ms, median $(median <"$PLACE/took.yes"); without trouble p99 $(p99 <"$PLACE/took.no") ms, median $(median <"$PLACE/took.no"): $(ratio "$(p99 <"$PLACE/took.yes")" "$(p99 <"$PLACE/took.no")") x (bound: 1.05; $(wc -l <"$PLACE/took.yes") and $(wc -l <"$PLACE/took.no") attempts)"
[ "$(facebook_state | jq .doubles)" = 0 ] || { echo "doubles: $(facebook_state)"; exit 1; }
