#!/usr/bin/env bash
# test_secrets.sh - promise 10: secrets and personal data are where they belong and nowhere else. Canaries are searched byte by byte
# in everything that the daemon writes, says, shows and leaves behind.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/peers/scene.sh"
place_new
PASSWORD=canary-Q7w2-relay-password
sandbox_start --user lantoa --password "$PASSWORD" --store-mails
sandbox_ctl '{"cmd":"options","options":{"lower_case":true}}' # the log-in does not depend on it
printf '%s\n' "$PASSWORD" >"$PLACE/pw"; chmod 600 "$PLACE/pw"
secure_conf() { # secure_conf PORT
	SMTP_SETTINGS=$'  user: lantoa\n  secret: relay' SMTP_CHANNEL="secrets: {relay: {file: $PLACE/pw}}" conf_write "$1"
	echo "log_level: debug" >>"$PLACE/conf/lantoad.yaml"
}
secure_conf "$SMTP_PORT"
scene_files
printf 'email,canary.nguyen@hue.bhxh.example,hue,Nguyễn Canary,,office\n' >>"$PLACE/targets.csv"
ADDRESS=canary.nguyen@hue.bhxh.example
daemon_start || { not_ok "the daemon starts"; tap_end; exit 1; }
check "the agency is imported" scene_import
KEY_HEX=$(tr -cd '0-9a-fA-F' <"$PLACE/conf/master.key" | tail -c 64)
absent() { # absent "sentence" NEEDLE FILES...: as it is, in Base64 and in hex
	local what=$1 needle=$2 k n; shift 2
	{
		printf '%s\n' "$needle"
		for k in 0 1 2; do # what stands before it in the same Base64 shifts it, as AUTH PLAIN's "\0user\0" does
			n=$(($(printf '%s' "$needle" | wc -c) + k))
			printf '%.*s%s' "$k" xx "$needle" | base64 -w0 | cut -c$((k ? k + 2 : 1))-$((n * 4 / 3))
		done
		printf '%s' "$needle" | od -An -tx1 | tr -d ' \n'; echo
	} >"$PLACE/needles"
	if grep -rlaiF -f "$PLACE/needles" "$@" >"$PLACE/found" 2>/dev/null; then not_ok "$what"; sed 's/^/# in /' "$PLACE/found" | head -5; else ok "$what"; fi
}
release_now() { editor -q submit "$(release_md "$1" "$ALL_NOW")" 2>/dev/null && approve_it "$1"; }
sandbox_ctl "$(jq -nc --arg a "$ADDRESS" '{cmd: "rules", rules: [{match: $a, at: "final", times: 1, code: 250, text: "2.6.0 <\($a)> taken by host mx, which said: 250 <\($a)> fine for canary.nguyen"}]}')"
release_now SEC-1
check "a release goes out over the relay with its password" until_true 20 has_mails SEC-1 5
operator watch -q SEC-1 --timeout 20

echo "# the relay's password"
for s in status queue channels deliveries releases audit 'show SEC-1' 'report SEC-1' 'config check' 'channel check mail'; do
	operator $s >>"$PLACE/said" 2>&1
	operator --json $s >>"$PLACE/said" 2>&1
done
http GET "$(private_port)" /metrics >>"$PLACE/said"
ps -e -o args ww | grep -v 'sandbox run' >"$PLACE/ps"; tr '\0' '\n' <"/proc/$DAEMON_PID/environ" >>"$PLACE/ps"; tr '\0' ' ' <"/proc/$DAEMON_PID/cmdline" >>"$PLACE/ps"
check "the words of the daemon were collected" [ "$(wc -c <"$PLACE/said")" -gt 2000 ]
absent "it is in no database, exchange record or file of the state folder" "$PASSWORD" "$PLACE/state"
absent "in no log, not even at debug" "$PASSWORD" "$PLACE/lantoad.log"
printf '\0lantoa\0%s' "$PASSWORD" | base64 -w0 >"$PLACE/plain"
if (absent "" "$PASSWORD" "$PLACE/plain") | grep -q '^not ok'; then ok "what is looked for is found as AUTH PLAIN writes it"; else not_ok "what is looked for is found as AUTH PLAIN writes it"; fi
absent "in nothing that a command shows" "$PASSWORD" "$PLACE/said"
absent "in no list of processes" "$PASSWORD" "$PLACE/ps"
printf 'wrong-%s' "$PASSWORD" >"$PLACE/pw"
admin -q reload
release_now SEC-2
refused_login() { operator --json queue | jq -e '[.rows[] | select((.why // "") != "")] | length > 0'; }
check "with a wrong one the lane says why it waits" until_true 20 refused_login
operator queue >"$PLACE/said2" 2>&1; operator --json queue >>"$PLACE/said2"; operator --json channels >>"$PLACE/said2"; operator --json audit >>"$PLACE/said2"
absent "the error does not repeat it" "wrong-$PASSWORD" "$PLACE/said2" "$PLACE/lantoad.log" "$PLACE/state"
printf '%s\n' "$PASSWORD" >"$PLACE/pw"
admin -q reload
check "with the right one everything goes" until_true 40 has_mails SEC-2 5

