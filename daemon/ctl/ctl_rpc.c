/* ctl_rpc.c - one JSON-RPC request from its line to its answer: parse, who, may they, run, reply.
 * Threads: loop; methods with CTL_READ run on a worker inside one snapshot of a reader, which makes their answer a line, too.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "ctl/ctl_internal.h"
#include "base/log.h"

#define READ_MS_WARN 250

static char *reply_line(const cJSON *id, cJSON *body, const char *key)
{
	cJSON *doc = json_obj();
	json_put_z(doc, "jsonrpc", "2.0");
	json_put(doc, "id", id ? cJSON_Duplicate(id, 1) : cJSON_CreateNull());
	json_put(doc, key, body);
	char *text = json_print(doc), *line = x_asprintf("%s\n", text);
	free(text);
	cJSON_Delete(doc);
	return line;
}

static void reply_error(
	struct ctl_conn *c, const cJSON *id, int code, const char *text, cJSON *data)
{
	cJSON *err = json_obj();
	json_put_i64(err, "code", code);
	json_put_z(err, "message", text);
	if (data)
		json_put(err, "data", data);
	ctl_conn_send(c, reply_line(id, err, "error"));
}

static int code_of(int rc)
{
	switch (rc) {
	case -EPERM:
	case -EACCES: return CTL_E_DENIED;
	case -ENOENT: return CTL_E_NOT_FOUND;
	case -EBADMSG: return CTL_E_REFUSED;
	case -EEXIST:
	case -ESTALE:
	case -EBUSY: return CTL_E_CONFLICT;
	case -EINVAL:
	case -EILSEQ: return CTL_E_USAGE;
	default: return CTL_E_FAILED;
	}
}

static void rpc_free(struct ctl_rpc *r)
{
	struct ctl_conn *conn = r->conn;
	conf_unref((struct conf *)(uintptr_t)r->c.conf);
	ctl_upload_unpin(r->upload);
	cJSON_Delete(r->doc);
	cJSON_Delete(r->result);
	free(r->line);
	r->magic = 0;
	free(r);
	ctl_conn_call_done(conn);
}

static char *result_line(struct ctl_rpc *r)
{
	return reply_line(r->id, r->result ? MOVE(r->result) : json_obj(), "result");
}

static void rpc_finish(struct ctl_rpc *r)
{
	struct ctl_conn *c = r->conn;
	REQUIRE(!r->answered);
	r->answered = true;
	if (!c->closing && r->id) {
		if (!r->rc)
			ctl_conn_send(c, r->line ? MOVE(r->line) : result_line(r));
		else
			reply_error(c, r->id, code_of(r->rc),
				r->err.text[0] ? r->err.text : strerror(-r->rc), MOVE(r->result));
	}
	rpc_free(r);
}

void ctl_answer(struct ctl_call *call, int rc, const struct err *e, cJSON *result)
{
	struct ctl_rpc *r = CONTAINER_OF(call, struct ctl_rpc, c);
	CHECK_OBJ(r, CALL_MAGIC);
	REQUIRE(!r->result);
	r->rc = rc;
	r->result = result;
	if (rc && e)
		r->err = *e;
	rpc_finish(r);
}

static void read_run(struct work *w)
{
	struct ctl_rpc *r = CONTAINER_OF(w, struct ctl_rpc, work);
	struct store *store = r->c.deps->store;
	r->rc = store_reader_get(store, &r->c.reader);
	if (r->rc)
		return;
	r->rc = reader_begin(r->c.reader);
	if (!r->rc) {
		r->c.large = work_is_long(w);
		r->rc = r->c.method->fn(&r->c, &r->result, &r->err);
		reader_end(r->c.reader);
	}
	store_reader_put(store, r->c.reader);
	r->c.reader = NULL;
	if (r->rc == -EOVERFLOW && !r->c.large) {
		r->err = (struct err){ 0 };
		w->longer = WORK_LOOK;
		return;
	}
	if (!r->rc && r->id)
		r->line = result_line(r); /* a long report would take the loop milliseconds */
}

static void read_done(struct work *w)
{
	struct ctl_rpc *r = CONTAINER_OF(w, struct ctl_rpc, work);
	CHECK_OBJ(r, CALL_MAGIC);
	rpc_finish(r);
}

static const struct ctl_method *find_in(const struct ctl_method *m, struct str name)
{
	for (; m->name; m++)
		if (str_eqz(name, m->name))
			return m;
	return NULL;
}

static const struct ctl_method *method_find(struct str name)
{
	const struct ctl_method *const tables[] = { ctl_base_methods, ctl_upload_methods,
		ctl_release_methods, ctl_queue_methods, ctl_office_methods, ctl_evidence_methods };
	const struct ctl_method *m = NULL;
	for (size_t i = 0; i < ARRAY_LEN(tables) && !m; i++)
		m = find_in(tables[i], name);
	return m;
}

static void actor_of(struct ctl_rpc *r, const struct conf_person *p, const char *via_more)
{
	struct ctl_conn *c = r->conn;
	(void)snprintf(r->via, sizeof(r->via), "uid:%lld%s", (long long)c->uid, via_more);
	if (p)
		(void)str_copy(r->person, sizeof(r->person), str_of(p->name));
	else
		(void)snprintf(r->person, sizeof(r->person), "uid:%lld", (long long)c->uid);
	if (p && p->office)
		(void)str_copy(r->office, sizeof(r->office), str_of(p->office));
	r->c.who = (struct actor){ .person = r->person,
		.via = r->via,
		.office = r->office[0] ? r->office : NULL,
		.roles = p ? p->roles : 0 };
}

