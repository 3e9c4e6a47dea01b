#!/usr/bin/env bash
# test_evidence.sh - promises 4, 9 and 12: what was done is on record, a record that was changed, cut or shortened shows, a backup is
# whole and does not send by itself, the listeners tell the truth, an unsubscription is committed before it is confirmed.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/peers/scene.sh"
place_new
sandbox_start --store-mails
conf_write "$SMTP_PORT"
scene_people
sed -i 's,^public_url:.*,public_url: http://lantoa.portal.example/,' "$PLACE/conf/lantoad.yaml" # people write it with a slash; the links have one
sed -i 's,^mode:,categories: {advertising: {hours: ["00:00-24:00"]}}\nmode:,' "$PLACE/conf/lantoad.yaml"
scene_files
daemon_start || { not_ok "the daemon starts"; tap_end; exit 1; }
check "the agency is imported" scene_import

echo "# a release with a picture, and its record"
mkdir -p "$PLACE/bundle"
cp "$TOP/config/examples/release-ttbc-112/infographic-1.png" "$PLACE/bundle/anh.png"
printf -- '---\ncode: EV-1\nkind: notice\ncategory: public_notice\ntitle: Thông báo EV-1\nimages: [{file: anh.png, alt: "Ảnh"}]\nparts:\n  all: %s\n---\nNội dung.\n' "$ALL_NOW" >"$PLACE/bundle/release.md"
editor -q submit "$PLACE/bundle" && approve_it EV-1
check "it goes out" until_true 20 has_mails EV-1 4
check "and is done" operator watch -q EV-1 --timeout 20
for what in release.submit release.approve part.start release.done offices targets audiences; do
	check "the audit names '$what'" audited "$what"
done
same "every delivery has its attempt" "$(sqlite3 -readonly "$PLACE/state/lantoa.db" 'SELECT count(*) FROM delivery d WHERE NOT EXISTS (SELECT 1 FROM attempt a WHERE a.delivery_id = d.id)')" 0
check "the attempts are sealed" until_true 20 bash -c "sqlite3 -readonly '$PLACE/state/lantoa.db' 'SELECT count(*) FROM seal' | grep -qv '^0'"
check "the report counts what the relay counted" bash -c "'$B/lantoa' --as 'Lê Vận Hành' --json report EV-1 | jq -e '[.deliveries[] | select(.state == \"accepted\")] | length == 4'"
check "fsck is clean" operator fsck --deep
check "the audit chain holds" operator audit verify
HEAD=$(operator --json audit verify | jq -r '"\(.seq):\(.hash)"')
check "with a head that was noted earlier, too" operator audit verify --head "$HEAD"

echo "# listeners"
PORT=$(private_port) PUBLIC=$(public_port)
same "/healthz answers" "$(http GET "$PORT" /healthz | head -1)" 200
same "/readyz answers" "$(http GET "$PORT" /readyz | head -1)" 200
http GET "$PORT" /metrics >"$PLACE/metrics"
for name in lantoa_open_intents lantoa_loop_lag_max_microseconds lantoa_store_tx_max_microseconds lantoa_disk_free_bytes lantoa_lane_in_flight; do
	check "/metrics names $name" grep -q "^$name" "$PLACE/metrics"
done
check "/metrics parses" bash -c "! sed 1d '$PLACE/metrics' | grep -vE '^(#.*|[a-zA-Z_:][a-zA-Z0-9_:]*(\{[^}]*\})? [0-9.eE+-]+|)$'"
metric() { http GET "$PORT" /metrics | sed -n "s/^$1 //p"; } # metric NAME{LABELS}
counted() { [ "$(metric 'lantoa_deliveries{state="accepted"}')" = "$(operator --json status | jq .states.accepted)" ] && [ "$(metric 'lantoa_oldest_seconds{state="waiting"}')" = 0 ]; }
check "/metrics counts deliveries by state, with the age of the oldest" until_true 25 counted
same "the public listener knows nothing of /metrics" "$(http GET "$PUBLIC" /metrics | head -1)" 404
same "the private one nothing of /u/" "$(http GET "$PORT" /u/abc | head -1)" 404

