#!/usr/bin/env bash
# facebook_steps.sh - kill -9 between every two steps: each page hangs at another step, before or after it took effect, when the daemon
# dies. Afterwards every page has the post once, with its pictures, and no draft is left after the look at the pages.
. "$(dirname "${BASH_SOURCE[0]}")/../system/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/../system/lib_facebook.sh"
place_new
R=TTBC-2026-112 P=104200000000
cp -r "$TOP/config/examples/release-ttbc-112" "$PLACE/bundle"
sed -i '/^  press:/,/^  public:/{/^  public:/!d};/^  offices:/,/^text:/{/^text:/!d};s/channels: \[zalo, facebook\]/channels: [facebook]/;s/spread: 10s/spread: 0s/' "$PLACE/bundle/release.md"
rules= FB_DIRECT= page=100
hang() { # hang METHOD TAIL SKIP: one page hangs before it, the next one behind it
	local when
	for when in before after; do
		rules="$rules${rules:+,}{\"server\":\"facebook\",\"method\":\"$1\",\"match\":\"/v25.0/$P$page$2\",\"do\":\"silent\",\"when\":\"$when\",\"skip\":$3,\"times\":1}"
		[ "$4" = two_phase ] || FB_DIRECT="$FB_DIRECT $P$page"
		page=$((page + 1))
	done
}
for mode in two_phase direct; do
	hang GET "" 0 $mode                 # its token
	hang GET "/published_posts" 0 $mode # the look before
	hang POST "/photos" 0 $mode
	hang POST "/photos" 1 $mode
	hang POST "/feed" 0 $mode # draft, or the post
	[ $mode = direct ] || hang POST "_*" 0 $mode # live
	hang GET "_*" 0 $mode     # permalink
done
echo "{$(facebook_script), \"http_rules\": [$rules]}" >"$PLACE/script.json"
sandbox_start --script "$PLACE/script.json"
FB_GET_MS=20000 FB_POST_MS=20000 FB_PHOTO_MS=20000 FB_DRAFT_LIFE_MS=2000
facebook_conf
conf_write "$SMTP_PORT"
daemon_start || exit 1
import_samples >/dev/null
editor -q submit "$PLACE/bundle" >/dev/null && approver -q approve $R --hash "$(hash_of $R)" >/dev/null || exit 1
done_n() { operator --json report $R | jq '[.deliveries[] | select(.state == "accepted" or .state == "delivered")] | length'; }
hanging=$((page - 100))
rest() { [ "$(done_n)" = $((35 - hanging)) ]; }
check "$hanging pages hang at their steps, the others are done" until_true 20 rest
sleep 0.3
daemon_kill
FB_GET_MS=1500 FB_POST_MS=1500 FB_PHOTO_MS=3000 ROUTES= ALLOW=
facebook_conf
daemon_start || { not_ok "the daemon starts again"; tap_end; exit 1; }
all() { [ "$(done_n)" = 35 ]; }
check "after the kill every page gets it" until_true 60 all
[ $T_BAD -eq 0 ] || operator --json report $R | jq -r '.deliveries[] | select(.state != "accepted" and .state != "delivered") | [.address,.state,.tries,.code,.said,.why] | @tsv' | sed 's/^/# /'
sleep 5
clean() { operator --json channel check fb --all >/dev/null 2>&1; [ "$(facebook_state | jq .orphans)" = 0 ]; }
check "no draft is left over after the look at the pages" until_true 200 clean
facebook_state >"$PLACE/state.json"
same "35 posts are live" "$(json "$PLACE/state.json" .live)" 35
same "with 70 pictures" "$(json "$PLACE/state.json" .photos_live)" 70
same "none twice" "$(json "$PLACE/state.json" .doubles)" 0
same "every picture has its alt text" "$(json "$PLACE/state.json" .alts_live)" 70
same "all in one order" "$(jq -c 'select(.t == "fb" and .what == "live") | .alts' "$LEDGER" | sort -u | wc -l | tr -d " ")" 1
same "the report has a link for each page" "$(operator --json report $R | jq -r ".deliveries[].url" | sort -u | grep -c "^https://www.facebook.com/")" 35
same "one on each page" "$(jq -r 'select(.t == "fb" and (.what == "live" or .what == "double")) | .page' "$LEDGER" | sort | uniq -d | wc -l | tr -d ' ')" 0
check "fsck is clean" operator fsck
tap_end
