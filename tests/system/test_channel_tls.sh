#!/usr/bin/env bash
# test_channel_tls.sh - a private authority, a client certificate and a proxy of a channel: used on the wire, and looked at by
# --check and by a reload before anything is sent.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/peers/scene.sh"
PEERS=$TOP/tests/system/peers
place_new
scene_files
cert() { # cert NAME SUBJECT CA-NAME: NAME.pem and NAME.key, signed by the authority
	openssl req -newkey rsa:2048 -nodes -keyout "$PLACE/$1.key" -out "$PLACE/$1.csr" -subj "/CN=$2" >/dev/null 2>&1 &&
		openssl x509 -req -in "$PLACE/$1.csr" -CA "$PLACE/$3.pem" -CAkey "$PLACE/$3.key" -CAcreateserial -days 2 -out "$PLACE/$1.pem" \
			-extfile <(echo "subjectAltName=IP:127.0.0.1,DNS:localhost") >/dev/null 2>&1
}
for ca in ours theirs; do openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout "$PLACE/$ca.key" -out "$PLACE/$ca.pem" -subj "/CN=$ca" >/dev/null 2>&1; done
cert server 127.0.0.1 ours && cert client lantoa ours && cert stranger lantoa theirs || { not_ok "the certificates are made"; tap_end; exit 1; }
chmod 600 "$PLACE"/*.key
/usr/bin/python3 "$PEERS/keep_mails.py" "$PLACE/got" --tls "$PLACE/server.pem" "$PLACE/server.key" --client-ca "$PLACE/ours.pem" >"$PLACE/keep.log" 2>&1 & EXTRA_PIDS="$EXTRA_PIDS $!"
/usr/bin/python3 "$PEERS/connect_proxy.py" "$PLACE/tunnels" >"$PLACE/proxy.log" 2>&1 & EXTRA_PIDS="$EXTRA_PIDS $!"
until_true 20 test -s "$PLACE/got/port" || not_ok "the relay starts"
until_true 20 test -s "$PLACE/tunnels.port" || not_ok "the proxy starts"
PORT=$(cat "$PLACE/got/port") PROXY=127.0.0.1:$(cat "$PLACE/tunnels.port")
conf() { # conf LINES: the channel with these further lines
	SMTP_TLS=starttls SMTP_CHANNEL=$1 conf_write "$PORT"
}
mails() { ls "$PLACE/got" | grep -c '\.eml$'; }
has() { [ "$(mails)" -ge "$1" ]; }
lane_says() { operator --json channels | jq -e --arg w "$1" '[.. | .why? // empty | strings | select(test($w; "i"))] | length > 0'; }
next() { # next N: a new release
	editor -q submit "$(release_md "TLS-$1" "$ALL_NOW")" 2>/dev/null && approve_it "TLS-$1"
}

echo "# the wire"
conf "tls: {ca: $PLACE/ours.pem, cert: $PLACE/client.pem, key: $PLACE/client.key}
proxy: http://$PROXY"
daemon_start || { not_ok "the daemon starts"; tap_end; exit 1; }
check "the agency is imported" scene_import
next 1
check "with our certificate, through the proxy, everything goes" until_true 30 has 4
same "and nothing beside the proxy" "$(sort -u "$PLACE/tunnels" 2>/dev/null)" "CONNECT 127.0.0.1:$PORT"
conf "tls: {ca: $PLACE/ours.pem, cert: $PLACE/stranger.pem, key: $PLACE/stranger.key}"
check "a reload takes another certificate" admin reload
next 2
check "which the relay does not take: the lane says why" until_true 30 lane_says 'certificate|tls|ssl|closed|reading failed|connection reset'
same "and no mail went" "$(mails)" 4
conf "tls: {ca: $PLACE/theirs.pem, cert: $PLACE/client.pem, key: $PLACE/client.key}"
check "a reload takes another authority" admin reload
check "the relay is not theirs: the lane says why" until_true 30 lane_says 'certificate|issuer|tls|ssl'
same "and no mail went" "$(mails)" 4
conf "tls: {ca: $PLACE/ours.pem, cert: $PLACE/client.pem, key: $PLACE/client.key}"
check "the right ones again" admin reload
check "and what waited goes" until_true 60 has 8
conf "tls: {cert: $PLACE/client.pem, key: $PLACE/client.key}"
check "a reload takes the authority away" admin reload
next 3
check "nobody else knows it: the lane says why" until_true 30 lane_says 'certificate|issuer|tls|ssl'
same "and no mail went" "$(mails)" 8
conf "tls: {cert: $PLACE/client.pem, key: $PLACE/client.key, insecure_loopback: yes}
proxy: http://$PROXY"
n=$(wc -l <"$PLACE/tunnels")
check "insecure_loopback is not for what a proxy reaches" admin reload
tunnelled() { [ "$(wc -l <"$PLACE/tunnels")" -gt "$n" ]; }
check "it is tried through the proxy" until_true 30 tunnelled
check "the lane says why" until_true 30 lane_says 'certificate|issuer|tls|ssl'
sleep 1
same "and no mail went" "$(mails)" 8
conf "tls: {cert: $PLACE/client.pem, key: $PLACE/client.key, insecure_loopback: yes}"
check "insecure_loopback" admin reload
check "takes any certificate of this machine" until_true 60 has 12
check "fsck is clean" operator fsck

echo "# what cannot be used is refused before it is"
wrong() { # wrong "sentence" PATTERN LINES: --check and a reload refuse it with file, line and this
	conf "$3"
	refuse "$1: --check" 6 "$B/lantoad" --demo --config "$PLACE/conf/lantoad.yaml" --check
	says "$1: says so" "mail\.yaml:[0-9]+:.*$2"
	refuse "$1: a reload" 6 admin reload
}
wrong "an authority that is not there" "ca: .*nirgendwo\.pem.*No such file" "tls: {ca: $PLACE/nirgendwo.pem}"
printf 'hello' >"$PLACE/text.pem"
wrong "a file that is no PEM" "ca: .*text\.pem.*PEM" "tls: {ca: $PLACE/text.pem}"
cp "$PLACE/client.key" "$PLACE/open.key"; chmod 644 "$PLACE/open.key"
wrong "a key that others may read" "key: .*open\.key.*0600" "tls: {ca: $PLACE/ours.pem, cert: $PLACE/client.pem, key: $PLACE/open.key}"
wrong "a certificate without its key" "cert.*key" "tls: {cert: $PLACE/client.pem}"
wrong "a proxy that is no address" "proxy: 'not a url'.*http://" "proxy: not a url"
wrong "a proxy of a scheme nobody speaks" "proxy: 'ftp://.*http://" "proxy: ftp://127.0.0.1:21"
wrong "a password in a file that others may read" "proxy: .*0640" "proxy: http://u:geheim-7@127.0.0.1:3128"
if grep -q geheim-7 "$PLACE/check.out"; then not_ok "and it is not repeated"; else ok "and it is not repeated"; fi
check "the daemon goes on with what it had" operator status
tap_end
