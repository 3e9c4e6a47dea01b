#!/usr/bin/env bash
# test_offices.sh - the tree of offices as people meet it: official order, dates of validity, any further column as a variable, one copy an
# address for the nearest office, an office's name in another language, and one office that is merged into another.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/peers/scene.sh"
place_new
sandbox_start --store-mails
conf_write "$SMTP_PORT"
daemon_start || { not_ok "the daemon starts"; tap_end; exit 1; }
day() { TZ=Asia/Ho_Chi_Minh date -d "$1" +%F; }
cat >"$PLACE/offices.csv" <<CSV
code,parent,order,name,name.en,short,region,lang,hotline,valid_from,valid_to,ward
trung-uong,,00,BHXH Việt Nam,Vietnam Social Security,TW,trung-uong,vi,1900,,,Cửa Nam
z-first,trung-uong,01,Đầu tiên,The first,Z,bac,vi,0201,2020-01-01,,Đỏ
a-second,trung-uong,02,Thứ hai,The second,A,bac,vi,0202,,$(day '1 year'),Xanh
over,trung-uong,03,Đã hết,Over,O,bac,vi,0203,,$(day yesterday),Vàng
to-come,trung-uong,04,Chưa có,To come,C,bac,vi,0204,$(day '1 month'),,Trắng
base,z-first,011,Cơ sở,The base,B,bac,vi,0205,,,Tím
CSV
cat >"$PLACE/targets.csv" <<'CSV'
channel,address,office,name,lang,tags
email,one@tw.bhxh.example,trung-uong,Một,,office
email,z@z.bhxh.example,z-first,Z,,office
email,a@a.bhxh.example,a-second,A,,office
email,over@o.bhxh.example,over,O,,office
email,soon@c.bhxh.example,to-come,C,,office
email,b@b.bhxh.example,base,B,en,office
email,shared@z.bhxh.example,trung-uong,Chung,,office
email,shared@z.bhxh.example,base,Chung,,office
email,shared@z.bhxh.example,z-first,Chung,,office
CSV
echo 'offices: {name: "Văn phòng", any: [{tag: office}]}' >"$PLACE/audiences.yaml"
check "offices with dates and a column of their own are imported" scene_import
codes() { jq -r "$1" | tr '\n' ' '; }
same "they stand in official order, not in that of their names" "$(operator --json offices | codes '.rows[].code')" "trung-uong z-first base a-second over to-come "
same "an audience is shown without the one whose time is over and the one whose time has not come" \
	"$(operator --json audiences show offices | jq -r '.rows[] | .address' | sort -u | tr '\n' ' ')" "a@a.bhxh.example b@b.bhxh.example one@tw.bhxh.example shared@z.bhxh.example z@z.bhxh.example "
same "and counted so" "$(operator --json audiences show offices | jq '[.counts[].n] | add')" 7
mkdir -p "$PLACE/bundle"
bundle() { # bundle CODE BODY
	printf -- '---\ncode: %s\nkind: notice\ncategory: public_notice\ntitle: Thông báo %s\nparts:\n  all: %s\n---\n%s\n' "$1" "$1" "$ALL_NOW" "$2" >"$PLACE/bundle/release.md"
	printf -- '---\ntitle: Notice %s\n---\nFrom {{office.name}}.\n' "$1" >"$PLACE/bundle/body.en.md"
}
bundle OF-1 'Của {{office.name}}, phường {{office.ward}}.'
check "a release is submitted" editor submit "$PLACE/bundle"
says "its five copies are counted before anybody approves" 'email +5 targets in 4 offices'
approve_it OF-1
check "it goes out" until_true 20 has_mails OF-1 5
same "in official order, one copy an address, the shared one from the nearest office" \
	"$(operator --json report OF-1 | codes '.deliveries[] | .office + "=" + .address')" \
	"trung-uong=one@tw.bhxh.example z-first=z@z.bhxh.example base=b@b.bhxh.example base=shared@z.bhxh.example a-second=a@a.bhxh.example "
