/* doc_pairs.c - texts per channel kind and options per kind: pairs of (kind, key) and value. Pure.
 * Known kinds have known keys; a kind that the configuration brings along may have any.
 */
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "content/doc_internal.h"

#define TEXT_KEYS_MAX 6

struct text_kind {
	const char *kind;
	const char *keys
		[TEXT_KEYS_MAX]; /* the first takes a plain `kind: "..."`; a leading ! means one line only */
};
static const struct text_kind text_kinds[] = {
	{ "sms", { "text" } },
	{ "facebook", { "text" } },
	{ "zalo", { "text", "!title", "!description", "!author" } },
	{ "email", { "text", "!subject", "!preheader" } },
	{ "person", { "text", "!title" } },
	{ "radio", { "text", "!title" } },
};
enum option_value { OPTION_YES_NO, OPTION_RELEASES };
struct option {
	const char *kind, *key;
	enum option_value value;
};
static const struct option options[] = { { "zalo", "broadcast", OPTION_YES_NO },
	{ "zalo", "with", OPTION_RELEASES }, { "zalo", "comments", OPTION_YES_NO } };

static bool push_pair(struct doc_reader *r, const struct yaml_node *n, struct doc_pairs *ret,
	const char *kind, const char *key, const char *value)
{
	if (ret->n == DOC_PAIRS_MAX) {
		doc_fault(r, n, key, "more than %d texts or options", DOC_PAIRS_MAX);
		return false;
	}
	ret->v[ret->n++] = (struct doc_pair){ doc_arena_str(r->arena, str_of(kind)),
		doc_arena_str(r->arena, str_of(key)), value, n->line + (n->block ? 1 : 0) };
	return true;
}

static const struct text_kind *find_text_kind(const char *kind)
{
	for (size_t i = 0; i < ARRAY_LEN(text_kinds); i++) {
		if (strcmp(text_kinds[i].kind, kind) == 0)
			return &text_kinds[i];
	}
	return NULL;
}

static void read_text_value(struct doc_reader *r, const struct yaml_node *n, struct doc_pairs *ret,
	const char *kind, const char *key, bool one_line)
{
	char field[80];
	const char *value = NULL;
	(void)snprintf(field, sizeof(field), "%s.%s", kind, key);
	struct doc_key k = { .name = field, .limit = one_line ? DOC_LINE_MAX : 64u << 10 };
	(one_line ? doc_read_line : doc_read_text)(r, n, &k, &value);
	if (value != NULL)
		(void)push_pair(r, n, ret, kind, key, value);
}

static void read_text_map(struct doc_reader *r, const struct yaml_node *map, struct doc_pairs *ret,
	const struct text_kind *t)
{
	for (const struct yaml_node *c = map->first; c != NULL; c = c->next) {
		const char *names[TEXT_KEYS_MAX];
		size_t n = 0;
		bool found = t == NULL ||
			r->rebuild; /* what was taken once is read again, whatever is refused since */
		bool one_line = t == NULL &&
			(strcmp(c->key, "title") == 0 || strcmp(c->key, "subject") == 0);
		for (; t != NULL && n < TEXT_KEYS_MAX && t->keys[n] != NULL; n++) {
			bool line = t->keys[n][0] == '!';
			names[n] = t->keys[n] + (line ? 1 : 0);
			if (strcmp(names[n], c->key) == 0) {
				found = true;
				one_line = line;
			}
		}
		if (found) {
			read_text_value(r, c, ret, map->key, c->key, one_line);
			continue;
		}
		char says[300], field[80];
		(void)snprintf(field, sizeof(field), "%.38s.%.38s", map->key, c->key);
		struct yaml_node at = { .line = c->key_line };
		doc_fault(r, &at, field, "unknown key '%s'%s", c->key,
			doc_suggest(says, sizeof(says), str_of(c->key), names, n));
	}
}

static void refuse_kind(struct doc_reader *r, const struct yaml_node *c)
{
	const char *names[DOC_KINDS_MAX + 1];
	char says[400];
	size_t n = doc_kind_names(r, names, DOC_KINDS_MAX);
	names[n++] = "radio";
	struct yaml_node at = { .line = c->key_line };
	doc_fault(r, &at, c->key, "unknown channel kind '%s'%s", c->key,
		doc_suggest(says, sizeof(says), str_of(c->key), names, n));
}

