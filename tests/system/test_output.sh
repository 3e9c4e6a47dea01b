#!/usr/bin/env bash
# test_output.sh - what the command line writes: nothing that somebody stored gives orders to another person's terminal, what could not be
# written is a failure, and nobody is told for ever who listens no more.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/peers/scene.sh"
place_new
conf_write 1
daemon_start || { not_ok "the daemon starts"; tap_end; exit 1; }
scene_files
check "the agency is imported" scene_import

echo "# what others stored"
ODD=$'chờ \e[8mhỏi\e[0m\e]0;tên\a \u009b31m \u202eđảo\u202c\r\n99  23/11/2026 00:00:00  Quản Trị  lot.resume'
check "a hold is given with a reason that is no plain text" operator hold --all -m "$ODD"
orders() { LC_ALL=C grep -cP '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xaa-\xae]' "$PLACE/check.out"; } # lines of the last answer that a terminal would obey
for words in "audit" "log" "queue"; do
	check "the reason is shown by $words" operator $words
	same "and gives the terminal no orders" "$(orders)" 0
	says "its letters are there" 'chờ .*hỏi'
	same "and it stays in its own line" "$(grep -c '^99 ' "$PLACE/check.out")" 0
done
refuse "an error that repeats it is one, too" 4 operator show $'X\e[31m-1'
same "and gives the terminal no orders" "$(orders)" 0
same "a program gets it whole" "$(operator --json queue | jq -r '.stops[0].why')" "$ODD"
mkdir "$PLACE/theirs"; : >"$PLACE/theirs/release.md"; ln -s release.md "$PLACE/theirs/"$'a\e]0;t\a\e[8m \u009b31m.png'
refuse "a folder that somebody else made is refused" 6 editor check "$PLACE/theirs"
says "with the name of what is wrong" 'theirs/a.*\.png: is a link'
same "which gives the terminal no orders" "$(orders)" 0
check "the hold is lifted" operator resume --all -m "xong"
check "a text of several lines is handed over" editor submit "$(release_md OUT-1 "$ALL_GO" $'Dòng một.\n\nDòng hai.')"
check "and shown" operator preview OUT-1 --office hue
says "line by line" '^Dòng hai\.'

echo "# output that the caller has closed"
ORDER='{"jsonrpc":"2.0","id":9,"method":"queue.hold","params":{"as":"Lê Vận Hành","all":true,"why":"ai đó"}}'
editor -q submit "$(release_md OUT-3 "$ALL_GO" "Mã:

    $ORDER

$(for i in $(seq 400); do echo "Dòng thứ $i của một văn bản dài."; done)")" && approve_it OUT-3
check "a text that is an order to the daemon is shown" approver review OUT-3
says "as it is" '"method":"queue\.hold"'
refuse "where nobody takes it that is a failure" 1 bash -c "'$B/lantoa' --as 'Trần Văn Duyệt' review OUT-3 >&-"
same "and it is no order" "$(operator --json queue | jq '.stops | length')" 0
check "nor is there one where all is closed" bash -c "'$B/lantoa' --as 'Lê Vận Hành' -q hold --release OUT-3 -m 'thử' <&- >&- 2>&-; [ \$? -ne 2 ]"
same "what was asked for is done" "$(operator --json queue | jq -r '[.stops[].why] | join(" ")')" "thử"
operator -q resume --release OUT-3 -m "xong"

echo "# a program gets one document, whatever happens"
document() { # document "sentence" EXIT COMMAND...
	local what=$1 want=$2; shift 2
	"$@" --json >"$PLACE/out.json" 2>/dev/null </dev/null
	same "$what" "$? $(jq -s -c 'if length == 1 and (.[0].code | type) == "number" and (.[0].message | length) > 0 then "one" else . end' "$PLACE/out.json")" "$want \"one\""
}
document "of what is not there" 4 operator show KHONG-CO-1
document "of a number that is none" 2 operator releases --limit x
document "of an option that there is not" 2 operator queue --nope
document "of what is missing" 2 operator report
document "of a stop without a reason" 2 operator hold --all
document "of a filter that nothing fits" 4 operator cancel --release OUT-1 --state failed -m "thử"
document "of a file that is not there" 1 operator check "$PLACE/nirgendwo"
document "of what may not be done" 3 operator key rotate
document "of a daemon that is not there" 5 operator --socket "$PLACE/none.sock" status
same "--json before the command, too" "$("$B/lantoa" --json nosuch 2>/dev/null | jq .code)" 2

echo "# many acts at once"
{ head -1 "$PLACE/targets.csv"; for i in $(seq 1 450); do echo "email,p$i@list.example,hue,Người $i,,office"; done; } >"$PLACE/many.csv"
check "a list of 450 is imported" admin -q targets import "$PLACE/many.csv"
editor -q submit "$(release_md OUT-2 "$ALL_GO")" 2>/dev/null && approver -q approve OUT-2 --hash "$(hash_of OUT-2)"
check "a release to them is planned" until_true 20 planned OUT-2 all
"$B/lantoa" --as 'Lê Vận Hành' --json log -f >"$PLACE/follow" 2>/dev/null &
FOLLOW_PID=$!
EXTRA_PIDS="$EXTRA_PIDS $FOLLOW_PID"
check "somebody follows the record" until_true 10 grep -q release.approve "$PLACE/follow"
check "454 deliveries are cancelled at once" operator -q --yes cancel --release OUT-2 --part all -m "thử"
followed() { [ "$(jq -s '[.[] | select(.what == "delivery.cancel")] | length' "$PLACE/follow")" = 454 ]; }
check "each of these acts is shown" until_true 20 followed
same "in their order, none twice" "$(jq -s '[.[].seq] == ([.[].seq] | unique)' "$PLACE/follow")" true
stop_pid "$FOLLOW_PID"

echo "# nowhere to write"
refuse "a report that the disk does not take is a failure" 1 bash -c "'$B/lantoa' --as 'Lê Vận Hành' report OUT-1 >/dev/full"
says "and it says so" 'could not be written'
refuse "so is a document for a program" 1 bash -c "'$B/lantoa' --as 'Lê Vận Hành' --json offices >/dev/full"
refuse "and a manual page" 1 bash -c "'$B/lantoa' help --man >/dev/full"
check "who reads the first line only is nobody's failure" bash -c "'$B/lantoa' --as 'Lê Vận Hành' offices | head -1"
# A service ignores SIGPIPE: only what a write answers says that the reader is gone.
refuse "log -f ends when its reader has gone" 1 bash -c "set -o pipefail; (trap '' PIPE; timeout 20 '$B/lantoa' --as 'Lê Vận Hành' log -f) | head -1"

echo "# a daemon whose caller has closed everything"
daemon_stop
"$B/lantoad" --config "$PLACE/conf/lantoad.yaml" --demo <&- >&- 2>&- &
DAEMON_PID=$!
check "starts" until_true 20 "$B/lantoa" --json version
same "has nothing of its own where others write" "$(for i in 0 1 2; do readlink "/proc/$DAEMON_PID/fd/$i"; done | sort | uniq -c | xargs)" "3 /dev/null"
check "and ends in order" daemon_stop
tap_end
