/* import_rule.c - audiences and campaigns from YAML: a map from name to what it is. Thread: worker.
 * Failures: unknown keys with the nearest name, offices and regions nobody has; unknown tags and lists are warnings, since their
 * targets may come later.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "base/file.h"
#include "base/json.h"
#include "base/utf8.h"
#include "model/audience.h"
#include "model/when.h"
#include "plan/import_internal.h"

#define YAML_MAX  (4u << 20)
#define RULES_MAX 1000

static const char *file_of(const struct importer *im)
{
	return import_file_name(im->name);
}

#define BAD(im, ln, field, ...) \
	problem_add(&(im)->problems, PROBLEM_ERROR, file_of(im), (ln), (field), __VA_ARGS__)
#define WARN(im, ln, field, ...) \
	problem_add(&(im)->problems, PROBLEM_WARNING, file_of(im), (ln), (field), __VA_ARGS__)

/* "x.yaml:2: a tab": file and line are told apart from the words. */
static const char *behind_place(const char *file, const char *text, int *ret_line)
{
	struct str rest = str_of(text), number;
	int64_t line;
	size_t n = strlen(file);
	if (rest.n <= n || memcmp(text, file, n) != 0 || text[n] != ':')
		return text;
	rest = (struct str){ text + n + 1, rest.n - n - 1 };
	if (!str_next(&rest, ':', &number) || str_i64(number, 0, INT_MAX, &line) < 0 ||
		!str_starts(rest, " "))
		return text;
	*ret_line = (int)line;
	return rest.p + 1;
}

static int tree_read(struct importer *im, struct ynode **ret)
{
	struct buf text CLEANUP_BUF;
	struct err bad = { 0 };
	buf_init(&text, YAML_MAX);
	int rc = file_read(im->path, &text, &im->err);
	if (rc < 0)
		return rc;
	struct str s = buf_str(&text);
	if (str_starts(s, "\xef\xbb\xbf"))
		s = (struct str){ s.p + 3, s.n - 3 };
	if (conf_yaml_parse(file_of(im), s, ret, &bad) < 0) {
		int line = 0;
		const char *said = behind_place(file_of(im), bad.text, &line);
		BAD(im, line, "", "%s", said);
		return -EBADMSG;
	}
	if ((*ret)->kind != YN_MAP || (*ret)->n == 0 || (*ret)->n > RULES_MAX) {
		BAD(im, (*ret)->line, "", "the file is a map from names, at most %d", RULES_MAX);
		return -EBADMSG;
	}
	return 0;
}

static bool name_ok(struct importer *im, const struct ynode *n)
{
	if (!import_code_ok(str_of(n->key)))
		BAD(im, n->line, n->key, "'%.60s' is no name; use a-z, 0-9 and '-'", n->key);
	else if (n->kind != YN_MAP)
		BAD(im, n->line, n->key, "'%.60s' needs keys below it", n->key);
	else
		return true;
	return false;
}

static char *title_of(struct importer *im, const struct ynode *n)
{
	const struct ynode *t = ynode_get(n, "name");
	struct buf b CLEANUP_BUF;
	buf_init(&b, 2048);
	if (t && !ynode_is_null(t) &&
		(t->kind != YN_SCALAR || strlen(t->text) > 500 ||
			str_has_control(str_of(t->text)) || utf8_nfc(&b, str_of(t->text)) < 0))
		BAD(im, t->line, n->key, "'name' is a text of at most 500 bytes, on one line");
	return x_strdup(t && b.n ? buf_z(&b) : n->key);
}

static cJSON *json_of(const struct ynode *n)
{
	if (n->kind == YN_SCALAR)
		return cJSON_CreateString(n->text);
	cJSON *j = n->kind == YN_LIST ? json_arr() : json_obj();
	for (size_t i = 0; i < n->n; i++) {
		if (n->kind == YN_LIST)
			json_add(j, json_of(n->child[i]));
		else
			json_put(j, n->child[i]->key, json_of(n->child[i]));
	}
	return j;
}

/* The keys of the rule, without `name`; broad as a boolean. */
static cJSON *rule_json(struct importer *im, const struct ynode *n)
{
	cJSON *j = json_obj();
	for (size_t i = 0; i < n->n; i++) {
		const struct ynode *k = n->child[i];
		if (!strcmp(k->key, "name"))
			continue;
		if (!strcmp(k->key, "broad") && k->kind == YN_SCALAR &&
			(!strcmp(k->text, "true") || !strcmp(k->text, "yes") ||
				!strcmp(k->text, "false") || !strcmp(k->text, "no")))
			json_put_bool(j, "broad", k->text[0] == 't' || k->text[0] == 'y');
		else
			json_put(j, k->key, json_of(k));
	}
	UNUSED(im);
	return j;
}

static void rule_names(
	struct importer *im, struct store_reader *r, const struct ynode *n, const char *rule)
{
	char errors[300], warnings[300];
	if (rule_unknown(reader_db(r), str_of(rule), errors, sizeof(errors), warnings,
		    sizeof(warnings)) < 0)
		return;
	if (errors[0])
		BAD(im, n->line, n->key,
			"unknown %s; import the offices first, or correct the name", errors);
	if (warnings[0])
		WARN(im, n->line, n->key, "nothing has %s yet", warnings);
}

