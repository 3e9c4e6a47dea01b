#!/usr/bin/env bash
# test_smpp_peer.sh - the duty part of the sample against a real SMPP server, npm smpp: a first bind that is refused without a body, texts
# in two segments, ids in hex that come back in padded decimal, and an unbind at the stop.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/lib_smpp.sh"
PEERS=$TOP/tests/system/peers
R=TTBC-2026-112
place_new
mkdir -p "$PLACE/npm"; cp "$PEERS"/package*.json "$PEERS/smpp_server.js" "$PLACE/npm/"
(cd "$PLACE/npm" && npm ci --no-audit --no-fund --silent >"$PLACE/npm.log" 2>&1) || { not_ok "npm installs smpp"; tail -5 "$PLACE/npm.log"; tap_end; exit 1; }
touch "$PLACE/peer.jsonl"
(cd "$PLACE/npm" && exec node smpp_server.js "$PLACE/peer.jsonl" refuse-first) >"$PLACE/peer.port" 2>"$PLACE/peer.err" &
EXTRA_PIDS="$EXTRA_PIDS $!"
until_true 15 test -s "$PLACE/peer.port" || { not_ok "the server starts"; cat "$PLACE/peer.err"; tap_end; exit 1; }
sandbox_port() { cat "$PLACE/peer.port"; }
smpp_conf
# The table says a minute after a wrong password; a test has no minute.
sed 's/^\(bind\t0E\t.*\t\)60\t/\11\t/' "$TOP/config/outcomes/smpp.tsv" >"$PLACE/conf/smpp.tsv"
sed -i "s|outcomes: .*|outcomes: $PLACE/conf/smpp.tsv|" "$PLACE/conf/channels.d/tin-nhan.yaml"
conf_write 9
cp -r "$TOP/config/examples/release-ttbc-112" "$PLACE/bundle"
sed -i '/^  press:/,/^  offices:/{/^  offices:/!d}; /^  offices:/,/^  duty:/{/^  duty:/!d}; /^  group:/,/internal: true/d; s/after: public/at: now/' "$PLACE/bundle/release.md"
daemon_start || { not_ok "the daemon starts"; tap_end; exit 1; }
check "the sample files are imported" import_samples
check "a refused bind is told with its reason" until_true 10 grep -q 'ev=session.failed .*ESME_RINVPASWD' "$PLACE/lantoad.log"
check "and tried again" until_true 15 grep -q '"bound":"bind_transceiver"' "$PLACE/peer.jsonl"
check "the release is approved" bash -c "'$B/lantoa' --as 'Nguyễn Thị Biên' -q submit '$PLACE/bundle' && '$B/lantoa' --as 'Trần Văn Duyệt' -q approve $R --hash \$('$B/lantoa' --as 'Trần Văn Duyệt' --json review $R | jq -r .hash)"
delivered() { [ "$(operator --json deliveries --release $R --state delivered --limit 100 | json - '.rows | length')" = 35 ]; }
check "35 reports move 35 deliveries to delivered, ids in hex and in decimal" until_true 30 delivered
jq -r 'select(.text) | "+" + .to + " " + .text' "$PLACE/peer.jsonl" | sort >"$PLACE/got"
smpp_expected >"$PLACE/want"
check "the server read exactly the text of each phone, once each" diff "$PLACE/want" "$PLACE/got"
same "every report was acknowledged as stored" "$(jq -r 'select(has("report")) | .report' "$PLACE/peer.jsonl" | sort | uniq -c | tr -s ' ')" " 70 0"
daemon_stop
check "at the stop the link is unbound" until_true 5 grep -q '"unbound":true' "$PLACE/peer.jsonl"
tap_end
