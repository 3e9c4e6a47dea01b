#!/usr/bin/env bash
# test_control.sh - the control socket under abuse, and the command line's own manners.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
place_new
conf_write 1
daemon_start || { not_ok "the daemon starts"; tap_end; exit 1; }
/usr/bin/python3 "$TOP/tests/system/peers/control_abuse.py" "$SOCKET" | tee "$PLACE/abuse"; ABUSE=${PIPESTATUS[0]}
T_N=$(grep -cE '^(not )?ok' "$PLACE/abuse"); T_BAD=$(grep -c '^not ok' "$PLACE/abuse")
same "the abuse ran to its end" "$ABUSE" 0
check "the daemon still lives" operator status
# Everybody reaches the socket: another user's connections keep no operator from a stop.
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	chmod 711 "$PLACE"
	mkfifo "$PLACE/full"
	setpriv --reuid nobody --regid nogroup --clear-groups /usr/bin/python3 -c 'import socket, sys, time
held = []
for _ in range(64):
    s = socket.socket(socket.AF_UNIX)
    s.connect(sys.argv[1])
    held.append(s)
print("full", flush=True)
time.sleep(60)' "$SOCKET" >"$PLACE/full" &
	EXTRA_PIDS="$EXTRA_PIDS $!" FULL=$!
	read -r <"$PLACE/full"
	check "with all places taken by another user an operator is heard" operator hold --all -m "khẩn"
	check "every time" operator resume --all -m "xong"
	same "and it is in the log" "$(grep -c 'ev=ctl.crowded uid=65534' "$PLACE/lantoad.log" | sed 's/^[1-9][0-9]*$/yes/')" yes
	stop_pid "$FULL"
	chmod 700 "$PLACE"
else
	ok "all places taken by another user # SKIP needs root and setpriv"