static void rule_read(
	struct importer *im, struct store_reader *r, const struct ynode *n, struct rule_in *ret)
{
	cJSON *j CLEANUP_JSON = rule_json(im, n);
	CLEANUP(audience_free) struct audience *a = NULL;
	struct buf b CLEANUP_BUF;
	struct err e = { 0 };
	buf_init(&b, 1u << 20);
	*ret = (struct rule_in){ .name = x_strdup(n->key), .title = title_of(im, n) };
	int rc = audience_from_json(j, &a, &e);
	if (rc == 0)
		rc = audience_to_json(a, &b);
	if (rc < 0)
		BAD(im, n->line, n->key, "%s", e.text[0] ? e.text : "the rule is too long");
	else
		rule_names(im, r, n, buf_z(&b));
	ret->rule = x_strdup(buf_z(&b));
}

int import_rules_read(struct importer *im)
{
	CLEANUP(ynode_free) struct ynode *top = NULL;
	struct store_reader *r = NULL;
	int rc = tree_read(im, &top);
	if (rc == 0)
		rc = store_reader_get(im->o.store, &r);
	if (rc < 0)
		return rc;
	im->rules = x_calloc(top->n, sizeof(*im->rules));
	rc = reader_begin(r);
	for (size_t i = 0; i < top->n && rc == 0; i++)
		if (name_ok(im, top->child[i]))
			rule_read(im, r, top->child[i], &im->rules[im->n++]);
	if (rc == 0)
		reader_end(r);
	store_reader_put(im->o.store, r);
	return rc;
}

static int64_t day_of(struct importer *im, const struct ynode *n, const char *key, bool end)
{
	const struct ynode *d = ynode_get(n, key);
	struct civil c = { 0 };
	struct err e;
	if (!d || d->kind != YN_SCALAR) {
		BAD(im, d ? d->line : n->line, n->key, "'%s' is a date such as 2026-10-20", key);
		return 0;
	}
	if (when_parse_date(str_of(d->text), &c, &e) < 0) {
		BAD(im, d->line, n->key, "'%s' is a date such as 2026-10-20, not '%.40s'", key,
			d->text);
		return 0;
	}
	return civil_to_ms(&c, &im->conf->zone) + (end ? WHEN_DAY_MS - 1 : 0);
}

static void campaign_read(struct importer *im, const struct ynode *n, struct campaign_in *ret)
{
	static const char *const keys[] = { "name", "from", "to", "priority" };
	for (size_t i = 0; i < n->n; i++) {
		size_t k = 0;
		while (k < ARRAY_LEN(keys) && strcmp(n->child[i]->key, keys[k]) != 0)
			k++;
		const char *near = k < ARRAY_LEN(keys)
			? NULL
			: str_nearest(str_of(n->child[i]->key), keys, ARRAY_LEN(keys));
		if (k == ARRAY_LEN(keys))
			BAD(im, n->child[i]->line, n->key, "unknown key '%.60s'; %s%s",
				n->child[i]->key,
				near ? "did you mean " : "known are name, from, to, priority",
				near ? near : "");
	}
	const struct ynode *prio = ynode_get(n, "priority");
	*ret = (struct campaign_in){ .name = x_strdup(n->key),
		.title = title_of(im, n),
		.first = day_of(im, n, "from", false),
		.last = day_of(im, n, "to", true),
		.prio = PRIO_NORMAL };
	const char *word = prio && prio->kind == YN_SCALAR ? prio->text : "";
	if (prio)
		ret->prio = prio_parse(str_of(word));
	if (prio && ret->prio < 0)
		BAD(im, prio->line, n->key, "'priority' is urgent, normal or bulk, not '%.40s'",
			word);
	if (ret->first && ret->last && ret->last < ret->first)
		BAD(im, n->line, n->key, "ends before it begins");
}

int import_campaigns_read(struct importer *im)
{
	CLEANUP(ynode_free) struct ynode *top = NULL;
	int rc = tree_read(im, &top);
	if (rc < 0)
		return rc;
	im->campaigns = x_calloc(top->n, sizeof(*im->campaigns));
	for (size_t i = 0; i < top->n; i++)
		if (name_ok(im, top->child[i]))
			campaign_read(im, top->child[i], &im->campaigns[im->n++]);
	return 0;
}

void import_small_free(struct importer *im)
{
	for (size_t i = 0; i < im->n; i++) {
		if (im->offices) {
			const struct office_in *o = &im->offices[i];
			const char *const own[] = { o->code, o->parent, o->ord, o->region, o->lang,
				o->vars, o->replaced_by };
			for (size_t k = 0; k < ARRAY_LEN(own); k++)
				xfree(own[k]);
		} else if (im->rules) {
			xfree(im->rules[i].name);
			xfree(im->rules[i].title);
			xfree(im->rules[i].rule);
		} else if (im->campaigns) {
			xfree(im->campaigns[i].name);
			xfree(im->campaigns[i].title);
		}
	}
	free(im->offices);
	free(im->rules);
	free(im->campaigns);
}
