#!/usr/bin/env bash
# test_tokens.sh - credentials that rotate, on the real daemon against a provider with single-use tokens: early refresh, lost answers, kill -9
# around every step (TOKEN_KILLS times, 30 unless said), login, the mirror after a restored backup, and canaries of every token.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/peers/scene.sh"
place_new
KILLS=${TOKEN_KILLS:-30}
TOKENS=$PLACE/tokens.jsonl
token_service "$TOKENS"
ledger() { jq -s -r "$1" "$TOKENS"; }

printf 'RT-0-canary\n' >"$PLACE/first"; chmod 600 "$PLACE/first"
tokens_conf() { # tokens_conf LEAD: the kind email goes over the loopback adapter with a credential
	ALLOW=', "@loop"' CONF_TOP="token_mirror: $PLACE/mirror" conf_write 1
	cat >"$PLACE/conf/channels.d/mail.yaml" <<-EOF
	name: mail
	kind: email
	adapter: loopback
	refresh_lead: $1
	settings: {url: "http://127.0.0.1:$TP/publish", token_url: "http://127.0.0.1:$TP/token"}
	accounts: [{name: relay, credential: oa, secrets: {refresh_token: {file: $PLACE/first}}}]
	lane: {backoff: [1s], urgent_backoff: [1s], timeout: 20s, breaker_pause: 1s}
	EOF
}
tokens_conf 10m
echo "log_level: debug" >>"$PLACE/conf/lantoad.yaml"
scene_files
sed -i 's/^email,vanphong@\([a-z-]*\)[^,]*/email,ok+\1@loop/' "$PLACE/targets.csv"
cred() { operator --json channels | jq -r '.rows[0].accounts[0].credential.'"$1"; }
cred_is() { [ "$(cred state)" = "$1" ]; }
version_over() { [ "$(cred version)" -gt "$1" ]; }
daemon_start || { not_ok "the daemon starts"; tap_end; exit 1; }

echo "# first value, ops, check"
check "the first value of a file is exchanged at once, though nobody sends" until_true 10 version_over 1
same "one rotation" "$(ledger '[.[] | select(.ev == "rotate")] | length')" 1
check "the agency is imported" scene_import
release_now() { editor -q submit "$(release_md "$1" "$ALL_NOW")" 2>/dev/null && approve_it "$1"; }
release_now TOK-1
check "a release is published with the token" until_true 20 settled TOK-1 4
same "four" "$(ledger '[.[] | select(.ev == "publish")] | length')" 4
provider revoke=1
release_now TOK-2
check "a token that is not taken is renewed and the call repeated" until_true 20 settled TOK-2 4
same "four more, and each ref once" "$(ledger '[.[] | select(.ev == "publish") | .ref] | [length, (unique | length)] | @csv')" "8,8"
same "renewed once for all of them" "$(ledger '[.[] | select(.ev == "rotate")] | length')" 2
check "channel check tells facts" bash -c "'$B/lantoa' --as 'Lê Vận Hành' --json channel check mail | jq -e '.ok and .rows[0].facts.followers == 4200 and .rows[0].credential.state == \"good\"'"
provider consent=9
check "and warns of what expires in less than 14 days" bash -c "'$B/lantoa' --as 'Lê Vận Hành' --json channel check mail | jq -e '.ok and (.rows[0].warnings[0] | test(\"consent: expires in [89] days\"))'"

check "in words too" bash -c "'$B/lantoa' --as 'Lê Vận Hành' channel check mail | grep -q '! consent: expires in [89] days'"

echo "# backup of tonight, then the tokens go on"
check "a backup is taken" admin backup "$PLACE/night"
V_NIGHT=$(cred version)
provider life=1000
provider revoke=1
release_now TOK-3
check "and they are spent the day after" until_true 20 version_over "$V_NIGHT"
check "the release is out" until_true 20 settled TOK-3 4

echo "# a lost answer"
provider lose=1
provider revoke=1
release_now TOK-4
check "is in doubt, one more try finds it spent, and a person is asked for" until_true 20 cred_is dead
same "the spent token was used once more and no more" "$(ledger '[.[] | select(.ev == "reuse")] | length')" 1
check "the lane says what to do" bash -c "'$B/lantoa' --as 'Lê Vận Hành' --json queue | jq -e '[.rows[].why // \"\"] | any(contains(\"lantoa channel login mail\"))'"
refuse "channel check says it, exit 1" 1 operator channel check mail
refuse "who is no admin may not log in" 3 operator channel login mail
check "login prints the consent page" bash -c "'$B/lantoa' --as 'Quản Trị' channel login mail </dev/null | grep -q 'http://127.0.0.1:$TP/token?consent=yes'"
refuse "a wrong code changes nothing" 6 bash -c "printf 'nonsense\n' | '$B/lantoa' --as 'Quản Trị' channel login mail --account relay --code-stdin"
same "it is still dead" "$(cred state)" dead
login() { # the consent page, then a fresh code
	local code=C-$RANDOM$RANDOM
	admin channel login mail </dev/null >/dev/null && provider "code=$code" && printf '%s\n' "$code" | admin -q channel login mail --code-stdin
}
check "the right code connects it" login
same "good again" "$(cred state)" good
check "what was held goes on" until_true 20 settled TOK-4 4
check "the login stands in the audit" audited 'credential.login' 'Quản Trị'

