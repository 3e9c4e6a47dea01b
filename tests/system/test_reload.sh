#!/usr/bin/env bash
# test_reload.sh - reloads one upon the other, and a start with another configuration: the routes in force are those of the newest file, and
# no signal is lost.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/peers/scene.sh"
place_new
sandbox_start
conf_write "$SMTP_PORT"
Y=$PLACE/conf/lantoad.yaml
M=$PLACE/conf/channels.d/mail.yaml
sed -i 's/^accounts:.*/accounts: [{name: relay}, {name: two}]/' "$M"
route() { sed -i "s|^  email: .*|  email: $1|" "$Y"; }
scene_files
{ # as many as one look and one command of the store hold
	echo "channel,address,office,name,lang,tags"
	for i in $(seq 1 990); do echo "email,p$i@list.example,hue,Người $i,,many"; done
} >"$PLACE/many.csv"
daemon_start || { not_ok "the daemon starts"; tap_end; exit 1; }
check "the agency is imported" scene_import
check "and a list" admin -q targets import "$PLACE/many.csv"
lanes() { operator --json deliveries --limit 1000 --release "$1" | jq -r '[.rows[].lane | split("/")[:2] | join("/")] | unique | join(" ")'; }
sent_by() { # sent_by CODE: the lanes of a release that goes out now
	editor -q submit "$(release_md "$1" "$ALL_NOW")" 2>/dev/null && approve_it "$1" && until_true 30 has_mails "$1" 4 || echo "it did not go out:"
	lanes "$1"
}
lane_of_all() { # of every target of the list
	/usr/bin/python3 - "$PLACE/state/lantoa.db" <<-'PY'
	import sqlite3, sys
	db = sqlite3.connect("file:%s?mode=ro" % sys.argv[1], uri=True)
	print(" ".join("%s:%d" % r for r in db.execute("SELECT ifnull(a.name, 'none'), count(*) FROM target t LEFT JOIN lane l ON l.id=t.lane_id "
	    "LEFT JOIN account a ON a.id=l.account_id GROUP BY 1 ORDER BY 1")))
	PY
}
all_by() { [ "$(lane_of_all)" = "$1:994" ]; }

echo "# there and back"
for n in 1 2 3; do
	route mail/two
	check "a reload leads elsewhere ($n)" admin -q reload
	route mail/relay
	check "and at once another one leads back ($n)" admin -q reload
	check "all targets end on the route in force ($n)" until_true 10 all_by relay
done
same "a release goes by it" "$(sent_by RL-1)" mail/relay

echo "# by no route and back"
sed -i 's|^  email: .*|  zalo: mail/relay|; s|^  zalo: mail/relay|  {}|' "$Y"
sed -i 's|^routes:$|routes: {}|; /^  {}$/d' "$Y"
check "a reload takes every route away" admin -q reload
sed -i 's|^routes: {}|routes:\n  email: mail/relay|' "$Y"
check "and another one gives it back" admin -q reload
check "all targets have it again" until_true 10 all_by relay

echo "# what a running daemon cannot change"
cp "$Y" "$PLACE/as-it-was.yaml"
for line in 'listen_public: 127.0.0.1:1' 'listen_private: 127.0.0.1:1' 'free_floor: 17MB' 'ballast: 2MB' 'wal_max: 65MB' 'key_file: other.key' "runtime_dir: $PLACE/elsewhere"; do
	key=${line%%:*}
	{ grep -v "^$key:" "$PLACE/as-it-was.yaml"; echo "$line"; } >"$Y"
	[ "$key" = runtime_dir ] && echo "socket: $SOCKET" >>"$Y"
	refuse "another $key is refused, not said to be done" 6 admin reload
	says "$key: with what would be right" "lantoad\.yaml: $key changes only by a restart"
done
refusals() { admin --json audit | jq -r '[.rows[] | select(.what == "config.reload.refused" and .person == "Quản Trị")] | length'; }
BEFORE=$(refusals)
for x in '' x xx; do # one of them is cut within a letter where the message names it
	{ cat "$PLACE/as-it-was.yaml"; echo "${x}thời_gian_chờ_tối_đa_của_mỗi_lượt_gửi_tin_báo_chí: 3"; } >"$Y"
	refuse "a long key is refused" 6 admin reload
done
same "and who tried is in the audit each time" "$(refusals)" $((BEFORE + 3))
cp "$PLACE/as-it-was.yaml" "$Y"
check "a reload of the file as it was" admin -q reload

echo "# a start"
daemon_stop
route mail/two
# Many accounts: a reload takes a moment from here on.
{ printf 'accounts: [{name: relay}, {name: two}'; for i in $(seq 1 150); do printf ', {name: n%d}' "$i"; done; echo ']'; } >"$PLACE/accounts"
sed -i -e "/^accounts:/{r $PLACE/accounts" -e 'd}' "$M"
SOFT=$(ulimit -Sn)
ulimit -Sn 256
daemon_start || not_ok "it starts again"
HARD=$(ulimit -Hn)
[ "$HARD" = unlimited ] || [ "$HARD" -gt 3072 ] && HARD=3072
same "it may open as many files as it has room for connections" "$(awk '/Max open files/ {print $4}' "/proc/$DAEMON_PID/limits")" "$HARD"
ulimit -Sn "$SOFT"
check "a start with another route leads the targets there" until_true 10 all_by two
same "a release goes by it" "$(sent_by RL-2)" mail/two

