/* test_smtp.c - opening SMTP connections: EHLO lines, refusals, STARTTLS, AUTH; and that nothing there ever waits on the loop:
 * the server takes long for QUIT, and the loop's longest delay is measured by a timer on it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <sys/socket.h>
#include <cmocka.h>
#include "base/assert.h"
#include "net/net.h"
#include "../../lib/peer_run.h"
#include "../../lib/peer_smtp.h"
#include "../../lib/tmpdir.h"

#define WAIT_MS    20000
#define LAG_MAX_MS 8000 /* generous, for slow machines: QUIT would take QUIT_MS */
#define QUIT_MS    12000

static struct peer_run R;
static struct peer *P;
static struct rec_stream A;
static struct rec_lag Lag;
static struct peer_smtp Script;
static struct net_profile Mine;
static char *Dir;
static char Ca[16384];

static int set_up(void **state)
{
	(void)state;
	memset(&A, 0, sizeof(A));
	Script = (struct peer_smtp){ .quit_after_ms = QUIT_MS };
	Mine = (struct net_profile){ .ca_pem = str_of(Ca) };
	P = peer_new(peer_smtp_serve, &Script);
	peer_use_cert(P, tmpdir_path(Dir, "srv.pem"), tmpdir_path(Dir, "srv.key"));
	if (peer_run_open(&R) != 0)
		return -1;
	rec_lag_start(&Lag, &R);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	timer_stop(R.env, &Lag.timer);
	int rc = peer_run_close(&R);
	peer_free(P);
	return rc;
}

static int make_cert(void **state)
{
	(void)state;
	Dir = tmpdir_new();
	if (!peer_cert_make(Dir, "srv"))
		return -1;
	FILE *f = fopen(tmpdir_path(Dir, "srv.pem"), "r");
	if (f == NULL)
		return -1;
	size_t n = fread(Ca, 1, sizeof(Ca) - 1, f);
	Ca[n] = '\0';
	return fclose(f);
}

static int drop_cert(void **state)
{
	(void)state;
	tmpdir_remove(Dir);
	return 0;
}

static struct net_stream_req smtp(void)
{
	return (struct net_stream_req){ .kind = NET_SMTP,
		.host = STR("localhost"),
		.port = peer_port(P),
		.ehlo_name = STR("lantoa.example.vn"),
		.profile = &Mine,
		.connect_ms = WAIT_MS,
		.on_event = rec_stream_event,
		.ctx = &A };
}

static void run(const struct net_stream_req *q)
{
	assert_int_equal(net_stream_open(R.net, q, &A.s), 0);
	assert_true(peer_run_until(&R, rec_stream_over, &A, WAIT_MS + 5000));
}

static void end_quietly(void)
{
	if (A.s != NULL) {
		net_stream_close(R.net, A.s, true);
		assert_true(peer_run_until(&R, rec_stream_closed, &A, WAIT_MS));
	}
	peer_run_for(&R, 50);
	assert_true(rec_lag_stop(&Lag) < LAG_MAX_MS);
	assert_int_equal(peer_noted(P, "QUIT"), 0); /* libcurl must not speak on its own */
}

/* --- opening --------------------------------------------------------------------------------- */

static bool greeted(void *arg)
{
	return strstr(A.data, arg) != NULL || A.closes > 0;
}

static void ehlo_lines_come_with_open_and_the_transaction_is_ours(void **state)
{
	(void)state;
	static const char mail[] = "MAIL FROM:<a@x.vn>\r\nRCPT TO:<b@x.vn>\r\nDATA\r\n",
			  body[] = "hi\r\n.\r\n";
	static char go[] = "354", done[] = "queued";
	struct net_stream_req q = smtp();
	run(&q);
	assert_int_equal(A.opens, 1);
	assert_string_equal(A.ehlo,
		"250-test greets you\r\n250-PIPELINING\r\n250-SIZE 1000000\r\n250 8BITMIME\r\n");
	assert_int_equal(peer_noted(P, "C: EHLO lantoa.example.vn"), 1);
	struct net_seg s1 = { .bytes = { mail, sizeof(mail) - 1 } },
		       s2 = { .bytes = { body, sizeof(body) - 1 } };
	assert_int_equal(net_stream_write(R.net, A.s, &s1, 1, NULL), 0);
	assert_true(peer_run_until(&R, greeted, go, WAIT_MS));
	assert_int_equal(net_stream_write(R.net, A.s, &s2, 1, NULL), 0);
	assert_true(peer_run_until(&R, greeted, done, WAIT_MS));
	assert_int_equal(peer_noted(P, "mail 4"), 1);
	end_quietly();
}

