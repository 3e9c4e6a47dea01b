#!/usr/bin/env bash
# test_bad_input.sh - promise 11: bad input is refused whole, with file, line, value and what would be right, and nothing is stored:
# the content of every table (the audit apart, which may note a refusal) and the staging folder are the same before and after.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/peers/scene.sh"
PEERS=$TOP/tests/system/peers
place_new
conf_write 1
scene_files
daemon_start || { not_ok "the daemon starts"; tap_end; exit 1; }
check "the agency is imported" scene_import

DB=$PLACE/state/lantoa.db
TABLES=$(sqlite3 -readonly "$DB" "SELECT name FROM sqlite_master WHERE type='table' AND name NOT LIKE 'sqlite_%' AND name NOT IN ('audit','audit_head','seal','meta')")
rows() { printf '.sha3sum %s\n' $TABLES | sqlite3 -readonly "$DB"; } # a hash of what each holds
staging_empty() { [ -z "$(find "$PLACE/state/staging" -mindepth 1 2>/dev/null)" ] && [ -z "$(ls "$PLACE/state" | grep '^import-')" ]; }
rows >"$PLACE/rows.before"
check "each table has its hash" [ "$(wc -l <"$PLACE/rows.before")" -eq "$(wc -w <<<"$TABLES")" ]
bad() { # bad "sentence" EXIT PATTERN COMMAND...: refused with this exit code, a message that matches, and nothing stored
	local what=$1 want=$2 pattern=$3; shift 3
	"$@" >"$PLACE/check.out" 2>&1
	local rc=$?
	rows >"$PLACE/rows.after"
	if [ $rc -ne "$want" ]; then not_ok "$what: exit $rc, wanted $want"; sed 's/^/# /' "$PLACE/check.out" | cut -c1-300 | head -5
	elif ! grep -qE "$pattern" "$PLACE/check.out"; then not_ok "$what: the message lacks /$pattern/"; sed 's/^/# /' "$PLACE/check.out" | cut -c1-400 | head -5
	elif ! cmp -s "$PLACE/rows.before" "$PLACE/rows.after"; then not_ok "$what: something was stored"; diff "$PLACE/rows.before" "$PLACE/rows.after" | sed -n 's/^>.*|/# /p' | head -5
	elif ! until_true 5 staging_empty; then not_ok "$what: staging is not empty"; find "$PLACE/state/staging" | sed 's/^/# /' | head -5
	else ok "$what"; fi
}
mkdir -p "$PLACE/b"
put() { cat >"$PLACE/b/$1"; echo "$PLACE/b/$1"; } # put NAME: standard input becomes a file
head_of() { printf -- '---\ncode: %s\nkind: notice\ncategory: public_notice\ntitle: Thông báo\n' "${1:-XX-1}"; }
PARTS='parts: {all: {to: offices, channels: [email], at: now}}'

