#!/usr/bin/env bash
# plug.sh [CUTS] [nosync] - the plug is pulled. Every write, sync, rename and removal below the state folder is logged while the sample goes
# out (pluglog.c); then the folder is made as it may be found after the plug was pulled behind any of these calls, with any subset of what
# was not synced lost or torn (plug_replay.c), and the daemon starts on it. Held: the database opens, fsck and the audit are clean, and no
# mail that the relay had in its ledger before the cut is still waiting to be sent. nosync: the same as if no sync had ever been asked for;
# that must be noticed, and exit 0 then means that it was.
# It looks at the release build: preloading and sanitizers do not go together.
case ${B:-} in '' | *asan* | *tsan* | *-a | *-t | *wta) [ -x "$(dirname "$0")/../../build/release/lantoad" ] && B=build/release ;; esac
. "$(dirname "${BASH_SOURCE[0]}")/../system/lib.sh"
CUTS=${1:-40} NOSYNC=${2:-} R=TTBC-2026-112
if [ ! -x "$B/lantoad" ] || nm -D "$B/lantoad" | grep -qE '__[at]san_init'; then
	echo "1..1"; echo "not ok 1 - a pulled plug: needs a release build (make VARIANT=release all)"; exit 1
fi
place_new
cc -D_GNU_SOURCE -std=gnu17 -O1 -fPIC -shared -o "$PLACE/pluglog.so" "$TOP/tests/crash/pluglog.c" -ldl && cc -D_GNU_SOURCE -std=gnu17 -O2 -o "$PLACE/plug_replay" "$TOP/tests/crash/plug_replay.c" ||
	{ not_ok "the tools compile"; tap_end; exit 1; }
cp -r "$TOP/config/examples/release-ttbc-112" "$PLACE/bundle"
sed -i 's/spread: 10s/spread: 0s/; s/embargo: 10s/embargo: 1s/' "$PLACE/bundle/release.md"
sandbox_start
conf_write "$SMTP_PORT"
mkdir -p "$PLACE/mirror"
with_log() { PLUG_DIR=$PLACE/state PLUG_LOG=$PLACE/plug.log LD_PRELOAD=$PLACE/pluglog.so daemon_start; }
with_log || { not_ok "the daemon starts"; tap_end; exit 1; }
check "the samples are imported" import_samples
check "the release is submitted" editor -q submit "$PLACE/bundle"
check "and approved" approver -q approve $R --hash "$(hash_of $R)"
all_out() { [ "$(jq -r 'select(.t == "mail") | .mailbox' "$LEDGER" | wc -l)" -ge 73 ]; }
check "73 mails go out" until_true 40 all_out
daemon_kill
stop_pid "$SANDBOX_PID"; SANDBOX_PID=
state_keep "$PLACE/state.whole"
read -r RECORDS _ < <("$PLACE/plug_replay" "$PLACE/plug.log" "$PLACE/state" - -1 0)
check "the log has the calls: $RECORDS" test "$RECORDS" -gt 500
FIRST=$(awk 'BEGIN { print int('"$RECORDS"' / 20) }')
# Nobody answers at the relay's port now: what waits stays, what was on its way shows.
conf_write 1 "pause: no" 2>/dev/null || true
conf_write 1
found=0 fenced=0 early=0
fault() { found=$((found + 1)); [ -n "$NOSYNC" ] || { not_ok "cut $1 of $RECORDS, seed $2: $3"; sed 's/^/# /' "$PLACE/out" | tail -5; tail -3 "$PLACE/lantoad.log" | sed 's/^/# /'; }; }
for i in $(seq 1 "$CUTS"); do
	cut=$((FIRST + (RECORDS - FIRST) * i / CUTS)) seed=$((i * 7919 + ${SEED:-0}))
	rm -rf "$PLACE/cut"; mkdir -m 700 "$PLACE/cut"
	read -r _ at_us < <("$PLACE/plug_replay" "$PLACE/plug.log" "$PLACE/state" "$PLACE/cut" "$cut" "$seed" $NOSYNC)
	state_fill "$PLACE/cut"
	: >"$PLACE/lantoad.log"
	if ! daemon_start >"$PLACE/out" 2>&1; then fault "$cut" "$seed" "the daemon does not start"; daemon_kill; [ -n "$NOSYNC" ] && break; continue; fi
	operator fsck >"$PLACE/out" 2>&1 || { fault "$cut" "$seed" "fsck"; daemon_kill; [ -n "$NOSYNC" ] && break; continue; }
	operator audit verify >"$PLACE/out" 2>&1 || { fault "$cut" "$seed" "audit verify"; daemon_kill; [ -n "$NOSYNC" ] && break; continue; }
	operator --json status 2>/dev/null | grep -q '"fenced":true' && fenced=$((fenced + 1))
	# Mails that the relay had before the cut: none of them may wait, nor be unknown to the database.
	jq -r --argjson at "$((at_us / 1000))" 'select(.t == "mail" and .at < $at) | .mailbox' "$LEDGER" | sort -u >"$PLACE/had"
	operator --json deliveries --limit 1000 2>/dev/null | jq -r '.rows[] | select(.state != "waiting") | .address' | sort -u >"$PLACE/moved"
	comm -23 "$PLACE/had" "$PLACE/moved" >"$PLACE/out"
	[ -s "$PLACE/had" ] || early=$((early + 1))
	[ -s "$PLACE/out" ] && fault "$cut" "$seed" "$(wc -l <"$PLACE/out") mails were out that the database does not know"
	daemon_kill
	[ -n "$NOSYNC" ] && [ $found -gt 0 ] && break
done
if [ -n "$NOSYNC" ]; then
	check "a build without syncs is noticed ($i cuts)" test $found -gt 0
else
	check "$CUTS pulled plugs: nothing lost, nothing forged, nothing forgotten ($early before the first mail, $fenced fenced)" test $found -eq 0
fi
tap_end
