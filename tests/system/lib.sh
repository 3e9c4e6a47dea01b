# lib.sh - what system tests, crash runs and the demo share: a private place, the sandbox, the daemon, waiting for conditions.
# Source it after setting B (the build folder) if it is not build/release. Everything started here is stopped by place_end.
set -u
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
B=${B:-$TOP/build/release}
case $B in /*) ;; *) B=$TOP/$B ;; esac
export LC_ALL=C.UTF-8
umask 022 # adapters and folders that others may write are refused
# Sanitized programs look for leaks at their end, and a leak is a failure; they do so only where the run is not killed. Their exit code
# is none of ours, so that a refusal that is wanted is not taken for it.
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:abort_on_error=0:exitcode=99}
export TSAN_OPTIONS=${TSAN_OPTIONS:-halt_on_error=1}
PLACE= DAEMON_PID= SANDBOX_PID= EXTRA_PIDS=
T_N=0 T_BAD=0
ROUTES= # further lines of `routes:`, each indented by two spaces and ended: what the lib_*.sh of other channels append before conf_write
ALLOW=  # further entries of allow_only: ', "+8491..."'
DAEMON_UNDER= # what starts the daemon: words before its own
CONF_TOP= # further keys of lantoad.yaml, whole lines

place_new() { # place_new [FOLDER]: a private folder, made empty
	PLACE=${1:-$(mktemp -d "${TMPDIR:-/tmp}/lantoa-sys-XXXXXX")}
	mkdir -p "$PLACE"
	trap place_end EXIT
	trap 'exit 130' INT TERM
}
stop_pid() { # TERM, then wait; KILL after a minute, as the unit does. Its exit code: 143 of what knows no TERM, 137 of what had to be killed
	local pid=$1 i
	[ -n "$pid" ] || return 0
	kill -TERM "$pid" 2>/dev/null
	for i in $(seq 1 1200); do kill -0 "$pid" 2>/dev/null || break; sleep 0.05; done
	kill -KILL "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
}
# ended_well "who" CODE LOG: who was told to stop, and crashed, hung, or was at an end already, or of whom a sanitizer had something to say, fails
# the test, whatever else it looked at.
ended_well() {
	[ "$2" -ne 0 ] || return 0
	not_ok "$1 ends in order (exit $2)"
	{ grep -aE -A12 'Sanitizer|runtime error|ev=require.failed' "$3" || tail -5 "$3"; } 2>/dev/null | head -40 | cut -c1-300 | sed 's/^/# /'
	return 1
}
place_end() {
	local rc=$? p
	daemon_stop || rc=1
	stop_pid "$SANDBOX_PID"
	ended_well "the sandbox" $? "$PLACE/sandbox.out" || rc=1
	SANDBOX_PID=
	for p in $EXTRA_PIDS; do stop_pid "$p"; done
	if [ -n "$PLACE" ] && [ "${KEEP:-}" = "" ]; then rm -rf "$PLACE"; fi
	exit $rc
}
until_true() { # until_true SECONDS COMMAND...: polls a condition every POLL seconds; false when the time is over
	local end=$((SECONDS + $1)); shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || return 1
		sleep "${POLL:-0.05}"
	done
}
jq() { # jq 1.6 takes no input at all for a yes: with -e, nothing is a no
	case " $* " in *" -e "*) ;; *) command jq "$@"; return ;; esac
	local said rc
	said=$(command jq "$@"); rc=$?
	[ -z "$said" ] || printf '%s\n' "$said"
	[ $rc -ne 0 ] && return $rc
	[ -n "$said" ]
}
export -f jq
json() { if [ "$1" = - ]; then jq -r "$2"; else jq -r "$2" "$1"; fi; } # json FILE-or-"-" FILTER
sandbox_start() { # sandbox_start [options of `sandbox run`]
	mkdir -p "$PLACE/sandbox"
	rm -f "$PLACE/sandbox/ready.json"
	"$B/sandbox" run --dir "$PLACE/sandbox" "$@" >"$PLACE/sandbox.out" 2>&1 &
	SANDBOX_PID=$!
	until_true 20 test -s "$PLACE/sandbox/ready.json" || { cat "$PLACE/sandbox.out"; echo "the sandbox does not start"; exit 1; }
	SMTP_PORT=$(sed -n 's/.*"smtp": *\([0-9]*\).*/\1/p' "$PLACE/sandbox/ready.json")
	LEDGER=$PLACE/sandbox/ledger.jsonl
}
sandbox_port() { jq -r --arg n "$1" '.[$n] // empty' "$PLACE/sandbox/ready.json"; } # sandbox_port NAME-OF-PROVIDER
sandbox_ctl() { "$B/sandbox" ctl --dir "$PLACE/sandbox" "$1" >/dev/null; }

