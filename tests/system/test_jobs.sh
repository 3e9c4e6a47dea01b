#!/usr/bin/env bash
# test_jobs.sh - what runs beside sending, with the real daemon and the loopback adapter: webhooks over HTTP with their bounds, a
# reply only after the commit, receipts that come twice, early or for nobody, polls, statistics, inbound, revocation, kill -9.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/peers/scene.sh"
place_new
SECRET=$(od -An -tx1 -N24 /dev/urandom | tr -d ' \n')
jobs_conf() { # jobs_conf [lines of the channel]
	conf_write 1
	rm -f "$PLACE/conf/channels.d/mail.yaml"
	sed -i 's|^  email: mail/relay|  email: loop/main|' "$PLACE/conf/lantoad.yaml"
	printf '%s\n' "$SECRET" >"$PLACE/conf/channels.d/hook"; chmod 600 "$PLACE/conf/channels.d/hook"
	cat >"$PLACE/conf/channels.d/loop.yaml" <<-EOF
	name: loop
	kind: email
	adapter: loopback
	accounts: [{name: main, identity: page-1}, {name: second, identity: page-2}]
	webhook: {secret: {file: hook}, body_max: 4KB, timeout: ${HOOK_TIMEOUT:-2s}, at_once: 2, ${HOOK_MORE:-proxies: [127.0.0.1]}}
	inbound: {keep: 30d}
	${1:-}
	lane: {receipt_wait: 1d, timeout: 30s}
	EOF
}
scene_files
cat >"$PLACE/targets.csv" <<-EOF
channel,address,office,name,lang,tags
email,ok@trung-uong.bhxh.example,trung-uong,A,,office
email,ok-delivered@dien-bien.bhxh.example,dien-bien,B,,office
email,ok-gone-42@hue.bhxh.example,hue,C,,office
email,ok-changed-7@ca-mau.bhxh.example,ca-mau,D,,office
EOF
jobs_conf
echo short >"$PLACE/conf/channels.d/hook"
refuse "a secret that can be guessed is refused by --check" 6 "$B/lantoad" --demo --config "$PLACE/conf/lantoad.yaml" --check
jobs_conf
check "a good one passes" "$B/lantoad" --demo --config "$PLACE/conf/lantoad.yaml" --check
daemon_start || { not_ok "the daemon starts"; tap_end; exit 1; }
check "the agency is imported" scene_import
hook() { # hook PATH-BEHIND-/w/ [curl options]: the status
	local path=$1; shift
	curl -s -m 20 -o "$PLACE/answer" -w '%{http_code}' "$@" "http://127.0.0.1:$(public_port)/w/$path"
}
report() { operator --json report "$1"; }
row_of() { report "$1" | jq -c --arg a "$2" '.deliveries[] | select(.address | startswith($a))'; } # row_of R ADDRESS-START
state_of() { row_of "$1" "$2" | jq -r .state; }
ref_of() { row_of "$1" "$2" | jq -r .provider_id; }
receipts_of() { operator --json delivery "$(row_of "$1" "$2" | jq -r .delivery)" | jq '.receipts | length'; }
has_state() { [ "$(state_of "$1" "$2")" = "$3" ]; }
release_now() { editor -q submit "$(release_md "$1" "$ALL_NOW")" 2>/dev/null && approve_it "$1"; }

