# lib_smpp.sh - an SMS channel on the sandbox's SMSC. Source it after lib.sh; smpp_conf after sandbox_start and before conf_write
# (which writes the routes). Expected texts are made here from the sample, without any code of the daemon.
SMPP_PASSWORD=bimat77
smpp_script() { # the sandbox's part of the script: options and rules may follow
	echo "\"smsc\": {\"options\":{\"user\":\"bhxh\",\"password\":\"$SMPP_PASSWORD\"${1:+,$1}}${2:+,$2}}"
}
smpp_ctl() { "$B/sandbox" ctl --dir "$PLACE/sandbox" "{\"cmd\":\"smsc\",$1}"; } # answer: numbers
smpp_stat() { smpp_ctl '"rules":[],"replace":false' | json - ".$1"; }
smpp_conf() { # smpp_conf [settings, one a line]
	mkdir -p "$PLACE/conf/channels.d" "$PLACE/secrets"
	printf '%s' "$SMPP_PASSWORD" >"$PLACE/secrets/smpp_password"
	chmod 600 "$PLACE/secrets/smpp_password"
	{
		cat <<-EOF
		name: tin-nhan
		kind: sms
		adapter: smpp
		settings:
		  host: 127.0.0.1
		  port: $(sandbox_port smsc)
		  system_id: bhxh
		  password: smpp_password
		  sender: BHXH VN
		  form: ${SMPP_FORM:-accented}
		  window: ${SMPP_WINDOW:-50}
		  response_ms: ${SMPP_RESPONSE_MS:-3000}
		  enquire_ms: 2000
		  enquire_wait_ms: 2000
		${1:-}
		secrets:
		  smpp_password: {file: $PLACE/secrets/smpp_password}
		files:
		  outcomes: $TOP/config/outcomes/smpp.tsv
		  ranges: $TOP/config/sms/ranges.tsv
		  prices: $TOP/config/sms/prices.tsv
		accounts: [{name: tong-dai}]
		lane:
		  concurrency: 500
		  intents_max: 500
		  backoff: [1s, 2s]
		  urgent_backoff: [1s]
		  tries: 20
		  timeout: ${SMPP_TIMEOUT:-10s}
		  receipt_wait: 1h
		  breaker_pause: 1s
		  unknown_max: ${UNKNOWN_MAX:-24h}
		EOF
	} >"$PLACE/conf/channels.d/tin-nhan.yaml"
	case ${ROUTES:-} in *tin-nhan*) ;; *) ROUTES="${ROUTES:-}  sms: tin-nhan/tong-dai
" ;; esac
	case ${ALLOW:-} in *8491*) ;; *) ALLOW="${ALLOW:-}, \"+8491*\"" ;; esac
}
smpp_duty() { sed -n 's/^sms,\([^,]*\),\([^,]*\),.*duty.*/\1 \2/p' "$TOP/config/examples/targets.csv"; }
smpp_expected() { # "+84... TEXT" of the duty part, sorted
	local text phone office short
	text=$(sed -n 's/^  sms: "\(.*\)"$/\1/p' "$TOP/config/examples/release-ttbc-112/release.md")
	smpp_duty | while read -r phone office; do
		short=$(sed -n "s/^$office,[^,]*,[^,]*,[^,]*,[^,]*,\([^,]*\),.*/\1/p" "$TOP/config/examples/offices.csv")
		echo "$phone ${text//\{\{office.short\}\}/$short}"
	done | sort
}
smpp_got() { jq -r 'select(.t == "sms") | .to + " " + .text' "$LEDGER" | sort; }
