#!/usr/bin/env bash
# sweep.sh [short] - every edge fails once: submit, plan, dispatch, apply, migrate, backup and reload are run again and again, and each
# time the next call of a kind fails, once (write, fsync, rename, open, accept, connect with EIO, ENOSPC, EMFILE or ENOMEM), until one
# run passes without that call. With a build that has fault points (VARIANT=asan) these fail instead, each by its name.
# After each: what the person was told is a clean error or a success, the daemon lives or can be started again, and what was asked works
# without the fault. At the end of each phase fsck and the audit are clean, and the relay has every approved mail once.
# Calls fail through failn.c, which cannot live beside a sanitizer: B=build/release for calls, B=build/asan for points.
. "$(dirname "${BASH_SOURCE[0]}")/../system/lib.sh"
MODE=${1:-long}
MAX=${MAX:-12} # of one kind in one phase; what lies beyond is told
[ "$MODE" = short ] && MAX=${SHORT_MAX:-2}
if nm -D "$B/lantoad" | grep -qE '__[at]san_init'; then HOW=points; else HOW=calls; fi
place_new
CTL=$PLACE/ctl GEN=0
head -c 4096 /dev/zero >"$CTL"
DB=$PLACE/state/lantoa.db
if [ $HOW = calls ]; then
	${CC:-cc} -shared -fPIC -O1 -D_GNU_SOURCE -o "$PLACE/failn.so" "$TOP/tests/crash/failn.c" -ldl || exit 1
fi
RUNS=0 FIRED=0 ERRORS=0 RESTARTS=0 ABORTS=0 BAD=0 CODE=
: >"$PLACE/approved"

