#!/usr/bin/env bash
# test_recall.sh - what was published is taken back where the provider can, said honestly where not, through refusals and kill -9; a correction edits
# what stands, where the provider can, and is a message of its own where not.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/peers/scene.sh"
place_new
WORLD=$PLACE/world.jsonl
token_service "$WORLD"
provider open=1
world() { jq -s -r "$1" "$WORLD"; }
ALLOW=', "@loop"' conf_write 1
cat >"$PLACE/conf/channels.d/mail.yaml" <<-EOF
	name: mail
	kind: email
	adapter: loopback
	correct: edit
	settings: {url: "http://127.0.0.1:$TP/publish"}
	accounts: [{name: relay}]
	lane: {backoff: [1s], urgent_backoff: [1s], timeout: 20s, breaker_pause: 1s}
EOF
scene_files
sed -i 's/^email,vanphong@\([a-z-]*\)[^,]*/email,ok+\1@loop/' "$PLACE/targets.csv"
sed -i 's/ok+ca-mau@loop/ok+stay-ca-mau@loop/' "$PLACE/targets.csv"
daemon_start || { not_ok "the daemon starts"; tap_end; exit 1; }
check "the agency is imported" scene_import
release_now() { editor -q submit "$(release_md "$1" "$ALL_NOW")" 2>/dev/null && approve_it "$1"; }
taken() { operator --json recalls "$1" | jq -e --arg s "$2" --argjson n "$3" '[.rows[] | select(.state == $s)] | length == $n'; } # taken R STATE N

echo "# an office's share"
release_now REC-1
check "four are published" until_true 20 settled REC-1 4
check "one office's share is recalled" operator --yes recall REC-1 --office hue -m "wrong hotline"
check "it is gone" until_true 20 taken REC-1 gone 1
same "one call, for that one" "$(world '[.[] | select(.ev == "delete")] | length')" 1
check "the release itself goes on" release_is REC-1 done
refuse "who only writes may not" 3 editor --yes recall REC-1 -m "no"

echo "# the whole"
operator --json --yes recall REC-1 -m "a wrong date" >"$PLACE/recall.json"
same "says how many are asked back" "$(jq -r '.asked' "$PLACE/recall.json")" 3
check "two more are gone" until_true 20 taken REC-1 gone 3
check "one is refused, with the provider's words" until_true 20 bash -c "'$B/lantoa' --as 'Lê Vận Hành' --json recalls REC-1 | jq -e '.rows[] | select(.state == \"refused\") | .said | contains(\"leaves it where it is\")'"
same "none was asked twice" "$(world '[.[] | select(.ev == "delete") | .ref] | length == (unique | length)')" true
check "the release is recalled" release_is REC-1 recalled
D=$(operator --json recalls REC-1 | jq -r '[.rows[] | select(.state == "gone")][0].delivery')
check "a delivery shows it beside its state" bash -c "'$B/lantoa' --as 'Lê Vận Hành' --json delivery $D | jq -e '.state == \"accepted\" and .recall.state == \"gone\"'"
check "it stands in the audit" audited 'delivery.recalled' gone

echo "# a provider that is busy, and kill -9 in between"
release_now REC-2
until_true 20 settled REC-2 4
provider busy=1
provider after=400
operator -q --yes recall REC-2 -m "again"
check "one is asked back" until_true 10 bash -c "[ \$(jq -s '[.[] | select(.ev == \"delete\")] | length' '$WORLD') -gt 4 ]"
daemon_kill
provider after=0
check "the daemon starts again" daemon_start
check "and takes back what was under way" until_true 30 taken REC-2 gone 3
check "the refused one stays refused" until_true 10 taken REC-2 refused 1

echo "# a correction"
release_now REC-3
until_true 20 settled REC-3 4
BEFORE=$(world '[.[] | select(.ev == "publish")] | length')
editor -q correct REC-3 "$(release_md REC-3 "$ALL_NOW" 'Xin đính chính. Hỏi {{office.hotline}}.')" >/dev/null 2>&1
check "needs its own approval" release_is REC-3-DC1 in_review
same "and nothing is changed before it" "$(world '[.[] | select(.ev == "edit")] | length')" 0
check "it is approved" approve_it REC-3-DC1
check "every delivery of it ends" until_true 20 settled REC-3-DC1 4
same "what stands is edited, once each, with the approved words" "$(world '[.[] | select(.ev == "edit" and (.body | contains("Xin đính chính")))] | length')" 3
same "by the number that the first one got" "$(world '([.[] | select(.ev == "edit") | .ref] - [.[] | select(.ev == "publish") | .ref]) | length')" 0
same "nothing is published a second time" "$(world '[.[] | select(.ev == "publish")] | length')" "$BEFORE"
same "what the provider does not edit is refused, with its words" "$(operator --json report REC-3-DC1 | jq -r '[.deliveries[] | select(.state == "failed")] | length')" 1
editor -q correct REC-3-DC1 "$(release_md REC-3-DC2 "$ALL_NOW" 'Đính chính lần hai. Hỏi {{office.hotline}}.')" >/dev/null 2>&1
check "a correction of the correction is approved" approve_it REC-3-DC2
check "and edits the same once more" until_true 20 bash -c "[ \$(jq -s '[.[] | select(.ev == \"edit\" and (.body | contains(\"lần hai\")))] | length' '$WORLD') -eq 3 ]"
sed -i 's/correct: edit/correct: message/' "$PLACE/conf/channels.d/mail.yaml"
check "where the channel says so" admin -q reload
editor -q correct REC-3-DC2 "$(release_md REC-3-DC3 "$ALL_NOW" 'Đính chính lần ba. Hỏi {{office.hotline}}.')" >/dev/null 2>&1
check "a third one is approved" approve_it REC-3-DC3
check "and is a message of its own" until_true 20 bash -c "[ \$(jq -s '[.[] | select(.ev == \"publish\")] | length' '$WORLD') -eq $((BEFORE + 3)) ]"
echo "# a correction of what was recalled"
BEFORE=$(world '[.[] | select(.ev == "publish")] | length')
check "what was recalled can be corrected: a message that is out stays out" editor -q correct REC-1 "$(release_md REC-1-DC1 "$ALL_NOW" 'Xin đính chính bản đã thu hồi. Hỏi {{office.hotline}}.')"
check "it is approved like any other" approve_it REC-1-DC1
check "and goes to all four whom the first one had reached" until_true 20 bash -c "[ \$(jq -s '[.[] | select(.ev == \"publish\")] | length' '$WORLD') -eq $((BEFORE + 4)) ]"
check "the first one stays recalled" release_is REC-1 recalled
check "fsck agrees" operator -q fsck
check "the audit's chain holds" operator -q audit verify
tap_end
