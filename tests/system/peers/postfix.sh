# postfix.sh - a private Postfix with STARTTLS and AUTH on loopback: own configuration, queue and user file; relays to one port.
# postfix_certs DIR: an authority (ca.pem) and a certificate of 127.0.0.1 (tls.pem, tls.key).
postfix_certs() {
	local dir=$1
	mkdir -p "$dir"
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout "$dir/ca.key" -out "$dir/ca.pem" -subj "/CN=Test CA" >/dev/null 2>&1
	openssl req -newkey rsa:2048 -nodes -keyout "$dir/tls.key" -out "$dir/tls.csr" -subj "/CN=127.0.0.1" >/dev/null 2>&1
	printf 'subjectAltName=IP:127.0.0.1,DNS:localhost\n' >"$dir/san"
	openssl x509 -req -in "$dir/tls.csr" -CA "$dir/ca.pem" -CAkey "$dir/ca.key" -CAcreateserial -days 2 -extfile "$dir/san" -out "$dir/tls.pem" >/dev/null 2>&1
}
# postfix_start DIR NEXT_PORT: sets POSTFIX_PORT, POSTFIX_CA, user `lantoa`, password in DIR/password. Needs root, as Postfix does.
postfix_start() {
	local dir=$1 next=$2 port
	port=$(/usr/bin/python3 -c 'import socket; s=socket.socket(); s.bind(("127.0.0.1",0)); print(s.getsockname()[1])')
	mkdir -p "$dir/etc/sasl" "$dir/queue" "$dir/data"
	chmod 755 "$dir" "$dir/etc" "$dir/queue"
	chown postfix "$dir/data"
	postfix_certs "$dir"
	head -c 18 /dev/urandom | base64 | tr -d '\n/+' >"$dir/password"
	chmod 600 "$dir/password"
	saslpasswd2 -f "$dir/sasldb" -p -c -u test.example lantoa <"$dir/password"
	chown postfix "$dir/sasldb"
	cat >"$dir/etc/sasl/smtpd.conf" <<-EOF
	pwcheck_method: auxprop
	auxprop_plugin: sasldb
	mech_list: PLAIN LOGIN
	sasldb_path: $dir/sasldb
	EOF
	cat >"$dir/etc/main.cf" <<-EOF
	compatibility_level = 3.6
	queue_directory = $dir/queue
	data_directory = $dir/data
	command_directory = /usr/sbin
	daemon_directory = /usr/lib/postfix/sbin
	myhostname = relay.test.example
	inet_interfaces = loopback-only
	inet_protocols = ipv4
	mydestination =
	mynetworks =
	maillog_file = $dir/maillog
	maillog_file_prefixes = $dir
	default_transport = smtp:[127.0.0.1]:$next
	relay_transport = smtp:[127.0.0.1]:$next
	disable_dns_lookups = yes
	smtp_tls_security_level = none
	smtputf8_enable = yes
	message_size_limit = 20000000
	smtpd_tls_security_level = encrypt
	smtpd_tls_cert_file = $dir/tls.pem
	smtpd_tls_key_file = $dir/tls.key
	smtpd_tls_auth_only = yes
	smtpd_sasl_auth_enable = yes
	smtpd_sasl_type = cyrus
	smtpd_sasl_path = smtpd
	cyrus_sasl_config_path = $dir/etc/sasl
	smtpd_sasl_local_domain = test.example
	smtpd_relay_restrictions = permit_sasl_authenticated, reject
	smtpd_recipient_restrictions = permit_sasl_authenticated, reject
	smtpd_client_connection_rate_limit = 0
	smtpd_peername_lookup = no
	EOF
	cat >"$dir/etc/master.cf" <<-EOF
	127.0.0.1:$port inet n - n - - smtpd
	postlog   unix-dgram n - n - 1 postlogd
	pickup    unix n - n 60 1 pickup
	cleanup   unix n - n - 0 cleanup
	qmgr      unix n - n 300 1 qmgr
	tlsmgr    unix - - n 1000? 1 tlsmgr
	rewrite   unix - - n - - trivial-rewrite
	bounce    unix - - n - 0 bounce
	defer     unix - - n - 0 bounce
	trace     unix - - n - 0 bounce
	verify    unix - - n - 1 verify
	flush     unix n - n 1000? 0 flush
	proxymap  unix - - n - - proxymap
	smtp      unix - - n - - smtp
	relay     unix - - n - - smtp
	showq     unix n - n - - showq
	error     unix - - n - - error
	retry     unix - - n - - error
	discard   unix - - n - - discard
	anvil     unix - - n - 1 anvil
	scache    unix - - n - 1 scache
	EOF
	postfix -c "$dir/etc" start >"$dir/start.log" 2>&1 || { cat "$dir/start.log"; return 1; }
	POSTFIX_PORT=$port POSTFIX_CA=$dir/ca.pem POSTFIX_DIR=$dir
	until_true 20 bash -c "exec 3<>/dev/tcp/127.0.0.1/$port"
}
postfix_stop() { [ -n "${POSTFIX_DIR:-}" ] && postfix -c "$POSTFIX_DIR/etc" stop >/dev/null 2>&1; POSTFIX_DIR=; return 0; }
