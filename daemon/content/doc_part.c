/* doc_part.c - the parts of a release: audiences, channels, times, attachments. Pure. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "content/doc_internal.h"

struct doc_part_in {
	struct doc_part part;
	const struct yaml_node *to, *channels, *attach, *expires;
	int late, priority;
};

static const struct doc_word late_words[] = { { "send", LATE_SEND }, { "hold", LATE_HOLD },
	{ "drop", LATE_SKIP }, { "skip", LATE_SKIP }, { NULL, 0 } };
static const struct doc_word priority_words[] = { { "urgent", PRIO_URGENT },
	{ "normal", PRIO_NORMAL }, { "bulk", PRIO_BULK }, { NULL, 0 } };
static const struct doc_word go_words[] = { { "signal", 1 }, { NULL, 0 } };

static void read_go(
	struct doc_reader *r, const struct yaml_node *n, const struct doc_key *k, void *dst)
{
	int v = 0;
	doc_read_word(r, n, k, &v);
	*(bool *)dst = v == 1;
}

static void read_cost(
	struct doc_reader *r, const struct yaml_node *n, const struct doc_key *k, void *dst)
{
	const char *z = doc_line_of(r, n, k->name, 20);
	if (z != NULL && str_i64(str_of(z), 0, INT64_C(1000000000000), dst) < 0)
		doc_fault(
			r, n, k->name, "'%s' is no amount; write a whole number such as 500000", z);
}

static void read_positive(
	struct doc_reader *r, const struct yaml_node *n, const struct doc_key *k, void *dst)
{
	int64_t ms = -1;
	doc_read_duration(r, n, k, &ms);
	if (ms == 0)
		doc_fault(r, n, k->name, "must be longer than 0s");
	else if (ms > 0)
		*(int64_t *)dst = ms;
}

#define ROW(name, fn, member, arg)                                     \
	{                                                              \
		name, fn, offsetof(struct doc_part_in, member), arg, 0 \
	}
static const struct doc_key part_keys[] = {
	ROW("to", doc_read_node, to, NULL),
	ROW("channels", doc_read_node, channels, NULL),
	ROW("at", doc_read_when, part.at, NULL),
	ROW("embargo", doc_read_when, part.embargo, NULL),
	ROW("after", doc_read_name, part.after, NULL),
	ROW("go", read_go, part.go_signal, go_words),
	ROW("needs_link", doc_read_bool, part.needs_link, NULL),
	ROW("window", read_positive, part.window_ms, NULL),
	ROW("spread", doc_read_duration, part.spread_ms, NULL),
	ROW("jitter", doc_read_duration, part.jitter_ms, NULL),
	ROW("expires", doc_read_when, part.expires, NULL),
	ROW("attach", doc_read_node, attach, NULL),
	ROW("internal", doc_read_bool, part.internal, NULL),
	ROW("again", doc_read_bool, part.again, NULL),
	ROW("late", doc_read_word, late, late_words),
	ROW("late_after", doc_read_duration, part.late_after_ms, NULL),
	ROW("max_cost", read_cost, part.max_cost, NULL),
	ROW("priority", doc_read_word, priority, priority_words),
};

struct doc_part_in *doc_part_in_new(struct doc_reader *r)
{
	struct doc_part_in *in = doc_arena_alloc(r->arena, sizeof(*in));
	if (in == NULL)
		return NULL;
	in->late = LATE_HOLD;
	in->priority = -1;
	in->part.name = in->part.after = "";
	in->part.after_index = -1;
	in->part.window_ms = DOC_WINDOW_MS;
	in->part.late_after_ms = WHEN_HOUR_MS;
	in->part.max_cost = -1;
	in->part.expires = (struct when){ WHEN_AFTER_DURATION, DOC_EXPIRES_MS };
	return in;
}

static void note_line(struct doc_part *p, const struct yaml_node *n)
{
	const struct {
		const char *key;
		int *line;
	} lines[] = { { "at", &p->line_at }, { "after", &p->line_after },
		{ "embargo", &p->line_embargo }, { "expires", &p->line_expires },
		{ "needs_link", &p->line_link } };
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		if (strcmp(lines[i].key, n->key) == 0)
			*lines[i].line = n->line;
	}
}

bool doc_part_read_key(struct doc_reader *r, const struct yaml_node *n, struct doc_part_in *in)
{
	const struct doc_key *k = doc_find_key(part_keys, ARRAY_LEN(part_keys), n->key);
	if (k == NULL || strcmp(k->name, "after") == 0)
		return false;
	k->read(r, n, k, (char *)in + k->offset);
	note_line(&in->part, n);
	return true;
}

static bool add_name(struct doc_reader *r, const struct yaml_node *n, const char *field,
	const char **v, size_t *count)
{
	const char *z = NULL;
	struct doc_key k = { .name = field };
	doc_read_name(r, n, &k, &z);
	if (z == NULL)
		return true;
	for (size_t i = 0; i < *count; i++) {
		if (strcmp(v[i], z) == 0) {
			doc_fault(r, n, field, "'%s' stands here twice", z);
			return true;
		}
	}
	if (*count == DOC_NAMES_MAX) {
		doc_fault(r, n, field, "more than %d names", DOC_NAMES_MAX);
		return false;
	}
	v[(*count)++] = z;
	return true;
}

static void read_names(struct doc_reader *r, const struct yaml_node *n, const char *field,
	const char **v, size_t *count)
{
	if (n->type == YAML_TEXT) {
		(void)add_name(r, n, field, v, count);
		return;
	}
	if (n->type == YAML_MAP || n->n == 0) {
		doc_fault(r, n, field, "a name or a list [a, b] is wanted here");
		return;
	}
	for (const struct yaml_node *c = n->first; c != NULL; c = c->next) {
		if (!add_name(r, c, field, v, count))
			return;
	}
}

static void check_kinds(struct doc_reader *r, const struct yaml_node *n, const struct doc_part *p)
{
	const char *names[DOC_KINDS_MAX];
	char says[400];
	size_t k = doc_kind_names(r, names, DOC_KINDS_MAX);
	for (size_t i = 0; i < p->n_channels; i++) {
		if (!doc_kind_known(r, str_of(p->channels[i])))
			doc_fault(r, n, "channels", "unknown channel kind '%s'%s", p->channels[i],
				doc_suggest(says, sizeof(says), str_of(p->channels[i]), names, k));
	}
}

static void read_attach(struct doc_reader *r, const struct yaml_node *n, struct doc_part *p)
{
	const struct yaml_node *c = n->type == YAML_LIST ? n->first : n;
	p->attach_set = true;
	for (; c != NULL; c = n->type == YAML_LIST ? c->next : NULL) {
		int i = doc_asset_attach(r, c, "attach");
		if (i < 0)
			continue;
		const struct doc_asset *a = &r->doc->assets[i];
		for (size_t k = 0; k < p->n_attach; k++) {
			if (p->attach[k] == i)
				doc_fault(r, c, "attach", "'%.200s' stands here twice", a->file);
		}
		if (a->internal && !p->internal)
			doc_fault(r, c, "attach",
				"'%.200s' is internal, this part is not; take it out or mark the part internal: true",
				a->file);
		if (p->n_attach == DOC_NAMES_MAX) {
			doc_fault(r, c, "attach", "more than %d files", DOC_NAMES_MAX);
			return;
		}
		p->attach[p->n_attach++] = i;
	}
}

/* What stands in nodes, now that all plain fields and all assets are known. */
static void finish_part(struct doc_reader *r, struct doc_part_in *in, int line)
{
	struct doc_part *p = &in->part;
	struct yaml_node at = { .line = line };
	if (in->to != NULL)
		read_names(r, in->to, "to", p->to, &p->n_to);
	else
		doc_fault(r, &at, "to", "is missing: name an audience");
	if (in->channels != NULL) {
		read_names(r, in->channels, "channels", p->channels, &p->n_channels);
		check_kinds(r, in->channels, p);
	} else {
		doc_fault(r, &at, "channels", "is missing: name the kinds, such as [email]");
	}
	if (in->attach != NULL)
		read_attach(r, in->attach, p);
	p->line = line;
	p->late = (enum late_policy)in->late;
	p->priority = in->priority < 0 ? r->doc->priority : (enum prio)in->priority;
}

