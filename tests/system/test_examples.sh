#!/usr/bin/env bash
# test_examples.sh - the configuration that is installed and every example of a channel beside it are what the daemon takes, all at once: an
# operator copies one, fills in names and files, and it works.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
place_new
cp -r "$TOP/config" "$PLACE/conf"
sed -i "s|^adapter_dir:.*|adapter_dir: $B/adapters|" "$PLACE/conf/lantoad.yaml"
check_it() { "$B/lantoad" --config "$PLACE/conf/lantoad.yaml" --check --demo | tee "$PLACE/good.out"; return "${PIPESTATUS[0]}"; }
check "lantoad.yaml as it is" check_it
n=0
for example in "$PLACE"/conf/channels.d/*.example; do
	name=$(basename "$example" .example)
	sed "s|/etc/lantoa/|$PLACE/conf/|g" "$example" >"$PLACE/conf/channels.d/$name"
	for secret in $(grep -oE "file: $PLACE/conf/[A-Za-z0-9._-]+" "$PLACE/conf/channels.d/$name" | sed 's/file: //' | sort -u); do
		(umask 077; printf 'abcd1234efgh5678ijkl9012' >"$secret")
	done
	for pem in $(grep -oE "$PLACE/conf/[A-Za-z0-9._-]+\.pem" "$PLACE/conf/channels.d/$name" | sort -u); do
		openssl req -x509 -newkey rsa:2048 -nodes -keyout /dev/null -out "$pem" -subj /CN=example -days 2 2>/dev/null
	done
	check "and $name beside it" check_it
	n=$((n + 1))
done
check "there are examples" [ "$n" -ge 4 ]
same "all of them are channels now" "$(sed -n 's/.*good; \([0-9]*\) channels.*/\1/p' "$PLACE/good.out")" $((n + 1))
tap_end
