#!/usr/bin/env bash
# bench_zalo.sh [ZNS] [RATE] - how close Zalo's lanes come to what is allowed: 35 OAs against answers of 100 ms with two questions a
# verification, from the approval to the last delivery that is done, as a ratio to the longest chain of calls (median of three releases);
# ZNS template messages (10,000 unless said), all of them waiting, as a share of the lane's rate (500 a second unless said).
. "$(dirname "${BASH_SOURCE[0]}")/../system/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/../system/lib_zalo.sh"
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
ZNS=${1:-10000} RATE=${2:-500} RUNS=3
place_new
echo "{\"zalo\": $(zalo_script ',"polls":1,"delay_ms":100')}" >"$PLACE/script.json"
sandbox_start --script "$PLACE/script.json"
zalo_conf "$(sandbox_port zalo)" "  zns_template: \"420017\""$'\n'"  zns_data: \"ten={name};tin={title}\""$'\n'"  window: 256"
cat >>"$PLACE/conf/channels.d/zalo.yaml" <<-END
classes:
  phone: {rate: $RATE/s, concurrency: 256, intents_max: 1024, bulk: yes}
END
sed -i 's/^  backoff: \[1s\]/  intents_max: 1024\n&/' "$PLACE/conf/channels.d/zalo.yaml"
conf_write "$SMTP_PORT"
zalo_public
daemon_start || exit 1
import_samples
ended() { # ended CODE: "DONE LAST": how many are accepted, and when the last of them was (ms)
	sqlite3 -readonly -separator ' ' "$PLACE/state/lantoa.db" "SELECT count(*), max(a.started + a.took_ms) FROM release r JOIN lot l ON l.release_id = r.id JOIN delivery d ON d.lot_id = l.id JOIN attempt a ON a.delivery_id = d.id WHERE r.code = '$1' AND a.outcome = 1"
}
have() { sleep 0.2; [ "$(ended "$1" | cut -d' ' -f1)" -ge "$2" ]; } # have CODE N

# --- articles
{ cat "$TOP/config/examples/audiences.yaml"; echo 'all: {name: "OA", any: [{tag: page}]}'; echo 'many: {name: "Phones", any: [{tag: many}]}'; } >"$PLACE/aud.yaml"
admin -q audiences import "$PLACE/aud.yaml" 2>/dev/null
mkdir -p "$PLACE/w"; cp "$TOP/config/examples/release-ttbc-112/cover-16x9.png" "$PLACE/w/"
calls=8 chain=$((8 * 100 + 4 * ${ZALO_POLL:-100})) # guard, create, 2 verify, update, 2 verify, link; a pause before each verify
good=0
for i in $(seq 1 $RUNS); do
	printf -- '---\ncode: ZB-%d\nkind: press_release\ntitle: Thông cáo ZB-%d\nsummary: Tóm tắt\nlink: https://portal.example/zb/%d\ncover: {file: cover-16x9.png, alt: bìa}\nparts:\n  p: {to: all, channels: [zalo], at: now}\n---\nNội dung.\n' "$i" "$i" "$i" >"$PLACE/w/release.md"
	editor -q submit "$PLACE/w" 2>/dev/null
	hash=$(hash_of "ZB-$i")
	from=$(now_ms)
	approver -q approve "ZB-$i" --hash "$hash" || exit 1
	until_true 60 have "ZB-$i" 35
	read -r n last < <(ended "ZB-$i")
	good=$((good + n))
	echo $((last - from)) >>"$PLACE/walls"
done
wall=$(median <"$PLACE/walls")
echo "35 OAs, articles          $good of $((35 * RUNS)) done; the last of a release $wall ms after its approval; the chain of $calls calls of 100 ms and 4 pauses is $chain ms: $(ratio "$wall" $chain) x (bound: 1.30; $(tr '\n' ' ' <"$PLACE/walls")ms)"

# --- template messages
{ cat "$TOP/config/examples/targets.csv"; for i in $(seq 1 "$ZNS"); do printf 'zalo,phone:8491%07d,trung-uong,Người %d,,many\n' $((2000000 + i)) "$i"; done; } | grep -v '000[123],trung-uong' >"$PLACE/many.csv"
N=$(grep -c 'phone:' "$PLACE/many.csv")
zalo_tell '{"cmd":"zalo","delay_ms":20}'
admin -q targets import "$PLACE/many.csv" 2>/dev/null
printf -- '---\ncode: ZB-9\nkind: notice\ntitle: Thông báo ZB-9\nparts:\n  p: {to: many, channels: [zalo], go: signal, window: 12h}\n---\nNội dung.\n' >"$PLACE/zns.md"
editor -q submit "$PLACE/zns.md" 2>/dev/null
approver -q approve ZB-9 --hash "$(hash_of ZB-9)" || exit 1
planned() { [ "$(operator --json queue | jq -r '.totals.waiting // 0')" = "$N" ]; }
until_true 60 planned || echo "# not all are planned: $(operator --json queue | jq -c .totals)"
cpu=$(cpu_us "$DAEMON_PID") box=$(cpu_us "$SANDBOX_PID")
operator -q go ZB-9 --part p >/dev/null || exit 1
until_true 300 have ZB-9 "$N"
cpu=$((($(cpu_us "$DAEMON_PID") - cpu) / N)) box=$((($(cpu_us "$SANDBOX_PID") - box) / N))
zalo_ledger 'map(select(.kind == "zns")) | [length, (map(.at) | max) - (map(.at) | min)] | @csv' >"$PLACE/zns.out"
got=$(cut -d, -f1 "$PLACE/zns.out") ms=$(cut -d, -f2 "$PLACE/zns.out")
echo "template messages (ZNS)   $got of $N in $ms ms: $(per_s "$got" "$ms")/s of $RATE/s allowed, $(awk -v n="$got" -v ms="$ms" -v r="$RATE" 'BEGIN { printf "%.1f", n * 100000 / ms / r }') % (bound: 90 %); $cpu us CPU a message, the imitated Zalo $box us"
[ "$good" = $((35 * RUNS)) ] && [ "$got" = "$N" ]
