#!/usr/bin/env bash
# plug.sh [CUTS] [nosync] - the plug is pulled. Every write, sync, rename and removal below the state folder is logged while the sample goes
# out (pluglog.c); then the folder is made as it may be found after the plug was pulled behind any of these calls, with any subset of what
# was not synced lost or torn (plug_replay.c), and the daemon starts on it. Held: the database opens, fsck and the audit are clean, and no
# mail that the relay had in its ledger before the cut is still waiting to be sent. nosync: the same as if no sync had ever been asked for;
# that must be noticed, and exit 0 then means that it was.
. "$(dirname "$0")/plug_lib.sh"
R=TTBC-2026-112
cp -r "$TOP/config/examples/release-ttbc-112" "$PLACE/bundle"
sed -i 's/spread: 10s/spread: 0s/; s/embargo: 10s/embargo: 1s/' "$PLACE/bundle/release.md"
sandbox_start
conf_write "$SMTP_PORT"
mkdir -p "$PLACE/mirror"
with_log "$PLACE/state" || { not_ok "the daemon starts"; tap_end; exit 1; }
check "the samples are imported" import_samples
check "the release is submitted" editor -q submit "$PLACE/bundle"
check "and approved" approver -q approve $R --hash "$(hash_of $R)"
all_out() { [ "$(jq -r 'select(.t == "mail") | .mailbox' "$LEDGER" | wc -l)" -ge 73 ]; }
check "73 mails go out" until_true 40 all_out
daemon_kill
stop_pid "$SANDBOX_PID"; SANDBOX_PID=
state_keep "$PLACE/state.whole"
records_of "$PLACE/state"
# Nobody answers at the relay's port now: what waits stays, what was on its way shows.
conf_write 1 "pause: no" 2>/dev/null || true
conf_write 1
fenced=0 early=0
for i in $(seq 1 "$CUTS"); do
	plug_at "$i" $((RECORDS / 20)) "$PLACE/state"
	state_fill "$PLACE/cut"
	sound || { enough && break; continue; }
	operator --json status 2>/dev/null | grep -q '"fenced":true' && fenced=$((fenced + 1))
	# Mails that the relay had before the cut: none of them may wait, nor be unknown to the database.
	jq -r --argjson at "$((CUT_US / 1000))" 'select(.t == "mail" and .at < $at) | .mailbox' "$LEDGER" | sort -u >"$PLACE/had"
	operator --json deliveries --limit 1000 2>/dev/null | jq -r '.rows[] | select(.state != "waiting") | .address' | sort -u >"$PLACE/moved"
	comm -23 "$PLACE/had" "$PLACE/moved" >"$PLACE/out"
	[ -s "$PLACE/had" ] || early=$((early + 1))
	[ -s "$PLACE/out" ] && fault "$(wc -l <"$PLACE/out") mails were out that the database does not know"
	daemon_kill
	enough && break
done
plugs_end "$i" "nothing lost, nothing forged, nothing forgotten ($early before the first mail, $fenced fenced)"
