#!/usr/bin/env bash
# test_approval.sh - promise 1 as people meet it: who may approve what, what happens when something changes between review and
# sending, and what an approval that was forged in the database is worth. Each refusal, hold and catch stands in the audit.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/peers/scene.sh"
place_new
sandbox_start --store-mails
conf_write "$SMTP_PORT"
scene_people
scene_files
daemon_start || { not_ok "the daemon starts"; tap_end; exit 1; }
check "the agency is imported" scene_import

decoded() { # decoded CODE: the texts of the mails that have it in their subject
	/usr/bin/python3 -c 'import email, email.policy, glob, sys
for f in glob.glob(sys.argv[1] + "/*.eml"):
    m = email.message_from_bytes(open(f, "rb").read(), policy=email.policy.default)
    if sys.argv[2] in m["subject"]: print(m.get_body(("plain",)).get_content())' "$PLACE/sandbox/mails" "$1"
}

echo "# who may approve"
check "one who writes and approves hands over a release" both submit "$(release_md TB-1 "$ALL_NOW")"
HASH=$(hash_of TB-1)
refuse "the author may not approve it" 3 both approve TB-1 --hash "$HASH"
refuse "not even as an emergency" 3 both approve TB-1 --hash "$HASH" --emergency -m "cần gấp"
refuse "nor may somebody without the role" 3 operator approve TB-1 --hash "$HASH"
refuse "a hash that was never shown is a conflict" 7 approver approve TB-1 --hash "$(printf '%064d' 7)"
refuse "half a hash is usage" 2 approver approve TB-1 --hash "${HASH:0:20}"
check "the self-approval stands in the audit" audited 'approve.refused' "author"
check "so does the stale hash" audited 'approve.refused' "stale"
same "nothing left before approval" "$(mails_of TB-1)" 0
check "another person's edit makes that person an author, too" editor submit "$(release_md TB-1 "$ALL_NOW" 'Bản sửa. Hỏi {{office.hotline}}.')"
refuse "the first author is still one" 3 both approve TB-1 --hash "$(hash_of TB-1)"
refuse "the hash of the older revision is stale" 7 approver approve TB-1 --hash "$HASH"
check "a second person approves" approve_it TB-1
check "and it goes out, to every office once" until_true 20 has_mails TB-1 4
refuse "a second approval is too much" 7 second approve TB-1 --hash "$(hash_of TB-1)"

echo "# a new revision after the approval"
editor -q submit "$(release_md TB-2 "$ALL_GO")" && approve_it TB-2
HASH=$(hash_of TB-2)
check "it is planned and waits for its signal" until_true 10 planned TB-2 all
check "the editor changes the text" editor submit "$(release_md TB-2 "$ALL_GO" 'Nội dung khác.')"
check "it is in review again" release_is TB-2 in_review
refuse "the signal is refused: nothing is approved" 7 operator go TB-2 --part all
refuse "the older hash approves nothing" 7 approver approve TB-2 --hash "$HASH"
check "the older approval is void" bash -c "sqlite3 -readonly '$PLACE/state/lantoa.db' 'SELECT count(*) FROM approval a JOIN manifest m ON m.hash=a.manifest JOIN release r ON r.id=m.release_id WHERE r.code=\"TB-2\" AND a.voided IS NULL' | grep -qx 0"
check "what took its place stands in the audit" audited '^release.submit$' "release:TB-2@$(TZ=Asia/Ho_Chi_Minh date +%Y)\",\"was\":\"revision 1\",\"now\":\"revision 2 "
same "nothing left" "$(mails_of TB-2)" 0
approve_it TB-2
until_true 10 planned TB-2 all
refuse "a signal for no part is usage" 2 operator go TB-2
says "which names the parts" 'which part of TB-2\? say --part: all'
refuse "a part that is not there" 4 operator go TB-2 --part zzzzzz
says "names those that are" "no part 'zzzzzz'; there are: all"
check "the new revision is approved and the signal given" operator go TB-2 --part all
check "it goes out" until_true 20 has_mails TB-2 4
same "in its new form only" "$(decoded TB-2 | grep -c 'Nội dung khác') $(decoded TB-2 | grep -c 'Hỏi')" "4 0"

