/* sandbox.c - main of the sandbox: options, the loop, the order of a turn.
 *   sandbox run --dir DIR [--port N] [--script FILE] [--store-mails] [--no-pipelining] [--lower-case] [--user U --password P]
 *   sandbox show --dir DIR | --ledger FILE [--mailbox A] [--json]
 *   sandbox ctl --dir DIR JSON
 * `run` prints one JSON line with ports and paths when it listens (also in DIR/ready.json), and ends on SIGTERM, SIGINT or
 * {"cmd":"stop"}. The script file: {"options":{...},"rules":[...]}; see rules.c. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/crypt.h"
#include "base/file.h"
#include "http.h"

static int usage(void)
{
	(void)fputs(
		"usage: sandbox run --dir DIR [--port N] [--script FILE] [--store-mails] [--no-pipelining]\n"
		"                   [--lower-case] [--user U --password P]\n"
		"       sandbox show --dir DIR | --ledger FILE [--mailbox ADDRESS] [--json]\n"
		"       sandbox ctl --dir DIR JSON\n",
		stderr);
	return 2;
}

static const char *option(int argc, char **argv, const char *name)
{
	for (int i = 2; i + 1 < argc; i++)
		if (strcmp(argv[i], name) == 0)
			return argv[i + 1];
	return NULL;
}

static bool flag(int argc, char **argv, const char *name)
{
	for (int i = 2; i < argc; i++)
		if (strcmp(argv[i], name) == 0)
			return true;
	return false;
}

/* The script, or NULL without one; owned by the caller. */
static int load_script(struct sandbox *s, const char *path, cJSON **ret, struct err *e)
{
	struct buf b CLEANUP_BUF;
	cJSON *j = NULL;

	*ret = NULL;
	buf_init(&b, SB_CONTROL_MAX);
	if (path == NULL)
		return 0;
	int rc = file_read(path, &b, e);
	rc = rc < 0 ? rc : json_parse(buf_str(&b), SB_CONTROL_MAX, &j, e);
	if (rc == 0 && json_has(j, "options"))
		rc = sb_options_set(s, json_get(j, "options"), e);
	if (rc == 0 && json_has(j, "rules"))
		rc = sb_rules_load(s, json_get(j, "rules"), true, e);
	if (rc == 0 && json_has(j, "http_rules"))
		rc = sb_http_rules_load(s, json_get(j, "http_rules"), true, e);
	*ret = j;
	return rc < 0 ? err_prefix(e, "%s", path) : 0;
}

static void turn_end(uv_prepare_t *p)
{
	struct sandbox *s = p->data;

	sb_ledger_flush(s);
	sb_smtp_flush(s);
	sb_http_flush(s);
	sb_providers_flush(s);
}

static void close_rest(uv_handle_t *h, void *arg)
{
	const struct sandbox *s = arg;

	if (!uv_is_closing(h) && h->type == UV_NAMED_PIPE && h != (const uv_handle_t *)&s->control)
		uv_close(h, sb_control_gone);
	else if (!uv_is_closing(h) && h->type != UV_TCP && h->type != UV_TIMER &&
		h->type != UV_NAMED_PIPE)
		uv_close(h, NULL);
}

void sb_stop(struct sandbox *s)
{
	sb_ledger_flush(s);
	sb_smtp_flush(s);
	sb_http_flush(s);
	sb_providers_flush(s);
	uv_stop(&s->loop);
}

static void on_signal(uv_signal_t *h, int no)
{
	(void)no;
	sb_stop(h->data);
}

static int say_ready(struct sandbox *s, int port, struct err *e)
{
	char path[512];
	cJSON *o = json_obj();

	json_put_i64(o, "smtp", port);
	sb_http_ports(s, o);
	sb_providers_ports(s, o);
	json_put_i64(o, "pid", getpid());
	json_put_z(o, "dir", s->dir);
	(void)snprintf(path, sizeof(path), "%s/control.sock", s->dir);
	json_put_z(o, "control", path);
	(void)snprintf(path, sizeof(path), "%s/ledger.jsonl", s->dir);
	json_put_z(o, "ledger", path);
	char *text = json_print(o);
	cJSON_Delete(o);
	(void)printf("%s\n", text);
	(void)fflush(stdout);
	(void)snprintf(path, sizeof(path), "%s/ready.json", s->dir);
	int rc = file_write_durable(path, str_of(text), 0600, e);
	free(text);
	return rc;
}