static void a_refused_greeting_is_told_with_its_words(void **state)
{
	(void)state;
	Script.greeting = "554 5.7.1 not you";
	struct net_stream_req q = smtp();
	run(&q);
	assert_int_equal(A.opens, 0);
	assert_true(A.error_code < 0);
	assert_string_equal(A.refusal, "554 5.7.1 not you\r\n");
	end_quietly();
}

static void a_greeting_421_is_told_too(void **state)
{
	(void)state;
	Script.greeting = "421-4.3.2 come back\r\n421 4.3.2 later";
	struct net_stream_req q = smtp();
	run(&q);
	assert_int_equal(A.opens, 0);
	assert_string_equal(A.refusal, "421-4.3.2 come back\r\n421 4.3.2 later\r\n");
	end_quietly();
}

static void a_demanded_starttls_that_is_missing_ends_it_before_any_log_in(void **state)
{
	(void)state;
	Script.auth = "PLAIN";
	struct net_stream_req q = smtp();
	q.starttls = true;
	q.user = STR("u");
	q.password = STR("p");
	run(&q);
	assert_int_equal(A.opens, 0);
	assert_int_equal(A.error_code, -EPROTO);
	assert_int_equal(peer_noted(P, "C: AUTH"), 0);
	end_quietly();
}

static void starttls_and_auth_open_an_encrypted_session(void **state)
{
	(void)state;
	static char done[] = "250 2.1.0";
	Script.starttls = true;
	Script.auth = "PLAIN LOGIN";
	Script.user = "user";
	Script.password = "pass word";
	struct net_stream_req q = smtp();
	q.starttls = true;
	q.user = STR("user");
	q.password = STR("pass word");
	run(&q);
	assert_string_equal(A.error, "");
	assert_int_equal(A.opens, 1);
	assert_int_equal(peer_noted(P, "C: STARTTLS"), 1);
	assert_int_equal(peer_noted(P, "C: EHLO"), 2);
	assert_non_null(strstr(A.ehlo, "250-AUTH PLAIN LOGIN\r\n"));
	assert_null(strstr(A.ehlo, "STARTTLS")); /* the second EHLO counts */
	struct net_seg s = { .bytes = STR("RSET\r\n") };
	assert_int_equal(net_stream_write(R.net, A.s, &s, 1, NULL), 0);
	assert_true(peer_run_until(&R, greeted, done, WAIT_MS));
	end_quietly();
}

static void smtps_speaks_tls_from_the_first_byte(void **state)
{
	(void)state;
	Script.tls = true;
	struct net_stream_req q = smtp();
	q.kind = NET_SMTPS;
	run(&q);
	assert_string_equal(A.error, "");
	assert_int_equal(A.opens, 1);
	end_quietly();
}

static void a_certificate_that_nobody_signed_is_refused(void **state)
{
	(void)state;
	Script.starttls = true;
	struct net_stream_req q = smtp();
	q.starttls = true;
	q.profile = NULL;
	run(&q);
	assert_int_equal(A.opens, 0);
	assert_int_equal(A.error_code, -EPROTO);
	end_quietly();
}

