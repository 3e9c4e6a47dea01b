#!/usr/bin/env bash
# test_commands.sh - the command line takes what was typed at its word: nothing that was said is passed over in silence, a
# filter always narrows, and a wrong word is usage.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/peers/scene.sh"
place_new
echo '{"rules":[{"match":"vanphong@hue.bhxh.example","at":"final","do":"drop_after_dot","times":1},{"match":"vanphong@ca-mau.bhxh.example","at":"final","do":"drop_after_dot","times":1}]}' >"$PLACE/script.json"
sandbox_start --script "$PLACE/script.json"
scene_files
conf_write "$SMTP_PORT"
daemon_start || { not_ok "the daemon starts"; tap_end; exit 1; }
check "the agency is imported" scene_import
YEAR=$(TZ=Asia/Ho_Chi_Minh date +%Y) # in Vietnam it begins seven hours before UTC's
cat >"$PLACE/two.md" <<'MD'
---
code: CMD-1
kind: notice
category: public_notice
title: Hai bước phát
parts:
  one: {to: offices, channels: [email], go: signal}
  two: {to: offices, channels: [email], go: signal, again: true}
---
Nội dung.
MD
check "a release of two parts is submitted" editor submit "$PLACE/two.md"
check "it is approved" approver approve CMD-1 --hash "$(hash_of CMD-1)"
planned() { [ "$(operator --json deliveries --release CMD-1 | jq '.rows | length')" = 8 ]; }
check "and planned: eight deliveries wait" until_true 10 planned
waits() { operator --json deliveries --release CMD-1 --part "$1" --state waiting | jq '.rows | length'; }

