# lib_facebook.sh - the pages of the sample as a channel on the sandbox's Graph API. Source it after lib.sh; facebook_conf after
# sandbox_start and before conf_write (which writes the routes).
FB_APP_SECRET=canary-app-secret-5f1d
FB_SYSTEM_TOKEN=EAASystemCanary77
facebook_script() { # the sandbox's part of the script
	echo "\"facebook\": {\"app_secret\":\"$FB_APP_SECRET\",\"system_token\":\"$FB_SYSTEM_TOKEN\"${1:+,$1}}"
}
facebook_pages() { sed -n 's/^facebook,\([0-9]*\),\([^,]*\),.*/\1 \2/p' "$TOP/config/examples/targets.csv"; }
facebook_conf() { # facebook_conf [settings, one a line]
	local port id office mode
	port=$(sandbox_port facebook)
	mkdir -p "$PLACE/conf/channels.d" "$PLACE/secrets"
	printf '%s' "$FB_APP_SECRET" >"$PLACE/secrets/app_secret"
	printf '%s' "$FB_SYSTEM_TOKEN" >"$PLACE/secrets/system_token"
	printf 'canary-verify-word-91' >"$PLACE/secrets/verify_token"
	printf 'canaryhookpath0123456789abcd' >"$PLACE/secrets/hook"
	chmod 600 "$PLACE"/secrets/*
	{
		cat <<-EOF
		name: fb
		kind: facebook
		adapter: facebook
		settings:
		  app_id: "5550001"
		  app_secret: app_secret
		  system_token: system_token
		  verify_token: verify_token
		  base_url: http://127.0.0.1:$port
		  video_url: http://127.0.0.1:$port
		  retry_ms: ${FB_RETRY_MS:-200}
		  regain_ms: 500
		  slow_ms: 50
		  get_ms: ${FB_GET_MS:-1500}
		  post_ms: ${FB_POST_MS:-1500}
		  photo_ms: ${FB_PHOTO_MS:-3000}
		  look_ms: 300
		  draft_life_ms: ${FB_DRAFT_LIFE_MS:-21600000}
		${1:-}
		secrets:
		  app_secret: {file: $PLACE/secrets/app_secret}
		  system_token: {file: $PLACE/secrets/system_token}
		  verify_token: {file: $PLACE/secrets/verify_token}
		files: {outcomes: $TOP/config/outcomes/facebook.tsv}
		correct: edit
		webhook: {secret: {file: $PLACE/secrets/hook}, body_max: 1MB}
		lane:
		  concurrency: 1
		  backoff: [1s, 2s]
		  urgent_backoff: [1s]
		  tries: 10
		  timeout: 60s
		  ask_every: 1s
		  breaker_pause: 1s
		  receipt_wait: 1s
		accounts:
		EOF
		facebook_pages | while read -r id office; do
			case " ${FB_DIRECT:-} " in *" $id "*) mode=", publish_mode: direct" ;; *) mode= ;; esac
			echo "  - {name: $office, identity: \"$id\", credential: page-$id, settings: {page: \"$id\"$mode}}"
		done
	} >"$PLACE/conf/channels.d/facebook.yaml"
	ROUTES=${ROUTES:-}$(
		echo "  facebook:"
		echo "    offices:"
		facebook_pages | while read -r id office; do echo "      $office: fb/$office"; done
	)$'\n'
	ALLOW="${ALLOW:-}, \"104200000000*\""
}
facebook_state() { "$B/sandbox" ctl --dir "$PLACE/sandbox" '{"cmd":"facebook","do":"state"}'; }
facebook_ctl() { "$B/sandbox" ctl --dir "$PLACE/sandbox" "{\"cmd\":\"facebook\",$1}"; }
# What the demo shows: a 500 after the commit, a lost answer that a question finds (direct mode), a page whose token is revoked.
# Before sandbox_start: {"http_rules":[$(facebook_demo_rules)], ...} in the script and FB_DIRECT=104200000000105; after it: facebook_demo_trouble.
facebook_demo_rules() {
	echo '{"server":"facebook","method":"POST","match":"/v25.0/104200000000103_*","when":"after","do":"reply","code":500,"type":"application/json","times":1,"body":"{\"error\":{\"message\":\"An unexpected error has occurred. Please retry later.\",\"type\":\"OAuthException\",\"is_transient\":true,\"code\":2}}"},
 {"server":"facebook","method":"POST","match":"/v25.0/104200000000105/feed","when":"after","do":"drop","times":1}'
}
facebook_demo_trouble() { facebook_ctl '"do":"page","page":"104200000000107","revoked":true' >/dev/null; }