static int open_all(struct sandbox *s, int port, const cJSON *script, struct err *e)
{
	char path[512];
	int got = 0;

	(void)snprintf(path, sizeof(path), "%s/mails", s->dir);
	int rc = dir_make(path, 0700, e);
	rc = rc < 0 ? rc : sb_ledger_open(s, e);
	rc = rc < 0 ? rc : sb_control_open(s, e);
	rc = rc < 0 ? rc : sb_smtp_open(s, port, &got, e);
	rc = rc < 0 ? rc : sb_providers_open(s, script, e);
	if (rc < 0)
		return rc;
	(void)uv_prepare_init(&s->loop, &s->before_poll);
	s->before_poll.data = s;
	(void)uv_prepare_start(&s->before_poll, turn_end);
	uv_signal_t *sig[] = { &s->sigterm, &s->sigint };
	for (int i = 0; i < 2; i++) {
		(void)uv_signal_init(&s->loop, sig[i]);
		sig[i]->data = s;
		(void)uv_signal_start(sig[i], on_signal, i == 0 ? SIGTERM : SIGINT);
	}
	return say_ready(s, got, e);
}

static int run(int argc, char **argv)
{
	struct sandbox *s = x_calloc(1, sizeof(*s));
	const char *dir = option(argc, argv, "--dir"), *script = option(argc, argv, "--script");
	const char *port = option(argc, argv, "--port");
	struct err e = { 0 };
	int64_t p = 0;
	int rc = 0;

	if (dir == NULL || (port != NULL && str_i64(str_of(port), 0, 65535, &p) < 0)) {
		free(s);
		return usage();
	}
	s->opt = (struct sb_options){ .pipelining = !flag(argc, argv, "--no-pipelining"),
		.lower_case = flag(argc, argv, "--lower-case"),
		.store_mails = flag(argc, argv, "--store-mails"),
		.dsn = true,
		.smtputf8 = true,
		.log_refused = true,
		.size = 20 << 20 };
	s->random = 1;
	(void)snprintf(s->dir, sizeof(s->dir), "%s", dir);
	(void)snprintf(s->opt.user, sizeof(s->opt.user), "%s",
		option(argc, argv, "--user") == NULL ? "" : option(argc, argv, "--user"));
	(void)snprintf(s->opt.password, sizeof(s->opt.password), "%s",
		option(argc, argv, "--password") == NULL ? "" : option(argc, argv, "--password"));
	(void)signal(SIGPIPE, SIG_IGN); /* a client that was killed is no end for us */
	(void)uv_loop_init(&s->loop);
	if (crypt_init() < 0)
		rc = err_set(&e, -ENOSYS, "libsodium does not start");
	cJSON *j CLEANUP_JSON = NULL;
	rc = rc < 0 ? rc : load_script(s, script, &j, &e);
	rc = rc < 0 ? rc : open_all(s, (int)p, j, &e);
	if (rc < 0) {
		(void)fprintf(stderr, "sandbox: %s\n", e.text);
		free(s);
		return 1;
	}
	(void)uv_run(&s->loop, UV_RUN_DEFAULT);
	sb_smtp_close(s);
	sb_providers_close(s);
	sb_http_close(s);
	uv_close((uv_handle_t *)&s->control, NULL);
	uv_walk(&s->loop, close_rest, s);
	for (int i = 0; i < 10; i++)
		(void)uv_run(&s->loop, UV_RUN_NOWAIT);
	if (uv_loop_close(&s->loop) < 0)
		(void)fputs("sandbox: handles left open\n", stderr);
	(void)close(s->ledger_fd);
	buf_done(&s->ledger);
	free(s->smtp);
	sb_http_free(s);
	free(s);
	return 0;
}

int main(int argc, char **argv)
{
	const char *dir = option(argc, argv, "--dir"), *ledger = option(argc, argv, "--ledger");
	char path[512];

	if (argc < 2)
		return usage();
	if (strcmp(argv[1], "run") == 0)
		return run(argc, argv);
	if (strcmp(argv[1], "show") == 0 && (dir != NULL || ledger != NULL)) {
		(void)snprintf(path, sizeof(path), "%s%s", ledger != NULL ? ledger : dir,
			ledger != NULL ? "" : "/ledger.jsonl");
		return sb_show(path, option(argc, argv, "--mailbox"), flag(argc, argv, "--json"));
	}
	if (strcmp(argv[1], "ctl") == 0 && dir != NULL && argc >= 5) {
		(void)snprintf(path, sizeof(path), "%s/control.sock", dir);
		return sb_control_send(path, argv[argc - 1]);
	}
	return usage();
}
