#!/usr/bin/env bash
# test_zalo_bad.sh - what editors and importers get wrong with Zalo: refused whole with field, value and what would be right, or made fit and said.
# What passes the check is taken by the provider, which is as strict about the limits as the real one.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/lib_zalo.sh"
place_new
echo "{\"zalo\": $(zalo_script ',"polls":0')}" >"$PLACE/script.json"
sandbox_start --script "$PLACE/script.json"
zalo_conf "$(sandbox_port zalo)"
conf_write "$SMTP_PORT"
zalo_public
daemon_start || { not_ok "the daemon starts"; tap_end; exit 1; }
import_samples
{ cat "$TOP/config/examples/audiences.yaml"; echo 'one: {name: "One", any: [{tag: page, office: hue}]}'; } >"$PLACE/aud.yaml"
admin -q audiences import "$PLACE/aud.yaml"
HUE=$(zalo_oas | awk '$2 == "hue" { print $1 }')
COVER=$TOP/config/examples/release-ttbc-112/cover-16x9.png
chars() { /usr/bin/python3 -c 'import sys; print(("Bảo hiểm xã hội " * 40)[:int(sys.argv[1])-1] + "ế", end="")' "$1"; } # chars N: a text of N characters
bundle() { # bundle CODE TITLE [lines of front matter]: a folder; the body comes from standard input
	rm -rf "${PLACE:?}/$1"; mkdir -p "$PLACE/$1"; cp "$COVER" "$PLACE/$1/"
	{ printf -- '---\ncode: %s\nkind: notice\ntitle: "%s"\nlink: https://portal.example/%s\ncover: {file: cover-16x9.png, alt: bìa}\n%s\nparts:\n  p: {to: one, channels: [zalo], at: now}\n---\n' "$1" "$2" "$1" "${3:-}"; cat; } >"$PLACE/$1/release.md"
	printf '%s' "$PLACE/$1"
}
no() { refuse "$@"; cp "$PLACE/check.out" "$PLACE/told"; } # its words stay for says
says() { grep -q -- "$1" "$PLACE/told" || { sed 's/^/# /' "$PLACE/told"; false; }; }
stored() { sqlite3 -readonly "$PLACE/state/lantoa.db" "SELECT count(*) FROM release WHERE code = '$1'"; }
goes() { editor -q submit "$1" 2>/dev/null && approver -q approve "$2" --hash "$(hash_of "$2")"; }
shown() { [ "$(zalo_ledger "map(select(.kind == \"article\" and .title == \"$1\")) | length")" = 1 ]; }

echo "# title and description, in characters"
T149=$(chars 149) T150=$(chars 150)
no "a title of 150 characters is refused" 6 editor submit "$(bundle ZT-150 "$T150" 'summary: Tóm tắt' <<<'Nội dung.')"
check "with the field, the number and what would be right" says 'text.zalo.title.*title has 150 characters; Zalo takes at most 149'
same "and nothing is stored" "$(stored ZT-150)" 0
check "one of 149 is taken" goes "$(bundle ZT-149 "$T149" 'summary: Tóm tắt' <<<'Nội dung.')" ZT-149
check "and shown by the provider" until_true 20 shown "$T149"
no "a title for Zalo of 150 is refused as well" 6 editor submit "$(bundle ZT-151 "Ngắn" "text: {zalo: {title: \"$T150\"}}" <<<'Nội dung.')"
no "a description of 300 that the editor wrote is refused" 6 editor submit "$(bundle ZD-300 "Tiêu đề 300" "text: {zalo: {description: \"$(chars 300)\"}}" <<<'Nội dung.')"
check "with the number" says 'description has 300 characters; Zalo takes at most 299'
check "a summary of 300 is shortened, and said" bash -c "'$B/lantoa' --as 'Nguyễn Thị Biên' check '$(bundle ZD-301 "Tiêu đề 301" "summary: \"$(chars 300)\"" <<<'Nội dung.')' 2>&1 | grep -q 'description has 300 characters and is shortened to 299'"
check "and is taken" goes "$PLACE/ZD-301" ZD-301
check "by the provider as well" until_true 20 shown "Tiêu đề 301"

echo "# the body"
no "a body with HTML is refused" 6 editor submit "$(bundle ZB-0 "Thân bài HTML" 'summary: Tóm tắt' <<<'<script>alert(1)</script> <b>đậm')"
check "by what it says" says 'is HTML, which is not taken'
check "a body with a sign, a table and nested lists is taken" goes "$(bundle ZB-1 "Thân bài" 'summary: Tóm tắt' <<'END'
5 \< 6 & **đậm**

| Chỉ tiêu | **2017** | 2022 |
|----------|:--------:|-----:|
| Người tham gia | 567.892 | `612.617` |

1. một
   - hai
     1. ba **đậm ![trong chữ](cover-16x9.png) *nghiêng* đậm**

END
)" ZB-1
check "and shown" until_true 20 shown "Thân bài"
same "as paragraphs, bold and italic alone, none of them empty" "$(sandbox_body() { "$B/sandbox" ctl --dir "$PLACE/sandbox" "{\"cmd\":\"zalo\",\"article\":{\"oa\":\"$HUE\",\"title\":\"Thân bài\"}}"; }; sandbox_body | jq -r '.body[] | select(.type == "text") | .content' | tee "$PLACE/body" | grep -cE '<p></p>|<(script|table|tr|td|div)|<b></b>')" 0
same "the table is lines" "$(grep -o '<p>Chỉ tiêu – <b>2017</b> – 2022</p><p>Người tham gia – 567.892 – 612.617</p>' "$PLACE/body" | wc -l | tr -d ' ')" 1

echo "# pictures"
many() { # many CODE N: a release with N pictures
	local d i list=
	for i in $(seq 1 "$2"); do list="$list, {file: p$i.png, alt: hình $i}"; done
	d=$(bundle "$1" "Ảnh $2" "images: [${list#, }]" <<<'Nội dung.')
	for i in $(seq 1 "$2"); do cp "$COVER" "$d/p$i.png"; printf '%s' "$i" >>"$d/p$i.png"; done
	printf '%s' "$d"
}
no "30 pictures are refused" 6 editor submit "$(many ZP-30 30)"
check "with what would be right" says 'more than 20 pictures in one article: take some out, or raise images_max'
same "and nothing is stored" "$(stored ZP-30)" 0
sed -i 's/^  poll_ms: /  images_max: 30\n&/' "$PLACE/conf/channels.d/zalo.yaml"
admin -q reload
check "where the channel allows them they are taken" goes "$PLACE/ZP-30" ZP-30
check "and shown" until_true 40 shown "Ảnh 30"
no "a picture that is not there is refused" 6 editor submit "$(bundle ZP-1 "Thiếu" 'images: [{file: nowhere.png, alt: x}]' <<<'Nội dung.')"
check "by its name" says 'nowhere.png'
check "one that the text alone names is a warning" bash -c "'$B/lantoa' --as 'Nguyễn Thị Biên' check '$(bundle ZP-2 "Thiếu 2" 'summary: s' <<<'![x](nix.png) Nội dung.')' 2>&1 | grep -q 'nix.png'"
d=$(bundle ZP-3 "Hỏng" 'images: [{file: bad.png, alt: x}]' <<<'Nội dung.')
{ head -c 100 "$COVER"; head -c 2000000 /dev/urandom; } >"$d/bad.png"
no "a picture of two megabytes that cannot be read is refused" 6 editor submit "$d"
check "by its name" says 'bad.png'

echo "# addresses"
for a in oa:12 oa:abc group:7a group:a/b user:x phone:12 'phone:+1 202 555 0100' fax:1; do
	printf 'channel,address,office,name,lang,tags\nzalo,%s,hue,X,,x\n' "$a" >"$PLACE/bad.csv"
	admin targets import "$PLACE/bad.csv" >"$PLACE/check.out" 2>&1 && not_ok "$a is refused" && continue
	grep -q 'bad.csv:2' "$PLACE/check.out" && N_BAD=$((${N_BAD:-0} + 1)) || sed 's/^/# /' "$PLACE/check.out"
done
same "wrong addresses are refused with their line" "${N_BAD:-0}" 8
same "no violation" "$(zalo_show | json - .violations)" 0
check "fsck is clean" operator fsck
tap_end
