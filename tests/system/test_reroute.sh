#!/usr/bin/env bash
# test_reroute.sh - a reload changes a route: what waits on the old lane follows to the new one where the approval covers its channel, once
# each; what was approved for another channel only stays and is told.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/peers/scene.sh"
place_new
sandbox_start
dead=$(/usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
conf_write "$dead" "hours: [\"00:00-24:00\"]"
M=$PLACE/conf/channels.d/mail.yaml
sed -i '/^  hours/d' "$M"
sed -i "s|^accounts:.*|accounts: [{name: relay}, {name: second, settings: {port: $SMTP_PORT}}]|" "$M"
sed "s/^name: mail/name: other/; s/^  port: .*/  port: $SMTP_PORT/; s|^accounts:.*|accounts: [{name: relay}]|" "$M" >"$PLACE/conf/channels.d/other.yaml"
route() { sed -i "s|^  email: .*|  email: $1|" "$PLACE/conf/lantoad.yaml"; }
scene_files
daemon_start || { not_ok "the daemon starts"; tap_end; exit 1; }
check "the agency is imported" scene_import
many_import 600 || not_ok "the list is imported"
release_now() { editor -q submit "$(release_md "$1" "$2")" 2>/dev/null && approve_it "$1"; }
release_now RR-1 "$ALL_NOW"
release_now RR-2 "$MANY_NOW"
lanes() { operator --json deliveries --limit 1000 --release "$1" | jq -r '[.rows[].lane | split("/")[:2] | join("/")] | unique | join(" ")'; }
wait_on() { [ "$(count_of "$1" waiting)" = "$2" ] && [ "$(lanes "$1")" = "$3" ]; } # wait_on R N LANE
check "all wait on the first relay" until_true 30 wait_on RR-1 4 mail/relay
check "the list too" until_true 30 wait_on RR-2 600 mail/relay
check "it does not answer, so nothing goes" [ "$(mails_of RR-1)" = 0 ]

echo "# another account of the same channel"
route mail/second
check "a reload changes the route" admin -q reload
check "what waited goes there" until_true 30 has_mails RR-1 4
check "the list too" until_true 60 has_mails RR-2 600
check "and is settled" until_true 20 settled RR-2 600
same "none twice" "$(doubles)" 0
same "the report names the new lane" "$(lanes RR-1)" "mail/second"
check "the audit has the move with its reason" audited '^lot.back$|^lot.over$' "another route"
check "fsck is clean" operator fsck

echo "# a channel that nobody approved"
sed -i "s|{name: second, settings: {port: $SMTP_PORT}}|{name: second, settings: {port: $dead}}|" "$M"
check "the second relay is gone too" admin -q reload
release_now RR-3 "$ALL_NOW"
check "a release is planned for it" until_true 20 wait_on RR-3 4 mail/second
route other/relay
check "the route now leads to another channel" admin -q reload
check "the log says what was not approved there" until_true 10 grep -q 'ev=route.followed deliveries=0 lots_not_approved_there=4' "$PLACE/lantoad.log"
same "what was approved for the old one waits there" "$(lanes RR-3)" "mail/second"
release_now RR-4 "$ALL_NOW"
check "a new release takes the new route" until_true 20 has_mails RR-4 4
same "and nothing of the old one has gone there by then" "$(mails_of RR-3)" 0
route mail/second
sed -i "s|settings: {port: $dead}|settings: {port: $SMTP_PORT}|" "$M"
check "back on the approved channel" admin -q reload
check "it goes" until_true 30 has_mails RR-3 4
same "none twice" "$(doubles)" 0

echo "# an office has a relay of its own, and others come to it"
route '{default: mail/second, offices: {hue: mail/relay}}'
check "an office's own route" admin -q reload
by() { [ "$(operator --json offices show hue | jq -r '[.rows[].lane | split("/")[:2] | join("/")] | unique | join(" ")')" = "$1" ] && [ "$(operator --json offices show hue | jq '.rows | length')" = "$2" ]; } # by LANES TARGETS
check "its target follows" until_true 20 by mail/relay 1
check "one is merged into it" admin offices merge ca-mau into hue --on "$(TZ=Asia/Ho_Chi_Minh date +%F)"
check "who came goes by its relay, too" until_true 20 by mail/relay 2
lane_of_office() { [ "$(operator --json offices show "$1" | jq -r '[.rows[].lane | split("/")[:2] | join("/")] | unique | join(" ")')" = "$2" ]; }
check "another one goes by the default" lane_of_office dien-bien mail/second
sed -i 's/^dien-bien,trung-uong,/dien-bien,hue,/' "$PLACE/offices.csv"
check "it is put below" admin -q offices import "$PLACE/offices.csv"
check "and goes by the relay of what is above" until_true 20 lane_of_office dien-bien mail/relay
check "fsck is clean" operator fsck
check "the audit holds" operator audit verify
tap_end
