# scene.sh - a small agency for system tests (source after lib.sh): four offices, one mailbox each, releases of a few lines,
# questions about parts, lots and the audit.
scene_files() { # offices, targets and audiences in $PLACE
	cat >"$PLACE/offices.csv" <<-EOF
	code,parent,order,name,short,region,lang,hotline,address
	trung-uong,,00,BHXH Việt Nam,BHXH Việt Nam,trung-uong,vi,1900 0000,Hà Nội
	dien-bien,trung-uong,11,BHXH tỉnh Điện Biên,BHXH Điện Biên,bac,vi,0200 000 011,tỉnh Điện Biên
	hue,trung-uong,46,BHXH thành phố Huế,BHXH Huế,trung,vi,0200 000 046,thành phố Huế
	ca-mau,trung-uong,96,BHXH tỉnh Cà Mau,BHXH Cà Mau,nam,vi,0200 000 096,tỉnh Cà Mau
	EOF
	cat >"$PLACE/targets.csv" <<-EOF
	channel,address,office,name,lang,tags
	email,vanphong@trung-uong.bhxh.example,trung-uong,Văn phòng,,office
	email,vanphong@dien-bien.bhxh.example,dien-bien,Văn phòng,,office
	email,vanphong@hue.bhxh.example,hue,Văn phòng,,office
	email,vanphong@ca-mau.bhxh.example,ca-mau,Văn phòng,,office internal
	EOF
	cat >"$PLACE/audiences.yaml" <<-EOF
	offices: {name: "Văn phòng", any: [{tag: office}]}
	inside: {name: "Nội bộ", any: [{tag: internal}]}
	EOF
}
token_service() { # token_service LEDGER: the imitated provider with single-use tokens; its port goes to TP
	: >"$1"
	/usr/bin/python3 "$TOP/tests/system/peers/token_service.py" "$PLACE/token.port" "$1" &
	EXTRA_PIDS="$EXTRA_PIDS $!"
	until_true 20 test -s "$PLACE/token.port" || { not_ok "the token service starts"; tap_end; exit 1; }
	TP=$(cat "$PLACE/token.port")
}
provider() { curl -sf "http://127.0.0.1:$TP/ctl?$1" >/dev/null; } # provider COMMAND: what it does from now on
scene_import() {
	admin -q offices import "$PLACE/offices.csv" && admin -q targets import "$PLACE/targets.csv" && admin -q audiences import "$PLACE/audiences.yaml"
}
scene_people() { # one who writes and approves, a second and a third approver, put into the configuration
	sed -i '/^people:/a\  - {name: Phạm Hai Vai, user: haivai-demo, roles: [editor, approver, viewer]}\n  - {name: Đỗ Thị Hai, user: duyethai-demo, roles: [approver, viewer]}' "$PLACE/conf/lantoad.yaml"
}
both() { "$B/lantoa" --as 'Phạm Hai Vai' "$@"; }
second() { "$B/lantoa" --as 'Đỗ Thị Hai' "$@"; }
release_md() { # release_md CODE PART-LINE [BODY [FRONT-LINE...]]: writes $PLACE/CODE.md and says its path
	local code=$1 part=$2 body=${3:-'Nội dung. Hỏi {{office.hotline}}.'}
	shift 2; [ $# -gt 0 ] && shift
	{
		printf -- '---\ncode: %s\nkind: notice\ncategory: public_notice\ntitle: Thông báo %s\n' "$code" "$code"
		[ $# -gt 0 ] && printf '%s\n' "$@"
		printf 'parts:\n  all: %s\n---\n%s\n' "$part" "$body"
	} >"$PLACE/$code.md"
	echo "$PLACE/$code.md"
}
ALL_NOW='{to: offices, channels: [email], at: now}'
ALL_GO='{to: offices, channels: [email], go: signal, window: 12h}'
part_is() { operator --json show "$1" | jq -e --arg p "$2" --arg s "$3" '.parts[] | select(.name == $p) | .state == $s'; } # part_is R PART STATE
part_why() { operator --json show "$1" | jq -r --arg p "$2" '.parts[] | select(.name == $p) | .why // ""'; }
why_has() { part_why "$1" "$2" | grep -q -- "$3"; } # why_has R PART PATTERN
planned() { operator --json show "$1" | jq -e --arg p "$2" '.parts[] | select(.name == $p) | .planned == "yes"'; } # planned R PART
release_is() { operator --json show "$1" | jq -e --arg s "$2" '.state == $s'; }
mails_of() { { jq -r --arg s "$1" 'select(.t == "mail" and (.subject | contains($s))) | .mailbox' "$LEDGER" 2>/dev/null || true; } | wc -l | tr -d ' '; } # mails_of CODE
has_mails() { [ "$(mails_of "$1")" -eq "$2" ]; }
audited() { # audited WHAT-PATTERN [TEXT]: an event of this name stands in the audit, with this text somewhere in its row
	operator --json audit --limit 1000 | jq -e --arg w "$1" --arg t "${2:-}" '[.rows[] | select((.what | test($w)) and (tostring | contains($t)))] | length > 0'
}
approve_it() { approver -q approve "$1" --hash "$(hash_of "$1")"; }
many_import() { # many_import N: a list of N addresses at the centre, tag many
	{ cat "$PLACE/targets.csv"; for i in $(seq 1 "$1"); do echo "email,p$i@list.example,trung-uong,P $i,,many"; done; } >"$PLACE/many.csv"
	{ cat "$PLACE/audiences.yaml"; echo 'many: {name: "Many", any: [{tag: many}]}'; } >"$PLACE/audiences-many.yaml"
	admin -q targets import "$PLACE/many.csv" && admin -q audiences import "$PLACE/audiences-many.yaml"
}
key_in() { # key_in HEX PATH...: the files that have the key's own bytes, or their Base64
	/usr/bin/python3 -c 'import base64, os, sys
key = bytes.fromhex(sys.argv[1])
for top in sys.argv[2:]:
    for f in filter(os.path.isfile, [top] if os.path.isfile(top) else [os.path.join(d, n) for d, _, ns in os.walk(top) for n in ns]):
        b = open(f, "rb").read()
        if key in b or base64.b64encode(key)[:42] in b: print(f)' "$@" || echo "nobody could look"
}
MANY_NOW='{to: many, channels: [email], at: now}'
settled() { operator --json watch "$1" --timeout 1 2>/dev/null | jq -e --argjson n "$2" '.total == $n and ((.counts.waiting // 0) + (.counts.sending // 0)) == 0'; } # settled R N
count_of() { operator --json watch "$1" --timeout 1 2>/dev/null | jq -r --arg s "$2" '.counts[$s] // 0'; } # count_of R STATE
doubles() { jq -r 'select(.t == "mail") | .subject + " " + .mailbox' "$LEDGER" | sort | uniq -d | wc -l | tr -d ' '; }
at_least() { [ "$(mails_of "$1")" -ge "$2" ]; } # at_least CODE N
private_port() { sed -n 's/.*ev=api.listen what=private.*port=\([0-9]*\).*/\1/p' "$PLACE/lantoad.log" | tail -1; }
public_port() { sed -n 's/.*ev=api.listen what=public.*port=\([0-9]*\).*/\1/p' "$PLACE/lantoad.log" | tail -1; }
http() { /usr/bin/python3 "$TOP/tests/system/peers/http_ask.py" "$@"; } # http METHOD PORT PATH [BODY]: status on the first line, then the body
# start_with LOGFILE COMMAND...: the daemon under a wrapper (env, LD_PRELOAD), its log to a file or a pipe.
start_with() {
	local log=$1; shift
	SOCKET=$PLACE/run/control.sock
	export LANTOA_SOCKET=$SOCKET
	rm -f "$SOCKET"
	"$@" "$B/lantoad" --config "$PLACE/conf/lantoad.yaml" --demo >"$PLACE/lantoad.out" 2>>"$log" &
	DAEMON_PID=$!
	until_true 30 "$B/lantoa" --json version
}
ping_start() { rm -f "$PLACE/ping"; /usr/bin/python3 "$TOP/tests/system/peers/ping.py" "$SOCKET" "$PLACE/ping" & PING_PID=$!; EXTRA_PIDS="$EXTRA_PIDS $PING_PID"; }
ping_end() { kill -TERM "$PING_PID" 2>/dev/null; wait "$PING_PID" 2>/dev/null; } # $PLACE/ping: pings, how many over 150 ms, the longest in ms