echo "# an audience that grew"
grow() { # grow FROM TO: so many further mailboxes of one office
	mkdir -p "$PLACE/grown" && cp "$PLACE/targets.csv" "$PLACE/grown/targets.csv" # the same source, so that what is not in it is gone
	for i in $(seq "$1" "$2"); do echo "email,them$i@hue.bhxh.example,hue,Thêm $i,,office"; done >>"$PLACE/grown/targets.csv"
	admin -q targets import "$PLACE/grown/targets.csv" --yes
}
shrink() { admin -q targets import "$PLACE/targets.csv" --yes; }
editor -q submit "$(release_md TB-3 "$ALL_GO")"
HASH=$(hash_of TB-3)
check "25 addresses come between review and approval" grow 1 25
approver -q approve TB-3 --hash "$HASH"
check "the part is held" until_true 10 part_is TB-3 all held
check "and says what to do" why_has TB-3 all 'grew.*--diff'
check "the hold stands in the audit" audited 'part.hold' "grew"
refuse "the signal does not help" 7 operator go TB-3 --part all
same "nothing left" "$(mails_of TB-3)" 0
check "review shows the new number" bash -c "'$B/lantoa' --as 'Trần Văn Duyệt' --json review TB-3 | jq -e '[.parts[].counts[].targets] == [29]'"
refuse "--diff is not for the author either" 3 editor approve TB-3 --diff --hash "$HASH"
check "approve --diff settles it" approver approve TB-3 --diff --hash "$(hash_of TB-3)"
until_true 10 planned TB-3 all
check "the signal starts it" operator go TB-3 --part all
check "all 29 get it" until_true 20 has_mails TB-3 29
check "removals need no approval" shrink
editor -q submit "$(release_md TB-4 "$ALL_GO")" && approve_it TB-4
until_true 10 planned TB-4 all
check "25 addresses come after the approval, before the start" grow 31 55
operator -q go TB-4 --part all
check "that part is held, too" until_true 10 part_is TB-4 all held
same "nothing left of it" "$(mails_of TB-4)" 0
approver -q approve TB-4 --diff --hash "$(hash_of TB-4)"
until_true 10 planned TB-4 all
operator -q go TB-4 --part all
check "after approve --diff all 29 get it" until_true 20 has_mails TB-4 29
shrink
editor -q submit "$(release_md TB-5 "$ALL_GO")" && approve_it TB-5
grow 61 63
until_true 10 planned TB-5 all
operator -q go TB-5 --part all
check "a small growth passes: all 7 get it" until_true 20 has_mails TB-5 7
shrink

echo "# a hotline that changed after the approval"
editor -q submit "$(release_md TB-6 "$ALL_GO")" && approve_it TB-6
until_true 10 planned TB-6 all
sed 's/0200 000 046/0200 999 046/' "$PLACE/offices.csv" >"$PLACE/offices2.csv"
check "the office's new hotline is imported" admin -q offices import "$PLACE/offices2.csv" --yes
operator -q go TB-6 --part all
check "the other three offices get theirs" until_true 20 has_mails TB-6 3
check "that office's lot is held and says why" bash -c "'$B/lantoa' --as 'Lê Vận Hành' --json show TB-6 | jq -e '[.lots[] | select(.gate == \"held\") | .why] | length == 1 and (.[0] | test(\"hotline\"))'"
check "the hold stands in the audit" audited 'lot.hold' "hotline"
same "Huế got nothing" "$(jq -r 'select(.t == "mail" and (.subject | contains("TB-6"))) | .mailbox' "$LEDGER" | grep -c hue)" 0
check "approve --diff settles it" approver approve TB-6 --diff --hash "$(hash_of TB-6)"
check "and Huế gets it with the new number" until_true 20 has_mails TB-6 4
same "nobody twice" "$(jq -r 'select(.t == "mail" and (.subject | contains("TB-6"))) | .mailbox' "$LEDGER" | sort | uniq -d | wc -l | tr -d ' ')" 0

