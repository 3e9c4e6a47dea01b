#!/usr/bin/env bash
# test_sms_http.sh - the sample's duty part through every shipped gateway file, with the real daemon and the sandbox: exact text,
# once each, reports move what is reported; lost answers, spoiled answers, throttling, expired tokens, forged and repeated
# reports, and a kill in the middle.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/lib_sms_http.sh"
. "$(dirname "${BASH_SOURCE[0]}")/peers/scene.sh"
place_new
SMS_PUBLIC=$(sms_http_port_free)
sandbox_start
GW=$(sandbox_port smsgw)
VENDORS="${SMS_VENDORS:-esms speedsms vietguys viettel vnpt fpt stringee twilio vonage kannel vietguys-v2 esms-ads}"
ALLOW=', "+8491*"'
ROUTES=$'  sms: sms-esms/main\n'
for v in esms speedsms vietguys viettel vnpt fpt stringee twilio vonage kannel vietguys-v2; do
	settings=
	# two of them take the text as it is written
	case $v in vonage | stringee) settings='  form: accented' ;; esac
	sms_http_channel "sms-$v" "$v" "$GW" "$settings"
done
sms_http_channel sms-poll esms "$GW" "" "poll: {every: 1s}"
sms_http_channel sms-esms-ads esms-ads "$GW" "" "poll: {every: 1s}"
sed -i '/callback_/d' "$PLACE/conf/channels.d/sms-poll.yaml"
conf_write "$SMTP_PORT"
sms_http_public
check "the configuration of thirteen gateways is sound" "$B/lantoad" --demo --config "$PLACE/conf/lantoad.yaml" --check
daemon_start || { not_ok "the daemon starts"; tap_end; exit 1; }
check "the sample files are imported" import_samples

release() { # release CODE [TEXT]: the sample release, its duty part alone and now
	mkdir -p "$PLACE/$1"
	sed -e "s/^code: .*/code: $1/" -e "${2:+s/^  sms: .*/  sms: \"$2\"/}" -e '/^cover:/d; /^images:/,/^campaign:/d' -e '/^parts:/,/^text:/c\parts:\n  duty:\n    to: duty\n    channels: [sms]\n    at: now\ntext:' \
		"$TOP/config/examples/release-ttbc-112/release.md" >"$PLACE/$1/release.md"
	editor -q submit "$PLACE/$1" >"$PLACE/submit.out" 2>&1 || { cat "$PLACE/submit.out"; return 1; }
	approve_it "$1"
}
route() { # route CHANNEL: a reload answers before every target has its new lane
	sed -i "s|^  sms: .*|  sms: $1/main|" "$PLACE/conf/lantoad.yaml"
	admin -q reload >/dev/null && until_true 30 routed "$1"
}
routed() { # routed CHANNEL: all phones go there
	[ "$(/usr/bin/python3 - "$PLACE/state/lantoa.db" "$1" <<-'PY'
	import sqlite3, sys
	db = sqlite3.connect("file:%s?mode=ro" % sys.argv[1], uri=True)
	print(db.execute("SELECT count(*) FROM target t JOIN contact k ON k.id=t.contact_id LEFT JOIN lane l ON l.id=t.lane_id LEFT JOIN account a ON "
	    "a.id=l.account_id LEFT JOIN channel c ON c.id=a.channel_id WHERE k.kind=2 AND t.flags & 1 = 0 AND c.name IS NOT ?", sys.argv[2:]).fetchone()[0])
	PY
	)" = 0 ]
}
in_state() { operator --json report "$1" | jq --arg s "$2" '[.deliveries[] | select(.state == $s)] | length'; }
all_in() { sleep 0.2; [ "$(in_state "$1" "$2")" = "$3" ]; }
resting() { operator --json report "$1" | jq -e '(.deliveries | length) == 35 and ([.deliveries[] | select(.state == "waiting" or .state == "sending" or .state == "accepted")] | length) == 0'; }
# What each duty phone shall read, made independently of the daemon.
cat >"$PLACE/expect.py" <<'END'
import csv, sys, unicodedata
top, form = sys.argv[1], sys.argv[2]
offices = {r["code"]: r for r in csv.DictReader(open(top + "/config/examples/offices.csv", encoding="utf-8"))}
for t in csv.DictReader(l for l in open(top + "/config/examples/targets.csv", encoding="utf-8") if not l.startswith("#")):
    if t["channel"] != "sms": continue
    s = "TTBC-2026-112 đã đăng trên Fanpage và OA của %s. Đề nghị kiểm tra; báo lỗi về số trực." % offices[t["office"]]["short"]
    if form == "plain":
        s = "".join(c for c in unicodedata.normalize("NFD", s) if not unicodedata.combining(c)).replace("đ", "d").replace("Đ", "D")
    if form == "vnpt":
        s = "".join(c for c in unicodedata.normalize("NFD", s) if not unicodedata.combining(c)).replace("đ", "d").replace("Đ", "D")
        s = "DUTY-01|TTBC-2026-112|" + s.split(" OA cua ")[1].split(". De nghi")[0]
    print(t["address"] + "\t" + unicodedata.normalize("NFC", s))