/* Signed by whom we trust, for somebody else: he is told no password. */
static void a_certificate_of_another_name_is_told_no_password(void **state)
{
	(void)state;
	static char other[16384];
	assert_true(peer_cert_make_for(Dir, "other", "DNS:other.example"));
	FILE *f = fopen(tmpdir_path(Dir, "other.pem"), "r");
	assert_non_null(f);
	other[fread(other, 1, sizeof(other) - 1, f)] = '\0';
	(void)fclose(f);
	struct net_profile his = { .ca_pem = str_of(other) };
	peer_use_cert(P, tmpdir_path(Dir, "other.pem"), tmpdir_path(Dir, "other.key"));
	Script.starttls = true;
	Script.auth = "PLAIN";
	struct net_stream_req q = smtp();
	q.starttls = true;
	q.profile = &his;
	q.user = STR("u");
	q.password = STR("p");
	run(&q);
	assert_int_equal(A.opens, 0);
	assert_int_equal(A.error_code, -EPROTO);
	assert_int_equal(peer_noted(P, "C: STARTTLS"), 1);
	assert_int_equal(peer_noted(P, "C: AUTH"), 0);
	end_quietly();
}

static void configured_log_in_without_auth_on_offer_is_refused_by_us(void **state)
{
	(void)state;
	struct net_stream_req q = smtp();
	q.user = STR("u");
	q.password = STR("p");
	run(&q);
	assert_int_equal(A.opens, 0);
	assert_int_equal(A.error_code, -EACCES);
	assert_non_null(strstr(A.error, "no AUTH"));
	end_quietly();
}

static void a_wrong_password_is_told_with_the_servers_words(void **state)
{
	(void)state;
	Script.auth = "PLAIN";
	Script.user = "u";
	Script.password = "right";
	struct net_stream_req q = smtp();
	q.user = STR("u");
	q.password = STR("wrong");
	run(&q);
	assert_int_equal(A.opens, 0);
	assert_int_equal(A.error_code, -EACCES);
	assert_string_equal(A.refusal, "535 5.7.8 wrong name or password\r\n");
	assert_null(strstr(A.error, "wrong password"));
	end_quietly();
}

static void log_in(bool starttls, const char *auth, const char *options)
{
	Script.starttls = starttls;
	Script.auth = auth;
	Script.user = "gui@bhxh.example";
	Script.password = "pass word";
	struct net_stream_req q = smtp();
	q.starttls = starttls;
	q.user = STR("gui@bhxh.example");
	q.password = STR("pass word");
	q.login_options = str_of(options);
	run(&q);
}

/* A user with a password, and a server that would rather have a ticket or a Windows domain. */
static void a_password_is_given_in_the_way_that_works_with_it(void **state)
{
	(void)state;
	log_in(true, "GSSAPI GSS-SPNEGO NTLM CRAM-MD5 DIGEST-MD5 LOGIN PLAIN", "");
	assert_string_equal(A.error, "");
	assert_int_equal(A.opens, 1);
	assert_int_equal(peer_noted(P, "C: AUTH PLAIN"), 1);
	assert_int_equal(peer_noted(P, "C: AUTH"), 1);
	assert_non_null(strstr(A.ehlo, /* as it came */
		"250-AUTH GSSAPI GSS-SPNEGO NTLM CRAM-MD5 DIGEST-MD5 LOGIN PLAIN\r\n"));
	end_quietly();
}

static void without_tls_a_password_is_not_shown_where_it_need_not_be(void **state)
{
	(void)state;
	log_in(false, "GSSAPI NTLM CRAM-MD5 PLAIN", "");
	assert_int_equal(peer_noted(P, "C: AUTH CRAM-MD5"), 1);
	assert_int_equal(peer_noted(P, "C: AUTH"), 1);
	end_quietly();
}

static void without_tls_what_needs_a_ticket_is_left_out_too(void **state)
{
	(void)state;
	log_in(false, "GSSAPI NTLM PLAIN", "");
	assert_string_equal(A.error, "");
	assert_int_equal(A.opens, 1);
	assert_int_equal(peer_noted(P, "C: AUTH PLAIN"), 1);
	end_quietly();
}

static void a_server_that_wants_a_ticket_only_is_told_as_no_log_in(void **state)
{
	(void)state;
	log_in(true, "GSSAPI NTLM", "");
	assert_int_equal(A.opens, 0);
	assert_int_equal(A.error_code, -EACCES);
	assert_non_null(strstr(A.error, "no AUTH"));
	assert_int_equal(peer_noted(P, "C: AUTH"), 0);
	end_quietly();
}

