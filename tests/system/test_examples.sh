#!/usr/bin/env bash
# test_examples.sh - the configuration that is installed and every example of a channel beside it are what the daemon takes, all at once: an
# operator copies one, fills in names and files, and it works. So are the release and the files that the manual pages show.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/peers/scene.sh"
place_new
cp -r "$TOP/config" "$PLACE/conf"
sed -i "s|^adapter_dir:.*|adapter_dir: $B/adapters|" "$PLACE/conf/lantoad.yaml"
check_it() { "$B/lantoad" --config "$PLACE/conf/lantoad.yaml" --check --demo | tee "$PLACE/good.out"; return "${PIPESTATUS[0]}"; }
check "lantoad.yaml as it is" check_it
n=0
for example in "$PLACE"/conf/channels.d/*.example; do
	name=$(basename "$example" .example)
	sed "s|/etc/lantoa/|$PLACE/conf/|g" "$example" >"$PLACE/conf/channels.d/$name"
	for secret in $(grep -oE "file: $PLACE/conf/[A-Za-z0-9._-]+" "$PLACE/conf/channels.d/$name" | sed 's/file: //' | sort -u); do
		(umask 077; printf 'abcd1234efgh5678ijkl9012' >"$secret")
	done
	for pem in $(grep -oE "$PLACE/conf/[A-Za-z0-9._-]+\.pem" "$PLACE/conf/channels.d/$name" | sort -u); do
		openssl req -x509 -newkey rsa:2048 -nodes -keyout /dev/null -out "$pem" -subj /CN=example -days 2 2>/dev/null
	done
	check "and $name beside it" check_it
	n=$((n + 1))
done
check "there are examples" [ "$n" -ge 4 ]
same "all of them are channels now" "$(sed -n 's/.*good; \([0-9]*\) channels.*/\1/p' "$PLACE/good.out")" $((n + 1))

echo "# what the manual shows"
rm -rf "$PLACE/conf"
sandbox_start
conf_write "$SMTP_PORT"
daemon_start || { not_ok "the daemon starts"; tap_end; exit 1; }
shown() { sed -n '/^\.nf$/,/^\.fi$/p' "$TOP/docs/man/$1" | sed '/^\.[nf][fi]$/d; s/\\-/-/g; s/\\e/\\/g; s/\\\[u\([0-9A-F]*\)\]/\\u\1/g'; } # shown PAGE: its example
mkdir "$PLACE/data" "$PLACE/bundle"
shown lantoa-import.5 | sed -n '/^code,/,/^trung/p' | while IFS= read -r line; do printf '%b\n' "$line"; done >"$PLACE/data/offices.csv"
shown lantoa-import.5 | sed -n '/^provinces:/,$p' >"$PLACE/data/audiences.yaml"
check "its offices" admin offices import "$PLACE/data/offices.csv"
says "one" '1 added'
check "the whole agency" admin offices import "$TOP/config/examples/offices.csv"
check "its targets" admin targets import "$TOP/config/examples/targets.csv"
check "the manual's audiences" admin audiences import "$PLACE/data/audiences.yaml"
says "three" '3 added'
check "the agency's" admin audiences import "$TOP/config/examples/audiences.yaml"
shown lantoa-release.5 | sed "s/2026-11-23 14:00/$(date -d '+1 day' +%F) 14:00/" >"$PLACE/bundle/release.md"
cp "$TOP/config/examples/release-ttbc-112/cover-16x9.png" "$PLACE/bundle/cover.png"
cp "$TOP/config/examples/release-ttbc-112/infographic-1.png" "$PLACE/bundle/figures.png"
printf '%%PDF-1.4\n%%%%EOF\n' >"$PLACE/bundle/letter.pdf"
check "the manual's release" editor check "$PLACE/bundle"
says "goes to the newsrooms" "email +37 targets in 35 offices"
cp "$PLACE/bundle/figures.png" "$PLACE/bundle/so-lieu.png"
cp "$PLACE/bundle/letter.pdf" "$PLACE/bundle/cong-van.pdf"
sed -n '/^    ---$/,/^    {{local}}$/s/^    //p' "$TOP/docs/soan-tin.md" | sed "s,23/11/2026 14:00,$(date -d '+1 day' +%d/%m/%Y) 14:00,g" >"$PLACE/bundle/release.md"
check "the release of the guide for editors" editor check "$PLACE/bundle"
says "goes there, too" "email +37 targets in 35 offices"
check "a preview can be seen" editor submit "$PLACE/bundle"
check "of it" editor preview TTBC-2026-112 --part bao-chi --office dien-bien
says "with the letter it comes from" "Văn bản số 1455/BHXH-TT, ngày 23/11/2026, người ký: Nguyễn Văn A"
tap_end
