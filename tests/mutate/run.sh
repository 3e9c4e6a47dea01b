#!/usr/bin/env bash
# run.sh [NAME...] - breaks each promise on purpose, in a copy of the committed tree, and looks whether a test notices within a minute.
# A break is a file here: FILE, FROM (text that stands there exactly once), TO, and CATCH: test binaries or scripts, tried in turn.
# The outcome is a table; docs/reliability.md keeps the last one. Exit 1: something was broken and nobody noticed.
set -u
cd "$(dirname "$0")/../.." || exit 1
top=$PWD work=${WORK:-build/mutate}
tree=$work/tree b=$top/$work/b log=$top/$work/log bad=0
rm -rf "$tree" && mkdir -p "$tree" "$log" || exit 1
git archive HEAD | tar -x -C "$tree" || exit 1
tree=$top/$tree
build() { make -C "$tree" --no-print-directory -s -j2 VARIANT=release "B=$b" EXTRA_CFLAGS='-Wno-error -DLANTOA_FAULTS' "$@" >"$log/build" 2>&1; }
noticed() { # noticed TEST: it fails
	case $1 in
	*.sh) build all || return 2; began=$SECONDS; B=$b timeout 180 bash "$tree/$1" >"$log/run" 2>&1 ;;
	*) build all "$b/$1" || return 2; began=$SECONDS; (cd "$tree" && timeout 180 "$b/$1" >"$log/run" 2>&1) ;;
	esac
	local rc=$?
	[ $rc -ne 0 ] && [ $rc -ne 124 ] # what never ends has noticed nothing
}
if [ $# -eq 0 ]; then set -- tests/mutate/[0-9]*.sh; fi
build all || { tail -5 "$log/build"; echo "mutate: the tree does not build"; exit 1; }
printf '| promise | what was broken | noticed by | seconds |\n|---|---|---|---|\n'
for m in "$@"; do
	[ -e "$m" ] || m=tests/mutate/$m.sh
	PROMISE= WHAT= FILE= FROM= TO= CATCH=
	. "$top/$m"
	whole=$(<"$tree/$FILE") rest=${whole#*"$FROM"}
	if [ "$rest" = "$whole" ] || [ "${rest#*"$FROM"}" != "$rest" ]; then
		echo "| $PROMISE | $WHAT | the text to break does not stand exactly once in $FILE | - |"; bad=1; continue
	fi
	cp "$tree/$FILE" "$work/whole"
	printf '%s\n' "${whole/"$FROM"/"$TO"}" >"$tree/$FILE"
	by= began=$SECONDS took=-
	for t in $CATCH; do
		noticed "$t"
		rc=$? took=$((SECONDS - began))
		case $rc in 0) by="$t: $(grep -hE '^not ok|\[  FAILED  \] [a-z]|: error: |^seed .*(FAIL|step)' "$log/run" | head -1 | cut -c1-110 | tr '|' ' ')"; break ;; 2) by="does not build"; bad=1; tail -3 "$log/build" >&2; break ;; esac
	done
	if [ -z "$by" ]; then by="**nobody**"; bad=1; fi
	echo "| $PROMISE | $WHAT | $by | $took |"
	cp "$work/whole" "$tree/$FILE"
done
exit $bad