# A person does not wait for ever.
editor() { timeout 60 "$B/lantoa" --as 'Nguyễn Thị Biên' "$@"; }
approver() { timeout 60 "$B/lantoa" --as 'Trần Văn Duyệt' "$@"; }
operator() { timeout 60 "$B/lantoa" --as 'Lê Vận Hành' "$@"; }
admin() { timeout 60 "$B/lantoa" --as 'Quản Trị' "$@"; }
arm() { GEN=$((GEN + 1)); ARMED=$GEN; printf '%-100s\n' "$GEN $1 $2 $3" 1<>"$CTL"; } # arm KIND ERRNO-or-NAME N
disarm() { printf '%-100s\n' "0 none - 0" 1<>"$CTL"; }
seen() { dd if="$CTL" bs=1 skip=512 count=400 status=none | tr -d '\0' | head -1; }
fired() { read -r g _ f WHERE <<<"$(seen)"; [ "${g:-}" = "$ARMED" ] && [ "$f" = 1 ]; }
bad() { BAD=$((BAD + 1)); echo "# BAD: $WHAT: $*"; tail -3 "$PLACE/lantoad.log" | cut -c1-300 | sed 's/^/#   /'; }
alive() { [ -n "$DAEMON_PID" ] && kill -0 "$DAEMON_PID" 2>/dev/null; }
boot() {
	if [ $HOW = calls ]; then FAILN_FILE=$CTL FAILN_UNDER=$PLACE LD_PRELOAD=$PLACE/failn.so daemon_start >"$PLACE/boot"
	else LANTOA_FAULT_FILE=$CTL daemon_start >"$PLACE/boot"; fi
}
# How it ended is a clean end with a reason: no signal, no report of a sanitizer. Where memory fails that no answer can be made
# without, it aborts and says where; the store is its recovery.
ended() {
	local rc
	wait "$DAEMON_PID" 2>/dev/null; rc=$?
	DAEMON_PID=
	if [ $rc -eq 134 ] && [[ $WHAT = *buf.grow* ]] && tail -3 "$PLACE/lantoad.log" | grep -aq 'ev=require.failed'; then ABORTS=$((ABORTS + 1)); return 0; fi
	[ $rc -lt 128 ] || bad "the daemon ended with $rc"
	[ $rc -eq 0 ] && bad "the daemon ended as if nothing were wrong"
	return 0
}
up() { # runs, if need be again
	alive && { "$B/lantoa" --json version >/dev/null 2>&1 || sleep 0.3; }
	alive && return 0
	[ -n "$DAEMON_PID" ] && ended
	RESTARTS=$((RESTARTS + 1))
	boot && return 0
	# the fault may fall into the start, which then says why and leaves everything as it was
	fired && grep -q start.failed "$PLACE/boot" && { ERRORS=$((ERRORS + 1)); boot && return 0; }
	bad "it does not start again"
	return 1
}
# try COMMAND...: done, or a clean error; after an error it works without the fault. 7 (there already) is done at a second try.
try() {
	local i rc
	for i in $(seq 1 60); do
		"$@" >"$PLACE/out" 2>"$PLACE/err"; rc=$?
		[ $rc -eq 0 ] && return 0
		[ $i -gt 1 ] && { [ $rc -eq 7 ] || grep -q 'approved already' "$PLACE/err"; } && return 0
		if [ $rc -ge 124 ]; then bad "'$*' ended with $rc"; fi
		[ -s "$PLACE/err" ] || [ -s "$PLACE/out" ] || bad "'$*' failed with $rc and said nothing"
		[ $i -eq 1 ] && ERRORS=$((ERRORS + 1))
		disarm
		sleep 0.2
		up || return 1
		# a disk that was full is looked at again by and by
		[ $i -lt 5 ] || grep -q 'nearly full' "$PLACE/err" || break
	done
	bad "'$*' does not work after the fault: $rc $(head -c 200 "$PLACE/err")"
	return 1
}
states() { operator --json report "$CODE" 2>/dev/null | jq -r '[.deliveries[].state] | sort | join(",")'; }
settled() { [ "$(states)" = accepted,accepted,accepted ]; }
planned() { [ "$(sqlite3 -readonly "$DB" "SELECT count(*) FROM delivery" 2>/dev/null || echo 0)" -ge "$1" ]; }
# The scripted operator looks into the relay's ledger, as a person would ask the recipient.
resolve() {
	local d a
	operator --json deliveries --state unknown --limit 100 2>/dev/null | jq -r '.rows[] | "\(.delivery) \(.release) \(.address)"' >"$PLACE/unknown"
	while read -r d r a; do
		if [ -n "$(jq -c --arg s "${r%@*}" --arg m "$a" 'select(.t == "mail" and .subject == $s and .mailbox == $m)' "$LEDGER")" ]; then
			operator -q resolve sent "$d" -m "the relay has it"
		else
			operator -q resolve absent "$d" -m "the relay never had it"
		fi
	done <"$PLACE/unknown"
}
sent() { # until the release is settled, through restarts and the operator's word
	local end=$((SECONDS + 40))
	until settled; do
		[ $SECONDS -lt $end ] || { bad "not settled: $(states)"; return 1; }
		alive || up || return 1
		resolve
		sleep 0.1
	done
}
bundle() { # bundle CODE AT: one release of its own, with a file of its own
	mkdir -p "$PLACE/b"
	printf '%%PDF-1.4\n%% %s\n%%%%EOF\n' "$1" >"$PLACE/b/tep.pdf"
	printf -- '---\ncode: %s\nkind: notice\ncategory: public_notice\ntitle: %s\nattachments: [tep.pdf]\nparts:\n  all: {to: sweep, channels: [email], %s}\n---\nNội dung của %s.\n' \
		"$1" "$1" "$2" "$1" >"$PLACE/b/release.md"
}
approve() { approver -q approve "$CODE" --hash "$(hash_of "$CODE")"; }

ROWS=0
csv() { # the whole table, one row longer than before
	head -1 "$TOP/config/examples/targets.csv" | tr -d '\r\357\273\277'
	for i in 1 2 3; do echo "email,s$i@list.example,trung-uong,S $i,,sweep"; done
	for i in $(seq 1 "$ROWS"); do echo "email,r$i@list.example,trung-uong,R $i,,rest"; done
}
imported() { [ "$(targets)" = $((3 + ROWS)) ]; }
targets() { sqlite3 -readonly "$DB" "SELECT count(*) FROM target"; }

