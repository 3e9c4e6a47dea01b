/* sms_template.c - a text against the registered templates of its brandname, and which one is nearest when none fits.
 * A field is tried at its shortest first; the search gives up after STEPS_MAX trials, which no honest template needs.
 * Thread: any, pure. Owns: nothing; two small arrays on the stack. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "sms_template.h"
#include "sms_tsv.h"

#define STEPS_MAX 20000
#define WORDS_MAX 200
#define FIXED_MAX 2000

static const char header[] = "gateway\tbrandname\tid\tclass\tstatus\tvalid_to\ttext\tnote";
enum { GATEWAY, BRAND, ID, CLASS, STATUS, VALID, TEXT };

/* One character of a template, or a field. */
struct piece {
	bool field;
	uint32_t max; /* characters of a field */
	char c;       /* byte of fixed text */
	size_t n;     /* bytes of the template that it takes */
};

static struct piece piece_at(struct lt_str t, size_t at)
{
	struct piece p = { .c = t.p[at], .n = 1, .max = 1000 };

	if (t.p[at] == '\\' && at + 1 < t.n) {
		char c = t.p[at + 1];
		p.c = c == 'n' ? '\n' : c == 't' ? '\t' : c;
		p.n = 2;
	} else if (t.p[at] == '{') {
		const char *end = memchr(t.p + at, '}', t.n - at);
		if (end == NULL)
			return p;
		struct lt_str name = { t.p + at + 1, (size_t)(end - t.p) - at - 1 };
		const char *colon = memchr(name.p, ':', name.n);
		int64_t max;
		p.field = true;
		p.n = name.n + 2;
		if (colon != NULL &&
			ltc_i64(ltc_from(name, (size_t)(colon - name.p) + 1), 1, 1000, &max) == 0)
			p.max = (uint32_t)max;
	}
	return p;
}

struct match {
	struct lt_str t, s;
	struct sms_template_hit *hit;
	int steps;
};

static size_t char_len(struct lt_str s, size_t at)
{
	size_t n = 1;

	while (at + n < s.n && ((unsigned char)s.p[at + n] & 0xc0) == 0x80)
		n++;
	return n;
}

/* Depth is bounded by the number of fields: fixed text is walked in place. */
static bool match_from(
	struct match *m, size_t ti, size_t si, uint32_t field) /* NOLINT(misc-no-recursion) */
{
	while (ti < m->t.n) {
		struct piece p = piece_at(m->t, ti);
		if (!p.field) {
			if (si >= m->s.n || m->s.p[si] != p.c)
				return false;
			si++;
			ti += p.n;
			continue;
		}
		if (field >= SMS_FIELDS_MAX)
			return false;
		size_t end = si;
		for (uint32_t k = 0; k < p.max && end < m->s.n && m->s.p[end] != '\n'; k++) {
			end += char_len(m->s, end);
			if (m->steps++ > STEPS_MAX)
				return false;
			if (!match_from(m, ti + p.n, end, field + 1))
				continue;
			m->hit->fields[field] = (struct lt_str){ m->s.p + si, end - si };
			if (field + 1 > m->hit->n_fields)
				m->hit->n_fields = field + 1;
			return true;
		}
		return false;
	}
	return si == m->s.n;
}

/* --- nearest --------------------------------------------------------------------------------------------------------------- */
struct words {
	struct lt_str w[WORDS_MAX];
	size_t n;
};

static void words_of(struct lt_str s, bool template, struct words *ret)
{
	size_t at = 0;

	ret->n = 0;
	while (ret->n < WORDS_MAX) {
		while (at < s.n && (s.p[at] == ' ' || s.p[at] == '\n' || s.p[at] == '\t'))
			at++;
		if (at >= s.n)
			return;
		size_t from = at;
		while (at < s.n && s.p[at] != ' ' && s.p[at] != '\n' && s.p[at] != '\t') {
			if (template && s.p[at] == '\\' && at + 1 < s.n &&
				(s.p[at + 1] == 'n' || s.p[at + 1] == 't')) {
				if (at > from)
					break;
				at += 2;
				from = at;
				continue;
			}
			at += template ? piece_at(s, at).n : 1;
		}
		if (at > from)
			ret->w[ret->n++] = (struct lt_str){ s.p + from, at - from };
	}
}

static bool has_field(struct lt_str w)
{
	for (size_t i = 0; i < w.n; i += piece_at(w, i).n)
		if (piece_at(w, i).field)
			return true;
	return false;
}

static bool word_fits(struct lt_str t, struct lt_str s)
{
	struct sms_template_hit none = { 0 };
	struct match m = { t, s, &none, 0 };

	return match_from(&m, 0, 0, 0);
}

/* Words that both have in this order; the length of a longest common subsequence. */
static size_t common(const struct words *t, const struct words *s)
{
	uint16_t row[WORDS_MAX + 1] = { 0 };

	for (size_t i = 0; i < t->n; i++) {
		uint16_t diagonal = 0;
		for (size_t k = 0; k < s->n; k++) {
			uint16_t up = row[k + 1];
			if (!has_field(t->w[i]) && word_fits(t->w[i], s->w[k]))
				row[k + 1] = (uint16_t)(diagonal + 1);
			else if (row[k] > up)
				row[k + 1] = row[k];
			diagonal = up;
		}
	}
	return row[s->n];
}

