#!/usr/bin/env bash
# sms_kills.sh N - kill -9 at random instants while releases go to 300 phones, half of them over SMPP (one bind, window 100), half over an HTTP
# gateway, N kills in all, a new release for every seven; answers are lost at random meanwhile. Afterwards, of each release: no
# phone has it twice, what we call accepted or delivered is there, and all others stand unknown: nothing is lost, nothing silently double.
. "$(dirname "${BASH_SOURCE[0]}")/../system/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/kill_lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/../system/lib_smpp.sh"
. "$(dirname "${BASH_SOURCE[0]}")/../system/lib_sms_http.sh"
place_new
N=${1:-50} SEED=${SEED:-11}
RANDOM=$SEED
SMS_PUBLIC=$(sms_http_port_free)
echo "{$(smpp_script '"ids":"random","report_ms":30' '"rules":[{"do":"take_silent","percent":2},{"do":"take_drop","percent":1},{"do":"drop","percent":1}]'), \"http_rules\": [
 {\"server\":\"smsgw\",\"match\":\"/esms/**V4_post_json/\",\"when\":\"after\",\"do\":\"drop\",\"percent\":2},
 {\"server\":\"smsgw\",\"match\":\"/esms/**V4_post_json/\",\"do\":\"drop\",\"percent\":2}]}" >"$PLACE/script.json"
sandbox_start --script "$PLACE/script.json"
ALLOW=', "+8491*"'
ROUTES=$'  sms: {default: tin-nhan/tong-dai, offices: {ha-noi: sms-esms/main}}\n'
SMPP_WINDOW=100 SMPP_FORM=plain SMPP_RESPONSE_MS=1500 smpp_conf
sms_http_channel sms-esms esms "$(sandbox_port smsgw)"
conf_write "$SMTP_PORT"
sms_http_public
daemon_start >/dev/null || exit 1
sms_ctl "\"callback\":\"http://127.0.0.1:$SMS_PUBLIC/w/sms-esms/$SMS_HOOK\"" >/dev/null
admin -q offices import "$TOP/config/examples/offices.csv" || exit 1
{ echo channel,address,office,name,lang,tags; awk 'BEGIN { for (i = 0; i < 300; i++) printf "sms,+8491%07d,%s,P %d,,many\n", i, (i % 2 ? "ha-noi" : "trung-uong"), i }'; } >"$PLACE/many.csv"
admin -q targets import "$PLACE/many.csv" >/dev/null 2>&1 || exit 1
printf 'many: {name: "Many", any: [{tag: many}]}\n' >"$PLACE/aud.yaml"
admin -q audiences import "$PLACE/aud.yaml" || exit 1
n=0 bad=0
release() {
	n=$((n + 1)) R=KILL-$n
	printf -- '---\ncode: %s\nkind: notice\ncategory: public_notice\ntitle: Thong bao %s %s\nparts: {all: {to: many, channels: [sms], at: now}}\ntext:\n  sms: "%s %s"\n---\nThông báo.\n' $R $n "$(echo $n$SEED | sha256sum | cut -c1-16)" $R \
		"$(printf 'noi dung cua van ban so %s, co hai phan; ' $n $n $n $n $n)" >"$PLACE/$R.md"
	editor -q submit "$PLACE/$R.md" >/dev/null 2>&1 && approver -q approve $R --hash "$(hash_of $R)" >/dev/null || { echo "release $R: not taken"; exit 1; }
}
counts() { operator --json watch "$1" --timeout 1 2>/dev/null | jq -c .counts; }
at_rest() { counts "$1" | jq -e '((.waiting // 0) + (.sending // 0) + (.held // 0)) == 0' >/dev/null; }
# A link that breaks is made anew after 1 s, 2 s ... 60 s: six breaks in a row, as they happen here, are two minutes.
while [ $kills -lt "$N" ]; do
	release
	kill_seven "$N" 6
	until_true 300 at_rest $R || { echo "# $R does not come to rest: $(counts $R)"; bad=1; break; }
	sleep 2 # reports and late answers of the last ones
	jq -r --arg r "$R " 'select(.t == "sms" and (.text | startswith($r))) | .to' "$LEDGER" | sort >"$PLACE/got"
	operator --json report $R | jq -r '.deliveries[] | select(.state == "accepted" or .state == "delivered") | .address' | sort >"$PLACE/ours"
	doubles=$(uniq -d "$PLACE/got" | wc -l) lost=$(comm -13 "$PLACE/got" "$PLACE/ours" | wc -l)
	unknown=$(counts $R | jq '(.unknown // 0) + (.doubt // 0)') total=$(counts $R | jq '[.[]] | add')
	[ "$doubles" = 0 ] || { echo "# $R: $doubles phones have it twice"; bad=1; }
	[ "$lost" = 0 ] || { echo "# $R: $lost are called sent that no phone has"; bad=1; }
	[ $((unknown + $(wc -l <"$PLACE/ours"))) = "$total" ] && [ "$total" = 300 ] || { echo "# $R: $unknown unknown and $(wc -l <"$PLACE/ours") sent are not 300: $(counts $R)"; bad=1; }
	echo "# $kills kills, $R: $(wc -l <"$PLACE/got") phones, $unknown unknown, $doubles twice, $lost lost"
done
same "nothing twice, nothing lost, every one accounted for: $kills kills, $n releases to 300 phones over SMPP and HTTP" $bad 0
check "fsck is clean" operator fsck
check "the audit chain holds" operator audit verify
tap_end
