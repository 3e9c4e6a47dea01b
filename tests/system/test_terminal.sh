#!/usr/bin/env bash
# test_terminal.sh - the command line and a person at a terminal: only a yes is a yes, what was shown is what is done, and who thinks for long is not
# told that the daemon is gone.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/peers/scene.sh"
place_new
echo '{"rules":[{"match":"vanphong@hue.bhxh.example","at":"final","do":"drop_after_dot","times":1}]}' >"$PLACE/script.json"
sandbox_start --script "$PLACE/script.json"
scene_files
conf_write "$SMTP_PORT"
daemon_start || { not_ok "the daemon starts"; tap_end; exit 1; }
check "the agency is imported" scene_import
typed() { # typed ANSWER BEFORE COMMAND...: the operator's command on a terminal; BEFORE is run while the question stands
	local answer=$1 before=$2; shift 2
	/usr/bin/python3 "$TOP/tests/system/peers/typed.py" '[y/N]' "$answer" "$before" "$B/lantoa" --as 'Lê Vận Hành' "$@"
}
of() { operator --json deliveries --release "$1" --state "$2" | jq '.rows | length'; } # of R STATE
is() { [ "$(of "$1" "$2")" = "$3" ]; }

echo "# questions"
editor -q submit "$(release_md TTY-1 "$ALL_GO")" && approve_it TTY-1
check "four deliveries wait" until_true 20 is TTY-1 waiting 4
for no in chưa cancel chờ no c '' 'y?' 'yes, but'; do
	refuse "'$no' is no yes" 1 typed "$no" '' cancel --release TTY-1 --office hue -m "thử"
done
says "and it says that nothing is done" 'nothing is done'
same "nothing was touched" "$(of TTY-1 waiting)" 4
check "yes is" typed yes '' cancel --release TTY-1 --office hue -m "thử"
check "so is có" typed Có '' cancel --release TTY-1 --office ca-mau -m "thử"
check "however it is composed" typed $'CO\u0301' '' cancel --release TTY-1 --office dien-bien -m "thử"
same "each did what was asked" "$(of TTY-1 waiting)" 1

echo "# what is shown is what is done"
cat >"$PLACE/two.md" <<'MD'
---
code: TTY-2
kind: notice
category: public_notice
title: Hai bước phát
parts:
  one: {to: offices, channels: [email], at: now}
  two: {to: offices, channels: [email], go: signal, again: true}
---
Nội dung.
MD
editor -q submit "$PLACE/two.md" && approve_it TTY-2
check "an answer is lost, and four of the second part wait" until_true 20 eval 'is TTY-2 unknown 1 && is TTY-2 waiting 4 && is TTY-2 accepted 3'
LOST=$(operator --json deliveries --release TTY-2 --state unknown | jq '.rows[0].delivery')
check "nothing moves by itself" operator hold --all -m "thử"
check "who only looks is told which" operator --json cancel --release TTY-2 --office hue --dry
same "by number" "$(jq -c '[.count, (.deliveries | length), .deliveries[0] == .sample[0].delivery]' "$PLACE/check.out")" '[1,1,true]'
# While the question about one of Huế stands, another of Huế comes to wait.
check "yes is said to one" typed y "'$B/lantoa' --as 'Lê Vận Hành' resolve absent $LOST -m 'hỏi rồi'" cancel --release TTY-2 --office hue -m "thử"
same "and one was cancelled, not what came behind it" "$(of TTY-2 cancelled) $(operator --json delivery "$LOST" | jq -r .state)" "1 waiting"
check "a filter without a question names them as well" operator --json --yes cancel --release TTY-2 --part two -m "thử"
same "and says how many" "$(jq -c '[.count, .changed, .more]' "$PLACE/check.out")" '[3,3,false]'
operator -q resume --all -m "thử"
check "the rest goes out" until_true 20 is TTY-2 accepted 4

echo "# who thinks for long"
# A daemon puts a silent connection down after two minutes; one that is started anew does so at once.
mkfifo "$PLACE/asked" "$PLACE/go"
typed y "echo >'$PLACE/asked'; cat '$PLACE/go'" cancel TTY-1 -m "thử" >"$PLACE/typed.out" 2>&1 &
TYPED=$!
read -r <"$PLACE/asked"
daemon_stop
daemon_start || not_ok "it starts again"
echo >"$PLACE/go"
check "what was asked before is done after" wait "$TYPED"
same "and nothing waits" "$(of TTY-1 waiting)" 0
check "fsck is clean" operator fsck

echo "# narrow terminals"
export COLUMNS=80
check "an audit on 80 columns" typed '' '' audit --limit 1000
same "cuts no time" "$(grep -cE '^ *[0-9]+ +[0-9/]{10} [0-9:]{8} ' "$PLACE/check.out")" "$(grep -cE '^ *[0-9]+ +[0-9/]{10}' "$PLACE/check.out")"
same "and no name without a sign" "$(grep -cE 'Trần Văn (D|Du|Duy|Duyệ) ' "$PLACE/check.out")" 0
says "which stands there" '…'
check "progress on 40" env COLUMNS=40 bash -c "/usr/bin/python3 '$TOP/tests/system/peers/typed.py' nothing '' '' '$B/lantoa' --as 'Lê Vận Hành' watch TTY-1"
same "is one line of less than that" "$(tr '\r' '\n' <"$PLACE/check.out" | sed 's/\x1b\[K//g' | while read -r line; do [ ${#line} -lt 40 ] || echo "$line"; done)" ""

echo "# what takes long"
cc -shared -fPIC -O1 -o "$PLACE/slow_calls.so" "$TOP/tests/system/peers/slow_calls.c" -ldl || not_ok "the preload library compiles"
SANITIZER=$(ldd "$B/lantoa" | sed -n 's/.*=> \(.*lib[at]san[^ ]*\).*/\1/p' | head -1) # must come first among the preloaded
hasty() { env SHORT_WAITS=1 LD_PRELOAD="${SANITIZER:+$SANITIZER:}$PLACE/slow_calls.so" "$B/lantoa" --as 'Quản Trị' "$@"; } # waits a second in place of ten minutes
kill -STOP "$DAEMON_PID"
hasty backup "$PLACE/backup" >"$PLACE/backup.out" 2>&1 &
BACKUP=$!
refuse "who asks what is answered at once is told that nothing came" 5 hasty status
says "for how long" 'said nothing for ten minutes'
refuse "twice" 5 hasty status
kill -CONT "$DAEMON_PID"
check "a backup may take longer" wait "$BACKUP"
same "and is whole" "$(grep -cE '^files +[1-9]' "$PLACE/backup.out")" 1
tap_end
