# kill_lib.sh - what the runs of kills share. Source it after tests/system/lib.sh. $kills counts them over the whole run.
kills=0
kill_seven() { # kill_seven N TENTHS: seven times kill -9 and a new start, at random instants less than TENTHS tenths of a second apart; N in all
	local i
	for i in 1 2 3 4 5 6 7; do
		[ "$kills" -lt "$1" ] || return 0
		sleep "0.$((RANDOM % $2))$((RANDOM % 10))"
		daemon_kill
		kills=$((kills + 1))
		daemon_start >/dev/null || exit 1
	done
}
