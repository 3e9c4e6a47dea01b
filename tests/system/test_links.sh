#!/usr/bin/env bash
# test_links.sh - a mail that would be over size_max goes with links instead of files: a problem without links: yes and without
# public_url, seen in check and preview, and what is fetched under the link is the file.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/peers/scene.sh"
place_new
sandbox_start --store-mails
scene_files
mkdir "$PLACE/LINK-1"
/usr/bin/python3 -c 'import sys,random; r=random.Random(7); sys.stdout.buffer.write(b"%PDF-1.4\n"+r.randbytes(3500000))' >"$PLACE/LINK-1/Phụ lục.pdf"
printf 'Bảng số liệu.\n' >"$PLACE/LINK-1/nho.txt"
cat >"$PLACE/LINK-1/release.md" <<-END
	---
	code: LINK-1
	kind: notice
	category: public_notice
	title: Thông báo LINK-1
	attachments: ["Phụ lục.pdf", nho.txt]
	parts:
	  all: $ALL_NOW
	---
	Xem phụ lục.
END
links_conf() { # links_conf yes|no
	SMTP_SETTINGS="  size_max: 1000000
  links: \"$1\"
  links_days: 30" conf_write "$SMTP_PORT"
}
# part_of FILE TYPE: the text of this part of a mail; names: the file names in it.
part_of() { /usr/bin/python3 -c '
import sys, email, email.policy
m = email.message_from_binary_file(open(sys.argv[1], "rb"), policy=email.policy.SMTP)
if sys.argv[2] == "names":
    print(" ".join(p.get_filename() for p in m.walk() if p.get_filename()))
else:
    print("".join(p.get_content() for p in m.walk() if p.get_content_type() == sys.argv[2] and not p.get_filename()))' "$1" "$2"; }

echo "# without permission, and without an address"
links_conf no
daemon_start || { not_ok "the daemon starts"; tap_end; exit 1; }
check "the agency is imported" scene_import
refuse "over size_max a release is refused" 6 editor check "$PLACE/LINK-1"
says "with what would be right" 'size_max allows 976; use smaller files, or set links: yes'
daemon_stop
links_conf yes
sed -i '/^public_url/d' "$PLACE/conf/lantoad.yaml"
daemon_start || not_ok "the daemon starts without public_url"
refuse "with links: yes a public_url is needed" 6 editor check "$PLACE/LINK-1"
says "which is said" 'no public_url'
daemon_stop

echo "# as a link"
links_conf yes
daemon_start || not_ok "the daemon starts with links: yes"
check "now it is good" editor check "$PLACE/LINK-1"
says "and says which file is a link for how long" "Phụ lục.pdf.* goes as a link that is good for 30 days"
check "it is submitted" editor submit "$PLACE/LINK-1"
check "the preview shows it" editor preview LINK-1
says "as a link, and the other attached" 'Phụ lục.pdf .*as a link'
check "it is approved" approve_it LINK-1
check "all four mails go out" until_true 30 settled LINK-1 4
same "and arrive" "$(mails_of LINK-1)" 4
: >"$PLACE/urls"
for f in "$PLACE"/sandbox/mails/*.eml; do
	part_of "$f" text/plain | sed -n 's/^Phụ lục.pdf (3,5 MB): //p' | tr -d '\r' >>"$PLACE/urls"
done
same "each names the file, its size and its address in the text" "$(wc -l <"$PLACE/urls" | tr -d ' ')" 4
same "the same address for all" "$(sort -u "$PLACE/urls" | wc -l | tr -d ' ')" 1
URL=$(head -1 "$PLACE/urls")
same "the address has a token and the ending of the name" "$(grep -cE '^http://127.0.0.1/a/[a-z2-7]{80,}\.pdf$' "$PLACE/urls")" 4
same "and stands in the HTML" "$(part_of "$f" text/html | grep -cF "Phụ lục.pdf (3,5 MB): <a style=\"word-break:break-all\" href=\"$URL\">$URL</a>")" 1
same "what fits is attached" "$(part_of "$f" names)" nho.txt
check "the mail is within the limit" test "$(stat -c %s "$f")" -lt 1000000
fetch() { curl -s -m 10 -o "$PLACE/got" -w '%{http_code} %{content_type}' "http://127.0.0.1:$(public_port)$1"; }
same "it is served" "$(fetch "${URL#http://127.0.0.1}" | cut -d' ' -f1)" 200
check "with the same bytes" cmp "$PLACE/got" "$PLACE/LINK-1/Phụ lục.pdf"
A=${URL#http://127.0.0.1}
same "another ending is nothing" "$(fetch "${A%.pdf}.exe" | cut -d' ' -f1)" 404
daemon_stop
links_conf yes
daemon_start || not_ok "the daemon starts again"
same "and it is served after a restart" "$(fetch "$A" | cut -d' ' -f1)" 200
check "the audit chain holds" operator audit verify
daemon_stop
check "no sanitizer had anything to say" bash -c "! grep -E 'Sanitizer|runtime error' '$PLACE/lantoad.log'"
tap_end
