#!/usr/bin/env bash
# million.sh [CONTACTS] - a million contacts imported, planned and cancelled while the sample's mails go out. The sample's mails are not
# delayed beyond their p99 alone; memory, `lantoa queue`, turns of the loop and a ping from outside stay within their bounds; nothing on
# the loop thread could have waited for a disk, a name or a thread (counted by noblock.c); a restart sends within two seconds.
. "$(dirname "${BASH_SOURCE[0]}")/../system/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/../bench/lib.sh"
N=${1:-1000000} ROUNDS=${ROUNDS:-60}
place_new
machine
echo "fsync:      $(fsync_ms "$PLACE") ms a synchronous write of 4 KiB"
cc -D_GNU_SOURCE -std=gnu17 -O1 -fPIC -shared -o "$PLACE/noblock.so" "$TOP/tests/crash/noblock.c" -ldl || { not_ok "noblock.c compiles"; tap_end; exit 1; }
# Beside the CPU of a turn below: what a thread that does nothing else is charged with at once on this machine, two of them side by side.
cc -std=gnu17 -D_GNU_SOURCE -O1 -o "$PLACE/clock_jumps" "$TOP/tests/crash/clock_jumps.c" || not_ok "clock_jumps.c compiles"
"$PLACE/clock_jumps" 20 >"$PLACE/jumps" & JUMPS=$!
jumps=$("$PLACE/clock_jumps" 20)
wait $JUMPS
echo "clock:      two threads that only read their CPU time saw it jump by up to $(ratio "$jumps" 1000) and $(ratio "$(cat "$PLACE/jumps")" 1000) ms in 20 s"
export NOBLOCK_FILE=$PLACE/noblock
: >"$NOBLOCK_FILE"
noblock() { printf '%s' "$1" | dd of="$NOBLOCK_FILE" conv=notrunc status=none; } # 1: count, 0: do not
noblock_says() { tail -c +3 "$NOBLOCK_FILE" | tr -d '\0'; }
at_most() { # at_most "sentence" VALUE LIMIT UNIT
	if awk -v a="$2" -v b="$3" 'BEGIN { exit !(a + 0 > 0 && a + 0 <= b + 0) }'; then ok "$1: $2 $4 (at most $3)"; else not_ok "$1: $2 $4 (at most $3)"; fi
}
sandbox_start
CONNECTIONS=4 conf_write "$SMTP_PORT" "bulk: no"
with_noblock() { LD_PRELOAD=$PLACE/noblock.so daemon_start; }
noblock 1
with_noblock || { not_ok "the daemon starts"; tap_end; exit 1; }
noblock 0
noblock_says >"$PLACE/noblock.start"
check "the counter of blocking calls works: it saw the start read its files" test -s "$PLACE/noblock.start"
import_samples || not_ok "the samples are imported"
{ echo $CSV_HEAD; people_csv 1 "$N" many; } >"$PLACE/many.csv"
{ cat "$TOP/config/examples/audiences.yaml"; echo 'many: {name: "Many", any: [{tag: many}]}'; } >"$PLACE/aud.yaml"
check "audiences are imported" admin -q audiences import "$PLACE/aud.yaml"

