#!/usr/bin/env bash
# test_noblock.sh - promise 6: while the sample goes out over mail, pages, OAs and short messages, and people ask, stop and reload, nothing
# on the loop thread calls what could wait for a disk, a name or a thread. Counted by tests/crash/noblock.c, preloaded; it cannot live beside
# a sanitizer, so the release build is what is looked at.
case ${B:-} in '' | *asan* | *tsan* | *-a | *-t) [ -x "$(dirname "$0")/../../build/release/lantoad" ] && B=build/release ;; esac
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
for lib in facebook zalo smpp; do . "$(dirname "${BASH_SOURCE[0]}")/lib_$lib.sh"; done
if [ ! -x "$B/lantoad" ] || nm -D "$B/lantoad" | grep -qE '__[at]san_init'; then
	echo "1..1"; echo "not ok 1 - blocking calls: needs a release build (make VARIANT=release all)"; exit 1
fi
place_new
R=TTBC-2026-112
cc -D_GNU_SOURCE -std=gnu17 -O1 -fPIC -shared -o "$PLACE/noblock.so" "$TOP/tests/crash/noblock.c" -ldl || { not_ok "noblock.c compiles"; tap_end; exit 1; }
export NOBLOCK_FILE=$PLACE/noblock
: >"$NOBLOCK_FILE"
noblock() { printf '%s' "$1" | dd of="$NOBLOCK_FILE" conv=notrunc status=none; } # 1: count, 0: do not
says() { tail -c +3 "$NOBLOCK_FILE" | tr -d '\0'; }
cp -r "$TOP/config/examples/release-ttbc-112" "$PLACE/bundle"
sed -i 's/spread: 10s/spread: 0s/; s/embargo: 10s/embargo: 1s/' "$PLACE/bundle/release.md"
echo "{$(facebook_script), $(smpp_script '"report_ms":20'), \"zalo\": $(zalo_script ',"polls":1')}" >"$PLACE/script.json"
sandbox_start --script "$PLACE/script.json"
facebook_conf
zalo_conf "$(sandbox_port zalo)"
smpp_conf
conf_write "$SMTP_PORT"
zalo_public
with_noblock() { LD_PRELOAD=$PLACE/noblock.so daemon_start; }
noblock 1
with_noblock || { not_ok "the daemon starts"; tap_end; exit 1; }
noblock 0
says >"$PLACE/start"
check "the counter works: it saw the start read its files" test -s "$PLACE/start"
noblock 1
check "the samples are imported" import_samples
check "the editor submits" editor -q submit "$PLACE/bundle"
check "a second person approves" approver -q approve $R --hash "$(hash_of $R)"
reached() { [ "$(operator --json report $R | jq '[.deliveries[] | select(.state == "accepted" or .state == "delivered")] | length')" -ge 175 ]; }
check "all four channels work" until_true 40 reached
operator -q hold --release $R -m "a look" && operator -q resume --release $R -m "a look"
check "a reload" admin -q reload
operator --json queue >/dev/null; operator --json channels >/dev/null; operator --json audit >/dev/null
check "fsck is clean" operator fsck
noblock 0
says | grep -vxFf "$PLACE/start" >"$PLACE/work"
same "places on the loop thread that called what could wait" "$(wc -l <"$PLACE/work" | tr -d ' ')" 0
while read -r what n at file; do echo "# $what $n times from $(addr2line -fe "$file" "$at" 2>/dev/null | head -1) ($at $(basename "$file"))"; done <"$PLACE/work"
tap_end