echo "# signals while it starts"
daemon_stop
: >"$PLACE/lantoad.log"
/usr/bin/python3 - "$B/lantoad" "$PLACE/conf/lantoad.yaml" "$PLACE/lantoad.log" <<-'PY' &
	import os, signal, subprocess, sys, time
	log = open(sys.argv[3], "ab")
	p = subprocess.Popen([sys.argv[1], "--config", sys.argv[2], "--demo"], stdout=log, stderr=log)
	while b"lantoad\0" not in open("/proc/%d/cmdline" % p.pid, "rb").read(): pass
	signal.signal(signal.SIGTERM, lambda *a: p.terminate())
	while p.poll() is None and b"ev=start " not in open(sys.argv[3], "rb").read():
	    time.sleep(0.002)
	    # not before the program says what becomes of it
	    status = dict(l.split(":", 1) for l in open("/proc/%d/status" % p.pid) if ":" in l)
	    if p.poll() is None and (int(status["SigCgt"], 16) | int(status["SigIgn"], 16)) & 0x1001:
	        p.send_signal(signal.SIGHUP)
	sys.exit(p.wait() % 256)
PY
DAEMON_PID=$!
check "it starts all the same" until_true 30 grep -q 'ev=start ' "$PLACE/lantoad.log"
check "and the file is read once more" until_true 30 grep -q ev=reload.done "$PLACE/lantoad.log"
daemon_stop
daemon_start || not_ok "it starts again"

echo "# another daemon"
second() { timeout 20 "$B/lantoad" --config "$PLACE/conf/second.yaml" --demo; }
grep -v -e ^state_dir: -e ^runtime_dir: "$Y" >"$PLACE/second.yaml"
{ cat "$PLACE/second.yaml"; printf 'state_dir: %s/state2\nruntime_dir: %s/run\n' "$PLACE" "$PLACE"; } >"$PLACE/conf/second.yaml"
refuse "one with our runtime folder does not start" 1 second
says "the reason" "another daemon is running on this runtime folder"
{ cat "$PLACE/second.yaml"; printf 'state_dir: %s/state2\nruntime_dir: %s/run2\nsocket: %s\n' "$PLACE" "$PLACE" "$SOCKET"; } >"$PLACE/conf/second.yaml"
refuse "nor one with our socket" 1 second
says "the reason" "another daemon answers there"
check "and we are reached as before" operator -q status

echo "# a signal while a reload runs"
cp "$Y" "$PLACE/bad.yaml"
sed -i 's/^mode: trial/mode: trail/' "$PLACE/bad.yaml"
for n in 1 2 3; do
	: >"$PLACE/lantoad.log"
	cp "$Y" "$PLACE/good.yaml"
	/usr/bin/python3 - "$DAEMON_PID" "$PLACE/bad.yaml" "$Y" <<-'PY'
	import os, signal, sys, time
	pid = int(sys.argv[1])
	os.kill(pid, signal.SIGHUP)
	time.sleep(0.005)
	os.rename(sys.argv[2], sys.argv[3])
	os.kill(pid, signal.SIGHUP)
	PY
	check "the file that came last is read and refused ($n)" until_true 10 grep -q ev=reload.refused "$PLACE/lantoad.log"
	mv "$Y" "$PLACE/bad.yaml"
	mv "$PLACE/good.yaml" "$Y"
done
check "and a good one is taken afterwards" admin -q reload
check "fsck is clean" operator fsck
check "the audit holds" operator audit verify

echo "# a stop while a reload runs"
# An adapter whose open() waits as long as a file is there: --check and a reload open it once in a child of their own.
mkdir "$PLACE/adapters"
cp "$B"/adapters/*.so "$PLACE/adapters/"
sed -e 's|^static int hello_open(struct lt_inst \*inst)$|#include <unistd.h>\n&|' \
	-e "s|^\tstruct lt_str url = setting(inst->conf, \"url\");|&\n\tfor (int i = 0; i < 900 \&\& !access(\"$PLACE/wait\", F_OK) \&\& !close(creat(\"$PLACE/waits\", 0600)); i++)\n\t\tusleep(10000);|" \
	-e '1i #include <fcntl.h>' "$TOP/config/adapter-template/hello.c" >"$PLACE/hello.c"
cc -std=gnu17 -fPIC -shared -fvisibility=hidden -I"$TOP/include" -o "$PLACE/adapters/hello.so" "$PLACE/hello.c" || not_ok "the adapter compiles"
chmod go-w "$PLACE/adapters" "$PLACE/adapters"/*.so
sed -i "s|^adapter_dir:.*|adapter_dir: $PLACE/adapters|" "$Y"
printf 'name: slow\nkind: webhook\nadapter: hello\nsettings: {url: "http://127.0.0.1:9/x"}\naccounts: [{name: one}]\n' >"$PLACE/conf/channels.d/slow.yaml"
daemon_stop
daemon_start || not_ok "the daemon starts with it"
: >"$PLACE/lantoad.log"
touch "$PLACE/wait"
kill -HUP "$DAEMON_PID"
check "a reload waits for an adapter" until_true 10 test -e "$PLACE/waits"
kill -TERM "$DAEMON_PID"
check "the stop has begun" until_true 10 grep -q ev=stop "$PLACE/lantoad.log"
until_true 1 grep -q ev=dispatch.stopped "$PLACE/lantoad.log" # not before the reload has ended
rm "$PLACE/wait"
wait "$DAEMON_PID"
same "and ends in order" $? 0
DAEMON_PID=
check "the reload was given up" grep -q 'ev=reload.refused.*stopping' "$PLACE/lantoad.log"
same "before what it needs was gone" "$(grep -n -e ev=reload.refused -e ev=dispatch.stopped "$PLACE/lantoad.log" | cut -d= -f2 | cut -d' ' -f1 | xargs)" "reload.refused dispatch.stopped"
tap_end