# Each phase: what is done without the fault, then with it, then what must be true.
phase_submit() {
	bundle "$CODE" "go: signal"
	arm "$@"; try editor -q submit "$PLACE/b"; disarm
}
phase_plan() {
	bundle "$CODE" "go: signal"
	try editor -q submit "$PLACE/b"
	local n; n=$(sqlite3 -readonly "$DB" "SELECT count(*) FROM delivery")
	arm "$@"; try approve
	for _ in $(seq 1 100); do planned $((n + 3)) && break; alive || up || break; sleep 0.05; done
	disarm
	planned $((n + 3)) || until_true 20 planned $((n + 3)) || bad "not planned"
	try operator -q go "$CODE" --part all
	echo "$CODE" >>"$PLACE/approved"; sent
}
phase_dispatch() {
	bundle "$CODE" "go: signal"
	try editor -q submit "$PLACE/b"; try approve
	arm "$@"; try operator -q go "$CODE" --part all
	echo "$CODE" >>"$PLACE/approved"; sent; disarm
}
# As dispatch, of a daemon that has no connection yet; an account that cannot connect rests for half a minute.
phase_connect() {
	daemon_stop
	boot || bad "it does not start"
	phase_dispatch "$@"
}
phase_apply() {
	local was now; was=$(targets)
	ROWS=$((ROWS + 1)); csv >"$PLACE/t.csv"
	arm "$@"
	if ! admin -q targets import "$PLACE/t.csv" >"$PLACE/out" 2>"$PLACE/err"; then
		ERRORS=$((ERRORS + 1))
		[ -s "$PLACE/err" ] || bad "an import failed and said nothing"
		alive && grep -q 'goes on at the next start' "$PLACE/err" && daemon_stop
		disarm
		[ -n "$DAEMON_PID" ] || boot || bad "it does not start"
		up
		until_true 2 imported || try admin -q targets import "$PLACE/t.csv"
	fi
	disarm
	now=$(targets)
	[ "$now" = $((was + 1)) ] || bad "targets: $was, then $now"
}
phase_backup() {
	arm "$@"
	BACKUPS=$((${BACKUPS:-0} + 1))
	if ! admin -q backup "$PLACE/bak-$BACKUPS" >"$PLACE/out" 2>"$PLACE/err"; then
		ERRORS=$((ERRORS + 1))
		[ -s "$PLACE/err" ] || bad "a backup failed and said nothing"
		disarm; up; BACKUPS=$((BACKUPS + 1)); try admin -q backup "$PLACE/bak-$BACKUPS"
	fi
	disarm
	[ "$(sqlite3 -readonly "$PLACE/bak-$BACKUPS/lantoa.db" 'PRAGMA integrity_check' 2>&1)" = ok ] || bad "the backup's database is not whole"
	[ "$(sqlite3 -readonly "$PLACE/bak-$BACKUPS/lantoa.db" 'SELECT count(*) FROM delivery')" = "$(sqlite3 -readonly "$DB" 'SELECT count(*) FROM delivery')" ] || bad "the backup is not the database"
	rm -rf "$PLACE"/bak-*
}
phase_reload() { arm "$@"; try admin -q reload; disarm; }
# An empty folder grows through every migration; the start fails and says why, or goes on; then it starts and is whole.
phase_migrate() {
	local keep=$PLACE/state.kept
	daemon_stop
	mv "$PLACE/state" "$keep"
	arm "$@"
	if ! boot; then ERRORS=$((ERRORS + 1)); [ -s "$PLACE/boot" ] || bad "it did not start and said nothing"; alive || { DAEMON_PID=; }; daemon_stop; disarm; boot || bad "it does not start after the fault"; fi
	disarm
	up && { operator fsck >"$PLACE/out" 2>&1 || bad "fsck: $(head -c 300 "$PLACE/out")"; operator -q audit verify >"$PLACE/out" 2>&1 || bad "audit: $(head -c 300 "$PLACE/out")"; }
	daemon_stop
	rm -rf "$PLACE/state"; mv "$keep" "$PLACE/state"
	boot || bad "the kept folder does not open"
}