# A configuration for tests and the demo: one relay on loopback, people for --as, short times.
conf_write() { # conf_write PORT [extra lines of the lane]
	mkdir -p "$PLACE/conf/channels.d" "$PLACE/run"
	[ -e "$PLACE/conf/master.key" ] || "$B/lantoad" --make-key "$PLACE/conf/master.key" >/dev/null || exit 1
	cat >"$PLACE/conf/lantoad.yaml" <<-EOF
	timezone: Asia/Ho_Chi_Minh
	state_dir: $PLACE/state
	runtime_dir: $PLACE/run
	adapter_dir: $B/adapters
	key_file: master.key
	mode: trial
	allow_only: [".bhxh.example", ".press.example", "@foreign-press.example", "@list.example"${ALLOW:-}]
	own_domains: [portal.example]
	listen_private: 127.0.0.1:0
	listen_public: 127.0.0.1:0
	public_url: http://127.0.0.1
	free_floor: ${FREE_FLOOR:-16MB}
	ballast: ${BALLAST:-1MB}
	people:
	  - {name: Nguyễn Thị Biên, user: bientap-demo, roles: [editor, viewer]}
	  - {name: Trần Văn Duyệt, user: lanhdao-demo, roles: [approver, viewer]}
	  - {name: Lê Vận Hành, user: vanhanh-demo, roles: [operator, viewer]}
	  - {name: Quản Trị, user: quantri-demo, roles: [admin, operator, viewer]}
	${CONF_TOP:-}
	routes:
	  email: mail/relay
	EOF
	printf '%s' "${ROUTES:-}" >>"$PLACE/conf/lantoad.yaml"
	echo 'channels_dir: channels.d' >>"$PLACE/conf/lantoad.yaml"
	cat >"$PLACE/conf/channels.d/mail.yaml" <<-EOF
	name: mail
	kind: email
	adapter: email
	settings:
	  host: ${SMTP_HOST:-127.0.0.1}
	  port: $1
	  tls: ${SMTP_TLS:-none}
	  from: thongbao@bhxh.example
	  from_name: BHXH Việt Nam
	  ehlo_name: lantoa.bhxh.example
	  message_id_domain: lantoa.bhxh.example
	  zone: Asia/Ho_Chi_Minh
	  connections: ${CONNECTIONS:-4}
	${SMTP_SETTINGS:-}
	files: {outcomes: $TOP/config/outcomes/email.tsv, domains: $TOP/config/domains/email.tsv}
	accounts: [{name: relay}]
	${SMTP_CHANNEL:-}
	lane:
	  concurrency: ${LANE_CONCURRENCY:-64}
	  intents_max: ${LANE_INTENTS:-256}
	  backoff: [${LANE_BACKOFF:-1s, 2s}]
	  urgent_backoff: [1s]
	  tries: 8
	  timeout: ${LANE_TIMEOUT:-60s}
	  breaker_pause: 1s
	  unknown_max: ${UNKNOWN_MAX:-24h}
	  ${2:-}
	EOF
}
daemon_start() { # daemon_start [options of lantoad]
	SOCKET=$PLACE/run/control.sock
	export LANTOA_SOCKET=$SOCKET
	rm -f "$SOCKET"
	${DAEMON_UNDER:-} "$B/lantoad" --config "$PLACE/conf/lantoad.yaml" --demo "$@" >>"$PLACE/lantoad.log" 2>&1 &
	DAEMON_PID=$!
	for _ in $(seq 1 1200); do
		kill -0 "$DAEMON_PID" 2>/dev/null || { tail -5 "$PLACE/lantoad.log"; echo "lantoad does not start"; DAEMON_PID=; return 1; }
		[ -S "$SOCKET" ] && "$B/lantoa" --json version >/dev/null 2>&1 && return 0
		sleep 0.05
	done
	echo "lantoad does not answer"; return 1
}
daemon_stop() {
	local pid=${DAEMON_PID:-}
	DAEMON_PID=
	stop_pid "$pid"
	ended_well "the daemon" $? "$PLACE/lantoad.log"
}
daemon_kill() { # kill -9; who was at an end already has crashed
	local pid=${DAEMON_PID:-} rc
	DAEMON_PID=
	[ -n "$pid" ] || return 0
	kill -KILL "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
	rc=$?
	[ $rc -eq 137 ] || ended_well "the daemon, before it was killed," $((rc ? rc : 1)) "$PLACE/lantoad.log"
}
# The state of a stopped daemon to FOLDER, and back in any number of copies. Each is written into the database file that the daemon used: a
# file of its own would be a copy, which does not start before somebody confirms it.
state_keep() { cp -a "$PLACE/state" "$1" && mv "$PLACE/state/lantoa.db" "$PLACE/the.db" && rm -rf "$PLACE/state"; }
state_fill() { # state_fill FOLDER
	[ -e "$PLACE/the.db" ] || mv "$PLACE/state/lantoa.db" "$PLACE/the.db"
	rm -rf "$PLACE/state"; cp -a "$1" "$PLACE/state"
	[ ! -e "$PLACE/state/lantoa.db" ] || { cat "$PLACE/state/lantoa.db" >"$PLACE/the.db" && mv "$PLACE/the.db" "$PLACE/state/lantoa.db"; }
}
editor() { "$B/lantoa" --as 'Nguyễn Thị Biên' "$@"; }
approver() { "$B/lantoa" --as 'Trần Văn Duyệt' "$@"; }
operator() { "$B/lantoa" --as 'Lê Vận Hành' "$@"; }
admin() { "$B/lantoa" --as 'Quản Trị' "$@"; }
# The sample's campaign has the dates of one session of the assembly; whoever runs this on another day needs it around today.
sample_campaigns() { # writes $PLACE/campaigns.yaml
	local day=+%F
	sed "s/from: [0-9-]*, to: [0-9-]*,/from: $(TZ=Asia/Ho_Chi_Minh date -d '30 days ago' $day), to: $(TZ=Asia/Ho_Chi_Minh date -d '30 days' $day),/" \
		"$TOP/config/examples/campaigns.yaml" >"$PLACE/campaigns.yaml"
}
import_samples() {
	sample_campaigns
	admin -q offices import "$TOP/config/examples/offices.csv" &&
		admin -q targets import "$TOP/config/examples/targets.csv" 2>/dev/null &&
		admin -q audiences import "$TOP/config/examples/audiences.yaml" &&
		admin -q campaigns import "$PLACE/campaigns.yaml"
}
hash_of() { approver --json review "$1" | json - .hash; }