static void a_way_to_log_in_that_was_chosen_is_taken(void **state)
{
	(void)state;
	log_in(true, "GSSAPI CRAM-MD5 LOGIN PLAIN", "AUTH=LOGIN");
	assert_int_equal(peer_noted(P, "C: AUTH LOGIN"), 1);
	assert_int_equal(peer_noted(P, "C: AUTH"), 1);
	assert_int_equal(A.error_code, -EACCES); /* this server takes PLAIN */
	end_quietly();
}

static void a_token_is_given_as_a_token(void **state)
{
	(void)state;
	log_in(true, "XOAUTH2 PLAIN", "AUTH=XOAUTH2");
	assert_int_equal(peer_noted(P, "C: AUTH XOAUTH2"), 1);
	assert_int_equal(peer_noted(P, "C: AUTH"), 1);
	assert_int_equal(A.error_code, -EACCES);
	end_quietly();
}

static void a_log_in_that_libcurl_cannot_do_is_a_refused_log_in(void **state)
{
	(void)state;
	log_in(true, "GSSAPI PLAIN", "AUTH=GSSAPI");
	assert_int_equal(A.opens, 0);
	assert_int_equal(A.error_code, -EACCES);
	end_quietly();
}

/* RFC 5321 4.1.1.1: keywords in any case. */
static void keywords_in_small_letters_offer_the_same(void **state)
{
	(void)state;
	Script.lower_case = true;
	log_in(true, "plain login", "");
	assert_string_equal(A.error, "");
	assert_int_equal(A.opens, 1);
	assert_int_equal(peer_noted(P, "C: STARTTLS"), 1);
	assert_int_equal(peer_noted(P, "C: AUTH PLAIN"), 1);
	assert_non_null(strstr(A.ehlo, "250-auth plain login\r\n"));
	end_quietly();
}

static void auth_with_an_equals_sign_is_auth(void **state)
{
	(void)state;
	Script.auth_equals = Script.auth_last = true;
	log_in(false, "NTLM LOGIN PLAIN", "");
	assert_string_equal(A.error, "");
	assert_int_equal(A.opens, 1);
	assert_int_equal(peer_noted(P, "C: AUTH PLAIN"), 1);
	end_quietly();
}

static void a_server_that_only_knows_helo_is_spoken_to(void **state)
{
	(void)state;
	Script.no_ehlo = true;
	struct net_stream_req q = smtp();
	run(&q);
	assert_int_equal(A.opens, 1);
	assert_string_equal(A.ehlo, "250 test\r\n");
	end_quietly();
}

/* --- not waiting ----------------------------------------------------------------------------- */

static void a_silent_server_times_out_without_holding_the_loop(void **state)
{
	(void)state;
	Script.silent = true;
	struct net_stream_req q = smtp();
	q.connect_ms = 1200;
	run(&q);
	assert_int_equal(A.opens, 0);
	assert_int_equal(A.error_code, -ETIMEDOUT);
	end_quietly();
}

static void a_slow_greeting_is_waited_for_longer_than_a_connect(void **state)
{
	(void)state;
	Script.greet_after_ms = 2000;
	struct net_stream_req q = smtp();
	q.tcp_ms = 1000;
	run(&q);
	assert_string_equal(A.error, "");
	assert_int_equal(A.opens, 1);
	end_quietly();
}

/* Listens, and has no place for one more. */
static int deaf(uint16_t *ret_port, int *full, size_t n)
{
	struct sockaddr_in sa = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(sa);
	int l = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(l, (struct sockaddr *)&sa, len), 0);
	assert_int_equal(listen(l, 0), 0);
	assert_int_equal(getsockname(l, (struct sockaddr *)&sa, &len), 0);
	for (size_t i = 0; i < n; i++) {
		full[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)connect(full[i], (struct sockaddr *)&sa, len);
	}
	*ret_port = ntohs(sa.sin_port);
	return l;
}