END
expect() { python3 "$PLACE/expect.py" "$TOP" "$1" | sort; }
N=$(expect plain | wc -l | tr -d ' ')
got() { jq -r --argjson from "$1" 'select(.t == "sms" and .n > $from and .text != "") | .to + "\t" + .text' "$LEDGER" | sort; } # got SERIAL
last_n() { jq -s 'map(.n // 0) | max // 0' "$LEDGER"; }

i=200
for v in $VENDORS; do
	i=$((i + 1))
	R=TTBC-2026-$i
	form=plain; final=delivered
	case $v in vonage | stringee) form=accented ;; vnpt) form=vnpt ;; esac
	case $v in vietguys-v2 | viettel | vnpt | fpt | stringee) final=accepted ;; esac
	from=$(last_n)
	sms_ctl "\"callback\":\"http://127.0.0.1:$SMS_PUBLIC/w/sms-$v/$SMS_HOOK\""
	check "$v: the route leads there" route "sms-$v"
	check "$v: the release is approved" release $R
	check "$v: all $N are $final" until_true 15 all_in $R $final "$N"
	[ "$(in_state $R $final)" = "$N" ] || { echo "# $(operator --json report $R | jq -c '[.deliveries[] | {state, why}] | group_by(.state) | map({s: .[0].state, n: length, why: .[0].why})')"; tail -3 "$PLACE/lantoad.log" | sed 's/^/# /'; }
	same "$v: exact text, once each" "$(got "$from" | cksum)" "$(expect $form | cksum)"
done

echo "# a text that is the same for all"
from=$(last_n)
sms_ctl "\"callback\":\"http://127.0.0.1:$SMS_PUBLIC/w/sms-speedsms/$SMS_HOOK\""
check "SpeedSMS again" route sms-speedsms
check "the release is approved" release TTBC-2026-220 "TTBC-2026-220 da dang, de nghi kiem tra."
check "all $N are delivered" until_true 15 all_in TTBC-2026-220 delivered "$N"
requests=$(sms_ledger "map(select(.n > $from) | .id) | unique | length") # all numbers of a request have its id
check "numbers share requests ($requests for $N)" [ "$requests" -lt "$N" ]

echo "# lost and spoiled answers, throttling, a refused number"
doubles() { jq -r --argjson from "$1" 'select(.t == "sms" and .n > $from) | .to' "$LEDGER" | sort | uniq -d | wc -l | tr -d ' '; }
taken() { jq -r --argjson from "$1" 'select(.t == "sms" and .n > $from) | .to' "$LEDGER" | wc -l | tr -d ' '; }
state_of() { operator --json report "$1" | jq -r --arg a "$2" '.deliveries[] | select(.address == $a) | .state'; }
from=$(last_n)
sms_faults '{"server":"smsgw","match":"/esms/**V4_post_json/","when":"after","do":"drop","skip":3,"times":1},
 {"server":"smsgw","match":"/esms/**V4_post_json/","do":"drop","skip":8,"times":1},
 {"server":"smsgw","match":"/esms/**V4_post_json/","do":"reply","code":200,"type":"text/html","body":"<html>Bad Gateway</html>","skip":12,"times":1},
 {"server":"smsgw","match":"/esms/**V4_post_json/","when":"after","do":"reply","half":true,"skip":16,"times":1}'
