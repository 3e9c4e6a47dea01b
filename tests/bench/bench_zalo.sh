#!/usr/bin/env bash
# bench_zalo.sh [ZNS] [RATE] - how close Zalo's lanes come to what is allowed: 35 OAs against answers of 100 ms with two questions a
# verification, as a ratio to the longest chain of calls; ZNS template messages (10,000 unless said) as a share of the lane's rate.
. "$(dirname "${BASH_SOURCE[0]}")/../system/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/../system/lib_zalo.sh"
ZNS=${1:-10000} RATE=${2:-500}
place_new
echo "{\"zalo\": $(zalo_script ',"polls":1,"delay_ms":100')}" >"$PLACE/script.json"
sandbox_start --script "$PLACE/script.json"
zalo_conf "$(sandbox_port zalo)" "  zns_template: \"420017\""$'\n'"  zns_data: \"ten={name};tin={title}\""$'\n'"  window: 256"
cat >>"$PLACE/conf/channels.d/zalo.yaml" <<-END
classes:
  phone: {rate: $RATE/s, burst: 10, concurrency: 256, intents_max: 1024}
END
sed -i 's/^  backoff: \[1s\]/  intents_max: 1024\n&/' "$PLACE/conf/channels.d/zalo.yaml"
conf_write "$SMTP_PORT"
zalo_public
daemon_start || exit 1
import_samples
go() { # go CODE AUDIENCE FOLDER: approved; says when
	approver -q approve "$1" --hash "$(hash_of "$1")" && date +%s%3N
}
have() { sleep 0.2; [ "$(grep -c "\"kind\":\"$1\"" "$LEDGER")" -ge "$2" ]; } # have KIND N: in the ledger

# --- articles
{ cat "$TOP/config/examples/audiences.yaml"; echo 'all: {name: "OA", any: [{tag: page}]}'; echo 'many: {name: "Phones", any: [{tag: many}]}'; } >"$PLACE/aud.yaml"
admin -q audiences import "$PLACE/aud.yaml"
mkdir -p "$PLACE/w"; cp "$TOP/config/examples/release-ttbc-112/cover-16x9.png" "$PLACE/w/"
printf -- '---\ncode: ZB-1\nkind: press_release\ntitle: Thông cáo ZB-1\nsummary: Tóm tắt\nlink: https://portal.example/zb/1\ncover: {file: cover-16x9.png, alt: bìa}\nparts:\n  p: {to: all, channels: [zalo], at: now}\n---\nNội dung.\n' >"$PLACE/w/release.md"
editor -q submit "$PLACE/w" 2>/dev/null
from=$(go ZB-1)
until_true 60 have article 35
to=$(zalo_ledger 'map(select(.kind == "article")) | [length, (map(.at) | max)] | @csv')
calls=8 chain=$((8 * 100 + 4 * ${ZALO_POLL:-100})) # guard, create, 2 verify, update, 2 verify, link; a pause before each verify
wall=$((${to#*,} - from))
echo "articles: ${to%,*} of 35 shown $wall ms after the approval; the chain of $calls calls and 4 pauses is $chain ms: ratio $(awk -v a=$wall -v b=$chain 'BEGIN { printf "%.2f", a / b }') (bound 1.30 to the last answer)"

# --- template messages
{ cat "$TOP/config/examples/targets.csv"; for i in $(seq 1 "$ZNS"); do printf 'zalo,phone:8491%07d,trung-uong,Người %d,,many\n' $((2000000 + i)) "$i"; done; } | grep -v '000[123],trung-uong' >"$PLACE/many.csv"
N=$(grep -c 'phone:' "$PLACE/many.csv")
zalo_tell '{"cmd":"zalo","delay_ms":20}'
admin -q targets import "$PLACE/many.csv" 2>/dev/null
printf -- '---\ncode: ZB-2\nkind: notice\ntitle: Thông báo ZB-2\nparts:\n  p: {to: many, channels: [zalo], at: now}\n---\nNội dung.\n' >"$PLACE/zns.md"
editor -q submit "$PLACE/zns.md" 2>/dev/null
go ZB-2 >/dev/null
until_true 180 have zns "$N"
zalo_ledger 'map(select(.kind == "zns")) | [length, (map(.at) | max) - (map(.at) | min)] | @csv' >"$PLACE/zns.out"
got=$(cut -d, -f1 "$PLACE/zns.out") ms=$(cut -d, -f2 "$PLACE/zns.out")
echo "template messages: $got of $N in $ms ms: $(awk -v n="$got" -v ms="$ms" 'BEGIN { printf "%.0f", n * 1000 / ms }')/s of $RATE/s allowed ($(awk -v n="$got" -v ms="$ms" -v r="$RATE" 'BEGIN { printf "%.1f", n * 100000 / ms / r }') %)"
[ "${to%,*}" = 35 ] && [ "$got" = "$N" ]
