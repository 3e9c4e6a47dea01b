#!/usr/bin/env bash
# test_stop_reading.sh - told to stop while a worker reads the counters of very many lots, the daemon waits for it and ends in order.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
place_new
conf_write 1
daemon_start || { not_ok "the daemon starts"; tap_end; exit 1; }
daemon_stop
/usr/bin/python3 - "$PLACE/state/lantoa.db" <<-'EOF'
	import sqlite3, sys
	db = sqlite3.connect(sys.argv[1])
	db.execute("PRAGMA foreign_keys = OFF")
	db.execute("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 600000) INSERT INTO "
	           "lot(release_id, part, lane_id, office_id, manifest, gate, prio, at, expires) SELECT i, 1, 1, 1, x'00', 2, 1, i, i FROM n")
	db.commit()
EOF
same "lots are there" $? 0
: >"$PLACE/lantoad.log"
"$B/lantoad" --config "$PLACE/conf/lantoad.yaml" --demo >>"$PLACE/lantoad.log" 2>&1 &
DAEMON_PID=$!
check "it is up, and reads" until_true 60 grep -q 'ev=start ' "$PLACE/lantoad.log"
kill -TERM "$DAEMON_PID"
wait "$DAEMON_PID"
same "told to stop in the middle of that, it ends in order" $? 0
DAEMON_PID=
tap_end