echo "# webhooks: who may call, and how much"
same "a console's test with a challenge is answered with it" "$(hook "loop/$SECRET?challenge=42")$(cat "$PLACE/answer")" 20042
same "a wrong secret looks like nothing" "$(hook "loop/${SECRET}x") $(hook "loop/${SECRET%?}") $(hook "lop/$SECRET")" "404 404 404"
same "an account by its name, one that is not there" "$(hook "loop/$SECRET/second" -d '') $(hook "loop/$SECRET/third" -d '')" "200 404"
same "a body that is too large is 413" "$(head -c 5000 /dev/zero | tr '\0' x | hook "loop/$SECRET" --data-binary @-)" 413
same "one that goes on without a length is cut" "$(head -c 50000 /dev/zero | tr '\0' x | hook "loop/$SECRET" -H 'Transfer-Encoding: chunked' --data-binary @- | grep -c 200)" 0
same "what the adapter does not understand is its 400" "$(hook "loop/$SECRET" -d 'nonsense')" 400
same "an adapter that is silent is answered for" "$(hook "loop/$SECRET" -d 'silent')" 503
# Each until it has a place: a question of ours may have had it.
for i in 1 2; do until [ "$(curl -s -m 10 -o /dev/null -w '%{http_code}' -d 'wait 1500' "http://127.0.0.1:$(public_port)/w/loop/$SECRET")" != 503 ]; do :; done & done
sleep_until_busy() { [ "$(hook "loop/$SECRET" -d 'reply 200')" = 503 ]; }
check "more at once than allowed are 503" until_true 5 sleep_until_busy
freed() { [ "$(hook "loop/$SECRET" -d 'reply 200')" = 200 ]; }
check "and room comes back" until_true 10 freed
check "the address stands in no log" bash -c "! grep -q '$SECRET' '$PLACE/lantoad.log'"

echo "# receipts"
check "a release goes out" release_now JOB-1
check "all four are accepted" until_true 20 settled JOB-1 4
REF=$(ref_of JOB-1 ok@trung)
same "a receipt is stored before the 200" "$(hook "loop/$SECRET" -d "receipt delivered $REF")" 200
same "the delivery is delivered" "$(state_of JOB-1 ok@trung)" delivered
same "the same again changes nothing" "$(hook "loop/$SECRET" -d "receipt delivered $REF") $(receipts_of JOB-1 ok@trung)" "200 1"
rows() { sqlite3 -readonly "$PLACE/state/lantoa.db" "SELECT count(*) FROM $1"; }
same "one for an id that nobody knows is kept and answered" "$(hook "loop/$SECRET/main" -d 'receipt delivered nobody-knows') $(rows orphan)" "200 1"
same "several in one call" "$(hook "loop/$SECRET" -d "receipt transit $(ref_of JOB-1 ok-gone)
receipt seen $(ref_of JOB-1 ok-changed)")" 200
same "seen counts as delivered, transit does not" "$(state_of JOB-1 ok-changed) $(state_of JOB-1 ok-gone)" "delivered accepted"

echo "# kill -9 between the commit and the reply"
HOOK_TIMEOUT=19s jobs_conf
check "replies may take longer now" admin reload
REF=$(ref_of JOB-1 ok-delivered)
curl -s -m 40 -o /dev/null -d "receipt delivered $REF
wait 18500" "http://127.0.0.1:$(public_port)/w/loop/$SECRET" &
CURL_PID=$!
committed() { has_state JOB-1 ok-delivered delivered; }
check "the receipt is committed while the caller waits" until_true 15 committed
daemon_kill
wait $CURL_PID; same "the caller got no answer" "$([ $? -ne 0 ] && echo none)" none
daemon_start || not_ok "the daemon starts again"
same "the caller sends it again and gets its 200" "$(hook "loop/$SECRET" -d "receipt delivered $REF")" 200
same "it stands there once" "$(state_of JOB-1 ok-delivered) $(receipts_of JOB-1 ok-delivered)" "delivered 1"

echo "# what people send"
same "a text is stored, and once" "$(hook "loop/$SECRET" -d 'in text someone@x.bhxh.example d1 Xin chào
in text someone@x.bhxh.example d1 Xin chào') $(rows inbound)" "200 1"
same "an opt-out by its words suppresses the address" "$(hook "loop/$SECRET" -d 'in text OK@trung-uong.bhxh.example d2 Từ chối')" 200
check "with an audit that names no address" bash -c "'$B/lantoa' --as 'Lê Vận Hành' --json audit --limit 100 | jq -e '[.rows[] | select(.what == \"suppression.add\" and (.via | startswith(\"inbound:loop\")))] | length == 1'"
check "and no log names it" bash -c "! grep -qi 'ok@trung-uong' '$PLACE/lantoad.log'"
check "the next release" release_now JOB-2
check "comes to rest" until_true 20 settled JOB-2 4
same "leaves out who opted out" "$(state_of JOB-2 ok@trung) $(state_of JOB-2 ok-gone)" "suppressed accepted"
same "a revocation of an account by its identity" "$(hook "loop/$SECRET" -d 'in revoked - d3 @page-1 the page was disconnected')" 200
lane_held() { operator --json channels | jq -e '[.rows[] | select(.channel=="loop") | .accounts[] | select(.account=="main") | .lanes[] | select((.why // "") | test("revoked by the provider"))] | length >= 1'; }
check "holds its lanes and says why" lane_held
second_free() { operator --json channels | jq -e '[.rows[] | select(.channel=="loop") | .accounts[] | select(.account=="second") | .lanes[] | select(.gate=="held")] | length == 0'; }
check "and those of the other account go on" second_free
daemon_stop; daemon_start || not_ok "the daemon starts again"
check "a restart keeps them held" lane_held

echo "# polls and statistics, after a reload that asks for them"
jobs_conf 'poll: {every: 1s, batch: 1}
	stats: {every: 1s, batch: 3}'
sed -i 's/^\t//' "$PLACE/conf/channels.d/loop.yaml"
check "the configuration is reloaded" admin reload
polled() { has_state JOB-2 ok-delivered delivered; }
check "a poll brings the receipt that was not pushed" until_true 15 polled
looked() { row_of JOB-2 ok-gone | jq -e '.stats.views == 42 and .fate == "gone" and .fate_at > 0'; }
check "statistics bring numbers, and that a post is gone, as a fact beside the state" until_true 15 looked
same "the state stays" "$(state_of JOB-2 ok-gone)" accepted
changed() { row_of JOB-1 ok-changed | jq -e '.stats.views == 7 and .fate == "changed" and .state == "delivered"'; }
check "that another was changed" until_true 15 changed
check "one delivery shows them" bash -c "'$B/lantoa' --as 'Lê Vận Hành' delivery $(row_of JOB-2 ok-gone | jq -r .delivery) | grep -q '42 views'"
check "the report shows them" bash -c "'$B/lantoa' --as 'Lê Vận Hành' report JOB-2 | grep -qE ' 42 views +gone '"
followers() { operator --json channels | jq -e '[.rows[] | select(.channel=="loop") | .accounts[] | select(.stats.followers == 1234)] | length == 2'; }
check "numbers of each account stand with the channels" until_true 15 followers
same "nothing was sent again" "$(report JOB-2 | jq '[.deliveries[] | .tries] | max')" 1

echo "# callers by address"
HOOK_MORE="allow: [203.0.113.0/24], proxies: [127.0.0.1]" jobs_conf
admin -q reload
same "a caller that is not listed is 403" "$(hook "loop/$SECRET" -d '')" 403
same "one that the proxy names may" "$(hook "loop/$SECRET" -d '' -H 'X-Forwarded-For: 203.0.113.9')" 200
same "a forged first address does not help" "$(hook "loop/$SECRET" -d '' -H 'X-Forwarded-For: 203.0.113.9, 198.51.100.1')" 403
MANY=(-H 'X-Forwarded-For: 203.0.113.9'); for i in $(seq 64); do MANY+=(-H "X-$i: y"); done
same "nor one that pushes the proxy's own line out of the table" "$(hook "loop/$SECRET" -d '' "${MANY[@]}" -H 'X-Forwarded-For: 198.51.100.1')" 431
OLD=$SECRET; SECRET=${SECRET}new
HOOK_MORE='' jobs_conf
admin -q reload
same "a reload changes the address" "$(hook "loop/$OLD" -d '') $(hook "loop/$SECRET" -d '')" "404 200"
check "who only wrote to us can be forgotten too" admin targets forget someone@x.bhxh.example -m "asked for it"
forgotten() { ! grep -rqa someone@x.bhxh.example "$PLACE/state"; }
check "and stands nowhere any more" until_true 10 forgotten
check "fsck is clean" operator fsck
check "the audit chain holds" operator audit verify
daemon_stop
tap_end