sms_ctl '"rules":[{"vendor":"esms","to":"*","code":"160","times":2},{"vendor":"esms","to":"+84910000103","code":"99"}]'
check "eSMS again" route sms-esms
check "the release is approved" release TTBC-2026-221
check "it comes to rest" until_true 20 resting TTBC-2026-221
same "a number that the gateway refuses has failed" "$(state_of TTBC-2026-221 +84910000103)" failed
same "two requests of which nothing is known stay unknown" "$(in_state TTBC-2026-221 unknown)" 2
same "two lost answers were settled by reports that name our own id" "$(in_state TTBC-2026-221 delivered)" 32
same "what is delivered was taken" "$(taken "$from")" 32
same "nothing went out twice" "$(doubles "$from")" 0
sms_faults ''; sms_ctl '"rules":[]'

echo "# a token that is void, reports by asking, the balance"
from=$(last_n)
check "VietGuys v2 again" route sms-vietguys-v2
sms_ctl '"expire":true'
check "the release is approved" release TTBC-2026-225
check "a token that is exchanged for a refresh token is renewed, and all are accepted" until_true 15 all_in TTBC-2026-225 accepted "$N"
same "once each" "$(taken "$from") $(doubles "$from")" "$N 0"
from=$(last_n)
sms_ctl '"expire":true'
check "FPT again" route sms-fpt
check "the release is approved" release TTBC-2026-222
check "the token is renewed and all are accepted" until_true 15 all_in TTBC-2026-222 accepted "$N"
same "once each" "$(taken "$from") $(doubles "$from")" "$N 0"
from=$(last_n)
sms_ctl '"rules":[{"vendor":"fpt","to":"+84910000103","code":"2501"}]'
check "the release is approved" release TTBC-2026-227
check "what FPT does not take because it is a repetition waits for a person" until_true 15 all_in TTBC-2026-227 held 1
same "the rest is accepted, and what is accepted was taken" "$(in_state TTBC-2026-227 accepted) $(taken "$from") $(doubles "$from")" "$((N - 1)) $((N - 1)) 0"
sms_ctl '"rules":[]'
echo "# credentials that are refused, and a login without a code"
from=$(last_n)
good=$(cat "$PLACE/conf/sms/client_secret")
sms_http_secret client_secret wrong
check "another secret is applied" admin reload
sms_ctl '"expire":true'
check "the release is approved" release TTBC-2026-226
fpt_says() { operator --json queue | jq -e --arg w "$1" '[.rows[].why // ""] | any(contains($w))'; }
check "the lane says what to look at" until_true 20 fpt_says "check the log-in of this account"
refuse "a code is not what it wants" 6 bash -c "printf 'x\n' | '$B/lantoa' --as 'Quản Trị' channel login sms-fpt --account main --code-stdin"
refuse "nor does it help while the secret is wrong" 6 admin channel login sms-fpt --account main
sms_http_secret client_secret "$good"
check "the right secret is applied" admin reload
check "now the login brings a token" admin channel login sms-fpt --account main
says "and says so" 'sms-fpt/main is connected'
check "and what waited goes out" until_true 20 all_in TTBC-2026-226 accepted "$N"
same "once each" "$(taken "$from") $(doubles "$from")" "$N 0"

sms_ctl '"state":"none"'
check "the gateway that is asked" route sms-poll
check "the release is approved" release TTBC-2026-223
check "the answers to our questions deliver all" until_true 20 all_in TTBC-2026-223 delivered "$N"
sms_ctl '"state":"delivered"'
check "the balance is told" bash -c "'$B/lantoa' --as 'Lê Vận Hành' channel check sms-esms | grep -q 1000000"