fi
refuse "an unknown command is usage" 2 "$B/lantoa" aprove
check "and names the nearest" bash -c "'$B/lantoa' aprove 2>&1 | grep -q 'lantoa approve'"
refuse "a wrong option is usage" 2 "$B/lantoa" queue --jsn
refuse "a release that is not there" 4 operator show KHONG-CO-1
refuse "a check of an account that is not there" 4 operator channel check --account nope
same "it names those that there are" "$(operator channel check --account nope 2>&1 | grep -c "no account 'nope'; there are: mail/relay")" 1
refuse "a check of a channel that is not there" 4 operator channel check nope
same "it names those that there are" "$(operator channel check nope 2>&1 | grep -c "no channel 'nope'; there are: mail$")" 1
refuse "a state that there is not" 2 operator deliveries --state perhaps
same "it names those that there are" "$(operator deliveries --state perhaps 2>&1 | grep -c "no state 'perhaps'; there are: waiting, .*doubt")" 1
same "or the nearest" "$(operator deliveries --state unknwon 2>&1 | grep -c "did you mean unknown")" 1
refuse "a delivery of twenty digits is not another one" 2 operator delivery 99999999999999999999
same "and it is said as it came" "$(grep -c 99999999999999999999 "$PLACE/check.out")" 1
refuse "a stop without a reason is usage" 2 operator hold --all
refuse "nobody of that name" 3 "$B/lantoa" --as Nobody status
check "help names every command" bash -c "'$B/lantoa' help | grep -c '^  [a-z]' | { read n; [ \$n -gt 45 ]; }"
check "completion for bash parses" bash -c "'$B/lantoa' completion bash | bash -n"
offered() { # offered WORDS...: what bash offers for the last of them, with everything that it throws onto the terminal
	bash -c 'eval "$("$0" completion bash)"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _lantoa; echo "${COMPREPLY[*]}"' "$B/lantoa" "$@" 2>&1
}
same "completion offers commands" "$(offered lantoa ch)" "channel channels check"
same "also behind global options" "$(offered lantoa --json -q ch)" "channel channels check"
same "and behind those with a value" "$(offered lantoa --socket /tmp/x channel lo)" "login"
same "global options are offered where they stand" "$(offered lantoa --as)" "--as --as-key"
same "the options of a command of two words" "$(offered lantoa --json channel check --ac)" "--account"
same "the words of help" "$(offered lantoa help comp)" "completion"
check "help explains itself" bash -c "'$B/lantoa' help help | grep -q 'usage: lantoa help'"
check "and completion" bash -c "'$B/lantoa' help completion | grep -q 'usage: lantoa completion SHELL'"
check "the manual page has both, and the global options" bash -c "'$B/lantoa' help --man >'$PLACE/man' && for w in '^.B lantoa completion SHELL' '^.B lantoa help' '^.B .*as.*key KEY' '^.B .*socket PATH' '^.B .*yes' '^.B .*json'; do grep -q \"\$w\" '$PLACE/man' || exit 1; done"
check "the manual page is made" bash -c "'$B/lantoa' help --man | grep -q '^.B lantoa submit'"
daemon_stop
refuse "no daemon is exit 5" 5 operator status
# A configuration that is wrong is refused whole by --check, with file and line.
cp "$PLACE/conf/lantoad.yaml" "$PLACE/conf/good.yaml"
sed -i 's/^timezone:/timezon:/' "$PLACE/conf/lantoad.yaml"
check "lantoad --check names file, line and the right key" bash -c "'$B/lantoad' --demo --config '$PLACE/conf/lantoad.yaml' --check 2>&1 | grep -q 'lantoad.yaml:1: unknown key .timezon.*timezone'"
cp "$PLACE/conf/good.yaml" "$PLACE/conf/lantoad.yaml"
check "a good one passes" "$B/lantoad" --demo --config "$PLACE/conf/lantoad.yaml" --check
cp "$PLACE/conf/channels.d/mail.yaml" "$PLACE/conf/mail.good"
echo 'secrets: {password: {credential: relay-pw}}' >>"$PLACE/conf/channels.d/mail.yaml"
env -u CREDENTIALS_DIRECTORY "$B/lantoad" --demo --config "$PLACE/conf/lantoad.yaml" --check >"$PLACE/check.out" 2>&1
same "a secret that only the unit gives does not make --check fail" $? 0
same "and it says that it did not look at it" "$(grep -c '^1 secret.*LoadCredential: not looked at here' "$PLACE/check.out")" 1
cp "$PLACE/conf/mail.good" "$PLACE/conf/channels.d/mail.yaml"
# What root may read the service may not: --check by root looks as the owner of the state folder, too.
reads() { setpriv --reuid nobody --regid nogroup --clear-groups test -r "$1" 2>/dev/null; }
mkdir -p "$PLACE/theirs"; chmod 711 "$PLACE"
if [ "$(id -u)" = 0 ] && reads "$B/adapters/email.so" && reads "$TOP/config/outcomes/email.tsv"; then
	cp -r "$PLACE/conf" "$PLACE/theirs/conf"; mkdir -m 700 "$PLACE/theirs/state"; chown -R nobody:nogroup "$PLACE/theirs"
	sed -i "s,^state_dir:.*,state_dir: $PLACE/theirs/state," "$PLACE/theirs/conf/lantoad.yaml"
	echo 'secrets: {password: {file: ../relay.password}}' >>"$PLACE/theirs/conf/channels.d/mail.yaml"
	(umask 077; echo geheim >"$PLACE/theirs/conf/relay.password")
	theirs() { env ASAN_OPTIONS=detect_leaks=0 "$B/lantoad" --demo --config "$PLACE/theirs/conf/lantoad.yaml" --check; }
	chmod 755 "$PLACE/theirs"
	refuse "a secret that only root may read is not called good" 6 theirs
	same "it says who cannot read what" "$(grep -cE "as the owner of $PLACE/theirs/state.*mail.yaml:[0-9]+: secret 'password'.*Permission denied" "$PLACE/check.out")" 1
	chown nobody "$PLACE/theirs/conf/relay.password"
	check "the service's own is" theirs
	chown root "$PLACE/theirs/conf/master.key"
	refuse "nor is a key that only root may read" 6 theirs
	chmod 700 "$PLACE/theirs/conf/channels.d"; chown root "$PLACE/theirs/conf/channels.d"; chown nobody "$PLACE/theirs/conf/master.key"
	refuse "nor a folder" 6 theirs
else
	ok "what root may read and the service may not # SKIP needs root, and programs that nobody may read"
