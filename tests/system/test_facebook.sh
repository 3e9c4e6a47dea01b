#!/usr/bin/env bash
# test_facebook.sh - the sample release with its two infographics on 35 pages of the sandbox's Graph API, through its faults: lost and
# spoiled answers at every step, late listings, throttles, a revoked token, missing rights, posts made by hand, direct mode with
# questions, kill -9 in between. Nothing is live twice, nothing lacks a picture, no secret is anywhere.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/lib_facebook.sh"
place_new
R=TTBC-2026-112
P=104200000000
cp -r "$TOP/config/examples/release-ttbc-112" "$PLACE/bundle"
# Only the part for pages, and at once.
sed -i '/^  press:/,/^  public:/{/^  public:/!d};/^  offices:/,/^text:/{/^text:/!d};s/channels: \[zalo, facebook\]/channels: [facebook]/;s/spread: 10s/spread: 0s/' "$PLACE/bundle/release.md"
E2='{\"error\":{\"message\":\"An unexpected error has occurred. Please retry later.\",\"type\":\"OAuthException\",\"is_transient\":true,\"code\":2,\"fbtrace_id\":\"Atest3\"}}'
rule() { # rule METHOD PAGE TAIL WHEN REST
	echo "{\"server\":\"facebook\",\"method\":\"$1\",\"match\":\"/v25.0/$P$2$3\",\"when\":\"$4\",\"times\":1,$5},"
}
{
	echo "{$(facebook_script '"empty_pages":1'), \"http_rules\": ["
	for at in "101 /feed" "128 /feed" "106 _*" "111 /photos" "130 /feed"; do set -- $at; rule POST "$1" "$2" after "\"do\":\"reply\",\"code\":500,\"type\":\"application/json\",\"body\":\"$E2\""; done
	for at in "102 /feed" "107 _*" "112 /photos" "131 /feed"; do set -- $at; rule POST "$1" "$2" after '"do":"drop"'; done
	for at in "103 /feed" "108 _*"; do set -- $at; rule POST "$1" "$2" after '"do":"silent"'; done
	for at in "104 /feed" "109 _*"; do set -- $at; rule POST "$1" "$2" after '"do":"reply","half":true'; done
	for at in "105 /feed" "110 _*"; do set -- $at; rule POST "$1" "$2" after '"do":"reply","code":502,"type":"text/html","body":"<html>Bad Gateway</html>"'; done
	rule POST 124 /feed after '"do":"reply","code":200,"type":"text/plain","body":"Service Unavailable"'
	rule POST 125 /feed after '"do":"reply","trickle_ms":20'
	rule POST 126 /feed after '"do":"reply","trickle_ms":600'
	rule POST 113 /feed after '"do":"drop"'
	rule POST 127 '_*' after '"do":"reply","code":400,"type":"application/json","body":"{\"error\":{\"message\":\"Unsupported post request.\",\"type\":\"GraphMethodException\",\"code\":100,\"error_subcode\":33}}"'
	rule POST 118 '_*' before '"do":"reset"'
	rule POST 132 /feed before '"do":"drop"'
	rule GET 119 /published_posts before '"do":"reply","code":502,"type":"text/html","body":"<html>"'
	rule GET 120 '_*' before '"do":"reset"' | sed 's/,$//'
	echo "]}"
} >"$PLACE/script.json"
sandbox_start --script "$PLACE/script.json"
FB_DIRECT="${P}130 ${P}131 ${P}132 ${P}133"
facebook_conf
conf_write "$SMTP_PORT"
daemon_start || { not_ok "the daemon starts"; tap_end; exit 1; }
facebook_ctl "\"do\":\"page\",\"page\":\"${P}113\",\"list_delay_ms\":2500" >/dev/null
facebook_ctl "\"do\":\"page\",\"page\":\"${P}131\",\"list_delay_ms\":1500" >/dev/null
facebook_ctl "\"do\":\"page\",\"page\":\"${P}128\",\"no_feed\":true" >/dev/null
facebook_ctl "\"do\":\"page\",\"page\":\"${P}114\",\"throttle\":{\"times\":2,\"headers\":true}" >/dev/null
facebook_ctl "\"do\":\"page\",\"page\":\"${P}115\",\"throttle\":{\"times\":2,\"headers\":false,\"code\":32}" >/dev/null
facebook_ctl "\"do\":\"page\",\"page\":\"${P}116\",\"revoked\":true" >/dev/null
facebook_ctl "\"do\":\"page\",\"page\":\"${P}117\",\"no_rights\":true" >/dev/null
facebook_ctl "\"do\":\"post\",\"page\":\"${P}121\",\"message\":\"Mời bà con xem\",\"link\":\"http://www.portal.example/ttbc/112/?utm_source=fb\",\"title\":\"Cổng\"" >/dev/null
facebook_ctl "\"do\":\"post\",\"page\":\"${P}122\",\"message\":\"Năm năm đổi mới truyền thông BHXH, BHYT ở vùng cao!\"" >/dev/null
facebook_ctl "\"do\":\"post\",\"page\":\"${P}123\",\"message\":\"Thông báo nghỉ lễ Quốc khánh\"" >/dev/null

