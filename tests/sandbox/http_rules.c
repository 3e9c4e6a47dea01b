/* http_rules.c - scripted faults of the HTTP providers: which request is lost before, or answered wrongly after, its effect.
 * Owns: the texts of the rules. Failures: a rule with a wrong key or value is refused whole, naming it. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include "http_internal.h"
#include "base/assert.h"
#include "rules.h"

bool sb_glob(struct str g, struct str t)
{
	while (g.n > 0) {
		if (g.p[0] != '*') {
			if (t.n == 0 || t.p[0] != g.p[0])
				return false;
			g = (struct str){ g.p + 1, g.n - 1 };
			t = (struct str){ t.p + 1, t.n - 1 };
			continue;
		}
		bool deep = g.n > 1 && g.p[1] == '*';
		struct str rest = { g.p + 1 + deep, g.n - 1 - deep };
		for (size_t i = 0; i <= t.n; i++) {
			if (sb_glob(rest, (struct str){ t.p + i, t.n - i }))
				return true;
			if (i < t.n && t.p[i] == '/' && !deep)
				return false;
		}
		return false;
	}
	return t.n == 0;
}

static bool contains(struct str s, const char *what)
{
	return s.n > 0 && memmem(s.p, s.n, what, strlen(what)) != NULL;
}

static bool has(const struct sb_req *q, const char *what)
{
	if (what[0] == '\0' || contains(q->target, what) || contains(q->body, what))
		return true;
	for (size_t i = 0; i < q->n_headers; i++)
		if (contains(q->headers[i].value, what))
			return true;
	for (size_t i = 0; i < q->n_fields; i++)
		if (contains(q->fields[i].value, what))
			return true;
	return false;
}

static bool fits(const struct sb_http_rule *r, const struct sb_req *q)
{
	return (r->server[0] == '\0' || strcmp(r->server, q->server) == 0) &&
		(r->method[0] == '\0' || str_eqz(q->method, r->method)) &&
		(r->match[0] == '\0' || sb_glob(str_of(r->match), q->path)) && has(q, r->has);
}

const struct sb_http_rule *sb_http_rule_hit(struct sb_http *h, const struct sb_req *q, bool after)
{
	for (size_t i = 0; i < h->n_rules; i++) {
		struct sb_http_rule *r = &h->rule[i];
		if (r->after == after && fits(r, q) && sb_pace_acts(q->s, &r->pace))
			return r;
	}
	return NULL;
}

static void rule_free(void *rule)
{
	struct sb_http_rule *r = rule;

	free(r->body);
	free(r->headers);
	*r = (struct sb_http_rule){ 0 };
}

static char *header_lines(const cJSON *o)
{
	struct buf b;
	const cJSON *it;

	if (!cJSON_IsObject(o))
		return NULL;
	buf_init(&b, 65536);
	cJSON_ArrayForEach(it, o)
	{
		(void)buf_addf(&b, "%s: %s\r\n", it->string,
			it->valuestring == NULL ? "" : it->valuestring);
	}
	return buf_take(&b, NULL);
}

static const char *const keys[] = { "server", "method", "match", "has", "do", "when", "code",
	"type", "body", "headers", "half", "trickle_ms", NULL };
static const struct sb_word do_words[] = { { "reply", SB_F_REPLY }, { "delay", SB_F_DELAY },
	{ "silent", SB_F_SILENT }, { "drop", SB_F_DROP }, { "reset", SB_F_RESET }, { NULL, 0 } };
static const struct sb_word when_words[] = { { "before", false }, { "after", true }, { NULL, 0 } };

static int parse_rule(const cJSON *o, void *rule, struct err *e)
{
	struct sb_http_rule *r = rule;
	int what = 0, after = 0;
	const struct sb_choice words[] = { { "do", "reply", do_words, &what },
		{ "when", "before", when_words, &after } };
	int rc = sb_rule_words("http rule", o, words, ARRAY_LEN(words), e);

	if (rc < 0)
		return rc;
	r->what = (enum sb_fault)what;
	r->after = after != 0;
	r->half = json_bool(o, "half", false);
	r->trickle_ms = json_i64(o, "trickle_ms", 0);
	(void)snprintf(r->server, sizeof(r->server), "%s", json_z(o, "server", ""));
	(void)snprintf(r->method, sizeof(r->method), "%s", json_z(o, "method", ""));
	(void)snprintf(r->match, sizeof(r->match), "%s", json_z(o, "match", ""));
	(void)snprintf(r->has, sizeof(r->has), "%s", json_z(o, "has", ""));
	(void)snprintf(r->type, sizeof(r->type), "%s", json_z(o, "type", ""));
	r->code = (int)json_i64(o, "code", 0);
	if (r->code != 0 && (r->code < 200 || r->code > 599))
		return err_set(e, -EINVAL, "http rule: code %d is no status", r->code);
	if (json_has(o, "body"))
		r->body = x_asprintf("%s", json_z(o, "body", ""));
	r->headers = header_lines(json_get(o, "headers"));
	return 0;
}

static const struct sb_rule_kind kind = { .what = "http rule",
	.keys = keys,
	.size = sizeof(struct sb_http_rule),
	.max = SB_HTTP_RULES_MAX,
	.pace_at = offsetof(struct sb_http_rule, pace),
	.parse = parse_rule,
	.free = rule_free };

void sb_http_rules_free(struct sb_http *h)
{
	for (size_t i = 0; i < h->n_rules; i++)
		rule_free(&h->rule[i]);
	h->n_rules = 0;
}

int sb_http_rules_load(struct sandbox *s, const cJSON *arr, bool replace, struct err *e)
{
	struct sb_http *h = sb_http_of(s);
	size_t n;
	void *more;
	int rc = sb_rules_read(&kind, arr, replace ? 0 : h->n_rules, &more, &n, e);

	if (rc < 0)
		return rc;
	if (replace) {
		/* an answer under way may still point at its rule */
		for (struct list *l = h->conns.next; l != &h->conns; l = l->next)
			CONTAINER_OF(l, struct sb_hconn, node)->fault = NULL;
		sb_http_rules_free(h);
	}
	memcpy(&h->rule[h->n_rules], more, n * sizeof(h->rule[0]));
	h->n_rules += n;
	free(more);
	return 0;
}
