# lib_zalo.sh - what tests and the demo need of Zalo: the provider's script, the channel with one account an office, its routes.
# Source it after lib.sh. Every secret has "canary" in it, so that a leak can be searched for.
ZALO_APP=1234500000000000001
ZALO_APP_SECRET=canary-app-secret-7f31
ZALO_OA_SECRET=canary-oa-secret-90ab
ZALO_GROUP=7a1b2c3d4e5f60718293
zalo_oas() { sed -n 's/^zalo,oa:\([0-9]*\),\([a-z-]*\),.*/\1 \2/p' "$TOP/config/examples/targets.csv"; } # "ID OFFICE" a line
# What the provider of the sandbox is told: `sandbox run --script FILE` reads {"zalo": ...}.
zalo_script() { # zalo_script [further members, each with a comma before it]
	local first
	first=$(zalo_oas | head -1 | cut -d' ' -f1)
	jq -nc --arg app "$ZALO_APP" --arg sec "$ZALO_APP_SECRET" --arg oasec "$ZALO_OA_SECRET" --arg group "$ZALO_GROUP" --arg first "$first" \
		--argjson oas "$(zalo_oas | cut -d' ' -f1 | jq -R . | jq -sc .)" --argjson more "{\"x\":0${1:-}}" \
		'{app_id:$app, app_secret:$sec, oa_secret:$oasec, oas:$oas, groups:[{id:$group, oa:$first}]} + $more'
}
# The channel file, the first refresh tokens, routes and the trial list. Call it before conf_write.
zalo_conf() { # zalo_conf PORT [lines of settings]
	local id office routes=
	mkdir -p "$PLACE/conf/channels.d" "$PLACE/conf/outcomes" "$PLACE/conf/zalo"
	# tests do not wait as long as an operator would
	sed 's/\t\(60\|600\|120\|1800\|3600\)\t/\t1\t/' "$TOP/config/outcomes/zalo.tsv" >"$PLACE/conf/outcomes/zalo.tsv"
	printf '%s\n' "$ZALO_APP_SECRET" >"$PLACE/conf/zalo/app_secret"
	printf '%s\n' "$ZALO_OA_SECRET" >"$PLACE/conf/zalo/oa_secret"
	{
		cat <<-END
		name: zalo
		kind: zalo
		adapter: zalo
		settings:
		  app_id: "$ZALO_APP"
		  app_secret: app_secret
		  oa_secret: oa_secret
		  base_url: http://127.0.0.1:$1
		  zns_base_url: http://127.0.0.1:$1
		  oauth_base_url: http://127.0.0.1:$1
		  redirect_uri: https://lantoa.example/zalo
		  poll_ms: ${ZALO_POLL:-100}
		  find_wait_ms: ${ZALO_FIND:-1500}
		  call_ms: ${ZALO_CALL:-2000}
		  retry_ms: 500
		${2:-}
		files: {outcomes: ../outcomes/zalo.tsv}
		secrets:
		  app_secret: {file: ../zalo/app_secret}
		  oa_secret: {file: ../zalo/oa_secret}
		${ZALO_CHANNEL:-}
		accounts:
		END
		while read -r id office; do
			printf '  - {name: %s, identity: "oa:%s", credential: oa-%s, settings: {oa_id: "%s"}, secrets: {refresh_token: {file: ../zalo/%s}}}\n' \
				"$office" "$id" "$office" "$id" "$office"
			printf 'RT-%s-0\n' "$id" >"$PLACE/conf/zalo/$office"
		done < <(zalo_oas)
		cat <<-END
		lane:
		  concurrency: 4
		  backoff: [1s]
		  urgent_backoff: [1s]
		  tries: 12
		  timeout: ${ZALO_TIMEOUT:-60s}
		  breaker_pause: 1s
		  breaker_failures: 1000
		  unknown_max: 24h
		  ask_every: 1s
		END
	} >"$PLACE/conf/channels.d/zalo.yaml"
	chmod 600 "$PLACE"/conf/zalo/*
	while read -r id office; do routes="$routes      $office: zalo/$office"$'\n'; done < <(zalo_oas)
	ROUTES="${ROUTES:-}  zalo:"$'\n'"    default: zalo/trung-uong"$'\n'"    offices:"$'\n'"$routes"
	ALLOW="${ALLOW:-}, \"oa:*\", \"group:*\", \"user:*\", \"phone:*\""
}
zalo_tell() { "$B/sandbox" ctl --dir "$PLACE/sandbox" "$1" | jq -e .ok >/dev/null || { echo "the sandbox refused: $1" >&2; return 1; }; } # one line of JSON
zalo_show() { "$B/sandbox" ctl --dir "$PLACE/sandbox" '{"cmd":"zalo","show":true}'; } # counts of the provider
zalo_ledger() { jq -s -r "[.[] | select(.t == \"zalo\")] | $1" "$LEDGER"; }           # zalo_ledger FILTER
# Pictures are fetched by their public address: a free port for it, after conf_write.
zalo_public() {
	local port
	port=$(/usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
	sed -i "s|^listen_public: .*|listen_public: 127.0.0.1:$port|; s|^public_url: .*|public_url: http://127.0.0.1:$port|" "$PLACE/conf/lantoad.yaml"
}
