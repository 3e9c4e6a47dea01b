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

check "fsck is clean" operator fsck
tap_end