echo "# cancel"
refuse "a look at a release that is not done ends at once" 1 timeout 20 "$B/lantoa" --as "Lê Vận Hành" watch CMD-1 --timeout 0
says "with its state" 'not done after 0 s; state'
refuse "an option twice is usage" 2 operator cancel CMD-1 --part one --part two -m "thử"
says "and names it" '\-\-part'
refuse "two releases at once are usage" 2 operator cancel CMD-1 CMD-2 -m "thử"
refuse "a release beside a delivery is usage" 2 operator cancel CMD-1 5 -m "thử"
refuse "a release beside --release is usage" 2 operator cancel CMD-1 --release CMD-1 -m "thử"
D=$(operator --json deliveries --release CMD-1 --part two | jq '.rows[0].delivery')
refuse "a number beside a filter is usage: the filter would not narrow it" 2 operator cancel "$D" --part one -m "thử"
refuse "so is it for a program on the socket" 2 bash -c "printf '%s\n' '{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"delivery.cancel\",\"params\":{\"as\":\"Lê Vận Hành\",\"deliveries\":[$D],\"state\":\"failed\",\"why\":\"x\"}}' | /usr/bin/python3 -c 'import socket, sys, json; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); s.sendall(sys.stdin.buffer.read()); sys.exit(json.loads(s.makefile().readline())[\"error\"][\"code\"] in (2, -32602) and 2 or 1)' '$SOCKET'"
refuse "the end of a release takes no filter" 2 bash -c "printf '%s\n' '{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"release.cancel\",\"params\":{\"as\":\"Lê Vận Hành\",\"release\":\"CMD-1\",\"part\":\"one\",\"why\":\"x\"}}' | /usr/bin/python3 -c 'import socket, sys, json; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); s.sendall(sys.stdin.buffer.read()); sys.exit(json.loads(s.makefile().readline())[\"error\"][\"code\"] in (2, -32602) and 2 or 1)' '$SOCKET'"
refuse "a filter without a name takes nothing: a script's variable was empty" 2 operator --yes cancel CMD-1 --part "" -m "thử"
says "and names the filter" "'part' is there but empty"
refuse "so it is with --office" 2 operator --yes cancel --release CMD-1 --office "" -m "thử"
refuse "and with a stop" 2 operator hold --release CMD-1 --office "" -m "thử"
refuse "and with a recall" 2 operator --yes recall CMD-1 --office "" -m "thử"
refuse "nor does a part's number pass for no part" 2 bash -c "printf '%s\n' '{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"delivery.cancel\",\"params\":{\"as\":\"Lê Vận Hành\",\"release\":\"CMD-1\",\"part\":0,\"why\":\"x\"}}' | /usr/bin/python3 -c 'import socket, sys, json; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); s.sendall(sys.stdin.buffer.read()); sys.exit(json.loads(s.makefile().readline())[\"error\"][\"code\"] in (2, -32602) and 2 or 1)' '$SOCKET'"
refuse "two words of a lane are not one of its lanes: the mail goes over another" 2 operator hold --lane mail/relay -m "thử"
says "and those that there are are named" 'mail/relay/default.*mail/relay/other'
refuse "nor do they pause one" 2 operator channel pause mail/relay -m "thử"
refuse "four words are no lane" 2 operator hold --lane mail/relay/default/x -m "thử"
check "a lane as deliveries name it is" operator hold --lane mail/relay/ -m "thử"
check "so it is to go on" operator resume --lane mail/relay/ -m "thử"
refuse "a reason that says nothing is none" 2 operator --yes cancel CMD-1 -m " "
refuse "also where an address is erased for ever" 2 admin targets forget vanphong@hue.bhxh.example -m " "
refuse "a reason that would be cut is not taken" 2 operator hold --release CMD-1 -m "$(printf 'ệ%.0s' $(seq 134))"
says "and it says how long one may be" 'kept in 399 bytes, this one has 402'
refuse "nor is one of an act" 2 operator --yes cancel CMD-1 --part one -m "$(printf 'ệ%.0s' $(seq 134))"
check "an office of a release is held" operator hold --release CMD-1 --office hue -m "chờ hỏi Huế"
check "and everything but what is urgent for an hour" operator hold --all --except urgent --until "$(TZ=Asia/Ho_Chi_Minh date -d '1 hour' '+%F %H:%M')" -m "họp"
check "the queue is asked" operator queue
says "it names the stop, who gave it and why" '^release:CMD-1.*office:hue +Lê Vận Hành .*chờ hỏi Huế'
says "and the one with a time and an exception" '^all +Lê Vận Hành .* urgent +họp'
check "whoever asks whether it is well hears of them" operator status
says "by their number" '^warning 2 holds are in force: .lantoa queue'
refuse "a resume that fits no hold is told from one that does" 7 operator resume --release CMD-1 --part one -m "thử"
says "by what still stands" '^release:CMD-1.*office:hue +Lê Vận Hành .*chờ hỏi Huế'
says "all of it" '^all +Lê Vận Hành .* urgent +họp'
says "and by words" 'nothing was lifted: no hold was given for this scope'
refuse "nor does a lane that a wider hold stops go on" 7 operator resume --lane mail/relay/default -m "thử"
check "the hold of everything is lifted" operator resume --all -m "hết họp"
says "a narrower one stays, and is named" '^release:CMD-1.*office:hue +Lê Vận Hành '
refuse "once" 7 operator --json resume --all -m "hết họp"
same "a program gets both" "$(sed '/^lantoa: /d' "$PLACE/check.out" | jq -c '[.lifted, (.stops | length)]')" '[0,1]'
refuse "a resume has no end" 2 operator resume --release CMD-1 --until 23:59 -m "thử"
refuse "nor for a program" 2 bash -c "printf '%s\n' '{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"queue.resume\",\"params\":{\"as\":\"Lê Vận Hành\",\"release\":\"CMD-1\",\"until\":\"1h\",\"why\":\"x\"}}' | /usr/bin/python3 -c 'import socket, sys, json; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); s.sendall(sys.stdin.buffer.read()); sys.exit(json.loads(s.makefile().readline())[\"error\"][\"code\"] in (2, -32602) and 2 or 1)' '$SOCKET'"
check "the one is let go on" operator resume --release CMD-1 --office hue -m "Huế trả lời"
says "with what it held" '^2 lots, 2 deliveries go on'
refuse "then nothing is held" 7 operator resume --release CMD-1 -m "thử"
says "and nothing stands" 'nothing was lifted: no hold stands here'
same "and no stop is left" "$(operator --json queue | jq '.stops | length')" 0
check "--dry only says what would be touched" operator cancel CMD-1 --dry
same "nothing was touched by any of these" "$(waits one) $(waits two)" "4 4"
refuse "many are not touched without being asked" 1 operator cancel CMD-1 --part one -m "thử"
check "of a release and a part, only that part is cancelled" operator --yes cancel CMD-1 --part one -m "thử"
same "the other part still waits" "$(waits one) $(waits two)" "0 4"
check "filters alone do, too" operator --yes cancel --release CMD-1 --part two --office hue -m "thử"
same "and take what they say" "$(waits two)" 3
refuse "nor is a whole release: its end is asked for" 1 operator cancel CMD-1 -m "thử"
says "with how many it touches" "cancel CMD-1@$YEAR \\(3 waiting, 5 cancelled\\)\\?; say --yes"
says "and a few of them" '^ *[0-9]+ +two +ca-mau '
same "and nothing was touched" "$(waits two)" 3
check "the whole release is cancelled by its code alone" operator --yes cancel CMD-1 -m "thử"
says "and it says how many that were" '^deliveries +3$'
same "nothing waits any more" "$(waits two)" 0