echo "# bundles"
bad "no front matter" 6 'khong\.md.*(front matter|---)' editor submit "$(printf 'Chỉ có nội dung.\n' | put khong.md)"
bad "front matter without an end" 6 'hang\.md.*---' editor submit "$( (head_of; echo "$PARTS") | put hang.md)"
bad "an unknown key, with its line and the nearest" 6 'khoa\.md:7.*chanels.*channels' editor submit "$( (head_of; printf 'parts:\n  all: {to: offices, chanels: [email], at: now}\n---\nA\n') | put khoa.md)"
bad "the nearest right key is named" 6 'titel.*title' editor submit "$(printf -- '---\ncode: XX-1\nkind: notice\ncategory: public_notice\ntitel: A\n%s\n---\nA\n' "$PARTS" | put titel.md)"
bad "a key twice" 6 'hai\.md:6.*title' editor submit "$( (head_of; printf 'title: Hai\n%s\n---\nA\n' "$PARTS") | put hai.md)"
bad "an unknown word, with the right ones" 6 'kind.*ban-tin.*press_release|kind.*press_release.*' editor submit "$(printf -- '---\ncode: XX-1\nkind: ban-tin\ncategory: public_notice\ntitle: A\n%s\n---\nA\n' "$PARTS" | put kind.md)"
bad "CR in a subject" 6 'dong\.md.*(subject|title).*line break' editor submit "$( (head_of; printf 'text: {email: {subject: "Một\\r\\nBcc: hai@x.vn"}}\n%s\n---\nA\n' "$PARTS") | put dong.md)"
bad "LF in a title" 6 'dong2\.md.*title.*line break' editor submit "$(printf -- '---\ncode: XX-1\nkind: notice\ncategory: public_notice\ntitle: "Một\\nBcc: hai@x.vn"\n%s\n---\nA\n' "$PARTS" | put dong2.md)"
bad "an unknown variable, with its line" 6 'bien\.md.*office\.hotlin.*office\.hotline' editor submit "$( (head_of; printf '%s\n---\nDòng.\n\nGọi {{office.hotlin}}.\n' "$PARTS") | put bien.md)"
bad "an unknown variable in a summary, with its line" 6 'tom\.md:6: .*office\.hotlin\}\}; did you mean' editor submit "$( (head_of; printf 'summary: "Gọi {{office.hotlin}}"\n%s\n---\nA\n' "$PARTS") | put tom.md)"
bad "an unknown audience" 6 'nhom\.md.*ofices.*offices' editor submit "$( (head_of; printf 'parts: {all: {to: ofices, channels: [email], at: now}}\n---\nA\n') | put nhom.md)"
bad "an unknown channel" 6 'kenh\.md.*telex' editor submit "$( (head_of; printf 'parts: {all: {to: offices, channels: [telex], at: now}}\n---\nA\n') | put kenh.md)"
bad "an unknown campaign" 6 'dot\.md.*khong-co' editor submit "$( (head_of; printf 'campaign: khong-co\n%s\n---\nA\n' "$PARTS") | put dot.md)"
bad "a link to somebody else, with its line" 6 'link\.md:6: link: .evil\.example' editor submit "$( (head_of; printf 'link: https://evil.example/x\n%s\n---\nA\n' "$PARTS") | put link.md)"
bad "a time in the past" 6 'qua\.md.*parts\.all\.at.*2020.*(passed|past)' editor submit "$( (head_of; printf 'parts: {all: {to: offices, channels: [email], at: 2020-01-02 08:00}}\n---\nA\n') | put qua.md)"
bad "a time with the month first" 6 'thang\.md.*(11/23/2026|at)' editor submit "$( (head_of; printf 'parts: {all: {to: offices, channels: [email], at: 11/23/2026 08:00}}\n---\nA\n') | put thang.md)"
bad "an expiry before the start" 6 'het\.md.*expires' editor submit "$( (head_of; printf 'parts: {all: {to: offices, channels: [email], at: 2099-01-02 08:00, expires: 2099-01-01 08:00}}\n---\nA\n') | put het.md)"
bad "parts in a circle" 6 'vong\.md.*(circle|after)' editor submit "$( (head_of; printf 'parts:\n  a: {to: offices, channels: [email], after: b}\n  b: {to: offices, channels: [email], after: a}\n---\nA\n') | put vong.md)"
bad "a part after one that is not there" 6 'sau\.md.*after.*khac' editor submit "$( (head_of; printf 'parts:\n  a: {to: offices, channels: [email], after: khac}\n---\nA\n') | put sau.md)"
bad "broken UTF-8 in the body, with its line" 6 'utf\.md:9.*UTF-8' editor submit "$( (head_of; printf '%s\n---\nDòng một.\nH\xe0ng hai.\n\xff\xfe\n' "$PARTS") | put utf.md)"
bad "YAML with a tab" 6 'tab\.md:[0-9]+.*tab' editor submit "$( (head_of; printf 'parts:\n\tall: {to: offices}\n---\nA\n') | put tab.md)"
bad "a file of zeros" 6 'zero\.md' editor submit "$(head -c 4096 /dev/zero | put zero.md)"
bad "an empty file" 6 'rong\.md.*empty|empty' editor submit "$(printf '' | put rong.md)"
bad "a path that is not there" 1 'khong-co' editor submit "$PLACE/khong-co"

