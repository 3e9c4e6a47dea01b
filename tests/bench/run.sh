#!/usr/bin/env bash
# run.sh - speed and memory side by side in one run, as medians of BENCH_RUNS (5): the daemon with every state durable, smtp-source -d,
# a bare libcurl + libuv loop, a Postfix that relays; all into the same smtp-sink, 4 KiB mails with one recipient each.
# BENCH_MAILS (50000) a run, BENCH_PLAN (300000) contacts for import and planning, BENCH_CONNECTIONS (20). It measures; it never fails
# because something is slow.
. "$(dirname "${BASH_SOURCE[0]}")/../system/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$TOP/tests/system/peers/postfix.sh"
RUNS=${BENCH_RUNS:-5} N=${BENCH_MAILS:-50000} PLAN=${BENCH_PLAN:-300000} CONNS=${BENCH_CONNECTIONS:-20} POSTFIX_N=${BENCH_POSTFIX:-3000}
die() { echo "bench: $*"; tail -5 "$PLACE/lantoad.log" 2>/dev/null; exit 1; }
place_new
chmod 755 "$PLACE"
machine
echo "fsync:      $(fsync_ms "$PLACE") ms a synchronous write of 4 KiB in the state folder"

# One mail of the daemon through a sink that keeps it: what "4 KiB" is on the wire.
conf_bench() {
	CONNECTIONS=$CONNS LANE_CONCURRENCY=1024 LANE_INTENTS=1024 SMTP_SETTINGS=$'  max_mails_per_conn: 0\n  window: 4096' conf_write "$SINK_PORT" "bulk: yes"
}
sink_start
conf_bench
daemon_start || die "no daemon"
admin -q offices import "$TOP/config/examples/offices.csv" || die "offices"
{ echo $CSV_HEAD; people_csv 1 "$N" many; } >"$PLACE/many.csv"
{ echo $CSV_HEAD; people_csv 1 "$N" many; people_csv $((N + 1)) $((N + PLAN)) huge; } >"$PLACE/huge.csv"
printf 'many: {name: "Many", any: [{tag: many}]}\nhuge: {name: "Huge", any: [{tag: huge}]}\n' >"$PLACE/aud.yaml"
admin -q targets import "$PLACE/many.csv" || die "import"
a=$(now_ms); admin -q targets import "$PLACE/huge.csv" || die "import"; b=$(now_ms)
IMPORT=$(per_s $((N + PLAN)) $((b - a)))
admin -q audiences import "$PLACE/aud.yaml" || die "audiences"
release_write PLAN-1 huge >/dev/null
release_plan PLAN-1 || die "planning"
PLANNED=$(per_s "$PLAN" "$PLANNED_MS")
QUEUE_MS=$(for _ in 1 2 3 4 5; do a=$(date +%s%N); operator --json queue >/dev/null; b=$(date +%s%N); echo $(((b - a) / 1000)); done | median)
operator -q --yes cancel PLAN-1 -m "only planned" >/dev/null || die "cancel"

source_run() { # mails a second of smtp-source -d
	local a b
	a=$(date +%s%N); /usr/sbin/smtp-source -d -l 4096 -m "$N" -s "$CONNS" -f a@bhxh.example -t p@list.example "127.0.0.1:$SINK_PORT" >/dev/null; b=$(date +%s%N)
	awk -v n="$N" -v t=$((b - a)) 'BEGIN { printf "%.0f\n", n * 1e9 / t }'
}
bare_run() { "$B/tests/bench/bench_curl_loop" 127.0.0.1 "$SINK_PORT" "$N" "$CONNS" 4096 | jq .rate; }
accepted() { [ "$(operator --json watch "$1" --timeout 1 2>/dev/null | jq -r '.counts.accepted // 0')" = "$N" ]; }
daemon_run() { # daemon_run CODE: RATE_OUT, CPU_OUT (us a mail) of one release, planned before; from its first to its last accepted mail
	local cpu from to
	release_write "$1" many >/dev/null
	release_plan "$1" || die "planning $1"
	cpu=$(cpu_us "$DAEMON_PID")
	operator -q go "$1" --part all >/dev/null || die "go $1"
	until_true 300 accepted "$1" || die "$1 does not end: $(operator --json queue | jq -c .totals)"
	cpu=$(($(cpu_us "$DAEMON_PID") - cpu))
	read -r from to < <(sqlite3 -readonly -separator ' ' "$PLACE/state/lantoa.db" "SELECT min(a.started), max(a.started + a.took_ms) FROM release r JOIN lot l ON l.release_id = r.id JOIN delivery d ON d.lot_id = l.id JOIN attempt a ON a.delivery_id = d.id WHERE r.code = '$1'")
	RATE_OUT=$(per_s "$N" $((to - from)))
	CPU_OUT=$(awk -v c="$cpu" -v n="$N" 'BEGIN { printf "%.1f", c / n }')
}
: >"$PLACE/r.source"; : >"$PLACE/r.bare"; : >"$PLACE/r.daemon"; : >"$PLACE/r.cpu"
sampler_start
for i in $(seq 1 "$RUNS"); do
	source_run >>"$PLACE/r.source"
	bare_run >>"$PLACE/r.bare"
	daemon_run "BENCH-$i"
	echo "$RATE_OUT" >>"$PLACE/r.daemon"; echo "$CPU_OUT" >>"$PLACE/r.cpu"
	echo "run $i:      smtp-source $(tail -1 "$PLACE/r.source")/s   bare loop $(tail -1 "$PLACE/r.bare")/s   lantoad $RATE_OUT/s ($CPU_OUT us CPU a mail)"