echo "# resolve by filter"
cat >"$PLACE/one.md" <<'MD'
---
code: CMD-2
kind: notice
category: public_notice
title: Một bước phát
parts:
  one: {to: offices, channels: [email], at: now}
---
Nội dung.
MD
editor -q submit "$PLACE/one.md" && approver -q approve CMD-2 --hash "$(hash_of CMD-2)"
lost() { [ "$(operator --json deliveries --release CMD-2 --state unknown | jq '.rows | length')" = "$1" ]; }
check "two answers are lost" until_true 20 lost 2
refuse "they are settled together only when asked" 1 operator resolve sent --release CMD-2 -m "hỏi qua điện thoại"
check "with --yes they are" operator --yes resolve sent --release CMD-2 -m "hỏi qua điện thoại"
check "both" lost 0

echo "# words"
refuse "--socket without a path" 2 "$B/lantoa" --socket
says "says what is missing" 'needs a value.*--socket'
refuse "nor is nothing a path" 5 "$B/lantoa" --socket= version
check "a path behind = is one" "$B/lantoa" --socket="$SOCKET" --as='Lê Vận Hành' version
NFD=$(/usr/bin/python3 -c 'import unicodedata; print(unicodedata.normalize("NFD", "Lê Vận Hành"))')
check "a name in separate letters and marks is the same person" "$B/lantoa" --as "$NFD" queue
refuse "help for what is no command" 2 "$B/lantoa" help nosuch
check "help for the first word of several commands explains them all" bash -c "[ \$('$B/lantoa' help channel | grep -c '^usage: lantoa channel ') = 4 ]"
check "also where that word is a command of its own" bash -c "[ \$('$B/lantoa' help offices | grep -c '^usage: lantoa offices') = 4 ]"
check "two words are one command" bash -c "[ \$('$B/lantoa' help offices import | grep -c '^usage: ') = 1 ]"
refuse "a word that is no delivery is usage" 2 operator delivery CMD-2
says "and it says what one is" "'CMD-2' is no delivery: a delivery is a number"
refuse "an unknown state in a report" 2 operator report CMD-2 --state foo
same "a state narrows the report" "$(operator --json report CMD-1 --state accepted | jq '.deliveries | length') $(operator --json report CMD-1 --state cancelled | jq '.deliveries | length')" "0 8"
refuse "an office that is not there" 4 operator targets --office khong-co
printf 'channel,address,office,name,lang,tags\nemail,nhan@ca-mau.bhxh.example,ca-mau,,,%s\n' "$(printf 'nhan-%03d ' $(seq 60))" >"$PLACE/tags.csv"
check "a target of sixty tags is imported" admin targets import "$PLACE/tags.csv"
check "and shown" operator targets --tag nhan-060
says "as far as there is room, with a sign that it is not all" 'nhan-001, .*…'
same "a program gets all" "$(operator --json targets --tag nhan-060 | jq '.rows[0].tags | length')" 60
same "a tag that nobody has is nothing" "$(operator --json targets --tag khong-co | jq -c '.rows')" "[]"
refuse "a cursor of another list" 2 operator releases --after zzz
refuse "another year of a release" 4 operator show CMD-1@2020
says "names the year that there is" "CMD-1@$YEAR"
mkdir -p "$PLACE/real"; sed "s/CMD-2/CMD-9/" "$PLACE/one.md" >"$PLACE/real/release.md"; ln -s real "$PLACE/newest"
check "a folder may be named by a link" editor check "$PLACE/newest"
check "also with a slash behind it" editor check "$PLACE/newest/"
mkdir -p "$PLACE/odd"; cp "$PLACE/one.md" "$PLACE/odd/release.md"; : >"$PLACE/odd/"$'a\xffb.txt'
refuse "a file whose name is no UTF-8 is refused by name" 6 editor check "$PLACE/odd"
says "and nothing crashes" 'no UTF-8'

