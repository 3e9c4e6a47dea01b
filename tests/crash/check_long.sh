#!/usr/bin/env bash
# check_long.sh - what is too long for `make test`: 200 kills over the sample and a list of 20,000, kills while pages get their posts,
# 1,000 deaths at the steps of OAs and 1,000 kills while they are served, a million contacts, and a million short messages.
# The log goes to docs/evidence/check-long.log. KILLS, LIST and CONTACTS make it smaller, LOG puts the log elsewhere; ONLY=OAs runs
# those alone whose name has that word.
set -u
TOP=$(cd "$(dirname "$0")/../.." && pwd)
LOG=${LOG:-$TOP/docs/evidence/check-long.log}
mkdir -p "$(dirname "$LOG")"
run() { # run NAME COMMAND...: its whole output and how long it took
	local from=$SECONDS rc
	case $1 in *"${ONLY:-}"*) RAN=$((RAN + 1)) ;; *) return 0 ;; esac
	echo; echo "=== $1"; shift
	"$@" 2>&1; rc=$?
	echo "=== $((SECONDS - from)) s, $([ $rc = 0 ] && echo passed || echo FAILED)"
	return $rc
}
all() {
	local bad=0 RAN=0
	echo "check-long: $(date -u +%Y-%m-%dT%H:%M:%SZ), $(uname -srmv), $(nproc) cores, commit $(git -C "$TOP" rev-parse --short HEAD 2>/dev/null || echo none)"
	run "kill -9 at ${KILLS:-200} random instants, the sample's mails and a list of ${LIST:-20000}" "$TOP/tests/crash/kills.sh" "${KILLS:-200}" "${LIST:-20000}" || bad=1
	run "35 pages killed between every two steps" "$TOP/tests/crash/facebook_steps.sh" || bad=1
	run "kill -9 at ${FB_KILLS:-100} random instants while releases go to 35 pages" "$TOP/tests/crash/facebook_kills.sh" "${FB_KILLS:-100}" || bad=1
	run "35 OAs killed between every two steps and around refreshes, ${ZALO_ROUNDS:-36} rounds of 28 deaths" "$TOP/tests/crash/zalo_steps.sh" "${ZALO_ROUNDS:-36}" || bad=1
	run "kill -9 at ${ZALO_KILLS:-1000} random instants while articles and broadcasts go to 35 OAs and tokens live four seconds" env LIFE=4 "$TOP/tests/crash/zalo_kills.sh" "${ZALO_KILLS:-1000}" || bad=1
	run "${CONTACTS:-1000000} contacts imported, planned and cancelled while the sample's mails go out" "$TOP/tests/crash/million.sh" "${CONTACTS:-1000000}" || bad=1
	run "kill -9 at ${SMS_KILLS:-100} random instants while releases go to 300 phones over SMPP and HTTP" "$TOP/tests/crash/sms_kills.sh" "${SMS_KILLS:-100}" || bad=1
	run "${CONTACTS:-1000000} short messages waiting and going out over one bind" "$TOP/tests/crash/million_sms.sh" "${CONTACTS:-1000000}" || bad=1
	[ $RAN -gt 0 ] || { bad=1; echo "none of them has '$ONLY' in its name"; }
	echo; echo "check-long: $([ $bad = 0 ] && echo passed || echo FAILED)"
	return $bad
}
all | sed -u "s|$TOP/||g" | tee "$LOG"
exit "${PIPESTATUS[0]}"