done
sampler_stop
TX=$(quantile_ms lantoa_store_tx_seconds 0.999) TX_MAX=$(metric lantoa_store_tx_max_microseconds)
LOOP=$(quantile_ms lantoa_loop_busy_seconds 0.999) LOOP_MAX=$(metric lantoa_loop_lag_max_microseconds) LOOP_CPU=$(metric lantoa_loop_cpu_max_microseconds)
RSS=$(sampled_max 1) OPEN=$(sampled_max 2)

# Restart to first mail: killed in the middle of a list.
release_write RESTART-1 many >/dev/null
release_plan RESTART-1 || die "planning"
operator -q go RESTART-1 --part all >/dev/null
half() { [ "$(operator --json watch RESTART-1 --timeout 1 2>/dev/null | jq -r '.counts.accepted // 0')" -gt $((N / 10)) ]; }
until_true 60 half
daemon_kill
a=$(now_ms)
daemon_start || die "restart"
first() { sqlite3 -readonly "$PLACE/state/lantoa.db" "SELECT coalesce(min(started), 0) FROM attempt WHERE started >= $a"; }
until_true 30 bash -c "[ \$(sqlite3 -readonly '$PLACE/state/lantoa.db' 'SELECT count(*) FROM attempt WHERE started >= $a') -gt 0 ]"
RESTART=$(($(first) - a))
daemon_stop

# A Postfix that relays the same, queue on the same disk.
POSTFIX=-
if [ "$(id -u)" = 0 ] && postfix_start "$PLACE/postfix" "$SINK_PORT" >/dev/null; then
	trap 'postfix_stop; place_end' EXIT
	sed -i -e 's/^smtpd_tls_security_level.*/smtpd_tls_security_level = none/' -e 's/^smtpd_sasl_auth_enable.*/smtpd_sasl_auth_enable = no/' \
		-e 's/^mynetworks =.*/mynetworks = 127.0.0.0\/8/' -e 's/^smtpd_re\(lay\|cipient\)_restrictions.*/smtpd_re\1_restrictions = permit_mynetworks, reject/' "$PLACE/postfix/etc/main.cf"
	postfix -c "$PLACE/postfix/etc" reload >/dev/null 2>&1; sleep 1
	empty() { [ -z "$(find "$PLACE/postfix/queue/incoming" "$PLACE/postfix/queue/active" "$PLACE/postfix/queue/deferred" "$PLACE/postfix/queue/maildrop" -type f -print -quit 2>/dev/null)" ]; }
	a=$(now_ms); /usr/sbin/smtp-source -d -l 4096 -m "$POSTFIX_N" -s "$CONNS" -f a@bhxh.example -t p@list.example "127.0.0.1:$POSTFIX_PORT" >/dev/null 2>"$PLACE/ps.err" && until_true 120 empty && POSTFIX=$(per_s "$POSTFIX_N" $(($(now_ms) - a)))
	postfix_stop
fi

S=$(median <"$PLACE/r.source") L=$(median <"$PLACE/r.bare") D=$(median <"$PLACE/r.daemon") C=$(median <"$PLACE/r.cpu")
cat <<EOT

$N mails of 4 KiB, one recipient each, $CONNS connections, same smtp-sink; medians of $RUNS
  lantoad, every state durable      $D /s
  smtp-source -d                    $S /s      lantoad is $(ratio "$D" "$S") x (aim: at least 1.0)
  bare libcurl + libuv loop         $L /s      lantoad is $(ratio "$D" "$L") x
  Postfix relaying ($POSTFIX_N mails)      $POSTFIX /s      lantoad is $(ratio "$D" "$POSTFIX") x (aim: at least 10)
  CPU of the daemon                 $C us a mail
  open intents, highest seen        $OPEN (limit 1024)
  anonymous memory, highest seen    $RSS KB
  planning                          $PLANNED deliveries/s ($PLAN; aim 300,000)
  import                            $IMPORT contacts/s ($((N + PLAN)), upload included; aim 100,000)
  store transaction                 p99.9 $TX ms, longest $(ratio "${TX_MAX:-0}" 1000) ms (aim 50)
  turn of the loop                  p99.9 $LOOP ms, longest $(ratio "${LOOP_MAX:-0}" 1000) ms, most CPU $(ratio "${LOOP_CPU:-0}" 1000) ms
  lantoa queue                      $(ratio "$QUEUE_MS" 1000) ms with $((PLAN)) rows waiting (the process included)
  restart to first mail             $RESTART ms (after kill -9)
EOT
"$TOP/tests/bench/bench_image.sh"
"$B/tests/bench/bench_sms_text" 500000 | jq -r '"texts of 200 Vietnamese characters, rendered and cut into segments, a second of one core (aim 1,000,000): accented \(.accented), plain \(.plain), shortest \(.shortest)"'
# Short messages beside Kannel, in a place of its own; BENCH_SMPP=no leaves it out.
[ "${BENCH_SMPP:-}" = no ] || { "$TOP/.ci/install-deps" bench || true; B=$B "$TOP/tests/bench/bench_smpp.sh"; }
# Articles and template messages against what Zalo allows, in a place of their own; BENCH_ZALO=no leaves them out.
[ "${BENCH_FACEBOOK:-}" = no ] || B=$B "$TOP/tests/bench/bench_facebook.sh"
[ "${BENCH_ZALO:-}" = no ] || B=$B "$TOP/tests/bench/bench_zalo.sh"