echo "# what is shown"
editor -q submit "$(release_md CMD-3 "$ALL_NOW")"
approver -q return CMD-3 -m "$(printf 'Đề nghị sửa lại đoạn hai. %.0s' $(seq 20))Hết."
check "a release that was returned is shown" operator show CMD-3
says "with the whole note" '^note .*sửa lại đoạn hai\. Hết\.$'
check "offices page" bash -c "'$B/lantoa' --as 'Lê Vận Hành' offices --limit 2 2>&1"
says "and name the next page" '^\(there are more: go on with --after 2\)$'
same "each of them once" "$( (operator --json offices --limit 2; operator --json offices --limit 1000 --after 2) | jq -s '[.[].rows[].code]')" "$(operator --json offices | jq '[.rows[].code]')"
check "an office is shown" operator offices show hue
says "with its variables" 'office\.hotline}}  0200 000 046'
says "and its targets" 'vanphong@hue\.bhxh\.example'
{ cat "$PLACE/targets.csv"; for i in $(seq 1 1001); do echo "email,p$i@list.example,hue,P $i,,many"; done; } >"$PLACE/many.csv"
admin -q targets import "$PLACE/many.csv"
check "an office with many is shown" operator offices show hue
says "and says that these are not all" 'there are 1002 in all: go on with .lantoa targets --office hue --after [0-9]+'
printf 'channel,address,office\nemail,vp@list.example,ca-mau\nemail,đặng.ấu@list.example,ca-mau\n' >"$PLACE/mask.csv"
admin -q targets import "$PLACE/mask.csv"
check "addresses are shown to who may not see them" editor targets --office ca-mau
says "by whole letters" '^email +đ…u@list\.example '
says "and not all of them" '^email +v…@list\.example '
check "pages of a list go on after what next said, or after nothing" bash -c "printf '%s\n' '{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"release.recalls\",\"params\":{\"as\":\"Lê Vận Hành\",\"release\":\"CMD-2\",\"after\":null}}' | /usr/bin/python3 -c 'import socket, sys, json; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); s.sendall(sys.stdin.buffer.read()); sys.exit(\"result\" not in json.loads(s.makefile().readline()))' '$SOCKET'"
printf 'kind,address,reason\nemail,vanphong@hue.bhxh.example,opt_out\n' >"$PLACE/stop.csv"
check "an address is put on the list of who wants nothing" admin suppression import "$PLACE/stop.csv"
check "an address is shown" operator targets show vanphong@hue.bhxh.example
says "with where it belongs" 'hue +Văn phòng'
says "and why nothing goes there" '\(all\) +opt_out'
refuse "an operator takes nobody off that list" 3 operator targets allow vanphong@hue.bhxh.example -m "hộp thư đã sửa" --agreed-again
refuse "nor does anybody without a reason" 2 admin targets allow vanphong@hue.bhxh.example --agreed-again
refuse "and a reason alone does not lift what the person wants" 6 admin targets allow vanphong@hue.bhxh.example -m "hộp thư đã sửa"
says "but says what does" 'opt_out.*--agreed-again'
check "who agreed again is taken off, however the address is written" admin targets allow " vanphong@HUE.bhxh.example" --agreed-again -m "công văn 45"
says "and it says what was lifted" 'email +\(all\) +opt_out'
check "it stands there no more" operator targets show vanphong@hue.bhxh.example
says "and is told to be free" 'nothing keeps a release from it'
refuse "a second time there is nothing to lift" 4 admin targets allow vanphong@hue.bhxh.example -m "lần nữa"
check "the audit has who, what and why" bash -c "'$B/lantoa' --as 'Lê Vận Hành' --json audit --limit 1000 | jq -e '[.rows[] | select(.what == \"suppression.remove\" and .person == \"Quản Trị\" and .why == \"công văn 45\" and .was == \"opt_out list:(all)\")] | length == 1'"
"$B/lantoa" completion zsh >"$PLACE/_lantoa"
same "completion for zsh knows first words once, second words by their first" "$(grep -o "'channel:" "$PLACE/_lantoa" | wc -l | tr -d ' ') $(grep -c "^.*channel) seconds=('check:" "$PLACE/_lantoa")" "1 1"
if command -v zsh >/dev/null; then check "and parses" zsh -n "$PLACE/_lantoa"; else ok "and parses # SKIP no zsh here"; fi
sed 's/CMD-2/CMD-2-DC/; s/^Nội dung\./Đính chính./' "$PLACE/one.md" >"$PLACE/dc.md"
check "a correction is handed over" editor correct CMD-2 "$PLACE/dc.md" -m "sai số"
check "its reason stands in the audit" bash -c "'$B/lantoa' --as 'Lê Vận Hành' --json audit --limit 1000 | jq -e '[.rows[] | select(.what == \"release.correct\" and .why == \"sai số\")] | length == 1'"
check "it is shown" operator show CMD-2-DC
says "with what it corrects" "^corrects +CMD-2@$YEAR"
refuse "a recall needs a reason" 2 operator --yes recall CMD-2
refuse "from a program on the socket too" 2 bash -c "printf '%s\n' '{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"release.recall\",\"params\":{\"as\":\"Lê Vận Hành\",\"release\":\"CMD-2\"}}' | /usr/bin/python3 -c 'import socket, sys, json; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); s.sendall(sys.stdin.buffer.read()); sys.exit(json.loads(s.makefile().readline())[\"error\"][\"code\"] in (2, -32602) and 2 or 1)' '$SOCKET'"
refuse "and is asked for" 1 operator recall CMD-2 -m "sai số"
says "with what it touches" "recall CMD-2@$YEAR \\(4 accepted\\)\\?; say --yes"
refuse "so is that of an office's share" 1 operator recall CMD-2 --office hue -m "sai số"
says "with what it touches" "recall CMD-2@$YEAR office hue \\(1 accepted\\)\\?"
refuse "and that of a part" 1 operator recall CMD-2 --part one -m "sai số"
says "with what it touches" "recall CMD-2@$YEAR part one \\(4 accepted\\)\\?"
same "until then the release stands as it was" "$(operator --json show CMD-2 | jq -r .state)" done
check "a release that went out by mail is recalled" operator --yes recall CMD-2 -m "sai số"
says "and people are told that mails stay where they are, and how many" 'email +0 asked back, 4 cannot be taken back.*: an e-mail that was sent cannot be taken back; .lantoa correct'
check "the daemon is well" operator status
check "fsck is clean" operator fsck
tap_end
