#!/usr/bin/env bash
# test_out_of_tree.sh - an adapter that is built against the installed header through pkg-config, and loaded by the daemon.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
place_new
root=$PLACE/root
[ "$(id -u)" = 0 ] && opts=(--check) || opts=(--check --demo) # a folder of ours counts as trusted only in a demo
variant=${B##*/}
case $variant in release | asan | tsan | coverage) ;; *) variant=${VARIANT:-release} ;; esac

make -n -C "$TOP" VARIANT=asn all >"$PLACE/make.out" 2>&1
same "a misspelt variant is no build without sanitizers" "$? $(grep -c "VARIANT=asn: there are release, asan" "$PLACE/make.out")" "2 1"
if make -s -C "$TOP" install DESTDIR="$root" B="$B" VARIANT="${VARIANT:-$variant}" >"$PLACE/install.log" 2>&1; then
	ok "make install puts the daemon, the header and the pkg-config file into a private folder"
else
	not_ok "make install puts the daemon, the header and the pkg-config file into a private folder"
	tail -20 "$PLACE/install.log"
	tap_end
	exit 1
fi
export PKG_CONFIG_PATH=$root/usr/lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$root
unset MAKEFLAGS MAKELEVEL MFLAGS
same "the version of the pkg-config file is that of the daemon" "$(pkg-config --modversion lantoa)" "$("$root/usr/bin/lantoad" --version | sed -n 's/^lantoad \([0-9.]*\).*/\1/p')"
same "the flags lead to the installed header" "$(pkg-config --cflags lantoa | xargs)" "-I$root/usr/include"

# What was installed can run as a service: the unit names what is there, its user can read what it must, the configuration is good.
unit=$root/usr/lib/systemd/system/lantoad.service
program=$(sed -n 's/^ExecStart=\([^ ]*\) .*/\1/p' "$unit")
check "the unit starts a program that is installed" test -x "$root$program"
config=$(sed -n 's/^ExecStart=.*--config \([^ ]*\).*/\1/p' "$unit")
check "with a configuration that is installed" test -s "$root$config"
sed "s|^adapter_dir:.*|adapter_dir: $root/usr/lib/lantoa/adapters|" "$root$config" >"$root/etc/lantoa/here.yaml"
"$root$program" --config "$root/etc/lantoa/here.yaml" "${opts[@]}" >"$PLACE/check.out" 2>&1
same "which --check finds good, outside of the unit, too" $? 0
grep -q 'LoadCredential: not looked at here' "$PLACE/check.out"
same "and says that it did not see the key" $? 0
rm "$root/etc/lantoa/here.yaml"
# Another place: what names files names those that were put there, and uninstall leaves the configuration alone.
if make -s -C "$TOP" install DESTDIR="$PLACE/local" PREFIX=/usr/local B="$B" VARIANT="${VARIANT:-$variant}" >"$PLACE/install2.log" 2>&1; then
	unit2=$PLACE/local/usr/local/lib/systemd/system/lantoad.service
	check "under /usr/local the unit starts what was put there" test -x "$PLACE/local$(sed -n 's/^ExecStart=\([^ ]*\) .*/\1/p' "$unit2")"
	check "and reloads by what was put there" test -x "$PLACE/local$(sed -n 's/^ExecReload=\([^ ]*\) reload$/\1/p' "$unit2")"
	config2=$(sed -n 's/^ExecStart=.*--config \([^ ]*\).*/\1/p' "$unit2")
	check "with the configuration that was put there" test -s "$PLACE/local$config2"
	check "which names the adapters that were put there" test -d "$PLACE/local$(sed -n 's/^adapter_dir: *\([^ ]*\).*/\1/p' "$PLACE/local$config2")"
	make -s -C "$TOP" uninstall DESTDIR="$PLACE/local" PREFIX=/usr/local B="$B" >/dev/null 2>&1
	same "uninstall leaves nothing but the configuration" "$(find "$PLACE/local" ! -type d ! -path "$PLACE/local/usr/local/etc/lantoa/*" | wc -l | tr -d ' ')" 0
else
	not_ok "make install puts everything under /usr/local"
	tail -5 "$PLACE/install2.log"
fi
# What cannot be put into its place ends the installation, also in the middle of many files.
for way in share/lantoa share/doc/lantoa/channels.d; do
	mkdir -p "$PLACE/blocked/usr/${way%/*}"
	: >"$PLACE/blocked/usr/$way"
	if make -s -C "$TOP" install DESTDIR="$PLACE/blocked" B="$B" VARIANT="${VARIANT:-$variant}" >"$PLACE/install3.log" 2>&1; then not_ok "without room in $way nothing is called installed"
	else ok "without room in $way nothing is called installed"; fi
	rm -rf "$PLACE/blocked"
done
if [ "$(id -u)" = 0 ] && command -v systemd-tmpfiles >/dev/null && command -v systemd-sysusers >/dev/null; then
	systemd-sysusers --root="$root" "$root/usr/lib/sysusers.d/lantoa.conf" 2>/dev/null
	systemd-tmpfiles --root="$root" --create "$root/usr/lib/tmpfiles.d/lantoa.conf"
	gid=$(sed -n 's/^lantoa:[^:]*:\([0-9]*\):.*/\1/p' "$root/etc/group")
	same "the service's group may read the configuration, others not" "$(stat -c '%a %g' "$root/etc/lantoa" "$root$config" "$root/etc/lantoa/channels.d/mail.yaml" | xargs)" "750 $gid 640 $gid 640 $gid"
	same "the state belongs to the service alone" "$(stat -c '%a %g' "$root/var/lib/lantoa")" "700 $gid"
	same "so does the place for backups" "$(stat -c '%a %g' "$root/var/backups/lantoa")" "700 $gid"
	check "which the unit lets it write" grep -qx 'ReadWritePaths=-/var/backups/lantoa' "$unit"
