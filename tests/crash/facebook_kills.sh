#!/usr/bin/env bash
# facebook_kills.sh N - kill -9 at random instants while the sample release goes to 35 pages, N kills in all, a new release for every seven;
# answers are lost at random meanwhile. Afterwards: each page each release once, every picture there, no draft left after the daily look.
# LOG=docs/evidence/facebook-kills.log keeps what it says; a thousand take about a second and a half each.
. "$(dirname "${BASH_SOURCE[0]}")/../system/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/kill_lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/../system/lib_facebook.sh"
N=${1:-50} SEED=${SEED:-7} FROM=$SECONDS
if [ -n "${LOG:-}" ] && [ -z "${LOGGED:-}" ]; then
	mkdir -p "$(dirname "$LOG")"
	LOGGED=1 "$0" "$@" 2>&1 | sed -u "s|$TOP/||g" | tee "$LOG"
	exit "${PIPESTATUS[0]}"
fi
place_new
echo "facebook_kills $N, seed $SEED: $(date -u +%Y-%m-%dT%H:%M:%SZ), $(uname -srm), $(nproc) cores, commit $(git -C "$TOP" rev-parse --short HEAD 2>/dev/null || echo none)"
RANDOM=$SEED
echo "{$(facebook_script '"delay_ms":15'), \"http_rules\": [
 {\"server\":\"facebook\",\"method\":\"POST\",\"match\":\"/v25.0/*/feed\",\"when\":\"after\",\"do\":\"drop\",\"percent\":6},
 {\"server\":\"facebook\",\"method\":\"POST\",\"match\":\"/v25.0/104*_*\",\"when\":\"after\",\"do\":\"reset\",\"percent\":6},
 {\"server\":\"facebook\",\"method\":\"POST\",\"match\":\"/v25.0/*/photos\",\"when\":\"after\",\"do\":\"drop\",\"percent\":4}]}" >"$PLACE/script.json"
sandbox_start --script "$PLACE/script.json"
FB_DRAFT_LIFE_MS=3000
FB_DIRECT=$(facebook_pages | awk 'NR % 5 == 0 {print $1}' | tr '\n' ' ')
facebook_conf
conf_write "$SMTP_PORT"
daemon_start >/dev/null || exit 1
import_samples >/dev/null
n=0 bad=0
release() { # a new release: its own code, title, text and link, or the guard would hold it
	n=$((n + 1)) R=TTBC-2026-$((500 + n))
	rm -rf "$PLACE/bundle"
	cp -r "$TOP/config/examples/release-ttbc-112" "$PLACE/bundle"
	rm -f "$PLACE/bundle/body.en.md"
	local word; word=$(printf 'số %s %s' "$n" "$(echo $n$SEED | sha256sum | tr -d '0-9 -' | cut -c1-18)")
	sed -i '/^  press:/,/^  public:/{/^  public:/!d};/^  offices:/,/^text:/{/^text:/!d};s/channels: \[zalo, facebook\]/channels: [facebook]/;s/spread: 10s/spread: 0s/' "$PLACE/bundle/release.md"
	sed -i "s/TTBC-2026-112/$R/;s#ttbc/112#ttbc/$((500 + n))#;s/^title: .*/title: Thông cáo thử nghiệm $word/" "$PLACE/bundle/release.md"
	sed -i '/^text:/,/^---$/{/^text:/d;/^  sms/d}' "$PLACE/bundle/release.md"
	awk -v w="$word" '/^---$/ {c++} {print} c == 2 && !done {for (i = 1; i <= 60; i++) printf "câu%d%s ", i, w; print "\n"; done = 1; exit}' "$PLACE/bundle/release.md" >"$PLACE/bundle/new" && mv "$PLACE/bundle/new" "$PLACE/bundle/release.md"
	editor -q submit "$PLACE/bundle" >"$PLACE/said" 2>&1 && approver -q approve $R --hash "$(hash_of $R)" >/dev/null || { echo "release $R: not taken"; cat "$PLACE/said"; exit 1; }
}
ASIDE=$PLACE/aside
: >"$ASIDE"
settled() {
	# Who was in the adapter's hands at two kills is set aside for a person, as after two crashes: a person lets it go on.
	local d; d=$(operator --json report "$1" | jq -r '.deliveries[] | select(.state == "held" and ((.why // "") | startswith("poison"))) | .delivery')
	[ -z "$d" ] || { echo $d | tee -a "$ASIDE" | xargs "$B/lantoa" --as 'Lê Vận Hành' -q retry -m "killed on purpose"; } >/dev/null 2>&1
	[ "$(operator --json report "$1" | jq '[.deliveries[] | select(.state == "accepted" or .state == "delivered")] | length')" -ge 35 ]
}
while [ $kills -lt "$N" ]; do
	release
	kill_seven "$N" 8
	until_true 120 settled $R || { echo "release $R does not settle"; operator --json report $R | jq -r '.deliveries[] | select(.state != "accepted" and .state != "delivered") | [.address,.state,.tries,.code,.said,.why] | @tsv'; bad=1; break; }
	echo "$kills kills, release $R: $(facebook_state | jq -c '{live, photos_live, orphans, doubles, lacking, leaks}')"
done
sleep 6
sweep() { operator --json channel check fb --all >/dev/null 2>&1; [ "$(facebook_state | jq .orphans)" = 0 ]; }
until_true 200 sweep
facebook_state | jq -c . | tee "$PLACE/end.json"
[ "$(jq .live "$PLACE/end.json")" = $((35 * n)) ] || { echo "not $((35 * n)) live"; bad=1; }
[ "$(jq .photos_live "$PLACE/end.json")" = $((70 * n)) ] || { echo "not $((70 * n)) pictures"; bad=1; }
for k in doubles orphans leaks lacking; do [ "$(jq .$k "$PLACE/end.json")" = 0 ] || { echo "$k: $(jq .$k "$PLACE/end.json")"; bad=1; }; done
operator -q fsck || bad=1
[ $bad = 0 ] && echo "facebook_kills: $kills kills, $n releases, 35 pages each, nothing twice, nothing left over, $(wc -w <"$ASIDE") set aside after two kills and let go on, $((SECONDS - FROM)) s"
exit $((bad || T_BAD))