echo "# unsubscribing"
editor -q submit "$(release_md AD-1 "$ALL_NOW" 'Ưu đãi.' | xargs sed -i 's/public_notice/advertising/' && echo "$PLACE/AD-1.md")" 2>/dev/null
approve_it AD-1
check "an advertising release goes out" until_true 20 has_mails AD-1 4
header() { # header CODE MAILBOX NAME: of the kept mail
	/usr/bin/python3 -c 'import email, email.policy, glob, sys
for f in sorted(glob.glob(sys.argv[1] + "/*.eml")):
    m = email.message_from_bytes(open(f, "rb").read(), policy=email.policy.default)
    if sys.argv[2] in m["subject"] and sys.argv[3] in str(m["to"]): print(str(m[sys.argv[4]] or "").replace("\n", "")); break' "$PLACE/sandbox/mails" "$@"
}
URL=$(header AD-1 hue List-Unsubscribe)
same "the mail offers one click" "$(header AD-1 hue List-Unsubscribe-Post)" "List-Unsubscribe=One-Click"
TOKEN=$(sed -n 's,.*<http://lantoa.portal.example\(/u/[^>]*\)>.*,\1,p' <<<"$URL")
check "with a link of ours" [ -n "$TOKEN" ]
check "another address has another link" [ "$URL" != "$(header AD-1 ca-mau List-Unsubscribe)" ]
sup() { sqlite3 -readonly "$PLACE/state/lantoa.db" 'SELECT count(*) FROM suppression'; }
same "looking at the page is answered" "$(http GET "$PUBLIC" "$TOKEN" | head -1)" 200
same "and changes nothing: scanners open links" "$(sup)" 0
same "a POST that does not say so is refused" "$(http POST "$PUBLIC" "$TOKEN" 'x=y' | head -1)" 400
same "a forged link is not found" "$(http POST "$PUBLIC" "${TOKEN:0:12}7777${TOKEN:16}" 'List-Unsubscribe=One-Click' | head -1)" 404
same "still nothing changed" "$(sup)" 0
same "the one click is answered" "$(http POST "$PUBLIC" "$TOKEN" 'List-Unsubscribe=One-Click' | head -1)" 200
daemon_kill # what was answered must stand even if the machine dies now
same "the row was committed before the answer" "$(sup)" 1
same "and it holds no address" "$(sqlite3 -readonly "$PLACE/state/lantoa.db" "SELECT count(*) FROM suppression WHERE instr(CAST(who AS TEXT), 'hue')")" 0
daemon_start || not_ok "the daemon starts again"
PORT=$(private_port) PUBLIC=$(public_port)
same "a second click is fine" "$(http POST "$PUBLIC" "$TOKEN" 'List-Unsubscribe=One-Click' | head -1)" 200
events() { sqlite3 -readonly "$PLACE/state/lantoa.db" 'SELECT count(*) FROM audit'; }
N=$(events)
for i in $(seq 20); do http POST "$PUBLIC" "/u/$(cut -c4- <<<"$TOKEN" | tr a-z A-Z)" 'List-Unsubscribe=One-Click' | head -1; done | sort | uniq -c | xargs >"$PLACE/clicks"
same "who clicks on and on is told to come later" "$(cat "$PLACE/clicks")" "2 200 18 503"
same "and does not fill the record" "$(($(events) - N))" 0
editor -q submit "$(release_md AD-2 "$ALL_NOW" 'Ưu đãi.' | xargs sed -i 's/public_notice/advertising/' && echo "$PLACE/AD-2.md")" 2>/dev/null
approve_it AD-2
check "the next one goes to the others" until_true 20 has_mails AD-2 3
check "and is done" operator watch -q AD-2 --timeout 20
same "who unsubscribed is suppressed" "$(operator --json report AD-2 | jq -r '[.deliveries[] | select(.state == "suppressed")] | map(.address) | join(" ")')" vanphong@hue.bhxh.example
check "the audit has it" audited 'suppress|unsubscribe'