# A round of the sample: offices and press, 36 + 37 mails, with the time from the signal to each mail at the relay. One process gives the
# signals and says when it wrote each: what a machine at work needs to start a process is not a delay of the mails.
AUD=$(sed -n 's/^\([a-z-]*\):.*/\1/p' "$TOP/config/examples/audiences.yaml" | tr '\n' ' ')
stolen() { local cpu _ st; read -r cpu _ _ _ _ _ _ _ st _ </proc/stat; echo "$st"; } # by the machine below this one, in 10 ms
round() { # round CODE: a notice to offices and press; appends the delay of each of its mails to $PLACE/delays
	printf -- '---\ncode: %s\nkind: notice\ncategory: public_notice\npriority: normal\ntitle: %s\nparts:\n  all: {to: [%s], channels: [email], go: signal, window: 12h}\n---\nNội dung. Hỏi {{office.hotline}}.\n' "$1" "$1" "$SAMPLE_TO" >"$PLACE/$1.md"
	editor -q submit "$PLACE/$1.md" >/dev/null 2>&1 && approver -q approve "$1" --hash "$(hash_of "$1")" >/dev/null && plan_wait "$1" 60 || return 1
	local a st; st=$(stolen)
	echo "$1 all" >&"${SIGNALS[1]}" && read -r -t 60 a <&"${SIGNALS[0]}" || return 1
	operator -q watch "$1" --timeout 60 >/dev/null || return 1; st=$(($(stolen) - st)) # waits in one process: polls would take the processor from what is measured
	round_done "$1" >/dev/null || return 1
	sqlite3 -readonly "$PLACE/state/lantoa.db" "SELECT a.started + a.took_ms - $a FROM release r JOIN lot l ON l.release_id = r.id JOIN delivery d ON d.lot_id = l.id JOIN attempt a ON a.delivery_id = d.id WHERE r.code = '$1'" >"$PLACE/delay"
	cat "$PLACE/delay" >>"$PLACE/delays"
	sed "s/^/$1 /; s/\$/ $st/" "$PLACE/delay" >>"$PLACE/rounds"
}
round_done() { operator --json report "$1" | jq -e '[.deliveries[] | select(.state != "accepted")] | length == 0'; }
SAMPLE_TO=$(echo "$AUD" | tr ' ' '\n' | grep -xE 'press|offices' | paste -sd, -)
coproc SIGNALS { exec "$TOP/tests/crash/signal.py" "$SOCKET"; }
EXTRA_PIDS="$EXTRA_PIDS $SIGNALS_PID"
delay_at() { sort -n "$PLACE/delays" | awk -v q="$1" '{ v[NR] = $1 } END { i = int(NR * q + 0.999); if (i > NR) i = NR; print v[i] }'; }
delays_say() { echo "median $(delay_at 0.5), p90 $(delay_at 0.9), p99 $(delay_at 0.99) ms from the signal"; }
: >"$PLACE/delays"
round WARM-1 || not_ok "a first round goes out"
: >"$PLACE/delays"
ping_start() { # ping_start FILE: from outside, until ping_stop
	rm -f "$PLACE/ping.stop"
	"$TOP/tests/bench/ping.py" "$SOCKET" "$PLACE/ping.stop" >"$PLACE/$1" & PING_PID=$!
}
ping_stop() { touch "$PLACE/ping.stop"; wait "$PING_PID"; }
# Half of the rounds alone come before the million and half behind it: what the machine does over minutes is in both figures then.
alone() { # alone FROM TO: rounds with nothing beside them
	local i
	: >"$PLACE/delays"
	ping_start ping.alone
	for i in $(seq "$1" "$2"); do round "ALONE-$i" || not_ok "round $i alone"; done
	ping_stop
	echo "alone:      $(wc -l <"$PLACE/delays") mails in $(($2 - $1 + 1)) rounds, $(delays_say)"
}
sampler_start # both parts are watched alike: what watches takes of the processor too
alone 1 $((ROUNDS / 2))

# What a processor that is never idle costs by itself: a spinner that the scheduler runs only where nobody else wants to.
: >"$PLACE/delays"
chrt -i 0 bash -c 'while :; do :; done' & SPINNER=$!
EXTRA_PIDS="$EXTRA_PIDS $SPINNER"
ping_start ping.spinner
for i in $(seq 1 $((ROUNDS / 2))); do round "SPINNER-$i" || not_ok "round $i beside a spinner"; done
ping_stop
kill $SPINNER; wait $SPINNER 2>/dev/null
EXTRA_PIDS=${EXTRA_PIDS% "$SPINNER"}
grep '^SPINNER-' "$PLACE/rounds" >"$PLACE/rounds.spinner"
echo "spinner:    $(wc -l <"$PLACE/delays") mails in $((ROUNDS / 2)) rounds, $(delays_say)"

