#!/usr/bin/env bash
# test_crashing_adapter.sh - an adapter that crashes over one delivery: the second time that one is set aside with its reason, and all others
# go on.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/peers/scene.sh"
place_new
# The template with other manners: what goes to a number that ends in 13 crashes, everything else is refused, nothing is published.
mkdir "$PLACE/adapters"
sed -e 's/case LT_J_OP: return post(inst, jobs\[0\], works\[0\]);/case LT_J_OP: return judge(inst, jobs[0], works[0]);/' \
	-e 's/LT_CAP_INTENT_AT_START, "hello"/0, "hello"/' \
	-e 's|^static int hello_start(|static int judge(struct lt_inst *inst, struct lt_job *job, const struct lt_work *w)\n{\n\tif (w->address.n > 1 \&\& !memcmp(w->address.p + w->address.n - 2, "13", 2))\n\t\t__builtin_trap();\n\t(void)post;\n\treturn finish(inst, job, LT_REFUSED, LT_SCOPE_TARGET, 0, "not here");\n}\n&|' \
	"$TOP/config/adapter-template/hello.c" >"$PLACE/hello.c"
cc -std=gnu17 -fPIC -shared -fvisibility=hidden -I"$TOP/include" -o "$PLACE/adapters/hello.so" "$PLACE/hello.c" || { not_ok "the adapter compiles"; tap_end; exit 1; }
chmod go-w "$PLACE/adapters" "$PLACE/adapters/hello.so"
ALLOW=', "8490*"' conf_write 1
sed -i "s|^adapter_dir:.*|adapter_dir: $PLACE/adapters|" "$PLACE/conf/lantoad.yaml"
cat >"$PLACE/conf/channels.d/mail.yaml" <<-EOF
	name: mail
	kind: email
	adapter: hello
	settings: {url: "http://127.0.0.1:9/x"}
	accounts: [{name: relay}]
	lane: {concurrency: 1}
	EOF
scene_files
n=10; for o in dien-bien trung-uong hue ca-mau; do n=$((n + 1)); sed -i "s/^email,[^,]*,$o,/email,849000000$n,$o,/" "$PLACE/targets.csv"; done
daemon_start || { not_ok "the daemon starts"; tap_end; exit 1; }
check "the agency is imported" scene_import
editor -q submit "$(release_md BOOM "$ALL_NOW")" && approve_it BOOM
gone() { [ -z "${DAEMON_PID:-}" ] || ! kill -0 "$DAEMON_PID" 2>/dev/null; }
check "the daemon crashes" until_true 20 gone
wait ${DAEMON_PID:-} 2>/dev/null
daemon_start >/dev/null 2>&1 # may crash before anybody can ask it
check "it tries once more, and crashes again" until_true 20 gone
wait ${DAEMON_PID:-} 2>/dev/null
daemon_start || not_ok "the daemon starts a third time"
check "all are settled or set aside" until_true 20 settled BOOM 4
same "three went their way" "$(count_of BOOM failed)" 3
same "one is held" "$(count_of BOOM held)" 1
operator --json deliveries --state held >"$PLACE/held.json"
same "it is the one" "$(operator --json delivery "$(jq -r '.rows[0].delivery' "$PLACE/held.json")" | jq -r "[.attempts[] | select(.code == \"crash\")] | length")" 2
check "and says why" jq -e '.rows[0].why | startswith("poison: the daemon crashed twice")' "$PLACE/held.json"
check "the daemon is up" "$B/lantoa" --json version
check "fsck is clean" operator fsck

echo "# no room for the page that names what an adapter works on"
daemon_stop
full() { # in a runtime folder that is full; nothing outside sees that mount
	unshare -m bash -c 'mount -t tmpfs -o size=16k tmpfs "$1" && head -c 16384 /dev/zero >"$1/fill" && exec timeout 20 "$2" --config "$3" --demo' \
		- "$PLACE/run" "$B/lantoad" "$PLACE/conf/lantoad.yaml"
}
if unshare -m mount -t tmpfs tmpfs "$PLACE/run" 2>/dev/null; then
	refuse "the daemon does not start" 1 full
	says "and says why" 'run/calling: No space left on device; it notes'
else
	ok "the daemon does not start, and says why # SKIP this user mounts nothing"
fi
tap_end