echo "# internal, embargo"
mkdir -p "$PLACE/bi"
cp "$TOP/config/examples/release-ttbc-112/infographic-1.png" "$PLACE/bi/so-lieu.png"
printf -- '---\ncode: TB-7\nkind: notice\ncategory: public_notice\ntitle: Có tệp nội bộ\nimages: [{file: so-lieu.png, alt: "Số liệu", internal: true}]\nparts:\n  all: {to: offices, channels: [email], at: now, attach: [so-lieu.png]}\n---\nNội dung.\n' >"$PLACE/bi/release.md"
refuse "an internal file in a public part is refused" 6 editor submit "$PLACE/bi"
says "the refusal names file and part" 'parts.all.attach.*so-lieu.png.*internal'
check "it stands in the audit" audited 'submit.refused' "TB-7"
refuse "an internal part to people outside is refused" 6 editor submit "$(release_md TB-8 '{to: offices, channels: [email], at: now, internal: true}')"
says "the refusal names the part and how many are outside" 'parts.all.internal.*of [47] email targets are not tagged internal'
check "to people inside it is taken" editor submit "$(release_md TB-8 '{to: inside, channels: [email], at: now, internal: true}')"
at() { TZ=Asia/Ho_Chi_Minh date -d "$1" '+%Y-%m-%d %H:%M'; }
two_parts() { # two_parts CODE EMBARGO AT: a part for those inside at once, under embargo, and a public one
	printf -- '---\ncode: %s\nkind: notice\ncategory: public_notice\ntitle: Thông báo %s\nparts:\n  press: {to: inside, channels: [email], at: now, embargo: %s}\n  public: {to: offices, channels: [email], at: %s}\n---\nNội dung.\n' "$1" "$1" "$2" "$3" >"$PLACE/$1.md"
	echo "$PLACE/$1.md"
}
refuse "a public part before its embargo is refused" 6 editor submit "$(two_parts TB-9 "$(at '+2 hours')" "$(at '+1 hour')")"
says "the refusal names both times" 'parts.public.at.*before the embargo'
check "it stands in the audit" audited 'submit.refused' "TB-9"
check "one that says 'now' waits for its end" editor submit "$(two_parts TB-9 5s now)"
approve_it TB-9
check "the part under embargo goes at once" until_true 10 has_mails TB-9 1
check "the public part waits" part_is TB-9 public waiting
check "after the end everything goes, one copy to everybody" until_true 20 has_mails TB-9 4
same "the public part started after the embargo" "$(operator --json show TB-9 | jq '[.parts[] | select(.name == "press", .name == "public") | .started_at] as [$a, $b] | $b - $a >= 4000')" true

echo "# emergency, paper, return, local text"
editor -q submit "$(release_md TB-10 "$ALL_NOW")"
refuse "an emergency needs a reason" 2 approver approve TB-10 --hash "$(hash_of TB-10)" --emergency
check "one person lets it go with a reason" approver approve TB-10 --hash "$(hash_of TB-10)" --emergency -m "mưa lũ"
check "it goes out" until_true 20 has_mails TB-10 4
same "one approval is owed" "$(operator --json show TB-10 | json - .owed)" 1
check "status says so" bash -c "'$B/lantoa' --as 'Lê Vận Hành' --json status | jq -e '.owed == 1 and (.warnings | any(contains(\"TB-10@\")))'"
refuse "the same person cannot give it" 3 approver approve TB-10 --hash "$(hash_of TB-10)"
check "another person gives it afterwards" second approve TB-10 --hash "$(hash_of TB-10)"
same "nothing is owed any more" "$(operator --json show TB-10 | json - .owed)" 0
check "the emergency and its reason stand in the audit" audited 'release.approve' "mưa lũ"
same "nobody got two copies for two approvals" "$(mails_of TB-10)" 4

editor -q submit "$(release_md TB-11 "$ALL_NOW")"
CODE=$(approver --json sheet TB-11 | jq -r '.short_code // .code'); [ "${#CODE}" -gt 20 ] && CODE=$(approver --json review TB-11 | jq -r '.code')
printf 'scan of a signed sheet' >"$PLACE/sheet.pdf"
refuse "paper needs who and a document" 2 operator approve TB-11 --code "$CODE"
refuse "paper needs a document" 2 operator approve TB-11 --code "$CODE" --for 'Trần Văn Duyệt'
says "which is said by its option" 'all three: .*--document FILE'
refuse "a code of another text is a conflict" 7 operator approve TB-11 --code AAAA-AAAA-AAAA --for 'Trần Văn Duyệt' --document "$PLACE/sheet.pdf"
refuse "paper of one who may not approve is refused" 3 operator approve TB-11 --code "$CODE" --for 'Lê Vận Hành' --document "$PLACE/sheet.pdf"
refuse "paper of the author, too" 3 operator approve TB-11 --code "$CODE" --for 'Nguyễn Thị Biên' --document "$PLACE/sheet.pdf"
check "a signed sheet is entered" operator approve TB-11 --code "$CODE" --for 'Trần Văn Duyệt' --document "$PLACE/sheet.pdf"
check "it goes out" until_true 20 has_mails TB-11 4
same "nobody got two copies for two approvals, later either" "$(mails_of TB-10)" 4
check "audit names who entered it for whom" audited 'release.approve' "for Trần Văn Duyệt"
check "the release is shown" operator show TB-11
says "with the one who entered the approval, and for whom" '^ *1 +Lê Vận Hành +Trần Văn Duyệt +paper +[0-9/]+ [0-9:]+ +[0-9a-f]{64}'
check "and the approval keeps the hash of the sheet" bash -c "'$B/lantoa' --as 'Lê Vận Hành' --json show TB-11 | jq -e --arg h $(sha256sum <"$PLACE/sheet.pdf" | cut -d' ' -f1) '[.approvals[].document] | index(\$h) != null'"

