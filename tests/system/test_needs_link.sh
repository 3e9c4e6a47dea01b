#!/usr/bin/env bash
# test_needs_link.sh - a part with needs_link waits until the canonical page answers: through the proxy of link_check, over redirects
# inside own_domains and nowhere else, with the reason shown; what is changed in the configuration holds for the next question.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/peers/scene.sh"
place_new
sandbox_start --store-mails
scene_files
: >"$PLACE/asked"
/usr/bin/python3 "$TOP/tests/system/peers/portal.py" "$PLACE/portal.port" "$PLACE/asked" "$PLACE/later" &
EXTRA_PIDS="${EXTRA_PIDS:-} $!"
until_true 20 test -s "$PLACE/portal.port" || { not_ok "the portal starts"; tap_end; exit 1; }
CONF_TOP="link_check: {proxy: http://127.0.0.1:$(cat "$PLACE/portal.port")}" conf_write "$SMTP_PORT"
daemon_start || { not_ok "the daemon starts"; tap_end; exit 1; }
check "the agency is imported" scene_import
LINKED='{to: offices, channels: [email], at: now, needs_link: yes, window: 12h}'
linked() { # linked CODE PATH: submitted and approved
	editor submit "$(release_md "$1" "$LINKED" 'Tin.' "link: http://portal.example$2")" && approve_it "$1"
}
asked() { grep -c -x "http://portal.example$1" "$PLACE/asked"; }

check "a page that is there: approved" linked HERE /here
check "it goes out" until_true 30 has_mails HERE 4
check "a page that moved inside the domain: approved" linked MOVED /moved
check "it goes out" until_true 30 has_mails MOVED 4
same "after the page it moved to was asked for" "$(asked /there)" 1
for code in AWAY NEAR ROUND LATER; do
	check "$code: approved" linked $code "/$(tr 'A-Z' 'a-z' <<<$code)"
done
check "a page that leads to another's domain does not count" until_true 30 why_has AWAY all 'link: the page answers 302 and leads elsewhere'
check "nor where it says so without a scheme" until_true 30 why_has NEAR all 'link: the page answers 302 and leads elsewhere'
check "nor one that leads in a circle" until_true 30 why_has ROUND all 'link: the page answers 302 and leads elsewhere'
same "which is followed three times" "$(asked /round)" 4
check "a page that is not there yet is waited for, and the reason shown" until_true 30 why_has LATER all 'link: the page answers 404'
check "show" operator show LATER
says "tells it, too," 'link: the page answers 404'
refuse "the domain of another is never asked" 1 grep -q elsewhere.example "$PLACE/asked"
same "nothing of these has gone" "$(mails_of AWAY)$(mails_of NEAR)$(mails_of ROUND)$(mails_of LATER)" 0000
: >"$PLACE/later"
check "once it answers, the part goes" until_true 60 has_mails LATER 4
same "the others still wait" "$(mails_of AWAY) $(mails_of NEAR) $(mails_of ROUND)" "0 0 0"

echo "# the configuration"
daemon_stop
sed -i 's/^link_check: .*/link_check: {proxi: "http:\/\/127.0.0.1:1"}/' "$PLACE/conf/lantoad.yaml"
refuse "an unknown key is named" 6 "$B/lantoad" --config "$PLACE/conf/lantoad.yaml" --check
says "with the right one" "did you mean 'proxy'"
printf 'no certificate\n' >"$PLACE/conf/ca.pem"
sed -i 's/^link_check: .*/link_check: {ca: ca.pem}/' "$PLACE/conf/lantoad.yaml"
refuse "a CA that is none is refused" 6 "$B/lantoad" --config "$PLACE/conf/lantoad.yaml" --check
says "by its name" 'ca.pem.* is no PEM file'
tap_end