# The same rounds while a million is imported, planned and cancelled; a ping of the control socket from outside all the time.
: >"$PLACE/delays"
noblock 1
ping_start ping
million() {
	local a
	a=$(now_ms); admin -q targets import "$PLACE/many.csv" || return 1
	echo "import:     $N contacts in $(($(now_ms) - a)) ms ($(per_s "$N" $(($(now_ms) - a)))/s, upload included)"
	printf -- '---\ncode: MANY-1\nkind: notice\ncategory: public_notice\npriority: bulk\ntitle: MANY-1\nparts:\n  all: {to: many, channels: [email], go: signal, window: 12h}\n---\nNội dung.\n' >"$PLACE/MANY-1.md"
	POLL=0.5 release_plan MANY-1 || return 1
	echo "planning:   $N deliveries in $PLANNED_MS ms ($(per_s "$N" "$PLANNED_MS")/s)"
	for _ in 1 2 3 4 5 6 7 8 9; do a=$(date +%s%N); operator --json queue >/dev/null || return 1; echo $((($(date +%s%N) - a) / 1000)); done | median >"$PLACE/queue_us"
	a=$(now_ms); operator -q --yes cancel MANY-1 -m "a test of size" >/dev/null || return 1
	echo "cancel:     answered in $(($(now_ms) - a)) ms"
}
(million; echo $? >"$PLACE/million.rc") & MILLION_PID=$!
i=0
while [ ! -e "$PLACE/million.rc" ]; do i=$((i + 1)); round "BESIDE-$i" || not_ok "round $i beside the million"; done
wait "$MILLION_PID"
for k in 1 2 3; do round "AFTER-$k" || not_ok "round while cancelled rows are swept"; done
ping_stop
noblock 0
BESIDE=$(delay_at 0.99)
echo "beside:     $(wc -l <"$PLACE/delays") mails in $i rounds, $(delays_say)"
grep -E '^(BESIDE|AFTER)-' "$PLACE/rounds" >"$PLACE/rounds.beside"
commands() { metric lantoa_store_commands; }
at_rest() { local a; a=$(commands); sleep 1; [ "$(commands)" = "$a" ]; }
POLL=0 until_true 120 at_rest || not_ok "the store comes to rest when the cancelled rows are swept"
alone $((ROUNDS / 2 + 1)) "$ROUNDS"
sampler_stop
grep '^ALONE-' "$PLACE/rounds" >"$PLACE/rounds.alone"
cut -d' ' -f2 "$PLACE/rounds.alone" >"$PLACE/delays"
ALONE=$(delay_at 0.99)
echo "alone, all: $(wc -l <"$PLACE/delays") mails in $ROUNDS rounds, $(delays_say)"
apart() { echo "beside the million from alone $("$TOP/tests/crash/p99_apart.py" ${1:+"$1"} "$PLACE/rounds.alone" "$PLACE/rounds.beside"), from beside the spinner $("$TOP/tests/crash/p99_apart.py" ${1:+"$1"} "$PLACE/rounds.spinner" "$PLACE/rounds.beside")"; }
echo "p99 apart:  $(apart)"
echo "undisturbed: of rounds in which the machine below took nothing: $(apart --undisturbed)"
same "the million was imported, planned and cancelled" "$(cat "$PLACE/million.rc")" 0
at_most "the sample's mails are not delayed beyond their p99 alone and a frame of 100 ms" "$BESIDE" "$((ALONE + 100))" ms
at_most "anonymous memory at its highest" "$(sampled_max 1)" 65536 KB
at_most "lantoa queue with the rows of a million, the process included" "$(ratio "$(cat "$PLACE/queue_us")" 1000)" 50 ms
at_most "a ping of the control socket from outside, p99.9" "$(jq .p999_ms "$PLACE/ping")" 20 ms
echo "ping:       $(cat "$PLACE/ping")"
echo "loop:       p99.9 $(quantile_ms lantoa_loop_busy_seconds 0.999) ms, longest $(ratio "$(metric lantoa_loop_lag_max_microseconds)" 1000) ms; most CPU of one turn $(ratio "$(metric lantoa_loop_cpu_max_microseconds)" 1000) ms (aim 5)"
echo "store:      p99.9 $(quantile_ms lantoa_store_tx_seconds 0.999) ms, longest $(ratio "$(metric lantoa_store_tx_max_microseconds)" 1000) ms (aim 50, 250)"
echo "checkpoint: p50 $(quantile_ms lantoa_store_checkpoint_seconds 0.5) ms, p99 $(quantile_ms lantoa_store_checkpoint_seconds 0.99) ms, $(metric lantoa_store_checkpoint_seconds_count) of them, $(metric lantoa_store_checkpoint_seconds_sum) s in all"
echo "            the longest callback: $(function_at lantoa_loop_call_max_at), $(ratio "$(metric lantoa_loop_call_max_microseconds)" 1000) ms of CPU at most; the longest transaction: $(function_at lantoa_store_tx_max_command_at), $(ratio "$(metric lantoa_store_tx_max_command_microseconds)" 1000) ms, its commit $(ratio "$(metric lantoa_store_tx_max_commit_microseconds)" 1000) ms"
noblock_says | grep -vxFf "$PLACE/noblock.start" >"$PLACE/noblock.work"
same "places on the loop thread that called what could wait, while it worked" "$(wc -l <"$PLACE/noblock.work")" 0
cat "$PLACE/noblock.work" | while read -r what n at file; do echo "# $what $n times from $(addr2line -fe "$file" "$at" 2>/dev/null | head -1) ($at $(basename "$file"))"; done
check "fsck is clean" operator fsck

# Restart to first mail, with the million's rows in the database.
round_begin() {
	printf -- '---\ncode: %s\nkind: notice\ncategory: public_notice\ntitle: %s\nparts:\n  all: {to: [%s], channels: [email], go: signal, window: 12h}\n---\nNội dung.\n' "$1" "$1" "$SAMPLE_TO" >"$PLACE/$1.md"
	editor -q submit "$PLACE/$1.md" >/dev/null 2>&1 && approver -q approve "$1" --hash "$(hash_of "$1")" >/dev/null && plan_wait "$1" 60 && operator -q hold --release "$1" -m "until the restart" >/dev/null && operator -q go "$1" --part all >/dev/null && operator -q resume --release "$1" -m "restart" >/dev/null
}
unset NOBLOCK_FILE
round_begin RESTART-1 || not_ok "a round for the restart"
daemon_kill
a=$(now_ms)
daemon_start || not_ok "it starts again"
first() { sqlite3 -readonly "$PLACE/state/lantoa.db" "SELECT coalesce(min(started), 0) FROM attempt WHERE started >= $a AND outcome <> 0"; }
seen() { [ "$(first)" -gt 0 ]; }
if until_true 20 seen; then at_most "restart to first mail" "$(($(first) - a))" 2000 ms
else same "all mails of the round were out before the kill: nothing to measure" "$(sqlite3 -readonly "$PLACE/state/lantoa.db" "SELECT count(*) FROM release r JOIN lot l ON l.release_id = r.id JOIN delivery d ON d.lot_id = l.id WHERE r.code = 'RESTART-1' AND d.state IN (0,1)")" 0; fi
tap_end
