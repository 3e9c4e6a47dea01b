# lib_import.sh - what crash runs of imports share (source after system/lib.sh and bench/lib.sh): a daemon with the example offices, and
# questions to its database.
import_daemon() {
	place_new
	conf_write 9
	daemon_start || { not_ok "the daemon starts"; tap_end; exit 1; }
	admin -q offices import "$TOP/config/examples/offices.csv" || not_ok "offices"
	DB=$PLACE/state/lantoa.db
}
db() { sqlite3 -readonly "$DB" "$1"; }
visible() { db "SELECT count(*) FROM target t WHERE (t.flags&1)=0 AND NOT ((t.flags&4)<>0 AND t.seen_import IN (SELECT subject FROM job WHERE kind=2))"; }
begun() { [ "$(db "SELECT count(*) FROM job WHERE kind=2")" = 1 ]; }
settled() { [ "$(db "SELECT count(*) FROM job WHERE kind=2")" = 0 ] && [ -z "$(find "$PLACE/state/staging" -type f)" ]; }
