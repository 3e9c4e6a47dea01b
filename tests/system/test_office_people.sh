#!/usr/bin/env bash
# test_office_people.sh - a person of one office sees and changes only it and the offices below it, on every path: lists, queues,
# stops, acts on deliveries, local texts, imports, channels.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/peers/scene.sh"
place_new
sandbox_start --store-mails
conf_write "$SMTP_PORT"
sed -i '/^people:/a\  - {name: Lò Văn Bản, user: db-demo, office: dien-bien, roles: [editor, approver, operator, admin, viewer]}' "$PLACE/conf/lantoad.yaml"
local_() { "$B/lantoa" --as 'Lò Văn Bản' "$@"; }
scene_files
echo 'muong-ang,dien-bien,11.1,BHXH cơ sở Mường Ảng,Mường Ảng,bac,vi,0200 000 111,Mường Ảng' >>"$PLACE/offices.csv"
echo 'email,vanphong@muong-ang.bhxh.example,muong-ang,Văn phòng,,office' >>"$PLACE/targets.csv"
daemon_start || { not_ok "the daemon starts"; tap_end; exit 1; }
check "the agency is imported" scene_import
editor -q submit "$(release_md TB-1 "$ALL_GO" 'Nội dung. {{local}}')" && approve_it TB-1
check "a release is planned for five offices" until_true 20 planned TB-1 all


echo "# what is seen"
same "offices: its own and the one below" "$(local_ --json offices | jq -r '[.rows[].code] | join(" ")')" "dien-bien muong-ang"
same "targets: theirs" "$(local_ --json targets | jq -r '[.rows[].office] | join(" ")')" "dien-bien muong-ang"
same "deliveries: theirs" "$(local_ --json deliveries --release TB-1 | jq -r '[.rows[].office] | sort | join(" ")')" "dien-bien muong-ang"
refuse "a filter does not widen it" 3 local_ deliveries --release TB-1 --office hue
same "the queue counts theirs" "$(local_ --json queue | jq -r .totals.waiting)" 2
same "an operator for all counts all" "$(operator --json queue | jq -r .totals.waiting)" 5
refuse "another office is not there" 4 local_ offices show hue
refuse "nor is an address of it" 4 local_ targets show vanphong@hue.bhxh.example
check "one of the office below is" local_ targets show vanphong@muong-ang.bhxh.example
printf 'kind,address,reason\nemail,vanphong@ca-mau.bhxh.example,opt_out\n' >"$PLACE/stop.csv"
admin -q suppression import "$PLACE/stop.csv"
refuse "nor what is kept of it" 4 local_ --json targets show vanphong@ca-mau.bhxh.example
same "also beside the error" "$(sed '/^lantoa: /d' "$PLACE/check.out" | jq -c .data)" null
admin -q targets allow vanphong@ca-mau.bhxh.example --agreed-again -m 'thử'
delivery_of() { operator --json deliveries --release TB-1 | jq -r --arg o "$1" '.rows[] | select(.office == $o) | .delivery'; }
HUE=$(delivery_of hue) MUONG=$(delivery_of muong-ang)
refuse "nor a delivery of it" 4 local_ delivery "$HUE"
check "its own delivery is" local_ delivery "$MUONG"

echo "# what is changed"
refuse "a delivery of another office is not cancelled" 4 local_ cancel "$HUE" -m 'thử'
refuse "nor another office held" 3 local_ hold --release TB-1 --office hue -m 'thử'
refuse "nor a channel, which is everybody's, paused" 3 local_ channel pause mail -m 'thử'
refuse "nor the release cancelled" 3 local_ --yes cancel TB-1 -m 'thử'
refuse "nor started" 3 local_ go TB-1 --part all
refuse "nor a release for all handed over" 3 local_ submit "$(release_md TB-9 "$ALL_GO")"
echo 'Xin chào.' >"$PLACE/local.md"
refuse "nor another office's paragraph written" 3 local_ local set TB-1 --office hue "$PLACE/local.md"
refuse "a folder is no paragraph, and empties none" 1 local_ local set TB-1 --office muong-ang "$PLACE"
printf 'Xin ch\303\240o.\0Th\341\273\253a.' >"$PLACE/nul.md"
refuse "nor is a text with a byte that would end it" 6 local_ local set TB-1 --office muong-ang "$PLACE/nul.md"
head -c 16385 /dev/zero | tr '\0' x >"$PLACE/long.md"
refuse "nor is one byte more than 16 KiB" 6 local_ local set TB-1 --office muong-ang "$PLACE/long.md"
says "which says how much" '16 KiB'
check "its own is" local_ local set TB-1 --office muong-ang "$PLACE/local.md"
refuse "offices are imported by people for all" 3 local_ offices import "$PLACE/offices.csv"
refuse "audiences, too" 3 local_ audiences import "$PLACE/audiences.yaml"
refuse "targets with rows of other offices are refused whole" 6 local_ targets import "$PLACE/targets.csv"
says "each row by its line" 'targets.csv:4: office: the office .hue. is not yours'
refuse "addresses are erased by people for all" 3 local_ targets forget vanphong@hue.bhxh.example -m 'thử'
refuse "the record of acts is read by people for all" 3 local_ audit
says "with the reason" 'of all offices, you belong to'
refuse "nor can it be followed" 3 local_ log -f
check "people for all read it" operator audit
same "after all this every delivery waits" "$(operator --json queue | jq -r .totals.waiting)" 5

echo "# stops of one office"
stops() { "$@" --json queue | jq -r '[.stops[].what] | sort | join("; ")'; }
local_ -q hold --office muong-ang -m 'chờ xã'
operator -q hold --office trung-uong -m 'chờ'
operator -q hold --office hue -m 'chờ'
same "they see what stops them, also above and below" "$(stops local_)" "office:muong-ang; office:trung-uong"
same "who is bound to nothing sees all" "$(stops operator)" "office:hue; office:muong-ang; office:trung-uong"
for o in trung-uong hue muong-ang; do operator -q resume --office $o -m 'thôi'; done
same "none is left" "$(stops operator)" ""

echo "# a stop of all is a stop of theirs"
check "all is held" local_ hold --all -m 'thử'
says "that is two lots" '^2 lots, 2 deliveries'
check "the release starts" operator go TB-1 --part all
check "the other three offices have it" until_true 20 has_mails TB-1 3
same "theirs waits" "$(operator --json queue | jq -r .totals.waiting)" 2
check "the centre holds the release as well" operator hold --release TB-1 -m 'chờ'
local_ resume --all -m 'thôi' >"$PLACE/check.out" 2>&1
editor -q submit "$(release_md TB-2 "$ALL_NOW")" && approve_it TB-2
check "another release goes to all five" until_true 20 has_mails TB-2 5
same "what the centre holds, an office does not let go" "$(mails_of TB-1)" 3
check "the centre lets go" operator resume --release TB-1 -m 'xong'
check "and now theirs goes" until_true 20 has_mails TB-1 5
same "once each" "$(jq -r 'select(.t == "mail") | .mailbox + " " + .subject' "$LEDGER" | sort | uniq -d | wc -l)" 0
check "the audit is whole" admin audit verify
tap_end