check "the sample files are imported" import_samples
check "the editor submits" editor submit "$PLACE/bundle"
check "the preview shows text and pictures" bash -c "'$B/lantoa' --as 'Nguyễn Thị Biên' preview $R --part public --office hue | tee '$PLACE/preview' | grep -q 'BHXH thành phố Huế' && grep -c '\[picture\]' '$PLACE/preview' | grep -q 2"
check "a second person approves" approver approve $R --hash "$(hash_of $R)"
# The daemon dies now and then, in the middle of it.
for wait in 0.7 0.9; do sleep $wait; daemon_kill; daemon_start || not_ok "the daemon starts again"; done
fb_state() { operator --json report $R | jq -r --arg a "$P$1" '.deliveries[] | select(.address == $a) | .state'; }
# All but the four with trouble of their own go out, whatever was under way at both kills.
onward() {
	[ "$(operator --json report $R | jq '[.deliveries[] | select(.state == "accepted" or .state == "delivered")] | length')" -ge 31 ]
}
check "31 pages get it" until_true 30 onward
operator --json report $R >"$PLACE/report.json"
[ $T_BAD -eq 0 ] || jq -r '.deliveries[] | select(.state != "accepted" and .state != "delivered") | [.address,.state,.tries,.code,.said,.why] | @tsv' "$PLACE/report.json" | sed 's/^/# /'
for p in 121 122; do same "page $p has it by hand: held" "$(fb_state $p)" held; done
check "the held one names the post that is there" bash -c "jq -e '.deliveries[] | select(.address == \"${P}121\") | .url | startswith(\"https://www.facebook.com/\")' '$PLACE/report.json'"
for p in 116 117; do same "page $p waits for a person" "$(fb_state $p)" waiting; done
check "their lanes say why" bash -c "'$B/lantoa' --as 'Lê Vận Hành' --json channels >'$PLACE/lanes.json'; jq -e '[.. | strings | select(test(\"held: refused: 200|lost the role\"))] | length >= 2' '$PLACE/lanes.json'"
facebook_state >"$PLACE/state.json"
same "31 posts are live" "$(json "$PLACE/state.json" .live)" 31
same "with 62 pictures" "$(json "$PLACE/state.json" .photos_live)" 62
same "each with its alt text" "$(json "$PLACE/state.json" .alts_live)" 62
same "nothing is live twice" "$(json "$PLACE/state.json" .doubles)" 0
same "no post lacks a picture" "$(json "$PLACE/state.json" .lacking)" 0
same "no token in an address" "$(json "$PLACE/state.json" .leaks)" 0
same "no request with a token that was refused" "$(json "$PLACE/state.json" .after_token)" 0
jq -r 'select(.t == "fb" and (.what == "live" or .what == "double")) | .page' "$LEDGER" | sort >"$PLACE/live"
same "one on each page" "$(uniq -d "$PLACE/live" | wc -l | tr -d ' ')" 0
jq -r 'select(.t == "fb" and .what == "live") | .permalink' "$LEDGER" | sort >"$PLACE/links"
jq -r '.deliveries[] | select(.state == "accepted" or .state == "delivered") | .url' "$PLACE/report.json" | sort >"$PLACE/urls"
same "the report's links are the permalinks (a lost one names the post)" "$(comm -12 "$PLACE/links" "$PLACE/urls" | wc -l | tr -d ' ')" "$(($(wc -l <"$PLACE/urls") - $(grep -c "facebook.com/${P}" "$PLACE/urls")))"
same "pictures stand in the release's order" "$(jq -c 'select(.t == "fb" and .what == "live") | .alts' "$LEDGER" | sort -u | wc -l | tr -d ' ')" 1
check "the first picture is the first infographic" bash -c "jq -r 'select(.t == \"fb\" and .what == \"live\") | .alts[0]' '$LEDGER' | head -1 | grep -q '612.617'"