static void a_server_that_takes_no_connection_is_given_up_sooner(void **state)
{
	(void)state;
	struct net_stream_req q = smtp();
	int full[4], l = deaf(&q.port, full, ARRAY_LEN(full));
	q.host = STR("127.0.0.1");
	q.tcp_ms = 1000;
	int64_t began = env_mono(R.env);
	run(&q);
	assert_int_equal(A.opens, 0);
	assert_int_equal(A.error_code, -ETIMEDOUT);
	assert_true(env_mono(R.env) - began < WAIT_MS / 2);
	for (size_t i = 0; i < ARRAY_LEN(full); i++)
		(void)close(full[i]);
	(void)close(l);
	end_quietly();
}

static bool said_ehlo(void *arg)
{
	(void)arg;
	return peer_noted(P, "C: EHLO") > 0;
}

static void closing_while_the_server_is_silent_does_not_wait(void **state)
{
	(void)state;
	Script.silent = true;
	struct net_stream_req q = smtp();
	assert_int_equal(net_stream_open(R.net, &q, &A.s), 0);
	assert_true(peer_run_until(&R, said_ehlo, NULL, WAIT_MS));
	end_quietly();
	assert_int_equal(A.closes, 1);
}

static void a_slow_quit_does_not_hold_the_loop_when_we_say_it_and_close(void **state)
{
	(void)state;
	struct net_stream_req q = smtp();
	struct net_seg s = { .bytes = STR("QUIT\r\n") };
	run(&q);
	assert_int_equal(net_stream_write(R.net, A.s, &s, 1, NULL), 0);
	net_stream_close(R.net, A.s, false);
	assert_true(peer_run_until(&R, rec_stream_closed, &A, WAIT_MS));
	assert_int_equal(A.flushed, 6);
	peer_run_for(&R, 50);
	assert_true(rec_lag_stop(&Lag) < LAG_MAX_MS);
}

static void freeing_everything_with_open_sessions_does_not_wait(void **state)
{
	(void)state;
	struct net_stream_req q = smtp();
	run(&q);
	assert_int_equal(A.opens, 1);
	int64_t began = env_mono(R.env);
	net_curl_free(R.net);
	R.net = NULL;
	assert_true(env_mono(R.env) - began < LAG_MAX_MS);
	assert_int_equal(A.closes, 1);
	assert_int_equal(peer_noted(P, "QUIT"), 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(ehlo_lines_come_with_open_and_the_transaction_is_ours),
		T(a_refused_greeting_is_told_with_its_words),
		T(a_greeting_421_is_told_too),
		T(a_demanded_starttls_that_is_missing_ends_it_before_any_log_in),
		T(starttls_and_auth_open_an_encrypted_session),
		T(smtps_speaks_tls_from_the_first_byte),
		T(a_certificate_that_nobody_signed_is_refused),
		T(a_certificate_of_another_name_is_told_no_password),
		T(configured_log_in_without_auth_on_offer_is_refused_by_us),
		T(a_wrong_password_is_told_with_the_servers_words),
		T(a_password_is_given_in_the_way_that_works_with_it),
		T(without_tls_a_password_is_not_shown_where_it_need_not_be),
		T(without_tls_what_needs_a_ticket_is_left_out_too),
		T(a_server_that_wants_a_ticket_only_is_told_as_no_log_in),
		T(a_way_to_log_in_that_was_chosen_is_taken),
		T(a_token_is_given_as_a_token),
		T(a_log_in_that_libcurl_cannot_do_is_a_refused_log_in),
		T(keywords_in_small_letters_offer_the_same),
		T(auth_with_an_equals_sign_is_auth),
		T(a_server_that_only_knows_helo_is_spoken_to),
		T(a_silent_server_times_out_without_holding_the_loop),
		T(a_slow_greeting_is_waited_for_longer_than_a_connect),
		T(a_server_that_takes_no_connection_is_given_up_sooner),
		T(closing_while_the_server_is_silent_does_not_wait),
		T(a_slow_quit_does_not_hold_the_loop_when_we_say_it_and_close),
		T(freeing_everything_with_open_sessions_does_not_wait),
	};
	return cmocka_run_group_tests(tests, make_cert, drop_cert);
}