/* Where a field that begins in template word i ends in the text: at the first word that lets the next fixed word follow. */
static size_t field_end(const struct words *t, size_t i, const struct words *s, size_t k)
{
	if (i + 1 >= t->n)
		return s->n;
	for (size_t e = k + 1; e < s->n; e++)
		if (has_field(t->w[i + 1]) || word_fits(t->w[i + 1], s->w[e]))
			return e;
	return k + 1;
}

static void first_difference(
	const struct words *t, const struct words *s, struct sms_template_hit *hit)
{
	size_t i = 0, k = 0;

	while (i < t->n && k < s->n) {
		if (has_field(t->w[i]))
			k = field_end(t, i, s, k);
		else if (word_fits(t->w[i], s->w[k]))
			k++;
		else
			break;
		i++;
	}
	hit->want = i < t->n ? t->w[i] : (struct lt_str){ NULL, 0 };
	hit->got = k < s->n ? s->w[k] : (struct lt_str){ NULL, 0 };
}

static void take_row(const struct sms_rows *r, struct sms_template_hit *hit)
{
	hit->id = r->col[ID];
	hit->class = r->col[CLASS];
	hit->status = r->col[STATUS];
	hit->valid_to = r->col[VALID];
}

static bool applies(const struct sms_rows *r, struct lt_str gateway, struct lt_str brand)
{
	return (ltc_eqz(r->col[GATEWAY], "*") || ltc_eq(r->col[GATEWAY], gateway)) &&
		r->col[BRAND].n == brand.n && ltc_find(brand, r->col[BRAND], true) != NULL;
}

static bool in_force(const struct sms_rows *r, struct lt_str today)
{
	struct lt_str to = r->col[VALID];

	if (!ltc_eqz(r->col[STATUS], "active"))
		return false;
	return today.n != 10 || to.n != 10 || memcmp(to.p, today.p, 10) >= 0;
}

static void find_nearest(struct lt_str table, struct lt_str gateway, struct lt_str brand,
	struct lt_str text, struct sms_template_hit *hit)
{
	struct sms_rows r = sms_rows_of(table);
	struct words t, s;
	size_t best = 0;

	words_of(text, false, &s);
	while (sms_rows_next(&r)) {
		if (!applies(&r, gateway, brand))
			continue;
		words_of(r.col[TEXT], true, &t);
		size_t score = 1 + common(&t, &s) * 2000 / (t.n + s.n + 1);
		if (score <= best)
			continue;
		best = score;
		take_row(&r, hit);
		first_difference(&t, &s, hit);
	}
}

size_t sms_template_match(struct lt_str table, struct lt_str gateway, struct lt_str brandname,
	struct lt_str today, struct lt_str text, struct sms_template_hit *ret)
{
	struct sms_rows r = sms_rows_of(table);
	struct sms_template_hit hit = { 0 };
	size_t n = 0;

	while (sms_rows_next(&r)) {
		struct sms_template_hit h = { 0 };
		struct match m = { r.col[TEXT], text, &h, 0 };
		if (!applies(&r, gateway, brandname))
			continue;
		n++;
		bool good = in_force(&r, today);
		if ((hit.matched && !good) || !match_from(&m, 0, 0, 0))
			continue;
		h.matched = true;
		h.in_force = good;
		take_row(&r, &h);
		hit = h;
		if (good)
			break;
	}
	if (!hit.matched && n > 0)
		find_nearest(table, gateway, brandname, text, &hit);
	*ret = hit;
	return n;
}

bool sms_is_date(struct lt_str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (i == 4 || i == 7 ? s.p[i] != '-' : s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.n == 10;
}

static bool fields_closed(struct lt_str t)
{
	size_t n = 0;

	for (size_t i = 0; i < t.n;) {
		struct piece p = piece_at(t, i);
		if (!p.field && p.n == 1 && p.c == '{')
			return false;
		n += p.field;
		i += p.n;
	}
	return n <= SMS_FIELDS_MAX;
}

int sms_templates_check(struct lt_str table, char *err, size_t err_size)
{
	static const char *const status[] = { "active", "pending", "rejected", "expired" };
	struct sms_rows r = sms_rows_of(table);

	if (sms_rows_check(table, header, err, err_size) < 0)
		return -EINVAL;
	while (sms_rows_next(&r)) {
		bool known = false;
		for (size_t i = 0; i < sizeof(status) / sizeof(status[0]); i++)
			known = known || ltc_eqz(r.col[STATUS], status[i]);
		if (!known)
			return sms_rows_bad(&r, err, err_size, "status", r.col[STATUS],
				"active, pending, rejected or expired");
		if (!ltc_eqz(r.col[VALID], "-") && !sms_is_date(r.col[VALID]))
			return sms_rows_bad(
				&r, err, err_size, "valid_to", r.col[VALID], "YYYY-MM-DD or -");
		if (r.col[TEXT].n == 0 || r.col[TEXT].n > FIXED_MAX || !fields_closed(r.col[TEXT]))
			return sms_rows_bad(&r, err, err_size, "text", r.col[TEXT],
				"a text with fields such as {name}, at most 32 of them; a brace itself is \\{");
		if (ltc_has_control(r.col[ID]) || r.col[ID].n > 60)
			return sms_rows_bad(
				&r, err, err_size, "id", r.col[ID], "at most 60 characters");
	}
	return 0;
}