echo "# files of a bundle"
folder() { # folder NAME FRONT-LINES: a bundle folder
	mkdir -p "$PLACE/b/$1"
	(head_of; printf '%s\n%s\n---\nA\n' "$2" "$PARTS") >"$PLACE/b/$1/release.md"
	echo "$PLACE/b/$1"
}
IMG='images: [{file: anh.png, alt: "Ảnh"}]'
d=$(folder khonganh "$IMG"); printf 'day khong phai la anh' >"$d/anh.png"
bad "a picture that is no picture" 6 'anh\.png.*(picture|image|PNG)' editor submit "$d"
printf 'GIF89a\x05\x00\x05\x00\x00\x00\x00day khong phai la anh' >"$d/anh.png"
bad "nor is one that only begins like a picture" 6 'release\.md:6: image: .anh\.png.*damaged' editor submit "$d"
d=$(folder cutanh "$IMG"); head -c 300 "$TOP/config/examples/release-ttbc-112/infographic-1.png" >"$d/anh.png"; : >"$d/anh.png"
bad "an empty picture" 6 'anh\.png' editor submit "$d"
d=$(folder thieu "$IMG")
bad "a picture that is not there" 6 'release\.md:6.*anh\.png|anh\.png' editor submit "$d"
d=$(folder alt 'images: [{file: anh.png}]'); cp "$TOP/config/examples/release-ttbc-112/infographic-1.png" "$d/anh.png"
check "a picture without words for those who cannot see it is warned of" bash -c "'$B/lantoa' --as 'Nguyễn Thị Biên' check '$d' 2>&1 | grep -q 'warning.*anh.png.*no alt text'"
d=$(folder to "$IMG"); cp "$TOP/config/examples/release-ttbc-112/infographic-1.png" "$d/anh.png"; truncate -s 200M "$d/anh.png"
bad "a picture of 200 MB" 6 'anh\.png.*(67108864|64|MB|bytes)' editor submit "$d"
d=$(folder ra 'images: [{file: ../anh.png, alt: "Ảnh"}]'); cp "$TOP/config/examples/release-ttbc-112/infographic-1.png" "$PLACE/b/anh.png"
bad "a path out of the bundle" 6 '\.\./anh\.png' editor submit "$d"
d=$(folder tuyetdoi "images: [{file: /etc/hostname, alt: \"Ảnh\"}]")
bad "an absolute path" 6 '/etc/hostname' editor submit "$d"
d=$(folder lienket "$IMG"); ln -s /etc/hostname "$d/anh.png"
bad "a symbolic link" 6 'anh\.png.*(link|plain file)' editor submit "$d"
mkdir -p "$PLACE/b/rieng/local" "$PLACE/b/nham/local"
(head_of; printf '%s\n---\nA\n\n{{local}}\n' "$PARTS") | tee "$PLACE/b/rieng/release.md" >"$PLACE/b/nham/release.md"
printf 'Một.\n\nGọi {{office.hotlin}}.\n' >"$PLACE/b/rieng/local/hue.md"
bad "an unknown variable in an office's paragraph, with its file and line" 6 'local/hue\.md:3: .*office\.hotlin\}\}; did you mean' editor submit "$PLACE/b/rieng"
printf 'Một.\n' >"$PLACE/b/nham/local/huee.md"
bad "the paragraph of an office that is not there" 6 "local/huee\.md: there is no office 'huee'; did you mean 'local/hue\.md'" editor submit "$PLACE/b/nham"
mv "$PLACE/b/nham/local/huee.md" "$PLACE/b/nham/local/hue.md"; sed -i 's/^{{local}}$//' "$PLACE/b/nham/release.md"
check "a paragraph that no text has a place for is warned of" bash -c "'$B/lantoa' --as 'Nguyễn Thị Biên' check '$PLACE/b/nham' 2>&1 | grep -q 'warning local/hue\.md: .*{{local}}'"
for kind in no-release slip absolute symlink bomb many twice backslash truncated encrypted case; do
	/usr/bin/python3 "$PEERS/bad_zip.py" "$kind" "$PLACE/b/$kind.zip" || not_ok "the zip '$kind' is built"