else
	ok "users and folders of the service # SKIP needs root and systemd's tools"
fi
if command -v systemd-analyze >/dev/null; then # what is not installed on this machine (programs, manuals, targets) is no fault of the unit
	systemd-analyze verify "$unit" 2>&1 | grep lantoad.service | grep -vE 'is not executable|Command .man|not found' >"$PLACE/verify.out"
	same "systemd finds nothing wrong in the unit" "$(cat "$PLACE/verify.out")" ""
	# What its filter lets through, line by line: a list adds, one with ~ takes away.
	sed -n 's/^SystemCallFilter=//p' "$unit" >"$PLACE/filter"
	members() { case $1 in @*) systemd-analyze syscall-filter "$1" | sed -n 's/^ *\([@a-z0-9_-]*\)$/\1/p' | grep -vx -- "$1" | while read -r m; do members "$m"; done ;; *) echo "$1" ;; esac; }
	may_call() { # may_call SYSTEM-CALL
		local line word may=no to
		while read -r line; do
			to=yes
			case $line in '~'*) to=no line=${line#\~} ;; esac
			for word in $line; do members "$word" | grep -qx "$1" && may=$to; done
		done <"$PLACE/filter"
		[ $may = yes ]
	}
	check "its filter lets the daemon's threads give way to each other" may_call setpriority
	check "and what the image helper locks itself in with" may_call seccomp
	same "but no mount" "$(may_call mount && echo yes || echo no)" no
else
	ok "the unit # SKIP needs systemd-analyze"