static void read_part(struct doc_reader *r, const struct yaml_node *n)
{
	size_t len = strlen(r->path);
	struct yaml_node at = { .line = n->key_line };
	struct doc_part_in *in = doc_part_in_new(r);
	if (in == NULL)
		return;
	if (!doc_name_ok(str_of(n->key), DOC_NAME_MAX)) {
		doc_fault(r, &at, "parts",
			"'%.80s' is no name for a part: a-z, 0-9, - and _ only, at most %d characters",
			n->key, DOC_NAME_MAX);
		return;
	}
	if (n->type != YAML_MAP) {
		doc_fault(r, n, "parts", "part '%s' must be a map: {to: ..., channels: [...]}",
			n->key);
		return;
	}
	(void)snprintf(r->path + len, sizeof(r->path) - len, "parts.%.40s.", n->key);
	in->part.name = n->key;
	doc_read_map(r, n, part_keys, ARRAY_LEN(part_keys), in, NULL, NULL);
	for (const struct yaml_node *c = n->first; c != NULL; c = c->next)
		note_line(&in->part, c);
	finish_part(r, in, n->key_line);
	r->path[len] = '\0';
	r->doc->parts[r->doc->n_parts++] = in->part;
}

void doc_parts_read(struct doc_reader *r, const struct yaml_node *parts, struct doc_part_in *single,
	int single_line)
{
	struct release_doc *d = r->doc;
	if (parts != NULL && (parts->type != YAML_MAP || parts->n == 0)) {
		doc_fault(r, parts, "parts",
			"must be a map of parts: name, then {to: ..., channels: [...]}");
		return;
	}
	size_t n = parts == NULL ? 1 : parts->n;
	if (n > DOC_PARTS_MAX) {
		doc_fault(r, parts, "parts", "%zu parts; at most %d", n, (int)DOC_PARTS_MAX);
		return;
	}
	d->parts = doc_arena_alloc(r->arena, n * sizeof(*d->parts));
	if (d->parts == NULL)
		return;
	if (parts == NULL) {
		single->part.name = "main";
		finish_part(r, single, single_line);
		d->parts[d->n_parts++] = single->part;
		return;
	}
	for (const struct yaml_node *c = parts->first; c != NULL; c = c->next)
		read_part(r, c);
}