editor -q submit "$(release_md TB-12 "$ALL_NOW")"
refuse "a return needs a note" 2 approver return TB-12
check "the approver returns it" approver return TB-12 -m "thiếu số điện thoại"
check "it is returned" release_is TB-12 returned
check "and shows the note" bash -c "'$B/lantoa' --as 'Nguyễn Thị Biên' --json show TB-12 | grep -q 'thiếu số điện thoại'"
refuse "what was returned cannot be approved" 7 approver approve TB-12 --hash "$(hash_of TB-12)"
check "the return stands in the audit" audited 'return' "thiếu số điện thoại"

editor -q submit "$(release_md TB-14 "$ALL_GO")"
approve_it TB-14
check "one that was approved is reviewed again" approver review TB-14
says "its approval counts" '^approved Trần Văn Duyệt \(normal\)$'
approver -q return TB-14 -m "sai ngày"
check "and again when it was returned" approver review TB-14
says "its approval does not, and says since when" '^void     Trần Văn Duyệt \(normal\): counts no more since [0-9/]+ [0-9:]+$'
check "the release is shown" operator show TB-14
says "and says so too" '^ *1 +Trần Văn Duyệt +normal +[0-9/]+ [0-9:]+ +[0-9/]+ [0-9:]+ +[0-9a-f]{64}'

check "a release with a place for local text" editor submit "$(release_md TB-13 "$ALL_GO" $'Nội dung.\n\n{{local}}')"
approve_it TB-13
until_true 10 planned TB-13 all
printf 'Tại Huế: số 1 Lê Lợi.\n' >"$PLACE/local.md"
check "an editor writes Huế's paragraph" both --json local set TB-13 --office hue "$PLACE/local.md"
LHASH=$(json "$PLACE/check.out" .hash)
refuse "the writer may not approve it" 3 both local approve TB-13 --office hue --hash "$LHASH"
refuse "another hash is a conflict" 7 approver local approve TB-13 --office hue --hash "$(printf '%064d' 3)"
check "another person approves it" approver local approve TB-13 --office hue --hash "$LHASH"
printf 'Chưa duyệt: {{không có}}' >"$PLACE/bad-local.md"
refuse "an unknown variable in it is refused" 6 both local set TB-13 --office hue "$PLACE/bad-local.md"
printf 'Cà Mau, chưa ai duyệt.\n' >"$PLACE/local2.md"
both -q local set TB-13 --office ca-mau "$PLACE/local2.md"
operator -q go TB-13 --part all
check "it goes out to all" until_true 20 has_mails TB-13 4
same "one mail has Huế's paragraph" "$(decoded TB-13 | grep -c 'Lê Lợi')" 1
same "what nobody approved is in none" "$(decoded TB-13 | grep -c 'chưa ai duyệt')" 0
check "writing and approving stand in the audit" bash -c "$(declare -f audited operator); B='$B'; audited local.set hue && audited local.approve hue"

echo "# two steps"
cp "$PLACE/conf/lantoad.yaml" "$PLACE/one-step.yaml"
sed -i '/^people:/i\approval:\n  - {name: content, role: approver}\n  - {name: leader, role: approver}' "$PLACE/conf/lantoad.yaml"
check "a policy of two steps is loaded" admin reload
check "that the policy changed stands in the audit" until_true 5 audited policy.change 'leader=approver'
check "and who reloaded it" until_true 5 audited config.reload 'Quản Trị'
editor -q submit "$(release_md TB-14 "$ALL_NOW")"
check "the first step is given" approver approve TB-14 --hash "$(hash_of TB-14)"
check "it stays in review" release_is TB-14 in_review
refuse "the same person cannot give the second" 3 approver approve TB-14 --hash "$(hash_of TB-14)"
same "nothing left" "$(mails_of TB-14)" 0
check "another person gives the second" second approve TB-14 --hash "$(hash_of TB-14)"
check "it goes out" until_true 20 has_mails TB-14 4
cp "$PLACE/one-step.yaml" "$PLACE/conf/lantoad.yaml"
admin -q reload

