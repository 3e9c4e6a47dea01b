/* doc_cast.c - `zalo: {broadcast: yes}` makes a part of its own behind each public part with articles: PART.broadcast. Pure.
 * It goes to the same audiences, lives as long, starts with that part, and each of its deliveries waits for the article of its
 * own account.
 * Failures: problems that name the line of the option.
 */
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "content/doc_internal.h"

static const struct doc_pair *option_of(const struct release_doc *d, const char *key)
{
	const char *kind = chan_kind_name(BROADCAST_KIND);
	for (size_t i = 0; i < d->options.n; i++) {
		const struct doc_pair *p = &d->options.v[i];
		if (strcmp(p->kind, kind) == 0 && strcmp(p->key, key) == 0)
			return p;
	}
	return NULL;
}

static void tell(struct doc_reader *r, enum problem_severity severity, const struct doc_pair *at,
	const char *text)
{
	char field[64];
	(void)snprintf(field, sizeof(field), "%.20s.%.30s", at->kind, at->key);
	problem_add(r->p, severity, r->file, at->line, field, "%s", text);
}

/* Articles that anybody may read: what is internal or goes out ahead under embargo is told to nobody. */
static bool has_articles(const struct doc_part *p)
{
	if (p->internal || p->embargo.kind != WHEN_NONE)
		return false;
	for (size_t i = 0; i < p->n_channels; i++) {
		if (strcmp(p->channels[i], chan_kind_name(BROADCAST_KIND)) == 0)
			return true;
	}
	return false;
}

static struct doc_part cast_of(struct doc_reader *r, const struct doc_part *of, int line)
{
	char name[DOC_NAME_MAX + 16];
	struct doc_part p = { .line = line,
		.after = of->name,
		.after_index = -1,
		.n_to = of->n_to,
		.n_channels = 1,
		.channels = { chan_kind_name(BROADCAST_KIND) },
		.expires = of->expires,
		.window_ms = of->window_ms,
		.late_after_ms = of->late_after_ms,
		.late = of->late,
		.max_cost = -1,
		.attach_set = true,
		.priority = of->priority,
		.broadcast = true };
	memcpy(p.to, of->to, sizeof(p.to));
	(void)snprintf(name, sizeof(name), "%.*s.broadcast", DOC_NAME_MAX, of->name);
	p.name = doc_arena_str(r->arena, str_of(name));
	return p;
}

void doc_cast_parts(struct doc_reader *r)
{
	struct release_doc *d = r->doc;
	const struct doc_pair *want = option_of(d, "broadcast"), *with = option_of(d, "with");
	size_t own = d->n_parts, n = 0;
	bool yes = want != NULL && strcmp(want->value, "yes") == 0;
	if (with != NULL && !yes)
		tell(r, PROBLEM_ERROR, with,
			"further articles go with a broadcast: write broadcast: yes beside it");
	if (!yes)
		return;
	for (size_t i = 0; i < own; i++)
		n += has_articles(&d->parts[i]);
	if (n == 0) {
		tell(r, PROBLEM_WARNING, want,
			"nothing is broadcast: no part has zalo among its channels, or only such that are internal or under embargo");
		return;
	}
	if (own + n > DOC_PARTS_MAX) {
		tell(r, PROBLEM_ERROR, want,
			"with the broadcasts there would be too many parts; make fewer");
		return;
	}
	struct doc_part *v = doc_arena_alloc(r->arena, (own + n) * sizeof(*v));
	if (v == NULL)
		return;
	memcpy(v, d->parts, own * sizeof(*v));
	for (size_t i = 0, at = own; i < own; i++) {
		if (!has_articles(&v[i]))
			continue;
		v[at] = cast_of(r, &v[i], want->line);
		for (size_t k = 0; k < own; k++)
			if (strcmp(v[k].name, v[at].name) == 0)
				tell(r, PROBLEM_ERROR, want,
					"the broadcast of a part is called PART.broadcast; give the part that has this name another one");
		at++;
	}
	d->parts = v;
	d->n_parts = own + n;
}

bool release_doc_with(const struct release_doc *d, size_t i, char *ret, int *ret_line)
{
	const struct doc_pair *with = option_of(d, "with");
	struct str rest = str_of(with == NULL ? "" : with->value), one;
	while (str_next(&rest, ',', &one)) {
		one = str_trim(one);
		if (one.n > 0 && i-- == 0) {
			*ret_line = with->line;
			return str_copy(ret, DOC_LINE_MAX, one);
		}
	}
	return false;
}