done
bad "zip: without a release" 6 'no-release\.zip.*no release\.md' editor submit "$PLACE/b/no-release.zip"
bad "zip: a name with ../" 6 '\.\./' editor submit "$PLACE/b/slip.zip"
bad "zip: an absolute name" 6 '/tmp/lantoa-slip' editor submit "$PLACE/b/absolute.zip"
bad "zip: a symbolic link" 6 'no plain file|link' editor submit "$PLACE/b/symlink.zip"
bad "zip: a bomb" 6 'bomb\.zip.*200 times its size' editor submit "$PLACE/b/bomb.zip"
bad "zip: too many files" 6 '(more than|files|entries)' editor submit "$PLACE/b/many.zip"
bad "zip: one name twice" 6 'release\.md.*twice|twice' editor submit "$PLACE/b/twice.zip"
bad "zip: a backslash in a name" 6 'anh' editor submit "$PLACE/b/backslash.zip"
bad "zip: locked by a password" 6 'encrypted\.zip.*(password|encrypted|locked)' editor submit "$PLACE/b/encrypted.zip"
bad "zip: two names that are one on other systems" 6 '(Release\.MD|release\.md)' editor submit "$PLACE/b/case.zip"
bad "zip: cut off" 6 '(damaged|zip)' editor submit "$PLACE/b/truncated.zip"
bad "zip: on standard input, too" 6 '\.\./' bash -c "'$B/lantoa' --as 'Nguyễn Thị Biên' submit - <'$PLACE/b/slip.zip'"
same "no slip left a file behind" "$(ls /tmp/lantoa-slip* "$PLACE"/lantoa-slip* "$PLACE/state"/lantoa-slip* "$PLACE/state"/*/lantoa-slip* 2>/dev/null | wc -l | tr -d ' ')" 0

bad "a release that is not there" 4 'KHONG-CO' operator show KHONG-CO-1

