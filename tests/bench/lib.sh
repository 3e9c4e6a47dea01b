# lib.sh - what the bench and the long checks share: numbers of a process, medians, private peers. Source it after tests/system/lib.sh.
BENCH_PORT() { /usr/bin/python3 -c 'import socket; s=socket.socket(); s.bind(("127.0.0.1",0)); print(s.getsockname()[1])'; }
now_ms() { echo $(($(date +%s%N) / 1000000)); }
median() { sort -n | awk '{ v[NR] = $1 } END { if (NR) print (NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2) }'; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { if (b > 0) printf "%.2f", a / b; else print "-" }'; }
per_s() { awk -v n="$1" -v ms="$2" 'BEGIN { if (ms > 0) printf "%.0f", n * 1000 / ms; else print 0 }'; }
cpu_us() { awk -v t="$(getconf CLK_TCK)" '{ sub(/.*\) /, ""); print ($12 + $13) * 1000000 / t }' "/proc/$1/stat"; }
anon_kb() { awk '/^Anonymous:/ { print $2 }' "/proc/$1/smaps_rollup"; }
machine() {
	echo "machine:    $(uname -srm), $(nproc) cores, $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), $(awk '/MemTotal/ { printf "%.1f GB", $2 / 1048576 }' /proc/meminfo)"
	echo "date:       $(date -u +%Y-%m-%dT%H:%M:%SZ)   commit: $(git -C "$TOP" rev-parse --short HEAD 2>/dev/null || echo none)$(git -C "$TOP" diff --quiet HEAD 2>/dev/null || echo ' (with changes)')"
	echo "load:       $(cut -d' ' -f1-3 /proc/loadavg) before the start"
}
fsync_ms() { # fsync_ms FOLDER: mean of 100 synchronous writes of 4 KiB, in milliseconds
	local a b
	a=$(date +%s%N); dd if=/dev/zero of="$1/fsync.probe" bs=4096 count=100 oflag=dsync status=none; b=$(date +%s%N)
	rm -f "$1/fsync.probe"
	awk -v n=$((b - a)) 'BEGIN { printf "%.3f", n / 1e6 / 100 }'
}
sampler_start() { # writes "anonymous-KB open-intents" four times a second to $PLACE/samples
	: >"$PLACE/samples"
	"$TOP/tests/bench/sample.py" "$DAEMON_PID" "$(metrics_port)" "$PLACE/samples" 2>/dev/null &
	SAMPLER_PID=$!
}
sampler_stop() { kill "$SAMPLER_PID" 2>/dev/null; wait "$SAMPLER_PID" 2>/dev/null; return 0; }
sampled_max() { awk -v c="$1" '$c > m { m = $c } END { print m + 0 }' "$PLACE/samples"; }
metrics_port() { sed -n 's/.*ev=api.listen what=private.*port=\([0-9]*\).*/\1/p' "$PLACE/lantoad.log" | tail -1; }
metrics() { curl -s --max-time 5 "http://127.0.0.1:$(metrics_port)/metrics"; }
metric() { metrics | awk -v m="$1" '$1 == m { print $2 }'; }
function_at() { # function_at METRIC: the name of the function whose place in the daemon the metric tells
	addr2line -fe "$B/lantoad" "$(printf '0x%x' "$(metric "$1")")" 2>/dev/null | head -1
}
quantile_ms() { # quantile_ms HISTOGRAM Q: upper edge of the bucket of the histogram that holds this share, in ms
	metrics | awk -v m="$1_bucket{" -v q="$2" 'index($0, m) == 1 {
		edge[n] = $1; sub(/.*le="/, "", edge[n]); sub(/".*/, "", edge[n]); v[n++] = $2 }
		END { for (i = 0; i < n; i++) if (v[n - 1] && v[i] >= q * v[n - 1]) { print edge[i] == "+Inf" ? "over" : "<= " edge[i] * 1000; exit } print "-" }'
}
sink_start() { # SINK_PORT, SINK_PID
	local as=
	[ "$(id -u)" = 0 ] && as="-u nobody"
	SINK_PORT=$(BENCH_PORT)
	/usr/sbin/smtp-sink $as "$@" "127.0.0.1:$SINK_PORT" 2000 >/dev/null 2>&1 &
	SINK_PID=$!
	EXTRA_PIDS="$EXTRA_PIDS $SINK_PID"
	until_true 10 bash -c "exec 3<>/dev/tcp/127.0.0.1/$SINK_PORT" || { echo "smtp-sink does not start"; exit 1; }
}
people_csv() { # people_csv FROM TO TAG: rows of a list
	awk -v a="$1" -v b="$2" -v t="$3" 'BEGIN { for (i = a; i <= b; i++) printf "email,p%d@list.example,trung-uong,P %d,,%s\n", i, i, t }'
}
CSV_HEAD=channel,address,office,name,lang,tags
release_write() { # release_write CODE AUDIENCE: a notice of about 4 KiB on the wire that waits for a signal
	local i
	{
		printf -- '---\ncode: %s\nkind: notice\ncategory: public_notice\ntitle: %s\nparts:\n  all: {to: %s, channels: [email], go: signal, window: 12h}\n---\n' "$1" "$1" "$2"
		for i in $(seq 1 "${BODY_LINES:-20}"); do echo "This is line $i of a notice of ordinary length, as offices send it."; echo; done
	} >"$PLACE/$1.md"
	echo "$PLACE/$1.md"
}
plan_wait() { "$TOP/tests/bench/planned.py" "$SOCKET" "$1" "$2" "${POLL:-0.05}"; } # plan_wait CODE SECONDS
release_plan() { # release_plan CODE: submitted, approved, planned. Sets PLANNED_MS: from the answer of approve to the last row
	local a
	editor -q submit "$PLACE/$1.md" >/dev/null 2>&1 || return 1
	local hash; hash=$(hash_of "$1")
	a=$(now_ms)
	approver -q approve "$1" --hash "$hash" >/dev/null || return 1
	plan_wait "$1" 600 || return 1
	PLANNED_MS=$(($(now_ms) - a))
}
count_state() { operator --json queue | jq -r ".totals.$1 // 0"; }