echo "# reports that are forged, unknown, repeated"
reports() { jq -r --arg v "$1" --argjson f "$2" 'select(.t == "sms_report" and .vendor == $v and .forged == $f) | .status' "$LEDGER" | sort | uniq -c | tr -s ' ' | sed 's/^ //' | paste -sd, -; }
sms_ctl '"push":{"vendor":"twilio","to":"+84910000101","forge":"signature","state":"failed","times":3}'
forged() { [ "$(reports twilio true)" = "3 403" ]; }
check "a forged signature is refused" until_true 10 forged
same "and changes nothing" "$(state_of TTBC-2026-208 +84910000101)" delivered
sms_ctl "\"callback\":\"http://127.0.0.1:$SMS_PUBLIC/w/sms-esms/$SMS_HOOK\""
sms_ctl '"push":{"vendor":"esms","to":"+84910000101","forge":"id","times":2}'
unknown_ids() { [ "$(reports esms true)" = "2 200" ]; }
check "reports for ids that nobody knows are answered" until_true 10 unknown_ids
sms_ctl '"push":{"vendor":"vonage","to":"+84910000101","times":1000}'
thousand() { [ "$(jq -r 'select(.t == "sms_report" and .vendor == "vonage" and .status == 200) | .status' "$LEDGER" | wc -l)" -ge 1070 ]; }
check "the same report a thousand times is answered a thousand times" until_true 30 thousand
same "and delivers once" "$(state_of TTBC-2026-209 +84910000101)" delivered

echo "# kill -9 in the middle"
from=$(last_n)
sms_faults '{"server":"smsgw","match":"/esms/**V4_post_json/","when":"after","do":"delay","delay_ms":400}'
check "eSMS again" route sms-esms
check "the release is approved" release TTBC-2026-224
some() { [ "$(taken "$from")" -ge 4 ]; }
check "some are on their way" until_true 10 some
daemon_kill
sms_faults ''
check "the daemon starts again" daemon_start
no_more() { operator --json report TTBC-2026-224 | jq -e '[.deliveries[] | select(.state == "waiting" or .state == "sending" or .state == "accepted")] | length == 0' && settled_reports; }
settled_reports() { [ "$(in_state TTBC-2026-224 delivered)" = "$(taken "$from")" ]; }
check "every text that was taken is delivered, by its report" until_true 25 no_more
same "none went out twice" "$(doubles "$from")" 0
same "the rest is unknown: its intent was open" "$(($(in_state TTBC-2026-224 delivered) + $(in_state TTBC-2026-224 unknown)))" "$N"
echo "# many numbers in a request"
check "the advertising call of eSMS" route sms-esms-ads
{ echo channel,address,office,name,lang,tags; awk 'BEGIN { for (i = 0; i < 1500; i++) printf "sms,+8491%07d,trung-uong,P %d,,many\n", 500000 + i, i }'; } >"$PLACE/many.csv"
admin -q targets import "$PLACE/many.csv" >/dev/null 2>&1
printf 'many: {name: "Many", any: [{tag: many}]}\n' >"$PLACE/many.yaml"
admin -q audiences import "$PLACE/many.yaml"
from=$(last_n)
printf -- '---\ncode: ADS-1\nkind: notice\ncategory: public_notice\ntitle: ADS-1\nparts: {all: {to: many, channels: [sms], at: now}}\ntext:\n  sms: "ADS-1 thong bao"\n---\nThông báo.\n' >"$PLACE/ADS-1.md"
editor -q submit "$PLACE/ADS-1.md" >/dev/null && approve_it ADS-1
check "all 1500 are delivered, as the answers to our questions say" until_true 120 all_in ADS-1 delivered 1500
crowd=$(jq -r --argjson from "$from" 'select(.t == "sms" and .n > $from) | .id' "$LEDGER" | sort | uniq -c | sort -n | tail -1 | awk '{print $1}')
check "30 numbers and more share a request ($crowd)" [ "$crowd" -ge 30 ]
same "fewer went alone" "$(jq -r --argjson from "$from" 'select(.t == "sms" and .n > $from) | .id' "$LEDGER" | sort | uniq -c | awk '$1 > 1 && $1 < 30' | wc -l | tr -d ' ')" 0
same "once each" "$(jq -r --argjson from "$from" 'select(.t == "sms" and .n > $from) | .to' "$LEDGER" | sort | uniq -c | awk '$1 != 1' | wc -l | tr -d ' ') $(jq -r --argjson from "$from" 'select(.t == "sms" and .n > $from) | .to' "$LEDGER" | wc -l | tr -d ' ')" "0 1500"

check "fsck is clean" operator fsck
check "no secret stands in the log" bash -c "! grep -q canary '$PLACE/lantoad.log'"
check "no number of a recipient either" bash -c "! grep -Eq '(84|0)9100001[0-9]{2}' '$PLACE/lantoad.log'"
check "nor in the state" bash -c "! grep -rq canary '$PLACE/state'"
tap_end