echo "# CSV"
csv() { put "$1"; }
H='channel,address,office,name,lang,tags'
bad "a column that nobody knows" 6 'cot\.csv:1.*adress.*address' admin targets import "$(printf 'channel,adress,office,name,lang,tags\nemail,a@hue.bhxh.example,hue,A,,office\n' | csv cot.csv)"
bad "a row of other length" 6 'dai\.csv:3' admin targets import "$(printf '%s\nemail,a@hue.bhxh.example,hue,A,,office\nemail,b@hue.bhxh.example,hue\n' "$H" | csv dai.csv)"
bad "a key twice, with both lines" 6 'trung\.csv:4.*(twice|line 2|2)' admin targets import "$(printf '%s\nemail,a@hue.bhxh.example,hue,A,,office\nemail,b@hue.bhxh.example,hue,B,,office\nemail,a@HUE.BHXH.example,hue,A,,office\n' "$H" | csv trung.csv)"
bad "an office twice" 6 'vp\.csv:3.*hue' admin offices import "$(printf 'code,parent,order,name,short,region,lang,hotline,address\nhue,,1,A,A,trung,vi,1,A\nhue,,2,B,B,trung,vi,1,A\n' | csv vp.csv)"
bad "an office under one that is not there" 6 'cha\.csv:2.*khac' admin offices import "$(printf 'code,parent,order,name,short,region,lang,hotline,address\nhue,khac,1,A,A,trung,vi,1,A\n' | csv cha.csv)"
bad "offices in a circle" 6 'tron\.csv' admin offices import "$(printf 'code,parent,order,name,short,region,lang,hotline,address\na,b,1,A,A,trung,vi,1,A\nb,a,2,B,B,trung,vi,1,A\n' | csv tron.csv)"
bad "broken UTF-8" 6 'hong\.csv:3.*UTF-8' admin targets import "$(printf '%s\nemail,a@hue.bhxh.example,hue,A,,office\nemail,b@hue.bhxh.example,hue,V\xe2n,,office\n' "$H" | csv hong.csv)"
bad "a line of 1 MB" 6 'mb\.csv:2' admin targets import "$( (printf '%s\nemail,a@hue.bhxh.example,hue,' "$H"; head -c 1048576 /dev/zero | tr '\0' a; printf ',,office\n') | csv mb.csv)"
bad "CR/LF in an address" 6 'crlf\.csv:2.*address|crlf\.csv:2' admin targets import "$(printf '%s\nemail,"a@hue.bhxh.example\r\nBcc: x@y.vn",hue,A,,office\n' "$H" | csv crlf.csv)"
bad "an address that is none" 6 'dc\.csv:2.*khong phai' admin targets import "$(printf '%s\nemail,khong phai dia chi,hue,A,,office\n' "$H" | csv dc.csv)"
bad "an office that is not there" 6 'vpk\.csv:2.*huee.*hue' admin targets import "$(printf '%s\nemail,a@hue.bhxh.example,huee,A,,office\n' "$H" | csv vpk.csv)"
bad "a quote without an end" 6 'nhay\.csv:[23]' admin targets import "$(printf '%s\nemail,"a@hue.bhxh.example,hue,A,,office\n' "$H" | csv nhay.csv)"
bad "one bad line among good ones: none is taken" 6 'mot\.csv:3' admin targets import "$(printf '%s\nemail,a@hue.bhxh.example,hue,A,,office\nemail,b@@,hue,B,,office\nemail,c@hue.bhxh.example,hue,C,,office\n' "$H" | csv mot.csv)"
bad "a known target with another name, before a bad line" 6 'doi\.csv:3' admin targets import "$(printf '%s\nemail,vanphong@hue.bhxh.example,hue,Tên khác,en,office internal\nemail,b@@,hue,B,,office\n' "$H" | csv doi.csv)"
bad "a known office with another hotline, before a bad line" 6 'doivp\.csv:4.*khac' admin offices import "$( (head -2 "$PLACE/offices.csv"; sed -n 's/0200 000 046/0200 999 999/p' "$PLACE/offices.csv"; echo 'moi,khac,99,A,A,trung,vi,1,A') | csv doivp.csv)"
bad "an audience with an unknown key" 6 'nh\.yaml:1.*regoin.*region' admin audiences import "$(printf 'x: {name: "X", any: [{regoin: bac}]}\n' | csv nh.yaml)"
bad "an audience without a rule" 6 'nh2\.yaml:1.*(any|broad)' admin audiences import "$(printf 'x: {name: "X"}\n' | csv nh2.yaml)"
bad "a campaign that ends before it begins" 6 'ch\.yaml:1' admin campaigns import "$(printf 'x: {name: "X", from: 2026-12-05, to: 2026-10-20, priority: normal}\n' | csv ch.yaml)"

echo "# what looks odd and is good"
(printf '\xef\xbb\xbf'; sed 's/$/\r/' "$PLACE/targets.csv"; printf 'email,moi@hue.bhxh.example,hue,Mới,,office\r\n') >"$PLACE/excel.csv"
check "BOM and CRLF, as Excel writes them, are taken" admin targets import "$PLACE/excel.csv"
same "with the one new row" "$(sqlite3 -readonly "$DB" "SELECT count(*) FROM contact WHERE address='moi@hue.bhxh.example'")" 1
same "and no CR in any value" "$(sqlite3 -readonly "$DB" "SELECT count(*) FROM contact WHERE instr(name||address, char(13))")" 0
(head_of NFD-1 | /usr/bin/python3 -c 'import sys, unicodedata; sys.stdout.write(unicodedata.normalize("NFD", sys.stdin.read()))'; printf '%s\n---\n' "$PARTS"; printf 'Bảo hiểm xã hội.\n' | /usr/bin/python3 -c 'import sys, unicodedata; sys.stdout.write(unicodedata.normalize("NFD", sys.stdin.read()))') >"$PLACE/nfd.md"
check "text in NFD, as some Macs write it, is taken" editor submit "$PLACE/nfd.md"
same "and stored as NFC" "$(sqlite3 -readonly "$DB" "SELECT count(*) FROM revision v JOIN release r ON r.id=v.release_id WHERE r.code='NFD-1' AND instr(v.body,'Bảo hiểm') AND instr(v.front,'Thông báo')")" 1
check "long integers in JSON stay whole" bash -c "/usr/bin/python3 '$PEERS/long_number.py' '$SOCKET'"
rows >"$PLACE/rows.before"
check "the daemon is well" operator status
check "fsck is clean" operator fsck
daemon_stop