echo "# the master key"
absent "it is in no file of the state folder" "$KEY_HEX" "$PLACE/state"
printf '%b' "$(sed 's/../\\x&/g' <<<"$KEY_HEX")" >"$PLACE/raw"
same "its bytes are found where they are" "$(key_in "$KEY_HEX" "$PLACE/raw")" "$PLACE/raw"
same "nor its bytes, nor in log or answers" "$(key_in "$KEY_HEX" "$PLACE/state" "$PLACE/lantoad.log" "$PLACE/said" "$PLACE/ps")" ""
absent "in no log, no answer, no list of processes" "$KEY_HEX" "$PLACE/lantoad.log" "$PLACE/said" "$PLACE/ps"
same "files are for us alone" "$(find "$PLACE/state" "$PLACE/conf/master.key" -type f -perm /077 | wc -l | tr -d ' ')" 0
same "the process may not leave a core, whatever the shell allows" "$(awk '/Max core file size/ {print $5, $6}' "/proc/$DAEMON_PID/limits")" "0 0"
if command -v gcore >/dev/null && [ "$(id -u)" = 0 ]; then
	gcore -o "$PLACE/core" "$DAEMON_PID" >"$PLACE/gcore.out" 2>&1
	if ls "$PLACE"/core.* >/dev/null 2>&1; then
		printf '%s' "$KEY_HEX" | /usr/bin/python3 -c 'import sys; sys.stdout.buffer.write(bytes.fromhex(sys.stdin.read()))' >"$PLACE/key.raw"
		tr -d '\n' <"$PLACE/pw" >"$PLACE/pw.raw"
		holds() { /usr/bin/python3 -c 'import sys; sys.exit(open(sys.argv[2], "rb").read() not in open(sys.argv[1], "rb").read())' "$1" "$2"; }
		for what in key pw; do
			if holds "$(ls "$PLACE"/core.*)" "$PLACE/$what.raw"; then not_ok "even a core taken by root has no $what"; else ok "even a core taken by root has no $what"; fi
		done
		rm -f "$PLACE"/core.* "$PLACE/key.raw" "$PLACE/pw.raw"
	else
		ok "a core cannot even be taken"
	fi
else
	ok "core # SKIP needs root and gcore"
fi

echo "# personal data"
said_of_it() { sqlite3 -readonly "$PLACE/state/lantoa.db" "SELECT count(*) FROM attempt WHERE said LIKE '%taken by host mx%${1:-}%'" | tr -d ' '; }
same "the relay's words are kept" "$(said_of_it)" 1
same "without the address that it repeats" "$(sqlite3 -readonly "$PLACE/state/lantoa.db" "SELECT count(*) FROM attempt WHERE said LIKE '%canary%'")" 0
absent "no address stands in the log" "$ADDRESS" "$PLACE/lantoad.log"
absent "nor its first part" "canary.nguyen" "$PLACE/lantoad.log"
operator --json audit --limit 1000 >"$PLACE/audit.json"
absent "nor in the audit" "canary.nguyen" "$PLACE/audit.json"
same "nor in the audit's rows" "$(sqlite3 -readonly "$PLACE/state/lantoa.db" "SELECT count(*) FROM audit WHERE instr(person||via||what||subject||ifnull(was,'')||ifnull(now,'')||ifnull(why,''), '@')" | tr -d ' ')" "$(sqlite3 -readonly "$PLACE/state/lantoa.db" "SELECT count(*) FROM audit WHERE subject LIKE 'release:%@20%' AND instr(replace(person||via||what||subject||ifnull(was,'')||ifnull(now,'')||ifnull(why,''), subject, ''), '@')=0")"
viewer() { sed -i '/^people:/a\  - {name: Khách Xem, user: khach-demo, roles: [viewer]}' "$PLACE/conf/lantoad.yaml"; admin -q reload; }
viewer
check "who only looks sees addresses masked" bash -c "'$B/lantoa' --as 'Khách Xem' --json report SEC-1 | jq -e '[.deliveries[].address] | length == 5 and (map(select(contains(\"canary.nguyen\"))) | length == 0)'"

echo "# forgetting"
check "the address is known" bash -c "'$B/lantoa' --as 'Lê Vận Hành' targets show $ADDRESS"
mkdir -p "$PLACE/old-backup"; admin -q backup "$PLACE/old-backup"
refuse "forgetting needs a reason" 2 admin targets forget "$ADDRESS"
check "it is forgotten" admin targets forget "$ADDRESS" -m "asked by letter"
refuse "afterwards nobody knows it" 4 operator targets show "$ADDRESS"
gone() { ! grep -rqaiF canary.nguyen "$PLACE/state"; }
check "no byte of it is left in database, WAL, exchange, staging, assets" until_true 15 gone
grep -rlaiF canary.nguyen "$PLACE/state" | sed 's/^/# in /'
absent "nor in the log" "canary.nguyen" "$PLACE/lantoad.log"
check "the act stands in the audit" audited forget "asked by letter"
operator --json audit --limit 1000 >"$PLACE/audit.json"
absent "without the address" "canary.nguyen" "$PLACE/audit.json"
mkdir -p "$PLACE/new-backup"; admin -q backup "$PLACE/new-backup"
absent "a new backup has nothing of it" "canary.nguyen" "$PLACE/new-backup"
check "the delivery still stands in the report, without a name" bash -c "'$B/lantoa' --as 'Lê Vận Hành' --json report SEC-1 | jq -e '.deliveries | length == 5'"
release_now SEC-3
check "the next release goes to the others" until_true 20 has_mails SEC-3 4
check "fsck is clean" operator fsck
check "the audit chain holds" operator audit verify
daemon_stop
check "and after the end no byte is left" gone
tap_end