# A person settles the one held; the others are repaired.
D=$(json "$PLACE/report.json" ".deliveries[] | select(.address == \"${P}121\") | .delivery")
check "resolve sent adopts the post made by hand" operator resolve sent "$D" --link "https://www.facebook.com/x/posts/1" -m "posted by the office"
facebook_ctl "\"do\":\"page\",\"page\":\"${P}117\",\"no_rights\":false" >/dev/null
check "the page with rights again goes on" operator resume --lane "fb/$(facebook_pages | sed -n "s/^${P}117 //p")/page" -m "rights given"
check "and gets its post" until_true 10 bash -c "'$B/lantoa' --as 'Lê Vận Hành' --json report $R | jq -e '.deliveries[] | select(.address == \"${P}117\") | .state == \"accepted\" or .state == \"delivered\"'"

facebook_ctl "\"do\":\"page\",\"page\":\"${P}116\",\"revoked\":false" >/dev/null
# Within the pause of the last refusal a check may ask, but not derive.
check "a check of the page whose token is good again derives it" until_true 60 operator channel check fb --account "$(facebook_pages | sed -n "s/^${P}116 //p")"
check "and it gets its post" until_true 20 bash -c "'$B/lantoa' --as 'Lê Vận Hành' --json report $R | jq -e '.deliveries[] | select(.address == \"${P}116\") | .state == \"accepted\" or .state == \"delivered\"'"

# Drafts whose answer was lost and that showed up late: a look takes them away when they are old enough (tests/crash/facebook_steps.sh).
facebook_state | jq -e '.orphans <= 2' >/dev/null && ok "at most the late drafts are left over" || not_ok "orphans: $(facebook_state | jq .orphans)"

# Canaries.
CORE= # a core can be had by root only; without one nothing is said of it
gcore -o "$PLACE/core" "$DAEMON_PID" >/dev/null 2>&1 && CORE="core, "
operator --json audit --limit 500 >"$PLACE/audit.json"
operator --json delivery "$D" >"$PLACE/delivery.json"
# Of this test only: its neighbours call curl with the same words. A test stands in a process group of its own (timeout).
own_commands() { for p in $(ps -eo pid=,pgid= | awk -v g="$(ps -o pgid= -p $$ | tr -d ' ')" '$2 == g { print $1 }'); do tr '\0' '\n' <"/proc/$p/cmdline"; done 2>/dev/null; }
leak() { # nowhere but in the files of the secrets; what is found is named
	local f=0
	printf '%s' "$1" >"$PLACE/secrets/word"
	grep -raobF -f "$PLACE/secrets/word" "$PLACE/state" "$PLACE/run" "$PLACE"/*.log "$PLACE"/{audit,delivery,report,state}.json "$PLACE"/core* "$LEDGER" 2>/dev/null |
		head -5 | sed 's/^/# /' | grep . && f=1
	own_commands | grep -qF -f "$PLACE/secrets/word" && echo "# in a command line" && f=1
	return $f
}
check "the daemon's command line is among those looked at" bash -c 'grep -q "lantoad" <<<"$1"' _ "$(own_commands)"
for c in "$FB_APP_SECRET" "$FB_SYSTEM_TOKEN" "EAAPage" canary-verify-word canaryhookpath; do check "no trace of ${c:0:9}… in state, exchange, log, audit, ledger, ${CORE}command lines" leak "$c"; done
check "fsck is clean" operator fsck
check "the audit chain holds" operator audit verify
tap_end
