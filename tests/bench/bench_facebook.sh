#!/usr/bin/env bash
# bench_facebook.sh - 35 pages with three pictures each against answers of 50 ms: wall time from the first request to the last post live,
# beside the longest chain of calls (guard, token, three photos, draft, live, permalink = 8 calls). The target is 1.3 times.
. "$(dirname "${BASH_SOURCE[0]}")/../system/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/../system/lib_facebook.sh"
place_new
R=TTBC-2026-112 MS=${MS:-50}
cp -r "$TOP/config/examples/release-ttbc-112" "$PLACE/bundle"
sed -i '/^  press:/,/^  public:/{/^  public:/!d};/^  offices:/,/^text:/{/^text:/!d};s/channels: \[zalo, facebook\]/channels: [facebook]/;s/spread: 10s/spread: 0s/' "$PLACE/bundle/release.md"
sed -i 's/^images:/images:\n  - {file: cover-16x9.png, alt: "Ảnh thứ ba"}/' "$PLACE/bundle/release.md"
echo "{$(facebook_script "\"delay_ms\":$MS")}" >"$PLACE/script.json"
sandbox_start --script "$PLACE/script.json"
facebook_conf
conf_write "$SMTP_PORT"
daemon_start || exit 1
import_samples >/dev/null
editor -q submit "$PLACE/bundle" >/dev/null || exit 1
approver -q approve $R --hash "$(hash_of $R)" >/dev/null || exit 1
until_true 30 bash -c "[ \$('$B/sandbox' ctl --dir '$PLACE/sandbox' '{\"cmd\":\"facebook\",\"do\":\"state\"}' | jq .live) = 35 ]" || { echo "not 35 live"; facebook_state; exit 1; }
sleep 0.5
first=$(jq -s '[.[] | select(.t == "fb")] | map(.at) | min' "$LEDGER")
last=$(jq -s '[.[] | select(.t == "fb" and .what == "live")] | map(.at) | max' "$LEDGER")
# The ledger begins with the first photo (guard and token are before it) and ends with live (the permalink is behind it): five calls.
wall=$((last - first)) chain=$((5 * MS))
echo "35 pages x $(jq -s '[.[] | select(.t == "fb" and .what == "live")][0].photos | length' "$LEDGER") pictures: photos to live ${wall} ms for all pages; chain of one page ${chain} ms; factor $(awk "BEGIN{printf \"%.2f\", $wall/$chain}")"
for p in 0.5 0.95 1; do :; done
operator --json report $R | jq -r '"deliveries accepted: \([.deliveries[] | select(.state == "accepted" or .state == "delivered")] | length)"'
sed -n 's/.*ev=attempt.done.*ch=fb.* send_ms=\([0-9]*\).*/\1/p' "$PLACE/lantoad.log" | sort -n | awk '{v[NR]=$1} END{printf "one attempt, all eight calls (8 x '"$MS"' ms = '"$((8 * MS))"'): median %d ms, max %d ms, factor of the max %.2f\n", v[int((NR+1)/2)], v[NR], v[NR]/(8*'"$MS"')}'
