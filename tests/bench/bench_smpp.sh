#!/usr/bin/env bash
# bench_smpp.sh - short messages a second, side by side: the daemon with every state durable over one bind with window 500, and Kannel
# (spool store, fed through its HTTP interface, one bind, 500 pending) into the same minimal SMSC, reports on, ids that count and random ones.
# Kannel is set up to be fast: nothing is logged (-v 4 as well: without it every debug line is written to stderr, which halves the rate), 64 kept
# connections feed it, no report leaves it (no dlr-url). Its spool is a file a message, never synced: on a disk the file system's search for
# free inodes is most of its time, so it is measured with the spool in memory too, and the ratio is that to the faster one.
# BENCH_SMS (100000) messages, BENCH_SMS_KANNEL (50000), BENCH_SMS_IDS (dec random). It measures; it never fails because something is slow.
. "$(dirname "${BASH_SOURCE[0]}")/../system/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$TOP/tests/system/lib_smpp.sh"
N=${BENCH_SMS:-100000} KN=${BENCH_SMS_KANNEL:-50000}
die() { echo "bench_smpp: $*"; tail -5 "$PLACE/lantoad.log" 2>/dev/null; exit 1; }
place_new
machine
echo "fsync:      $(fsync_ms "$PLACE") ms a synchronous write of 4 KiB in the state folder"
smsc_start() { # smsc_start dec|random: SMSC_PORT, SMSC_PID
	: >"$PLACE/smsc.out"
	"$B/tests/bench/bench_smsc" 0 "$1" reports >"$PLACE/smsc.out" &
	SMSC_PID=$!
	EXTRA_PIDS="$EXTRA_PIDS $SMSC_PID"
	until_true 10 test -s "$PLACE/smsc.out" || die "no SMSC"
	SMSC_PORT=$(head -1 "$PLACE/smsc.out")
}
smsc_say() { # its numbers, as JSON
	local n; n=$(wc -l <"$PLACE/smsc.out")
	kill -USR1 "$SMSC_PID"
	until_true 5 bash -c "[ \$(wc -l <'$PLACE/smsc.out') -gt $n ]"
	tail -1 "$PLACE/smsc.out"
}
sandbox_port() { echo "$SMSC_PORT"; }

