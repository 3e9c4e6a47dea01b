#!/usr/bin/env bash
# test_min_gap.sh - a second message to an address waits for min_gap, and the queue and the delivery say so.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/peers/scene.sh"
place_new
sandbox_start
conf_write "$SMTP_PORT" "min_gap: 1h"
scene_people
scene_files
daemon_start || { not_ok "the daemon starts"; tap_end; exit 1; }
check "the agency is imported" scene_import
for code in GAP-1 GAP-2; do
	printf -- '---\ncode: %s\nkind: notice\ncategory: public_notice\ntitle: Thông báo %s\nparts:\n  all: %s\n---\nNội dung %s.\n' $code $code "$ALL_NOW" $code >"$PLACE/$code.md"
	editor -q submit "$PLACE/$code.md" && approve_it $code
	[ $code = GAP-1 ] && { check "the first goes out" operator watch -q GAP-1 --timeout 20; }
done
waits() { operator --json deliveries --release GAP-2 >"$PLACE/rows.json" && jq -e '[.rows[] | select(.state == "waiting" and (.why // "" | startswith("min_gap: ")))] | length == 4' "$PLACE/rows.json"; }
check "each of the second says why it waits" until_true 20 waits
says_queue() { operator --json queue | jq -e '[.. | .why? // empty | select(startswith("min_gap: "))] | length > 0'; }
check "the queue says it too" until_true 20 says_queue
check "one delivery, looked at alone, as well" bash -c "'$B/lantoa' --as 'Lê Vận Hành' --json delivery $(jq '.rows[0].delivery' "$PLACE/rows.json") | jq -e '.why | startswith(\"min_gap: \")'"
same "those that went out give no such reason" "$(operator --json deliveries --release GAP-1 | jq '[.rows[] | select(.why)] | length')" 0
check "fsck is clean" operator fsck
tap_end
