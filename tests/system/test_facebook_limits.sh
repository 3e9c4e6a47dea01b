#!/usr/bin/env bash
# test_facebook_limits.sh - the app is limited (code 4) while 35 pages are in the middle of their posts: what was under way is refused once a
# page, nothing more is sent until the time to come back, then all go on and nothing is live twice. A page that posts too fast pauses and
# then stands for a person. Figures that were missed while the daemon was down are read at its start.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/lib_facebook.sh"
place_new
P=104200000000
echo "{$(facebook_script '"delay_ms":150')}" >"$PLACE/script.json"
sandbox_start --script "$PLACE/script.json"
facebook_conf "  check_hours: 0"
sed 's/\(1390008\t\*\tcool\taccount\tfree\t\)86400/\11/' "$TOP/config/outcomes/facebook.tsv" >"$PLACE/facebook.tsv"
sed -i "s|files: {outcomes: .*|files: {outcomes: $PLACE/facebook.tsv}|; s/  regain_ms: 500/  regain_ms: 4000/; s/^webhook:/stats: {every: 24h}\nwebhook:/" "$PLACE/conf/channels.d/facebook.yaml"
conf_write "$SMTP_PORT"
daemon_start || { not_ok "the daemon starts"; tap_end; exit 1; }
check "the sample files are imported" import_samples
{ cat "$TOP/config/examples/audiences.yaml"; echo 'pages: {name: "Pages", any: [{tag: page}]}'; } >"$PLACE/aud.yaml"
check "an audience of all pages" admin audiences import "$PLACE/aud.yaml"
mkdir "$PLACE/w"
release() { # release CODE: a text of its own
	printf -- '---\ncode: %s\nkind: press_release\ntitle: Thông cáo %s\nlink: https://portal.example/%s\nparts:\n  p: {to: pages, channels: [facebook], at: now}\n---\n%s\n' "$1" "$1" "$1" "$(for i in $(seq 40); do printf '%s%d ' "$1" "$i"; done)" >"$PLACE/w/release.md"
	editor -q submit "$PLACE/w" && approver -q approve "$1" --hash "$(hash_of "$1")"
}
live() { jq -c 'select(.t == "fb" and (.what == "live" or .what == "double"))' "$LEDGER" 2>/dev/null | wc -l; }
drafts() { [ "$(jq -c 'select(.t == "fb" and .what == "draft")' "$LEDGER" 2>/dev/null | wc -l)" -ge "$1" ]; }
ok_n() { [ "$(operator --json report "$1" | jq '[.deliveries[] | select(.state == "accepted" or .state == "delivered")] | length')" -ge "$2" ]; }
check "a release is approved" release FL-1
check "pages are in the middle of it" until_true 20 drafts 5
facebook_ctl '"do":"set","app_throttle_ms":3000' >/dev/null
sleep 2.5 # the limit lasts: what comes in the meantime is counted
facebook_state >"$PLACE/limited.json"
N=$(json "$PLACE/limited.json" .limited)
check "each page heard of it once at most ($N calls)" bash -c "[ $N -ge 1 ] && [ $N -le 35 ]"
check "after it all pages get it" until_true 60 ok_n FL-1 35
facebook_state >"$PLACE/state.json"
same "no call went in vain since" "$(json "$PLACE/state.json" .limited)" "$N"
same "35 are live" "$(live)" 35
same "none twice" "$(json "$PLACE/state.json" .doubles)" 0
same "the report has a link for each, made from its id where the limit kept the permalink away" "$(operator --json report FL-1 | jq -r '.deliveries[].url' | sort -u | grep -c '^https://www.facebook.com/')" 35

facebook_ctl '"do":"set","delay_ms":0,"fast_posts":1' >/dev/null
check "a second release" release FL-2
too_fast() { operator --json channels | jq -e '[.. | strings | select(test("the pause did not help"))] | length >= 35'; }
check "pages that post too fast pause once, then stand for a person" until_true 30 too_fast
facebook_ctl '"do":"set","fast_posts":0' >/dev/null
check "a person lets them go on" operator resume --channel fb -m "looked at"
fb_resume() { for a in $(facebook_pages | cut -d' ' -f2); do operator -q resume --lane "fb/$a/page" -m "looked at" >/dev/null 2>&1; done; ok_n FL-2 35; }
check "and they get it" until_true 60 fb_resume

post_of() { operator --json report FL-1 | jq -r ".deliveries[] | select(.address == \"${P}$1\") | .provider_id"; }
fate() { operator --json delivery "$(operator --json report FL-1 | jq -r ".deliveries[] | select(.address == \"${P}$1\") | .delivery")" | jq -e ".fate == \"$2\""; }
GONE=$(post_of 103)
daemon_kill
facebook_ctl "\"do\":\"change\",\"post\":\"$GONE\",\"gone\":true" >/dev/null
# What the daemon was down for: a day.
sqlite3 "$PLACE/state/lantoa.db" "UPDATE account_stat SET value = value - 90000000 WHERE name = 'stats_read_at_ms'"
daemon_start || not_ok "the daemon starts again"
check "a post that vanished while the daemon was down is told at its start" until_true 90 fate 103 gone
# Of the post that is gone nobody can ask any more.
links() { [ "$(operator --json report FL-1 | jq -r ".deliveries[] | select(.address != \"${P}103\") | .url" | sort -u | grep -c '/posts/')" = 34 ]; }
check "with the figures came the permalinks that the limit had kept away" until_true 90 links
same "and nothing was posted again" "$(live)" 70
check "fsck is clean" operator fsck
tap_end