void doc_texts_read(struct doc_reader *r, const struct yaml_node *map, struct doc_pairs *ret)
{
	size_t len = strlen(r->path);
	if (map->type != YAML_MAP) {
		doc_fault(r, map, "text", "must be a map of channel kinds: text: {sms: \"...\"}");
		return;
	}
	(void)snprintf(r->path + len, sizeof(r->path) - len, "text.");
	for (const struct yaml_node *c = map->first; c != NULL; c = c->next) {
		const struct text_kind *t = find_text_kind(c->key);
		if (t == NULL && !doc_kind_known(r, str_of(c->key)))
			refuse_kind(r, c);
		else if (c->type == YAML_MAP)
			read_text_map(r, c, ret, t);
		else
			read_text_value(r, c, ret, c->key, t == NULL ? "text" : t->keys[0], false);
	}
	r->path[len] = '\0';
}

static const struct option *find_option(const char *kind, const char *key)
{
	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		if (strcmp(options[i].kind, kind) == 0 && strcmp(options[i].key, key) == 0)
			return &options[i];
	}
	return NULL;
}

static void refuse_option(struct doc_reader *r, const struct yaml_node *c, const char *kind)
{
	const char *names[ARRAY_LEN(options)];
	char says[300];
	size_t n = 0;
	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		if (strcmp(options[i].kind, kind) == 0)
			names[n++] = options[i].key;
	}
	struct yaml_node at = { .line = c->key_line };
	if (n == 0)
		doc_fault(r, &at, c->key,
			"unknown option '%s'; %s has none here, its texts stand under text: {%s: ...}",
			c->key, kind, kind);
	else
		doc_fault(r, &at, c->key, "unknown option '%s'%s", c->key,
			doc_suggest(says, sizeof(says), str_of(c->key), names, n));
}

/* One code or a list of them, kept as "A, B": that is how it stands in the manifest, too. */
static const char *read_releases(struct doc_reader *r, const struct yaml_node *n)
{
	char all[DOC_LINE_MAX];
	size_t used = 0, count = 0;
	if (n->type == YAML_MAP || (n->type == YAML_LIST && n->n == 0)) {
		doc_fault(r, n, n->key, "codes of releases are wanted here: with: [TTBC-2026-110]");
		return NULL;
	}
	for (const struct yaml_node *c = n->type == YAML_LIST ? n->first : n; c != NULL;
		c = n->type == YAML_LIST ? c->next : NULL) {
		const char *code = doc_line_of(r, c, n->key, DOC_CODE_MAX + 5);
		if (code == NULL)
			return NULL;
		if (code[0] == '\0' || strpbrk(code, ", ") != NULL) {
			doc_fault(r, c, n->key, "'%s' is no code of a release", code);
			return NULL;
		}
		if (++count >= BROADCAST_ARTICLES) {
			doc_fault(r, c, n->key,
				"a broadcast carries at most %d articles: this release's and %d others",
				BROADCAST_ARTICLES, BROADCAST_ARTICLES - 1);
			return NULL;
		}
		int k = snprintf(all + used, sizeof(all) - used, "%s%s", used ? ", " : "", code);
		used += k > 0 ? (size_t)k : 0; /* four codes: there is room */
	}
	return doc_arena_str(r->arena, (struct str){ all, used });
}

static void read_option(struct doc_reader *r, const struct yaml_node *c, const char *kind, bool any)
{
	const struct option *o = find_option(kind, c->key);
	const char *value = NULL;
	bool yes = false;
	if (o == NULL && !any) {
		refuse_option(r, c, kind);
		return;
	}
	if (o != NULL && o->value == OPTION_RELEASES) {
		value = read_releases(r, c);
	} else if (o != NULL) {
		if (doc_bool_of(c, &yes))
			value = yes ? "yes" : "no";
		else
			doc_fault(r, c, c->key, "'" STR_FMT "' is neither yes nor no",
				STR_ARG(c->text));
	} else {
		value = doc_line_of(r, c, c->key, 0);
	}
	if (value != NULL)
		(void)push_pair(r, c, &r->doc->options, kind, c->key, value);
}

bool doc_options_read(struct doc_reader *r, const struct yaml_node *n)
{
	size_t len = strlen(r->path);
	if (!doc_kind_known(r, str_of(n->key)))
		return false;
	if (n->type != YAML_MAP) {
		doc_fault(r, n, n->key,
			"must be a map of options; the text for this kind stands under text: {%s: ...}",
			n->key);
		return true;
	}
	bool any = chan_kind_parse(str_of(n->key)) < 0 || r->rebuild;
	(void)snprintf(r->path + len, sizeof(r->path) - len, "%.40s.", n->key);
	for (const struct yaml_node *c = n->first; c != NULL; c = c->next)
		read_option(r, c, n->key, any);
	r->path[len] = '\0';
	return true;
}