fi
chmod 700 "$PLACE"; rm -rf "$PLACE/theirs"
# Who may do what is decided by the socket, so everybody must reach it: also where the daemon makes its folder.
sed -i "s,^runtime_dir:.*,runtime_dir: $PLACE/run3," "$PLACE/conf/lantoad.yaml"
(umask 077; exec "$B/lantoad" --config "$PLACE/conf/lantoad.yaml" --demo) >>"$PLACE/lantoad.log" 2>&1 &
DAEMON_PID=$!
check "a daemon makes the folder of its socket" until_true 20 "$B/lantoa" --socket "$PLACE/run3/control.sock" version
same "and all may go through it" "$(stat -c %a "$PLACE/run3" "$PLACE/run3/control.sock" | xargs)" "755 666"
daemon_stop
cp "$PLACE/conf/good.yaml" "$PLACE/conf/lantoad.yaml"
daemon_start || not_ok "it starts again"
sed -i 's/^mode: trial/mode: trail/' "$PLACE/conf/lantoad.yaml"
refuse "a wrong configuration is refused by a check" 6 admin reload
own() { "$B/lantoa" --socket "$SOCKET" "$@"; } # the daemon's own user, who is nobody in the configuration: what systemctl reload runs
refuse "also where systemctl asks" 6 own reload
says "which hears why" "'trail'"
refuse "as nobody in particular it may do nothing else" 3 own queue
refuse "nor in somebody's name" 3 own --as 'Nguyễn Thị Biên' reload
cp "$PLACE/conf/good.yaml" "$PLACE/conf/lantoad.yaml"
sed -i 's/uid: 1234/uid: 4321/; s/connections: 4/connections: 3/' "$PLACE/conf/lantoad.yaml" "$PLACE/conf/channels.d/mail.yaml"
check "a good one is" admin reload
check "and systemctl's" own reload
same "in the system's name" "$(operator --json audit --limit 1 | jq -r '.rows[0] | .what + " " + .person')" "config.reload system"
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	chmod 711 "$PLACE"; cp "$B/lantoa" "$PLACE/lantoa.theirs" # this folder may be in root's home
	refuse "another user of this machine may not" 3 setpriv --reuid nobody --regid nogroup --clear-groups env ASAN_OPTIONS=detect_leaks=0 "$PLACE/lantoa.theirs" --socket "$SOCKET" reload
	says "and hears so" "may not do this .reload"
	chmod 700 "$PLACE"
else
	ok "another user reloads nothing # SKIP needs root and setpriv"
fi
check "the daemon lives on after the reload" operator status
kill -HUP "$DAEMON_PID"
reloaded() { [ "$(grep -c ev=reload.done "$PLACE/lantoad.log")" -ge 3 ]; }
check "SIGHUP reloads too" until_true 10 reloaded
sed 's/port: 1/prot: 1/' -i "$PLACE/conf/channels.d/mail.yaml"
refuse "an adapter's wrong setting is refused with its nearest name" 6 admin reload
if [ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null; then # a disk of its own, nearly full
	mkdir -p "$PLACE/small" "$PLACE/run2"
	sed "s,^state_dir:.*,state_dir: $PLACE/small/state,; s,^runtime_dir:.*,runtime_dir: $PLACE/run2," "$PLACE/conf/good.yaml" >"$PLACE/conf/small.yaml"
	cp "$PLACE/conf/mail.good" "$PLACE/conf/channels.d/mail.yaml"
	unshare -m bash -c "mount -t tmpfs -o size=64m none '$PLACE/small' && exec '$B/lantoad' --config '$PLACE/conf/small.yaml' --demo" >>"$PLACE/small.log" 2>&1 &
	SMALL_PID=$!
	EXTRA_PIDS="$EXTRA_PIDS $SMALL_PID"
	small() { "$B/lantoa" --socket "$PLACE/run2/control.sock" --as 'Quản Trị' "$@"; }
	check "a daemon on a small disk starts" until_true 20 small version
	{ echo "code,parent,order,name,short,region,lang,hotline,address"; head -c 62914560 /dev/zero | tr '\0' a | fold -w 1000; } >"$PLACE/large.csv"
	refuse "a list that would take the floor is not begun" 1 small offices import "$PLACE/large.csv"
	same "and it says how much fits" "$(grep -cE 'the file has 61 MB, and the disk has room for [0-9]+ MB above free_floor' "$PLACE/check.out")" 1
	same "no byte of it was taken" "$(small --json status | jq '.store.free_bytes > 32000000')" true
	head -c 20971520 "$PLACE/large.csv" >"$PLACE/medium.csv"
	refuse "one that fits is read, and refused for what it says" 6 small offices import "$PLACE/medium.csv"
	stop_pid "$SMALL_PID"
else
	ok "a small disk # SKIP needs root and a mount of its own"
fi
daemon_stop
same "it ended in order" "$(grep -cE 'ev=stop( |$)' "$PLACE/lantoad.log")" 3
tap_end