fi
guides() { sed 's/\\-/-/g' "$root"/usr/share/man/man5/* | grep -oE 'guide-[a-z-]+\.md' | sort -u; }
guides_there() { # at least one a channel
	local g
	for g in $(guides); do test -s "$root/usr/share/doc/lantoa/$g" || { echo "no $g"; return 1; }; done
	[ "$(guides | wc -l)" -ge 5 ]
}
check "the guides that the manual names are installed" guides_there
check "and an example of each channel" test -s "$root/usr/share/doc/lantoa/channels.d/smpp.yaml.example" -a -s "$root/usr/share/doc/lantoa/channels.d/zalo.yaml.example"
for page in 1/lantoa.1 5/lantoad.yaml.5 5/lantoa-release.5 5/lantoa-import.5 5/lantoa-log.5 8/lantoad.8; do
	check "man page $page has a name section" grep -q '^\.SH NAME' "$root/usr/share/man/man$page"
done

cp -r "$root/usr/share/doc/lantoa/adapter-template" "$PLACE/hello"
(cd "$PLACE/hello" && make) >"$PLACE/build.log" 2>&1 && built=yes || built=no
same "the installed template builds against the installed header" $built yes
[ $built = yes ] || cat "$PLACE/build.log"
printf '#include <lantoa/adapter.h>\nint main() { return LT_ABI_MAJOR == 1 ? 0 : 1; }\n' >"$PLACE/cxx.cc"
c++ $(pkg-config --cflags lantoa) -Wall -Werror -o "$PLACE/cxx" "$PLACE/cxx.cc" && "$PLACE/cxx"
same "a C++ program compiles against it too" $? 0
(cd "$PLACE/hello" && make install DESTDIR= PREFIX=/usr DIR="$root/usr/lib/lantoa/adapters") >>"$PLACE/build.log" 2>&1
chmod go-w "$root/usr/lib/lantoa/adapters"
[ -f "$root/usr/lib/lantoa/adapters/hello.so" ]
same "its make install puts it beside the others" $? 0

conf_write 2525
sed -i "s|^adapter_dir:.*|adapter_dir: $root/usr/lib/lantoa/adapters|" "$PLACE/conf/lantoad.yaml"
channel() { # channel SETTINGS
	cat >"$PLACE/conf/channels.d/hello.yaml" <<-END
	name: hello
	kind: sms
	adapter: hello
	settings: {$1}
	secrets: {key: {file: hello.token}}
	accounts: [{name: main}]
	END
}
printf 'secret\n' >"$PLACE/conf/channels.d/hello.token"
chmod 600 "$PLACE/conf/channels.d/hello.token"
daemon_check() { "$root/usr/bin/lantoad" --config "$PLACE/conf/lantoad.yaml" "${opts[@]}" >"$PLACE/check.out" 2>&1; }
channel 'url: "http://127.0.0.1:9/x", token: key'
daemon_check
same "the daemon loads it and finds its settings good" "$? $(grep -c '2 channels' "$PLACE/check.out")" "0 1"

refused() { # refused SETTINGS TEXT NAME
	channel "$1"
	daemon_check && rc=0 || rc=$?
	if [ $rc = 6 ] && grep -q -- "$2" "$PLACE/check.out"; then ok "$3"; else not_ok "$3"; echo "# exit $rc"; sed 's/^/# /' "$PLACE/check.out"; fi
}
refused 'ulr: "http://127.0.0.1:9/x"' "did you mean 'url'" "a setting that it does not know is refused with the nearest name"
refused 'token: key' "needs the setting 'url'" "a setting that is missing is named"
refused 'url: "ftp://x"' 'http:// or https://' "a value that it refuses comes with its own reason"
refused 'url: "http://127.0.0.1:9/x", token: other' "names the secret 'other'" "a secret that nobody named is refused"
chmod o+w "$root/usr/lib/lantoa/adapters/hello.so"
refused 'url: "http://127.0.0.1:9/x"' 'may be written by others' "code that others may write is not loaded"
chmod o-w "$root/usr/lib/lantoa/adapters/hello.so"
mv "$root/usr/lib/lantoa/adapters/hello.so" "$root/usr/lib/lantoa/adapters/other.so"
sed -i 's/^adapter:.*/adapter: other/' "$PLACE/conf/channels.d/hello.yaml"
daemon_check && rc=0 || rc=$?
grep -q "calls itself 'hello'" "$PLACE/check.out" && same "an adapter under another name is refused" $rc 6 || { not_ok "an adapter under another name is refused"; cat "$PLACE/check.out"; }
tap_end