echo "# configuration"
cp -r "$PLACE/conf" "$PLACE/conf.good"
conf_bad() { # conf_bad "sentence" PATTERN FILE SED-SCRIPT
	local what=$1 pattern=$2 file=$3 script=$4
	rm -rf "$PLACE/conf"; cp -r "$PLACE/conf.good" "$PLACE/conf"
	sed -i "$script" "$PLACE/conf/$file"
	"$B/lantoad" --demo --config "$PLACE/conf/lantoad.yaml" --check >"$PLACE/check.out" 2>&1
	local rc=$?
	if [ $rc -eq 6 ] && grep -qE "$pattern" "$PLACE/check.out"; then ok "$what"; else not_ok "$what (exit $rc, wanted 6 and /$pattern/)"; sed 's/^/# /' "$PLACE/check.out" | tail -3; fi
}
conf_bad "a value that the adapter does not take" 'mail\.yaml:6: .*port: .99999.*65535' channels.d/mail.yaml 's/port: 1$/port: 99999/'
conf_bad "a tab" 'lantoad\.yaml:2:.*tab' lantoad.yaml $'2s/^/\t/'
conf_bad "a wrong mode, with its value" 'lantoad\.yaml:[0-9]+: mode: .*not .Live' lantoad.yaml 's/^mode: trial/mode: Live/'
conf_bad "a wrong unit" 'mail\.yaml:[0-9]+: (lane\.)?timeout: .60sek.*10s' channels.d/mail.yaml 's/timeout: 60s/timeout: 60sek/'
conf_bad "a number without its unit" 'mail\.yaml:[0-9]+: .*60.*10s' channels.d/mail.yaml 's/timeout: 60s/timeout: 60/'
conf_bad "a wrong size" 'lantoad\.yaml:[0-9]+: free_floor: .16 apples' lantoad.yaml 's/free_floor: .*/free_floor: 16 apples/'
conf_bad "a path of the control socket that no socket can have" 'lantoad\.yaml: the control socket .*at most 107' lantoad.yaml "s,^runtime_dir: .*,runtime_dir: /tmp/$(printf 'x%.0s' {1..120}),"
conf_bad "a missing secret file" 'mail\.yaml:[0-9]+:.*nirgendwo' channels.d/mail.yaml '$a secrets: {relay: {file: /nirgendwo/passwort}}'
printf 'geheim' >"$PLACE/offen"; chmod 644 "$PLACE/offen"
conf_bad "a secret file that everybody may read" 'mail\.yaml:[0-9]+:.*offen.*(0600|readable|others)' channels.d/mail.yaml "\$a secrets: {relay: {file: $PLACE/offen}}"
conf_bad "a secret written inline" 'mail\.yaml:[0-9]+:.*\{file: PATH\}' channels.d/mail.yaml '$a secrets: {relay: geheim-123}'
if grep -q 'geheim-123' "$PLACE/check.out"; then not_ok "and it is not repeated in the message"; else ok "and it is not repeated in the message"; fi
conf_bad "an unknown role" 'lantoad\.yaml:[0-9]+:.*aprover.*approver' lantoad.yaml 's/roles: \[approver, viewer\]/roles: [aprover, viewer]/'
conf_bad "an unknown adapter" 'mail\.yaml: adapter.*emial' channels.d/mail.yaml 's/adapter: email/adapter: emial/'
conf_bad "a key twice" 'lantoad\.yaml:[0-9]+:.*mode.*twice|lantoad\.yaml:[0-9]+:.*mode' lantoad.yaml '$a mode: live'
conf_bad "a route to a channel that is not there" 'lantoad\.yaml:[0-9]+:.*brief' lantoad.yaml 's,email: mail/relay,email: brief/relay,'
rm -rf "$PLACE/conf"; cp -r "$PLACE/conf.good" "$PLACE/conf"
rm -f "$PLACE/conf/master.key"
"$B/lantoad" --demo --config "$PLACE/conf/lantoad.yaml" >"$PLACE/check.out" 2>&1
same "without its key the daemon does not start" $? 6
says "and names the file" 'master\.key' 
cp "$PLACE/conf.good/master.key" "$PLACE/conf/"; chmod 644 "$PLACE/conf/master.key"
"$B/lantoad" --demo --config "$PLACE/conf/lantoad.yaml" --check >"$PLACE/check.out" 2>&1
same "nor with a key that everybody may read" $? 6
chmod 600 "$PLACE/conf/master.key"