# TAP
ok() { T_N=$((T_N + 1)); echo "ok $T_N - $*"; }
not_ok() { T_N=$((T_N + 1)); T_BAD=$((T_BAD + 1)); echo "not ok $T_N - $*"; }
check() { # check "sentence" COMMAND...: the command must succeed
	local what=$1; shift
	if "$@" >"$PLACE/check.out" 2>&1; then ok "$what"; else not_ok "$what"; sed 's/^/# /' "$PLACE/check.out" | tail -8; fi
}
refuse() { # refuse "sentence" EXIT COMMAND...: the command must fail with this exit code
	local what=$1 want=$2; shift 2
	"$@" >"$PLACE/check.out" 2>&1
	local rc=$?
	if [ $rc -eq "$want" ]; then ok "$what"; else not_ok "$what (exit $rc, wanted $want)"; sed 's/^/# /' "$PLACE/check.out" | tail -8; fi
}
says() { # says "sentence" PATTERN: the last command's words match
	if grep -qE "$2" "$PLACE/check.out"; then ok "$1"; else not_ok "$1: /$2/ is not in"; sed 's/^/# /' "$PLACE/check.out" | cut -c1-300 | head -5; fi
}
same() { # same "sentence" GOT WANTED
	if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1: got '$2', wanted '$3'"; fi
}
# A word that nothing knows is a line that looks at nothing. Bash asks this in a process of its own, which tells the script.
command_not_found_handle() {
	echo "# ${BASH_SOURCE[1]}:${BASH_LINENO[0]}: $1: there is no such command" >&2
	kill -USR1 $$
	return 127
}
trap 'not_ok "all that is called is there"' USR1
tap_end() { echo "1..$T_N"; [ $T_BAD -eq 0 ] && [ $T_N -gt 0 ]; }