/* Peer credentials say who calls; a gateway may state whom it has authenticated, with that person's key; --as only in a demo. */
static int identify(struct ctl_rpc *r, struct err *e)
{
	const struct conf *conf = r->c.conf;
	const struct conf_person *peer = conf_person_by_uid(conf, r->conn->uid, r->conn->login);
	const char *as = json_z(r->c.params, "as", NULL),
		   *key = json_z(r->c.params, "as_key", NULL);
	char more[160] = "";
	actor_of(r, peer, "");
	if (!as)
		return 0;
	const struct conf_person *other = conf_person_by_name(conf, as);
	if (!other)
		return err_set(e, -EPERM, "nobody named '%.60s' stands in the configuration", as);
	if (r->conn->ctl->o.allow_as) {
		(void)snprintf(more, sizeof(more), "+demo");
	} else if (peer && peer->gateway && other->key_fingerprint && key &&
		!strcmp(key, other->key_fingerprint)) {
		(void)snprintf(more, sizeof(more), "+gateway:%.40s+key:%.80s", peer->name, key);
	} else {
		return err_set(e, -EPERM,
			"only a demo database, or a gateway with the person's key, may act as somebody else");
	}
	actor_of(r, other, more);
	return 0;
}

static bool is_own_user(const struct ctl_rpc *r)
{
	return !json_has(r->c.params, "as") && r->conn->uid == (int64_t)geteuid();
}

static int authorise(struct ctl_rpc *r, struct str name, struct err *e)
{
	r->c.method = method_find(name);
	if (!r->c.method)
		return err_set(e, -ENOSYS, "no method '" STR_FMT "'", STR_ARG(name));
	int rc = identify(r, e);
	if (rc)
		return rc;
	unsigned need = r->c.method->roles,
		 any = ROLE_VIEWER | ROLE_EDITOR | ROLE_APPROVER | ROLE_OPERATOR | ROLE_ADMIN;
	if (need == ROLE_VIEWER)
		need = any; /* whoever has a role may look */
	if (!need || (r->c.who.roles & need))
		return 0;
	if (!(need & CTL_OWN_USER) || !is_own_user(r))
		return err_set(e, -EPERM,
			"%s may not do this (%s); the configuration gives roles to people",
			r->c.who.person, r->c.method->name);
	if (!r->c.who.roles)
		r->c.who.person = "system"; /* as with the signal */
	return 0;
}

static void rpc_run(struct ctl_rpc *r)
{
	if (r->c.method->where == CTL_READ) {
		r->work = (struct work){ .fn = read_run, .done = read_done };
		env_work(r->c.deps->env, &r->work);
		return;
	}
	int rc = r->c.method->fn(&r->c, NULL, NULL);
	REQUIRE(rc == 0); /* a CTL_WRITE method answers through ctl_answer and returns 0 */
}

int ctl_rpc_parse(struct str line, cJSON **ret, struct err *e)
{
	return json_parse(line, CTL_LINE_MAX, ret, e);
}

void ctl_rpc_begin(struct ctl_conn *c, int rc, cJSON *doc, const struct err *e)
{
	if (rc) {
		reply_error(c, NULL, -32700, e->text, NULL);
		return;
	}
	const cJSON *id = json_get(doc, "id"), *params = json_get(doc, "params");
	struct str method = json_str(doc, "method");
	if (!method.p || !str_eqz(json_str(doc, "jsonrpc"), "2.0") ||
		(params && !cJSON_IsObject(params)) || !id ||
		(!cJSON_IsNumber(id) && !cJSON_IsString(id))) {
		reply_error(c, id, -32600,
			"a request is {\"jsonrpc\":\"2.0\",\"id\":N,\"method\":M,\"params\":{...}}",
			NULL);
		cJSON_Delete(doc);
		return;
	}
	if (!params) {
		json_put(doc, "params", json_obj());
		params = json_get(doc, "params");
	}
	ctl_params_compose(cJSON_GetObjectItemCaseSensitive(doc, "params"));
	struct ctl_rpc *r = x_calloc(1, sizeof(*r));
	r->magic = CALL_MAGIC;
	r->conn = c;
	r->doc = doc;
	r->id = id;
	r->c.deps = &c->ctl->o.deps;
	r->c.params = params;
	r->c.conf = conf_ref(*c->ctl->o.deps.conf);
	c->calls++;
	r->rc = authorise(r, method, &r->err);
	if (!r->rc)
		r->rc = ctl_params_check(r->c.method->name, params, &r->err);
	struct str upload = json_str(params, "upload");
	if (!r->rc && upload.p)
		r->rc = ctl_upload_pin(r, upload, &r->err);
	if (r->rc == -ENOSYS) {
		reply_error(c, id, -32601, r->err.text, NULL);
		rpc_free(r);
	} else if (r->rc) {
		log_line(LOG_WARN, "ev=ctl.denied method=%s person=%s", LOG_Q(method),
			LOG_Q(str_of(r->person)));
		rpc_finish(r);
	} else {
		rpc_run(r);
	}
}