echo "# forged in the database"
editor -q submit "$(release_md TB-20 "$ALL_GO")" && approve_it TB-20
until_true 10 planned TB-20 all
editor -q submit "$(release_md TB-21 "$ALL_GO")" # never approved
check "fsck is clean" operator fsck
check "the audit chain holds" operator audit verify
daemon_stop
state_keep "$PLACE/good"
forge() { # forge "what" CODE SQL: the change is made in a copy; nothing of CODE leaves, the part is held, the audit says it
	local what=$1 code=$2 sql=$3
	state_fill "$PLACE/good"
	sqlite3 "$PLACE/state/lantoa.db" "$sql" || { not_ok "$what: the copy is changed"; return; }
	daemon_start || { not_ok "$what: the daemon starts"; return; }
	operator -q go "$code" --part all >/dev/null 2>&1
	if until_true 10 part_is "$code" all held; then ok "$what: the part is held"; else not_ok "$what: the part is $(operator --json show "$code" | jq -c '.parts[0] | {state, why}')"; fi
	check "$what: and called forged" why_has "$code" all 'forged'
	check "$what: the audit says so" audited 'part.refused' "forged"
	same "$what: nothing left" "$(mails_of "$code")" 0
	daemon_stop
}
R20="(SELECT id FROM release WHERE code='TB-20')"
forge "the approver's name changed" TB-20 "UPDATE approval SET person='Đỗ Thị Hai' WHERE manifest IN (SELECT hash FROM manifest WHERE release_id=$R20)"
forge "the time of the approval changed" TB-20 "UPDATE approval SET at=at+1 WHERE manifest IN (SELECT hash FROM manifest WHERE release_id=$R20)"
forge "the approval taken away" TB-20 "DELETE FROM approval WHERE manifest IN (SELECT hash FROM manifest WHERE release_id=$R20)"
forge "a byte of the manifest" TB-20 "UPDATE manifest SET body=CAST(substr(body,1,40)||x'58'||substr(body,42) AS BLOB) WHERE release_id=$R20"
forge "the text of the revision" TB-20 "UPDATE revision SET body=replace(body,'Nội dung','Nội dung giả') WHERE release_id=$R20"
forge "the front matter of the revision" TB-20 "UPDATE revision SET front=replace(front,'Thông báo TB-20','Thông báo TB-2O') WHERE release_id=$R20"
forge "a prepared digest" TB-20 "UPDATE prepared SET digest=randomblob(32) WHERE manifest IN (SELECT hash FROM manifest WHERE release_id=$R20)"
R21="(SELECT id FROM release WHERE code='TB-21')"
forge "a release made approved by hand" TB-21 "PRAGMA foreign_keys=OFF;
INSERT INTO approval(manifest,step,person,via,kind,at,mac) SELECT hash,0,'Trần Văn Duyệt','uid 0',0,made,randomblob(32) FROM manifest WHERE release_id=$R21;
UPDATE release SET state=2, rev_approved=1, approved_at=(SELECT max(approved_at) FROM release) WHERE id=$R21;
UPDATE part SET win_from=(SELECT win_from FROM part WHERE release_id=$R20), win_to=(SELECT win_to FROM part WHERE release_id=$R20), expires=(SELECT expires FROM part WHERE release_id=$R20) WHERE release_id=$R21;
INSERT INTO job(kind,subject,cursor,next,arg) SELECT 1,$R21,0,0,lower(hex(hash)) FROM manifest WHERE release_id=$R21;"
state_fill "$PLACE/good"
daemon_start || not_ok "the daemon starts on the good database"
operator -q go TB-20 --part all
check "untouched, the same release goes out" until_true 20 has_mails TB-20 4
same "nobody has anything twice" "$(doubles)" 0
check "fsck is clean at the end" operator fsck
check "and the audit chain holds" operator audit verify
tap_end
