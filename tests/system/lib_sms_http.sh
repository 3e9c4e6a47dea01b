# lib_sms_http.sh - what tests and the demo need of the HTTP gateways: a channel of any shipped vendor, its secrets, its route.
# Source it after lib.sh. Every secret has "canary" in it but the one that the sandbox checks signatures with.
SMSGW_SECRET=geheim
SMS_HOOK=canaryhook0123456789abcdef
sms_http_port_free() { # a port for the public listener that stays the same over restarts
	python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}
sms_http_secret() { # sms_http_secret NAME VALUE
	mkdir -p "$PLACE/conf/sms"
	printf '%s\n' "$2" >"$PLACE/conf/sms/$1"
	chmod 600 "$PLACE/conf/sms/$1"
}
# One channel NAME of this vendor, at the sandbox of port PORT; callbacks come to $SMS_PUBLIC.
sms_http_channel() { # sms_http_channel NAME VENDOR PORT [lines of settings] [lines of the channel] [lines of the lane]
	local name=$1 vendor=$2 port=$3 params= secrets= account='{name: main}' receipts="receipt_wait: 1d"
	case $vendor in
	esms | esms-ads) secrets="api_key secret_key" ;;
	speedsms) secrets="api_token" ;;
	vietguys) secrets="password"; params="user=bhxh" ;;
	vietguys-v2) params="user=bhxh; send_path=api/v1/send"; account="{name: main, credential: $name-token, secrets: {refresh_token: {file: ../sms/refresh_token}}}"; receipts=; sms_http_secret refresh_token canary-refresh-5150 ;;
	viettel) secrets="password"; params="user=bhxh; cp_code=BHXH"; receipts= ;;
	vnpt) secrets="api_pass"; params="label_id=101; contract_id=22; agent_id=33; api_user=bhxh; user_name=bhxh"; receipts= ;;
	fpt) secrets="client_secret"; params="client_id=cid"; account="{name: main, credential: $name-token}"; receipts= ;;
	stringee) secrets="key_secret"; params="key_sid=SK1"; receipts= ;;
	twilio) secrets="auth_token"; params="account_sid=AC1" ;;
	vonage) secrets="api_key api_secret" ;;
	kannel) secrets="password"; params="user=bhxh" ;;
	esac
	mkdir -p "$PLACE/conf/channels.d"
	sms_http_secret hook "$SMS_HOOK"
	{
		cat <<-END
		name: $name
		kind: sms
		adapter: sms_http
		settings:
		  sender: BHXH-VN
		  base: "http://127.0.0.1:$port/$vendor"
		  insecure_transport: "yes"
		  params: "$params"
		  callback_url: "http://127.0.0.1:$SMS_PUBLIC/w/$name/"
		  callback_secret: hook
		  connections: 16
		  total_ms: 5000
		${4:-}
		files:
		  vendor: $TOP/config/sms/vendors/$vendor.json
		  ranges: $TOP/config/sms/ranges.tsv
		  prices: $TOP/config/sms/prices.tsv
		  templates: $TOP/config/sms/templates.tsv
		  words: $TOP/config/sms/words.tsv
		webhook: {secret: {file: ../sms/hook}, at_once: 64}
		secrets:
		  hook: {file: ../sms/hook}
		END
		for s in $secrets; do
			case $s in
			auth_token | key_secret) sms_http_secret "$s" "$SMSGW_SECRET" ;;
			*) sms_http_secret "$s" "canary-$s-5150" ;;
			esac
			echo "  $s: {file: ../sms/$s}"
		done
		cat <<-END
		${5:-}
		accounts: [$account]
		lane:
		  concurrency: 64
		  intents_max: 256
		  backoff: [1s]
		  urgent_backoff: [1s]
		  tries: 8
		  timeout: 15s
		  breaker_pause: 1s
		  unknown_max: 24h
		  ask_every: 1s
		  ${receipts}
		${6:-}
		END
	} >"$PLACE/conf/channels.d/$name.yaml"
}
# For the demo and other tests: eSMS as the gateway of all offices, with reports. Call it before conf_write.
sms_http_conf() { # sms_http_conf PORT [lines of settings]
	SMS_PUBLIC=${SMS_PUBLIC:-$(sms_http_port_free)}
	sms_http_channel sms_http esms "$1" "${2:-}"
	ROUTES="${ROUTES:-}  sms: sms_http/main"$'\n'
	ALLOW="${ALLOW:-}, \"+8491*\""
}
sms_http_public() { # behind conf_write: the public listener stands where the callbacks go
	sed -i "s|^listen_public:.*|listen_public: 127.0.0.1:$SMS_PUBLIC|; s|^public_url:.*|public_url: http://127.0.0.1:$SMS_PUBLIC|" "$PLACE/conf/lantoad.yaml"
}
sms_ctl() { sandbox_ctl "{\"cmd\":\"smsgw\",$1}"; }
sms_faults() { sandbox_ctl "$(jq -nc --argjson r "[$1]" '{cmd: "http_rules", replace: true, rules: $r}')"; }
sms_ledger() { jq -s -r "[.[] | select(.t == \"sms\")] | $1" "$LEDGER"; } # sms_ledger FILTER