echo "# backup"
refuse "a folder that is not empty is refused" 1 admin backup "$PLACE/conf"
editor -q submit "$(release_md EV-2 "$ALL_GO")" 2>/dev/null && approve_it EV-2 && until_true 10 planned EV-2 all
mkdir -p "$PLACE/backup"
refuse "an operator may not" 3 operator backup "$PLACE/backup"
# What PrivateTmp= of the unit makes of /tmp, in a place of its own: a second daemon that has it.
if [ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null; then
	mkdir -p "$PLACE/own/systemd-private-1-lantoad.service-2/tmp" "$PLACE/tmp" "$PLACE/run2"
	sed "s,^state_dir:.*,state_dir: $PLACE/state2,; s,^runtime_dir:.*,runtime_dir: $PLACE/run2," "$PLACE/conf/lantoad.yaml" >"$PLACE/conf/private.yaml"
	unshare -m bash -c "mount --bind '$PLACE/own/systemd-private-1-lantoad.service-2/tmp' '$PLACE/tmp' && exec '$B/lantoad' --config '$PLACE/conf/private.yaml' --demo" >>"$PLACE/private.log" 2>&1 &
	PRIVATE_PID=$!
	EXTRA_PIDS="$EXTRA_PIDS $PRIVATE_PID"
	private() { "$B/lantoa" --socket "$PLACE/run2/control.sock" --as 'Quản Trị' "$@"; }
	check "a daemon with a private /tmp starts" until_true 20 private version
	refuse "a backup into it, which would go with the service, is refused" 6 private backup "$PLACE/tmp/backup"
	says "and says where to" 'such as one in /var/backups/lantoa'
	check "one beside it is made" private backup "$PLACE/tmp2"
	stop_pid "$PRIVATE_PID"
else
	ok "a private /tmp # SKIP needs root and a mount of its own"
fi
check "a backup is made while it runs" admin backup "$PLACE/backup"
check "the key is not in it" bash -c "! grep -rqF -f <(tr -d '\n' <'$PLACE/conf/master.key') '$PLACE/backup'"
same "nor its bytes" "$(key_in "$(tr -cd '0-9a-fA-F' <"$PLACE/conf/master.key" | tail -c 64)" "$PLACE/backup")" ""
check "it has the picture" bash -c "find '$PLACE/backup' -type f -name '*$(sha256sum <"$PLACE/bundle/anh.png" | cut -c3-64)*' | grep -q ."
same "only we may read it" "$(find "$PLACE/backup" -type f -perm /077 | wc -l | tr -d ' ')" 0
check "its database is whole" bash -c "sqlite3 '$PLACE/backup/lantoa.db' 'PRAGMA integrity_check' | grep -qx ok"
same "the backup stands in the audit" "$(operator --json audit --limit 50 | jq '[.rows[] | select(.what | test("backup"))] | length > 0')" true
daemon_stop
state_keep "$PLACE/good"
mkdir -p "$PLACE/state"; chmod 700 "$PLACE/state"; cp -a "$PLACE/backup/." "$PLACE/state/"
sent=$(wc -l <"$LEDGER")
if daemon_start >"$PLACE/check.out" 2>&1; then not_ok "restored, it refuses to start by itself"; daemon_stop; else ok "restored, it refuses to start by itself"; fi
refuse "by the code after which the service manager does not try for ever" 6 "$B/lantoad" --config "$PLACE/conf/lantoad.yaml" --demo
check "and says what to do" bash -c "tail -3 '$PLACE/lantoad.log' | grep -q 'restore-confirm'"
refuse "the command line says where to confirm" 5 operator restore-confirm
says "by name" 'lantoad --restore-confirm'
if [ "$(id -u)" = 0 ]; then # as the unit has it: the key is a credential, the folder the service's
	cp -a "$PLACE/state" "$PLACE/theirs"; chown -R nobody "$PLACE/theirs"; chmod 711 "$PLACE"
	# what the service reads stands where it may go; this folder may be in root's home
	cp -r "$B/adapters" "$PLACE/theiradapters"; cp -r "$TOP/config" "$PLACE/theirfiles"; cp -r "$PLACE/conf/channels.d" "$PLACE/conf/theirs.d"
	sed -i "s,$TOP/config,$PLACE/theirfiles,g" "$PLACE"/conf/theirs.d/*.yaml
	sed "s,^state_dir:.*,state_dir: $PLACE/theirs,; s,^key_file:.*,key_credential: yes,; s,^adapter_dir:.*,adapter_dir: $PLACE/theiradapters,; s,^channels_dir:.*,channels_dir: theirs.d," "$PLACE/conf/lantoad.yaml" >"$PLACE/conf/theirs.yaml"
	refuse "without the service's credential it is refused" 1 env ASAN_OPTIONS=detect_leaks=0 "$B/lantoad" --config "$PLACE/conf/theirs.yaml" --demo --restore-confirm
	says "and says how by hand" '\-\-key PATH'
	mkdir -m 700 "$PLACE/theirkeys" && "$B/lantoad" --make-key "$PLACE/theirkeys/secret.key" >/dev/null && chown -R nobody "$PLACE/theirkeys"
	echo "secret_key_file: $PLACE/theirkeys/secret.key" >>"$PLACE/conf/theirs.yaml"
	check "root confirms by hand, also where credentials have a key of the service's own" env ASAN_OPTIONS=detect_leaks=0 "$B/lantoad" --config "$PLACE/conf/theirs.yaml" --demo --restore-confirm --key "$PLACE/conf/master.key"
	same "and leaves no file that the service cannot use" "$(find "$PLACE/theirs" ! -user nobody | wc -l | tr -d ' ')" 0
	check "--check takes the key, too" env ASAN_OPTIONS=detect_leaks=0 "$B/lantoad" --config "$PLACE/conf/theirs.yaml" --demo --check --key "$PLACE/conf/master.key"
	sed "s,^key_credential:.*,key_file: $PLACE/theirkeys/secret.key," "$PLACE/conf/theirs.yaml" >"$PLACE/conf/theirs2.yaml"
	check "and a key that is the service's own" env ASAN_OPTIONS=detect_leaks=0 "$B/lantoad" --config "$PLACE/conf/theirs2.yaml" --demo --check
	rm -rf "$PLACE"/theirs "$PLACE"/their{keys,adapters,files}; chmod 700 "$PLACE"
else
	ok "the key as a credential # SKIP needs root"
fi
"$B/lantoad" --make-key "$PLACE/conf/other.key" >/dev/null
sed 's,^key_file:.*,key_file: other.key,' "$PLACE/conf/lantoad.yaml" >"$PLACE/conf/otherkey.yaml"
refuse "so is a database of another key" 6 "$B/lantoad" --config "$PLACE/conf/otherkey.yaml" --demo
says "which says so" 'was made under key:[0-9a-f]{8}, the key given is key:[0-9a-f]{8}'
sed "s,^state_dir:.*,state_dir: $PLACE/newer," "$PLACE/conf/lantoad.yaml" >"$PLACE/conf/newer.yaml"
cp -a "$PLACE/state" "$PLACE/newer" && sqlite3 "$PLACE/newer/lantoa.db" 'PRAGMA user_version = 99'
refuse "and one of a newer program" 6 "$B/lantoad" --config "$PLACE/conf/newer.yaml" --demo
says "which it names" 'schema 99'
check "a person confirms" env -u SUDO_UID "$B/lantoad" --config "$PLACE/conf/lantoad.yaml" --demo --restore-confirm
daemon_start || not_ok "then it starts"
refuse "what had not begun is held: the signal is refused" 7 operator go EV-2 --part all
check "it says why" why_has EV-2 all restored
sleep 0.5
same "nothing left" "$(wc -l <"$LEDGER")" "$sent"
check "the confirmation stands in the audit, with who gave it" audited store.restore_confirm "$(id -un)"
check "there is nothing to confirm any more" operator restore-confirm
check "a person lets it go on" operator resume --release EV-2 -m "nothing went out since"
operator -q go EV-2 --part all >/dev/null 2>&1
check "and it goes out, also to who wants no more advertising" until_true 20 has_mails EV-2 4
check "the chain holds over the restore" operator audit verify
check "fsck is clean" operator fsck --deep
daemon_stop

echo "# a record that was changed"
copy() { state_fill "$PLACE/good"; }
fault() { # fault "what" PATTERN FSCK|AUDIT SQL|-: found in a copy by the daemon that runs on it
	local what=$1 pattern=$2 by=$3 sql=$4
	[ "$sql" = - ] || { copy; sqlite3 "$PLACE/state/lantoa.db" "$sql" >"$PLACE/sql.out" 2>&1 || { not_ok "$what: the copy is changed"; sed 's/^/# /' "$PLACE/sql.out"; return; }; }
	if ! daemon_start >"$PLACE/check.out" 2>&1; then
		not_ok "$what: the daemon starts"; tail -2 "$PLACE/lantoad.log" | sed 's/^/# /'
		return
	fi
	if [ "$by" = AUDIT ]; then operator audit verify ${HEAD_AT:+--head "$HEAD_AT"} >"$PLACE/check.out" 2>&1; else operator fsck --deep >"$PLACE/check.out" 2>&1; fi
	local rc=$?
	if [ $rc -eq 6 ] && grep -qiE "$pattern" "$PLACE/check.out"; then ok "$what is found"; else not_ok "$what is found (exit $rc)"; sed 's/^/# /' "$PLACE/check.out" | head -4; fi
	daemon_stop
}
DROP="DROP TRIGGER audit_keep; DROP TRIGGER audit_stay;"
fault "a changed row of the audit" 'chang|fit' AUDIT "$DROP UPDATE audit SET person='Nobody' WHERE seq=5"
fault "a changed reason" 'chang|fit' AUDIT "$DROP UPDATE audit SET why='other' WHERE seq=(SELECT max(seq)-2 FROM audit)"
fault "a row taken out" 'gap|missing' AUDIT "$DROP DELETE FROM audit WHERE seq=6"
fault "the last rows taken away" 'truncat|missing|cut' AUDIT "$DROP DELETE FROM audit WHERE seq > (SELECT max(seq)-3 FROM audit)"
HEAD_AT=$HEAD
fault "the end taken away and the head put back" 'but the head given is row [0-9]+: rows were cut off the end' AUDIT "$DROP DELETE FROM audit WHERE seq >= ${HEAD%%:*}; UPDATE audit_head SET seq=(SELECT max(seq) FROM audit), hash=(SELECT hash FROM audit ORDER BY seq DESC LIMIT 1)"
HEAD_AT=
fault "an attempt that was changed after its seal" 'seal' AUDIT "UPDATE attempt SET outcome=2 WHERE delivery_id=(SELECT min(delivery_id) FROM attempt)"
fault "an attempt that was taken away after its seal" 'seal' AUDIT "DELETE FROM attempt WHERE delivery_id=(SELECT min(delivery_id) FROM attempt)"
fault "a counter changed by hand" '^ +lot:[0-9]+: it counts [0-9]+ accepted, and has' FSCK "UPDATE lot SET n2=n2+1 WHERE id=(SELECT min(id) FROM lot)"
fault "a delivery taken away" 'it names a row of delivery that does not exist' FSCK "DELETE FROM delivery WHERE id=(SELECT min(id) FROM delivery)"
fault "an approval changed by hand" 'approval:1: its seal does not hold' FSCK "UPDATE approval SET person='Quản Trị' WHERE id=1"
fault "a text edited after it was sent" "EV-1@.*text 'body' .vi" FSCK "UPDATE revision SET body='Nội dung khác.' WHERE release_id=1"
fault "a title edited after it was sent" "EV-1@.*title" FSCK "UPDATE release SET title='Tin khác' WHERE id=1"
fault "a part edited after it was sent" "EV-1@.*part 'all'.*spread" FSCK "UPDATE part SET spread_ms=spread_ms+1 WHERE release_id=1"
fault "a list edited after it was sent" "EV-1@.*list.*part 'all'" FSCK "DELETE FROM approved_contact WHERE manifest IN (SELECT hash FROM manifest WHERE release_id=1) AND contact_id=(SELECT min(contact_id) FROM approved_contact)"
fault "a sent delivery pointed at another contact" 'seal' FSCK "UPDATE delivery SET contact_id=(SELECT max(id)+1 FROM contact) WHERE id=(SELECT min(delivery_id) FROM attempt)"
fault "an author taken away, who could then approve" 'author' FSCK "DELETE FROM release_author WHERE release_id=1"
copy; find "$PLACE/state/assets" -type f -exec rm {} +
fault "a missing picture" 'asset:[0-9a-f]{64}: its file cannot be opened' FSCK -
copy; f=$(find "$PLACE/state/assets" -type f | head -1); chmod 600 "$f"; printf 'x' | dd of="$f" bs=1 seek=100 conv=notrunc 2>/dev/null
fault "a picture with another byte" 'asset:[0-9a-f]{64}: its file was changed' FSCK -
copy
daemon_start || not_ok "the untouched copy starts"
check "the untouched copy is clean" operator fsck --deep
check "and its chain holds" operator audit verify --head "$HEAD"

echo "# a stop in the middle of a backup"
daemon_stop
sqlite3 "$PLACE/state/exchange.db" "CREATE TABLE filler(b); INSERT INTO filler VALUES (zeroblob(200000000)); PRAGMA wal_checkpoint(TRUNCATE)" >/dev/null
daemon_start || not_ok "it starts with a large file"
admin backup "$PLACE/cut" >/dev/null 2>&1 &
check "a backup is under way" until_true 10 test -s "$PLACE/cut/exchange.db"
kill -TERM "$DAEMON_PID"; wait "$DAEMON_PID"
same "the daemon ends in order" $? 0
DAEMON_PID=
same "without waiting for it: nothing is left that could be taken for one" "$(ls "$PLACE/cut" 2>/dev/null | wc -l)" 0
tap_end