text_of() { # text_of CODE MAILBOX
	/usr/bin/python3 -c 'import email, email.policy, glob, sys
for f in glob.glob(sys.argv[1] + "/*.eml"):
    m = email.message_from_bytes(open(f, "rb").read(), policy=email.policy.default)
    if sys.argv[2] in m["subject"] and sys.argv[3] in str(m["to"]): print(m.get_body(("plain",)).get_content())' "$PLACE/sandbox/mails" "$1" "$2"
}
check "with the nearest office's values, the column of its own among them" grep 'Của Cơ sở, phường Tím' <(text_of OF-1 shared@z)
check "in English with the name that is English" grep 'From The base\.' <(text_of OF-1 b@b)

echo "# one is merged into another"
refuse "which word stands between them is read" 2 admin offices merge base from z-first --on "$(day today)"
same "and nothing was merged" "$(operator --json offices show base | jq -r '.replaced_by // "none"')" none
refuse "an office whose time is over cannot take over" 4 admin offices merge base into over --on "$(day today)"
says "and it says why" "'over' in force on that day"
refuse "nor one whose time has not come" 4 admin offices merge base into to-come --on "$(day today)"
refuse "one with others below it is not merged" 7 admin offices merge z-first into a-second --on "$(day today)"
check "in the future it is only noted" admin offices merge a-second into z-first --on "$(day '3 days')"
same "and its targets stay until then" "$(operator --json offices show a-second | jq -r '.rows[].address')" a@a.bhxh.example
check "an office is merged" admin offices merge base into z-first --on "$(day today)"
moved() { [ "$(operator --json offices show z-first | jq -r '.rows[].address' | sort | tr '\n' ' ')" = "b@b.bhxh.example shared@z.bhxh.example z@z.bhxh.example " ]; }
check "its targets are those of its successor, each once" until_true 20 moved
check "the old one is shown with its end and its successor" operator offices show base
says "by name" '^then +z-first$'
check "the merge stands in the audit" audited office.merge z-first
bundle OF-2 'Của {{office.name}}.'
editor -q submit "$PLACE/bundle" && approve_it OF-2
check "the next release goes to the same five" until_true 20 has_mails OF-2 5
same "from the offices that are" "$(operator --json report OF-2 | codes '.deliveries[] | .office + "=" + .address')" \
	"trung-uong=one@tw.bhxh.example z-first=b@b.bhxh.example z-first=shared@z.bhxh.example z-first=z@z.bhxh.example a-second=a@a.bhxh.example "

echo "# one campaign, and what came by a pipe"
printf 'xuan: {name: "Đợt Xuân", from: %s, to: %s, priority: normal}\nhe: {name: "Đợt hè", from: %s, to: %s, priority: bulk}\n' "$(day today)" "$(day '1 month')" "$(day '2 months')" "$(day '3 months')" >"$PLACE/campaigns.yaml"
check "campaigns are imported" admin campaigns import "$PLACE/campaigns.yaml"
bundle OF-3 'Của {{office.name}}.'
sed -i 's/^parts:/campaign: xuan\nparts:/' "$PLACE/bundle/release.md"
check "a release belongs to one" editor submit "$PLACE/bundle"
same "the campaign is shown with it" "$(operator --json campaigns show xuan | jq -r '.title + " " + .priority + " " + ([.rows[].release] | join(" "))')" "Đợt Xuân normal OF-3@$(day today | cut -c1-4)"
check "also for people" operator campaigns show xuan
says "with its dates and releases" 'OF-3'
same "another one has none" "$(operator --json campaigns show he | jq '.rows | length')" 0
refuse "one that is not there is refused" 4 operator campaigns show xuam
says "with the nearest name" "no campaign 'xuam'; did you mean 'xuan'"
printf 'channel,address,office,name,lang,tags\nemail,xx,base,X,,office\n' >"$PLACE/wrong.csv"
refuse "targets from a pipe without a name would put an end to those of another pipe" 2 admin targets import - <"$PLACE/wrong.csv"
says "and it says what a name is for" 'needs a name: .*--name'
refuse "what a pipe brings is refused by its name" 6 admin targets import - --name wrong.csv <"$PLACE/wrong.csv"
says "by where it came from, and the line" 'wrong\.csv:2'
check "fsck is clean" operator fsck
tap_end
