/* scripted_sink.c - the pure side of the scripted host: collects what prepare, compose and address hand out.
 * Owns: what struct sh_made holds, until sh_made_done. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "scripted_host.h"

static void add(struct sh_text *t, const void *p, size_t n)
{
	if (t->n + n + 1 > t->cap) {
		t->cap = (t->n + n + 1) * 2;
		t->p = realloc(t->p, t->cap);
		if (t->p == NULL)
			abort();
	}
	if (n > 0)
		memcpy(t->p + t->n, p, n);
	t->n += n;
	t->p[t->n] = '\0';
}

static void lines64(struct sh_text *out, const unsigned char *u, size_t n)
{
	static const char abc[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < n; i += 3) {
		unsigned v = (unsigned)u[i] << 16 | (i + 1 < n ? (unsigned)u[i + 1] << 8 : 0) |
			(i + 2 < n ? u[i + 2] : 0u);
		char c[4] = { abc[v >> 18], abc[v >> 12 & 63], i + 1 < n ? abc[v >> 6 & 63] : '=',
			i + 2 < n ? abc[v & 63] : '=' };
		add(out, c, 4);
		if (i % 57 == 54 || i + 3 >= n)
			add(out, "\r\n", 2);
	}
}

static int m_add(void *ctx, const struct lt_src *s)
{
	struct sh_made *m = ctx;
	struct sh_text *to = m->composing ? &m->filled : &m->text;

	if (s->bytes.p != NULL) {
		add(to, s->bytes.p, s->bytes.n);
		return 0;
	}
	for (size_t i = 0; m->h != NULL && i < m->h->n_assets; i++) {
		const struct lt_pair *a = &m->h->assets[i];
		if (a->name.n != s->asset.n || memcmp(a->name.p, s->asset.p, a->name.n) != 0)
			continue;
		if (s->encode == LT_BASE64_LINES)
			lines64(to, (const unsigned char *)a->value.p, a->value.n);
		else
			add(to, a->value.p, a->value.n);
		return 0;
	}
	return -LT_E_INVALID;
}

static int m_hole(void *ctx, uint32_t id)
{
	struct sh_made *m = ctx;
	char h[3] = { 2, (char)(id + '0'), 3 };

	m->n_holes++;
	add(&m->text, h, 3);
	return 0;
}

static int m_note(void *ctx, struct lt_str s)
{
	add(&((struct sh_made *)ctx)->note, s.p, s.n);
	return 0;
}

static int m_rendition(void *ctx, struct lt_str asset, struct lt_str spec, struct lt_str *ret)
{
	(void)ctx;
	(void)spec;
	*ret = asset;
	return 0;
}

static int m_preview(void *ctx, struct lt_str s)
{
	add(&((struct sh_made *)ctx)->preview, s.p, s.n);
	return 0;
}

static int m_problem(void *ctx, int32_t severity, struct lt_str field, struct lt_str text)
{
	struct sh_made *m = ctx;
	char line[600];
	int n = snprintf(line, sizeof(line), "%d %.*s: %.*s\n", severity, (int)field.n, field.p,
		(int)text.n, text.p);

	m->n_problems++;
	add(&m->problems, line,
		n < 0                              ? 0
			: (size_t)n < sizeof(line) ? (size_t)n
						   : sizeof(line) - 1);
	return 0;
}

static int m_tell(void *ctx, struct lt_str name, struct lt_str value)
{
	struct sh_made *m = ctx;

	if (m->n_told == 8)
		return -LT_E_FULL;
	(void)snprintf(m->told[m->n_told][0], 320, "%.*s", (int)name.n, name.p);
	(void)snprintf(m->told[m->n_told++][1], 320, "%.*s", (int)value.n, value.p);
	return 0;
}

static int m_fact(void *ctx, struct lt_str name, int64_t value)
{
	struct sh_made *m = ctx;

	if (m->n_facts == SH_FACTS_MAX)
		return -LT_E_FULL;
	(void)snprintf(m->facts[m->n_facts].name, 32, "%.*s", (int)name.n, name.p);
	m->facts[m->n_facts++].value = value;
	return 0;
}

void sh_made_init(struct sh_made *m, struct sh *h)
{
	memset(m, 0, sizeof(*m));
	m->h = h;
	if (h != NULL)
		h->conf = (struct lt_conf){ .struct_size = sizeof(h->conf),
			.values = h->values,
			.n_values = h->n_values,
			.files = h->files,
			.n_files = h->n_files };
	m->sink = (struct lt_sink){ .struct_size = sizeof(m->sink),
		.ctx = m,
		.add = m_add,
		.hole = m_hole,
		.note = m_note,
		.need_rendition = m_rendition,
		.preview = m_preview,
		.problem = m_problem,
		.tell = m_tell,
		.fact = m_fact };
	add(&m->text, "", 0);
	add(&m->note, "", 0);
	add(&m->preview, "", 0);
	add(&m->problems, "", 0);
}

void sh_made_done(struct sh_made *m)
{
	free(m->text.p);
	free(m->note.p);
	free(m->preview.p);
	free(m->problems.p);
	free(m->filled.p);
	memset(m, 0, sizeof(*m));
}

const char *sh_told(const struct sh_made *m, const char *name)
{
	for (size_t i = 0; i < m->n_told; i++)
		if (strcmp(m->told[i][0], name) == 0)
			return m->told[i][1];
	return "";
}

int64_t sh_fact(const struct sh_made *m, const char *name, int64_t otherwise)
{
	for (size_t i = 0; i < m->n_facts; i++)
		if (strcmp(m->facts[i].name, name) == 0)
			return m->facts[i].value;
	return otherwise;
}

char *sh_compose(struct sh_made *m, const struct lt_target *t, size_t *ret_n)
{
	struct sh_text out = { 0 };
	struct lt_str note = { m->note.p, m->note.n };
	int rc = 0;

	add(&out, "", 0);
	m->composing = true;
	for (size_t i = 0; i < m->text.n && rc >= 0; i++) {
		if (m->text.p[i] != 2 || i + 2 >= m->text.n) {
			add(&out, m->text.p + i, 1);
			continue;
		}
		m->filled.n = 0;
		rc = m->h->adapter->compose(
			&m->h->conf, note, t, (uint32_t)(m->text.p[i + 1] - '0'), &m->sink);
		add(&out, m->filled.p, m->filled.n);
		i += 2;
	}
	m->composing = false;
	if (rc < 0) {
		free(out.p);
		return NULL;
	}
	if (ret_n != NULL)
		*ret_n = out.n;
	return out.p;
}
