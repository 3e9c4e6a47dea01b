# plug_lib.sh - what the tests that pull the plug share; source it with their arguments, [CUTS] [nosync]. The daemon runs with every call on a
# folder logged (with_log), and plug_at plays the log up to a cut, with any subset of what was not synced lost or torn.
# It looks at the release build: preloading and sanitizers do not go together.
case ${B:-} in '' | *asan* | *tsan* | *-a | *-t | *wta) [ -x "$(dirname "$0")/../../build/release/lantoad" ] && B=build/release ;; esac
. "$(dirname "${BASH_SOURCE[0]}")/../system/lib.sh"
CUTS=${1:-40} NOSYNC=${2:-} RECORDS=0 CUT=0 CUT_SEED=0 CUT_US=0 FOUND=0
if [ ! -x "$B/lantoad" ] || nm -D "$B/lantoad" | grep -qE '__[at]san_init'; then
	echo "1..1"; echo "not ok 1 - a pulled plug: needs a release build (make VARIANT=release all)"; exit 1
fi
place_new
cc -D_GNU_SOURCE -std=gnu17 -O1 -fPIC -shared -o "$PLACE/pluglog.so" "$TOP/tests/crash/pluglog.c" -ldl && cc -D_GNU_SOURCE -std=gnu17 -O2 -o "$PLACE/plug_replay" "$TOP/tests/crash/plug_replay.c" ||
	{ not_ok "the tools compile"; tap_end; exit 1; }
with_log() { PLUG_DIR=$1 PLUG_LOG=$PLACE/plug.log LD_PRELOAD=$PLACE/pluglog.so daemon_start; } # with_log FOLDER
replay() { "$PLACE/plug_replay" "$PLACE/plug.log" "$@"; }
records_of() { # records_of FOLDER: how many calls the log has
	read -r RECORDS _ < <(replay "$1" - -1 0)
	check "the log has the calls: $RECORDS" test "$RECORDS" -gt 500
}
plug_at() { # plug_at I FIRST FOLDER: $PLACE/cut is the folder behind the I-th of CUTS cuts, the first of them at call FIRST
	CUT=$(($2 + (RECORDS - $2) * $1 / CUTS)) CUT_SEED=$(($1 * 7919 + ${SEED:-0}))
	rm -rf "$PLACE/cut"; mkdir -m 700 "$PLACE/cut"
	read -r _ CUT_US < <(replay "$3" "$PLACE/cut" "$CUT" "$CUT_SEED" $NOSYNC)
}
fault() { # fault SENTENCE, with what stands in $PLACE/out
	FOUND=$((FOUND + 1))
	[ -n "$NOSYNC" ] || { not_ok "cut $CUT of $RECORDS, seed $CUT_SEED: $1"; sed 's/^/# /' "$PLACE/out" | head -30; tail -3 "$PLACE/lantoad.log" | sed 's/^/# /'; }
}
sound() { # the daemon starts on what the cut left, and fsck and the audit are clean; false: a fault is noted, and no daemon runs
	: >"$PLACE/lantoad.log"
	if ! daemon_start >"$PLACE/out" 2>&1; then fault "the daemon does not start"
	elif ! operator fsck >"$PLACE/out" 2>&1; then fault "fsck"
	elif ! operator audit verify >"$PLACE/out" 2>&1; then fault "audit verify"
	else return 0; fi
	daemon_kill
	return 1
}
enough() { [ -n "$NOSYNC" ] && [ $FOUND -gt 0 ]; } # a build without syncs was noticed
plugs_end() { # plugs_end I SENTENCE
	if [ -n "$NOSYNC" ]; then check "a build without syncs is noticed ($1 cuts)" test $FOUND -gt 0; else check "$CUTS pulled plugs: $2" test $FOUND -eq 0; fi
	tap_end
}
