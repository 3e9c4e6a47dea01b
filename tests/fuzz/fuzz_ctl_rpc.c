/* Lines of the control protocol, as a person with every role sends them to a daemon with a store of its own, and as somebody whom
 * nobody knows. Each request is answered once, by one line of JSON-RPC with its id; a stranger gets nothing but errors.
 * Methods that read, and uploads, are run; those that change things need the whole daemon: they are run as the stranger only. */
#include <stdlib.h>
#include <string.h>
#include "ctl/ctl_internal.h"
#include "fuzz.h"
#include "lib/testenv.h"
#include "lib/teststore.h"

#define LINES_MAX  40
#define CONF_MAGIC 0x434f4e46u

static struct testenv te;
static struct teststore ts;
static struct conf conf, *confp = &conf;
static struct conf_person person;
static struct ctl ctl;
static unsigned sent, answered;
static bool stranger;

/* Stand in for the socket. */
void ctl_conn_send(struct ctl_conn *c, char *line)
{
	struct err e = { 0 };
	cJSON *doc = NULL;
	size_t n = strlen(line);

	(void)c;
	MUST(n > 1 && line[n - 1] == '\n' && memchr(line, '\n', n - 1) == NULL);
	MUST(json_parse((struct str){ line, n - 1 }, CTL_OUT_MAX, &doc, &e) == 0);
	MUST(str_eqz(json_str(doc, "jsonrpc"), "2.0") && json_get(doc, "id") != NULL);
	MUST((json_get(doc, "result") != NULL) != (json_get(doc, "error") != NULL));
	MUST(!stranger || json_get(doc, "error") != NULL || strstr(line, "version") != NULL);
	cJSON_Delete(doc);
	free(line);
	sent++;
}

void ctl_conn_call_done(struct ctl_conn *c)
{
	MUST(c->calls > 0);
	c->calls--;
	answered++;
}

static void rows(void)
{
	static const char *const sql[] = {
		"INSERT INTO vars VALUES(X'01', '{\"name\":\"Office 1\",\"short\":\"a\"}')",
		"INSERT INTO office(id, code, parent_id, depth, ord, region, lang, vars_hash) VALUES(1, 'trung-uong', NULL, 0, '01', 'bac', 'vi', X'01')",
		"INSERT INTO office(id, code, parent_id, depth, ord, region, lang, vars_hash) VALUES(2, 'ha-noi', 1, 1, '02', 'bac', 'vi', X'01')",
		"INSERT INTO channel(id, name, adapter) VALUES(1, 'mail', 'fake')",
		"INSERT INTO account(id, channel_id, name) VALUES(1, 1, 'relay')",
		"INSERT INTO lane(id, account_id, class, gate, tokens, tokens_at) VALUES(1, 1, '', 0, 0, 0)",
		"INSERT INTO contact(id, kind, address, form, class) VALUES(1, 1, 'c1@example', 'mailbox', '')",
		"INSERT INTO target(contact_id, lane_id, office_id, lang, flags, seen_import) VALUES(1, 1, 2, 'vi', 0, 1)",
		"INSERT INTO audience(name, title, rule) VALUES('press', '', '{\"any\":[{\"region\":[\"bac\"]}],\"not\":[],\"broad\":false}')"
	};
	for (size_t i = 0; i < ARRAY_LEN(sql); i++)
		MUST(teststore_exec(&ts, sql[i]) == 0);
}

static void leave(void)
{
	teststore_close(&ts);
}

static void begin(void)
{
	testenv_init(&te, 1);
	ts.env = &te.env;
	MUST(teststore_open(&ts) == 0);
	(void)atexit(leave);
	rows();
	person = (struct conf_person){ .name = x_strdup("lan"),
		.uid = 1000,
		.roles = ROLE_VIEWER | ROLE_EDITOR | ROLE_APPROVER | ROLE_OPERATOR | ROLE_ADMIN };
	conf = (struct conf){ .magic = CONF_MAGIC,
		.refs = 1,
		.zone = zone_vietnam(),
		.people = &person,
		.n_people = 1 };
	ctl.magic = CTL_MAGIC;
	ctl.o.deps = (struct ctl_deps){ .env = &te.env, .store = ts.s, .conf = &confp };
	ctl.o.staging_dir = x_strdup(fuzz_dir());
	list_init(&ctl.conns);
	list_init(&ctl.uploads);
	ctl_uploads_open(&ctl);
}

/* As the stranger: not where everybody may call and the plan decides. */
static bool runs(struct str line, bool as_stranger)
{
	const struct ctl_method *const tables[] = { ctl_base_methods, ctl_upload_methods,
		ctl_release_methods, ctl_queue_methods, ctl_office_methods, ctl_evidence_methods };
	/* ask the plan, or an adapter */
	static const char *const not_here[] = { "release.check", "release.preview", "release.diff",
		"release.review", "targets.show" };
	struct err e = { 0 };
	cJSON *doc CLEANUP_JSON = NULL;
	bool ok = true;

	if (json_parse(line, CTL_LINE_MAX, &doc, &e) != 0)
		return true;
	struct str name = json_str(doc, "method");
	for (size_t i = 0; i < ARRAY_LEN(tables); i++)
		for (const struct ctl_method *m = tables[i]; m->name; m++)
			if (str_eqz(name, m->name) && m->where == CTL_WRITE)
				ok = as_stranger ? m->roles != 0
						 : strncmp(m->name, "upload.", 7) == 0;
	for (size_t i = 0; i < ARRAY_LEN(not_here); i++)
		ok = ok && !str_eqz(name, not_here[i]);
	return ok;
}

static void quiet(void)
{
	for (int i = 0; i < 100; i++) {
		uint64_t ran = te.ran;
		testenv_settle(&te);
		if (store_run(ts.s) + store_complete(ts.s) == 0 && te.ran == ran)
			return;
	}
}

static void say(struct str line, int64_t uid)
{
	struct ctl_conn c = { .magic = CONN_MAGIC, .ctl = &ctl, .uid = uid, .known = true };

	struct err e = { 0 };
	cJSON *doc = NULL;

	sent = answered = 0;
	stranger = uid != person.uid;
	int rc = ctl_rpc_parse(line, &doc, &e);
	ctl_rpc_begin(&c, rc, doc, &e);
	quiet();
	MUST(sent == 1 && c.calls == 0 && answered <= 1);
	ctl_uploads_forget(&ctl, &c);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct str rest = { (const char *)p, n }, line;

	if (!ts.s)
		begin();
	for (int i = 0; i < LINES_MAX && str_line(&rest, &line); i++) {
		if (runs(line, true))
			say(line, 77);
		if (runs(line, false))
			say(line, person.uid);
	}
	quiet();
	return 0;
}