whole() { # whole PHASE
	disarm; up || return 1
	operator fsck >"$PLACE/out" 2>&1 || bad "fsck: $(head -c 400 "$PLACE/out")"
	operator -q audit verify >"$PLACE/out" 2>&1 || bad "audit: $(head -c 400 "$PLACE/out")"
	jq -r 'select(.t == "mail") | "\(.subject) \(.mailbox)"' "$LEDGER" | sort >"$PLACE/got"
	while read -r c; do for i in 1 2 3; do echo "$c s$i@list.example"; done; done <"$PLACE/approved" | sort >"$PLACE/want"
	cmp -s "$PLACE/got" "$PLACE/want" || bad "the relay has other mails: $(diff "$PLACE/want" "$PLACE/got" | head -5 | tr '\n' ' ')"
}
# sweep PHASE KIND ARG: N = 1, 2, ... until a run passes without the fault
sweep() {
	local n=1 from=$RUNS_FIRED
	while [ $n -le "$MAX" ]; do
		NUMBER=$((NUMBER + 1)); CODE=SW-$NUMBER; WHAT="$1 $2 $3 #$n"
		RUNS=$((RUNS + 1))
		"phase_$1" "$2" "$3" "$n"
		fired || break
		FIRED=$((FIRED + 1)); RUNS_FIRED=$((RUNS_FIRED + 1))
		[ "$MODE" = short ] || echo "$WHAT: $WHERE"
		n=$((n + 1))
	done
	printf '%-9s %-16s %-7s %3d failed in turn%s\n' "$1" "$([ "$2" = point ] && echo "$3" || echo "$2")" "$([ "$2" = point ] || echo "$3")" $((RUNS_FIRED - from)) \
		"$([ $n -gt "$MAX" ] && echo ", the later ones were not tried")"
}
RUNS_FIRED=0 NUMBER=0
points() { # points PHASE NAME...
	local phase=$1 p; shift
	for p; do sweep "$phase" point "$p"; done
	whole "$phase"
}
calls() { # calls PHASE KIND:ERRNO...
	local phase=$1 k; shift
	for k; do sweep "$phase" "${k%:*}" "${k#*:}"; done
	whole "$phase"
}

sandbox_start
disarm
LANE_BACKOFF=1s conf_write "$SMTP_PORT"
boot || { cat "$PLACE/boot"; not_ok "the daemon starts"; tap_end; exit 1; }
WHAT="before all"
admin -q offices import "$TOP/config/examples/offices.csv" || bad "offices"
csv >"$PLACE/t.csv"; admin -q targets import "$PLACE/t.csv" || bad "targets"
echo 'sweep: {name: "Sweep", any: [{tag: sweep}]}' >"$PLACE/a.yaml"; admin -q audiences import "$PLACE/a.yaml" || bad "audiences"
BEGAN=$SECONDS
if [ "$MODE" = short ] && [ $HOW = points ]; then
	points submit asset.fsync store.commit
	points dispatch store.full store.fsync
	points apply import.chunk
elif [ "$MODE" = short ]; then
	calls submit rename:EIO
	calls dispatch fsync:EIO write:ENOSPC accept:EMFILE
elif [ $HOW = points ]; then
	STORE="store.begin store.write store.full store.commit store.fsync store.exchange store.checkpoint"
	points submit asset.dir asset.fsync asset.rename bundle.write dir.fsync file.fsync file.rename file.write doc.arena markdown.copy buf.grow $STORE
	points plan plan.chunk doc.arena markdown.copy buf.grow file.write $STORE
	points dispatch buf.grow file.write file.fsync file.rename dir.fsync $STORE
	points apply import.stage import.chunk import.office buf.grow file.write $STORE
	points backup backup.step file.write file.fsync file.rename dir.fsync buf.grow $STORE
	points reload buf.grow doc.arena file.write $STORE
	points migrate store.begin store.write store.commit store.fsync store.full store.ballast file.write file.fsync file.rename dir.fsync buf.grow
else
	calls submit write:ENOSPC write:EIO fsync:EIO rename:EIO open:EMFILE open:ENOMEM accept:EMFILE
	calls plan write:ENOSPC write:EIO fsync:EIO rename:EIO open:EMFILE accept:ENOMEM
	calls dispatch write:ENOSPC write:EIO fsync:EIO open:EMFILE accept:EMFILE
	calls connect connect:EMFILE connect:ENOMEM open:EMFILE
	calls apply write:ENOSPC write:EIO fsync:EIO open:EMFILE rename:EIO
	calls backup write:ENOSPC write:EIO fsync:EIO rename:EIO open:EMFILE
	calls reload open:EMFILE open:EIO write:EIO accept:EMFILE
	calls migrate write:ENOSPC write:EIO fsync:EIO rename:EIO open:EMFILE
fi
echo "$HOW, at most $MAX of one kind in one phase: $RUNS runs, $FIRED faults, $ERRORS clean errors told, $RESTARTS restarts ($ABORTS after an abort for want of memory), $((SECONDS - BEGAN)) s"
same "after each of $FIRED $HOW that failed once: a clean error or a clean restart, nothing lost, nothing doubled" "$BAD" 0
if [ $FIRED -gt 0 ]; then ok "faults were injected"; else not_ok "no fault was injected"; fi
tap_end