echo "# adapters"
mkdir -p "$PLACE/adapters"; chmod 755 "$PLACE" "$PLACE/adapters"
cp "$B/adapters/"*.so "$PLACE/adapters/"; chmod 755 "$PLACE/adapters"/*.so
adapter() { # adapter NAME DEFINE "sentence" PATTERN [EXIT]: a channel with a bad adapter; the daemon refuses to start with it, and says so
	local name=$1 define=$2 what=$3 pattern=$4 want=${5:-6} rc
	cc -shared -fPIC -O1 "-D$define" -I"$TOP/include" -o "$PLACE/adapters/$name.so" "$PEERS/bad_adapter.c" 2>"$PLACE/cc.out" || { not_ok "$what: compiles"; sed 's/^/# /' "$PLACE/cc.out" | head -5; return; }
	rm -rf "$PLACE/conf"; cp -r "$PLACE/conf.good" "$PLACE/conf"
	sed -i "s,^adapter_dir:.*,adapter_dir: $PLACE/adapters," "$PLACE/conf/lantoad.yaml"
	printf 'name: bad\nkind: email\nadapter: %s\naccounts: [{name: one}]\n' "$name" >"$PLACE/conf/channels.d/bad.yaml"
	timeout 60 "$B/lantoad" --demo --config "$PLACE/conf/lantoad.yaml" --check >"$PLACE/check.out" 2>&1; rc=$?
	if [ $rc -eq "$want" ] && grep -qE "$pattern" "$PLACE/check.out"; then ok "$what"; else not_ok "$what (exit $rc, wanted $want and /$pattern/)"; sed 's/^/# /' "$PLACE/check.out" | tail -3; fi
}
adapter abi OTHER_ABI "an adapter with another ABI is refused with both numbers" 'abi\.so.*ABI.*99'
adapter nosym NO_SYMBOL "one without the symbol is refused by its name" 'nosym\.so.*lantoa_adapter'
adapter nofn NO_FUNCTION "one without a function that every adapter needs is refused" 'nofn\.so'
adapter openfail OPEN_FAILS "one that refuses to open says why" 'muốn mở không được'
adapter crash OPEN_CRASHES "one that crashes in open is named, and takes no running daemon with it" 'crash'
adapter hang "OPEN_HANGS_ONCE=\"$PLACE/hung\"" "one that hangs once is asked again" 'good;' 0
printf 'not a library' >"$PLACE/adapters/text.so"
rm -rf "$PLACE/conf"; cp -r "$PLACE/conf.good" "$PLACE/conf"
sed -i "s,^adapter_dir:.*,adapter_dir: $PLACE/adapters," "$PLACE/conf/lantoad.yaml"
daemon_start || not_ok "the daemon starts with the good ones"
for name in abi nosym nofn openfail crash text; do
	printf 'name: bad\nkind: email\nadapter: %s\naccounts: [{name: one}]\n' "$name" >"$PLACE/conf/channels.d/bad.yaml"
	if admin reload >"$PLACE/check.out" 2>&1; then not_ok "a reload with adapter '$name' is refused"; else says "a reload with adapter '$name' is refused and names it" "$name\\.so|bad\\.yaml"; fi
done
check "and the daemon goes on" operator status
rows >"$PLACE/rows.after"
check "with the rows it had" cmp "$PLACE/rows.before" "$PLACE/rows.after"
tap_end