echo "# kill -9 around each step, $KILLS times"
provider life=3600
daemon_stop
tokens_conf 2h # each pair is due a second after it came
provider before=25
provider after=25
DEAD=0 STARTS=0
refreshing() { [ "$(grep -c 'ev=credential.refresh ' "$PLACE/lantoad.log")" -gt "$1" ]; }
for i in $(seq 1 "$KILLS"); do
	daemon_start || { not_ok "the daemon starts after kill $i"; break; }
	STARTS=$((STARTS + 1))
	seen=$(grep -c 'ev=credential.refresh ' "$PLACE/lantoad.log")
	st=$(cred state)
	if [ "$st" = dead ]; then DEAD=$((DEAD + 1)); login >/dev/null 2>&1 || { not_ok "login after kill $i"; break; }; seen=$(grep -c 'ev=credential.refresh ' "$PLACE/lantoad.log"); fi
	for _ in $(seq 1 60); do refreshing "$seen" && break; sleep 0.02; done
	sleep "0.0$((RANDOM % 10))$((RANDOM % 10))"
	daemon_kill
done
provider before=0; provider after=0
daemon_start || not_ok "the daemon starts at the end"
settled_cred() { [ "$(cred state)" = good ] || [ "$(cred state)" = dead ]; }
check "it comes to rest" until_true 20 settled_cred
[ "$(cred state)" = dead ] && { DEAD=$((DEAD + 1)); check "a last login" login; }
echo "# $KILLS kills: $(ledger '[.[] | select(.ev == "rotate")] | length') rotations, $(ledger '[.[] | select(.ev == "reuse")] | length') single retries with a spent token, $DEAD logins"
same "no spent token was used but for the one retry" "$(ledger '[.[] | select(.ev == "reuse") | .times] | max // 0 | . <= 1')" true
same "no token was used that the provider never gave" "$(ledger '[.[] | select(.ev == "unknown")] | length')" 0
LOST=$(jq -s -r '[.[] | select(.ev == "reuse") | .token] | unique | length' "$TOKENS")
AGAIN=$(sqlite3 -readonly "$PLACE/state/lantoa.db" "SELECT count(*) FROM audit WHERE what='credential.mark' AND why LIKE '%one more try%'")
check "a person was needed only where the provider spent a token and the answer was lost ($LOST), or a kill fell into the one retry ($AGAIN)" [ "$DEAD" -le $((LOST + AGAIN)) ]
provider revoke=1
release_now TOK-5
check "everything is well at the end" until_true 20 settled TOK-5 4
check "fsck says so too" operator -q fsck
check "the audit's chain holds" operator -q audit verify

echo "# last night's backup comes back"
V_NOW=$(cred version)
daemon_stop
# This folder goes now; all the rotations and kills were in it.
for where in state mirror; do same "no token in $where, which saw all of this" "$(grep -rlaE '(RT|AT)-[0-9]+-canary' "$PLACE/$where" | head -3 | tr '\n' ' ')" ""; done
rm -rf "$PLACE/state"; cp -a "$PLACE/night" "$PLACE/state"
same "the backup has the older pair" "$(sqlite3 -readonly "$PLACE/state/lantoa.db" "SELECT version FROM credential" 2>/dev/null)" "$V_NIGHT"
"$B/lantoad" --config "$PLACE/conf/lantoad.yaml" --demo --restore-confirm >"$PLACE/confirm.out" 2>&1
REUSED=$(ledger '[.[] | select(.ev == "reuse")] | length')
check "the daemon starts on it" daemon_start
check "with the pair of the mirror" until_true 10 version_over $((V_NOW - 1))
check "good" until_true 10 cred_is good
check "which the provider takes" until_true 10 bash -c "'$B/lantoa' --as 'Lê Vận Hành' --json channel check mail | jq -e .ok"
same "no spent token was tried" "$(ledger '[.[] | select(.ev == "reuse")] | length')" "$REUSED"

echo "# canaries"
for s in status queue channels audit 'channel check mail'; do operator $s >>"$PLACE/said" 2>&1; operator --json $s >>"$PLACE/said" 2>&1; done
ps -e -o args ww | grep -v token_service >"$PLACE/ps"
for where in state mirror lantoad.log said ps; do
	same "no token in $where" "$(grep -rlaE '(RT|AT)-[0-9]+-canary' "$PLACE/$where" | head -3 | tr '\n' ' ')" ""
done
tap_end