# --- the daemon ------------------------------------------------------------------------------------------------------------------
daemon_bench() { # daemon_bench dec|random: RATE_OUT to the last accepted one, ALL_OUT to the last report stored, CPU_OUT
	local cpu t
	rm -rf "$PLACE/state" "$PLACE/conf" "$PLACE/run"; ROUTES= ALLOW=
	smsc_start "$1"
	SMPP_FORM=plain SMPP_WINDOW=500 SMPP_TIMEOUT=60s SMPP_RESPONSE_MS=30000 smpp_conf
	sed -i 's/concurrency: 500/concurrency: 1024/; s/intents_max: 500/intents_max: 1024\n  bulk: yes/' "$PLACE/conf/channels.d/tin-nhan.yaml"
	conf_write 9
	daemon_start || die "no daemon"
	admin -q offices import "$TOP/config/examples/offices.csv" || die "offices"
	{ echo $CSV_HEAD; awk -v n="$N" 'BEGIN { for (i = 0; i < n; i++) printf "sms,+8491%07d,trung-uong,P %d,,many\n", i, i }'; } >"$PLACE/many.csv"
	admin -q targets import "$PLACE/many.csv" || die "import"
	printf 'many: {name: "Many", any: [{tag: many}]}\n' >"$PLACE/aud.yaml"
	admin -q audiences import "$PLACE/aud.yaml" || die "audiences"
	printf -- '---\ncode: SMS-1\nkind: notice\ncategory: public_notice\ntitle: SMS-1\nparts:\n  all: {to: many, channels: [sms], go: signal, window: 12h}\ntext:\n  sms: "Thong bao: tu 01/12 nop ho so BHXH qua mang, chi tiet tai co quan BHXH."\n---\nThông báo.\n' >"$PLACE/SMS-1.md"
	editor -q submit "$PLACE/SMS-1.md" && approver -q approve SMS-1 --hash "$(hash_of SMS-1)" || die "approve"
	plan_wait SMS-1 120 || die "planning"
	cpu=$(cpu_us "$DAEMON_PID")
	t=$(now_ms)
	operator -q go SMS-1 --part all >/dev/null || die "go"
	delivered() { [ "$(operator --json watch SMS-1 --timeout 1 2>/dev/null | jq -r '.counts.delivered // 0')" = "$N" ]; }
	until_true 300 delivered || die "it does not end: $(operator --json watch SMS-1 --timeout 1 | jq -c .counts)"
	t=$(($(now_ms) - t))
	cpu=$(($(cpu_us "$DAEMON_PID") - cpu))
	local first last
	read -r first last < <(smsc_say | jq -r '"\(.first_ms) \(.last_ms)"')
	RATE_OUT=$(per_s "$N" $((last - first)))
	ALL_OUT=$(per_s "$N" "$t")
	CPU_OUT=$(awk -v c="$cpu" -v n="$N" 'BEGIN { printf "%.1f", c / n }')
	daemon_stop
	stop_pid "$SMSC_PID"
}
# --- Kannel -----------------------------------------------------------------------------------------------------------------------
kannel_bench() { # kannel_bench dec|random FOLDER: RATE_OUT at the SMSC while it is fed, FED_OUT accepted over HTTP, CPU_OUT
	local admin sms box feed cpu spool
	smsc_start "$1"
	admin=$(BENCH_PORT); sms=$(BENCH_PORT); box=$(BENCH_PORT)
	spool=$(mktemp -d "$2/lantoa-kannel-XXXXXX") || return 1
	EXTRA_FOLDERS="$EXTRA_FOLDERS $spool"
	cat >"$PLACE/kannel.conf" <<-EOK
	group = core
	admin-port = $admin
	admin-interface = 127.0.0.1
	smsbox-port = $box
	admin-password = x
	log-file = "$PLACE/kannel.log"
	log-level = 4
	store-type = spool
	store-location = "$spool"
	dlr-storage = internal

	group = smsc
	smsc = smpp
	smsc-id = bench
	host = 127.0.0.1
	port = $SMSC_PORT
	transceiver-mode = true
	smsc-username = bhxh
	smsc-password = x
	system-type = ""
	max-pending-submits = 500
	source-addr-ton = 5
	source-addr-npi = 0

	group = smsbox
	bearerbox-host = 127.0.0.1
	bearerbox-port = $box
	sendsms-port = $sms
	sendsms-interface = 127.0.0.1
	log-file = "$PLACE/smsbox.log"
	log-level = 4

	group = sendsms-user
	username = u
	password = p
	max-messages = 1

	group = sms-service
	keyword = default
	text = "no"
	EOK
	bearerbox -v 4 "$PLACE/kannel.conf" >/dev/null 2>&1 & BOX_PID=$!
	EXTRA_PIDS="$EXTRA_PIDS $BOX_PID"
	until_true 15 bash -c "exec 3<>/dev/tcp/127.0.0.1/$box" || { echo "bearerbox does not start"; return 1; }
	smsbox -v 4 "$PLACE/kannel.conf" >/dev/null 2>&1 & SMSBOX_PID=$!
	EXTRA_PIDS="$EXTRA_PIDS $SMSBOX_PID"
	until_true 15 bash -c "exec 3<>/dev/tcp/127.0.0.1/$sms" || { echo "smsbox does not start"; return 1; }
	cpu=$(($(cpu_us "$BOX_PID") + $(cpu_us "$SMSBOX_PID")))
	feed=$("$B/tests/bench/bench_feed" "$sms" '/cgi-bin/sendsms?username=u&password=p&from=BHXH&to=8491%07d&dlr-mask=31&text=Thong+bao%3A+tu+01%2F12+nop+ho+so+BHXH+qua+mang%2C+chi+tiet+tai+co+quan+BHXH.' "$KN" 64)
	until_true 120 bash -c "kill -USR1 $SMSC_PID; sleep 0.2; [ \$(tail -1 '$PLACE/smsc.out' | jq .submits) -ge ${feed% *} ]" || echo "Kannel did not send all"
	local first last n
	read -r n first last < <(smsc_say | jq -r '"\(.submits) \(.first_ms) \(.last_ms)"')
	RATE_OUT=$(per_s "$n" $((last - first)))
	FED_OUT=$(per_s ${feed% *} ${feed#* })
	cpu=$(($(cpu_us "$BOX_PID") + $(cpu_us "$SMSBOX_PID") - cpu))
	CPU_OUT=$(awk -v c="$cpu" -v n="$n" 'BEGIN { printf "%.1f", c / n }')
	stop_pid "$SMSBOX_PID"; stop_pid "$BOX_PID"; stop_pid "$SMSC_PID"
	rm -rf "$spool"
}
EXTRA_FOLDERS=
trap 'rm -rf $EXTRA_FOLDERS; place_end' EXIT
for ids in ${BENCH_SMS_IDS:-dec random}; do
	daemon_bench $ids
	ours=$RATE_OUT best=0
	echo "lantoad:    $ours/s over one bind, window 500, ids $ids; $ALL_OUT/s until every report is stored; $CPU_OUT us CPU a message"
	if ! command -v bearerbox >/dev/null 2>&1; then
		echo "kannel:     not installed (apt-get install kannel)"
		continue
	fi
	for folder in "$PLACE" /dev/shm; do
		[ -w "$folder" ] || continue
		kannel_bench $ids "$folder" || continue
		echo "kannel:     $RATE_OUT/s at the SMSC, $FED_OUT/s taken over HTTP meanwhile, spool $([ "$folder" = "$PLACE" ] && echo "on the same disk" || echo "in memory"), ids $ids; $CPU_OUT us CPU a message"
		[ "$RATE_OUT" -gt "$best" ] && best=$RATE_OUT
	done
	echo "ratio:      lantoad is $(ratio "$ours" "$best") x of Kannel's better rate, ids $ids"
done
