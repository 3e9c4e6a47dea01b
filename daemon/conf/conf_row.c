/* conf_row.c - readers of single values. Thread: any. Every refusal names file, line, key, value and what would be right. */
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "conf/conf_row.h"
#include "base/assert.h"
#include "base/utf8.h"
#include "model/when.h"

#define LIST_MAX 10000

/* From 1. */
static size_t place_in_list(const struct ynode *v)
{
	size_t i = 0;
	while (i < v->up->n && v->up->child[i] != v)
		i++;
	return i + 1;
}

int conf_bad(struct conf_ctx *cx, const struct ynode *v, const char *fmt, ...)
{
	char text[ERR_TEXT_MAX];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	char entry[24] = "";
	const struct ynode *named = v;
	if (!v->key && v->up) { /* in a list: the list has the name */
		(void)snprintf(entry, sizeof(entry), "[%zu]", place_in_list(v));
		named = v->up;
	}
	return err_set(cx->e, -EINVAL, "%s:%d: %s%s%s%.300s", cx->file, v->line,
		named->key ? named->key : "", named->key ? entry : "", named->key ? ": " : "",
		text);
}

int conf_name_fits(
	struct conf_ctx *cx, const struct ynode *v, const char *what, const char *name, size_t max)
{
	size_t n = name ? strlen(name) : 0;
	if (n <= max)
		return 0;
	struct str head = utf8_cut((struct str){ name, n }, 40);
	return conf_bad(cx, v,
		"%s '" STR_FMT
		"...': the name has %zu bytes, at most %zu can be (a letter with a mark has two or three)",
		what, STR_ARG(head), n, max);
}

int conf_read_map(struct conf_ctx *cx, const struct ynode *map, const struct conf_row *rows,
	size_t n, void *dst)
{
	const char *names[64];
	if (map->kind != YN_MAP)
		return conf_bad(cx, map, "%s where keys and values belong", ynode_kind_name(map));
	for (size_t i = 0; i < n && i < 64; i++)
		names[i] = rows[i].key;
	for (size_t i = 0; i < map->n; i++) {
		const struct ynode *v = map->child[i];
		const struct conf_row *row = NULL;
		for (size_t k = 0; k < n && !row; k++)
			row = strcmp(rows[k].key, v->key) == 0 ? &rows[k] : NULL;
		if (!row) {
			const char *near = str_nearest(str_of(v->key), names, n < 64 ? n : 64);
			return err_set(cx->e, -EINVAL, "%s:%d: unknown key '%.60s'%s%s%s", cx->file,
				v->line, v->key, near ? "; did you mean '" : "", near ? near : "",
				near ? "'?" : "");
		}
		int rc = row->read(cx, v, (char *)dst + row->at, row);
		if (rc)
			return rc;
	}
	return 0;
}

static int scalar(struct conf_ctx *cx, const struct ynode *v)
{
	if (v->kind != YN_SCALAR)
		return conf_bad(cx, v, "%s where one value belongs", ynode_kind_name(v));
	if (ynode_is_null(v)) /* a folder or an office of that name is what nobody means */
		return conf_bad(cx, v,
			"'%s' is no value here; leave the key out, or put it in quotes if it is a name",
			v->text);
	if (str_has_control(str_of(v->text)))
		return conf_bad(cx, v, "a line break or control character in the value");
	return 0;
}

static int take_nfc(struct conf_ctx *cx, const struct ynode *v, char **dst)
{
	struct buf b CLEANUP_BUF;
	buf_init(&b, 65536);
	if (utf8_nfc(&b, str_of(v->text)))
		return conf_bad(cx, v, "text too long (64 KB at most)");
	free(*dst);
	*dst = x_strdup(buf_z(&b));
	return 0;
}

int conf_row_str(struct conf_ctx *cx, const struct ynode *v, void *dst, const struct conf_row *row)
{
	int rc = scalar(cx, v);
	UNUSED(row);
	if (rc)
		return rc;
	if (!v->text[0])
		return conf_bad(cx, v, "is empty; leave the key out or give it a value");
	return take_nfc(cx, v, dst);
}

int conf_row_path(struct conf_ctx *cx, const struct ynode *v, void *dst, const struct conf_row *row)
{
	char **p = dst;
	int rc = conf_row_str(cx, v, dst, row);
	if (rc || (*p)[0] == '/')
		return rc;
	const char *slash = strrchr(cx->file, '/');
	char *whole = slash ? x_asprintf("%.*s/%s", (int)(slash - cx->file), cx->file, *p)
			    : x_strdup(*p);
	free(*p);
	*p = whole;
	return 0;
}

int conf_row_bool(struct conf_ctx *cx, const struct ynode *v, void *dst, const struct conf_row *row)
{
	UNUSED(row);
	int rc = scalar(cx, v);
	if (rc)
		return rc;
	if (!strcmp(v->text, "yes") || !strcmp(v->text, "true"))
		*(bool *)dst = true;
	else if (!strcmp(v->text, "no") || !strcmp(v->text, "false"))
		*(bool *)dst = false;
	else
		return conf_bad(cx, v, "'%.40s' is neither yes nor no", v->text);
	return 0;
}

int conf_row_i64(struct conf_ctx *cx, const struct ynode *v, void *dst, const struct conf_row *row)
{
	int64_t min = row->min || row->max ? row->min : INT64_MIN,
		max = row->min || row->max ? row->max : INT64_MAX, x;
	int rc = scalar(cx, v);
	if (rc)
		return rc;
	if (str_i64(str_of(v->text), min, max, &x))
		return conf_bad(cx, v, "'%.40s' is not a whole number from %lld to %lld", v->text,
			(long long)min, (long long)max);
	*(int64_t *)dst = x;
	return 0;
}

int conf_row_u32(struct conf_ctx *cx, const struct ynode *v, void *dst, const struct conf_row *row)
{
	int64_t x = 0;
	struct conf_row r = *row;
	if (!r.min && !r.max)
		r.max = UINT32_MAX;
	int rc = conf_row_i64(cx, v, &x, &r);
	if (!rc)
		*(uint32_t *)dst = (uint32_t)x;
	return rc;
}

int conf_row_int(struct conf_ctx *cx, const struct ynode *v, void *dst, const struct conf_row *row)
{
	int64_t x = 0;
	struct conf_row r = *row;
	if (!r.min && !r.max)
		r.max = INT_MAX;
	int rc = conf_row_i64(cx, v, &x, &r);
	if (!rc)
		*(int *)dst = (int)x;
	return rc;
}

/* Digits with at most one point and nothing else: no sign, no exponent, no locale. */
static bool plain_number(const char *s, const char **ret_end, double *ret)
{
	double x = 0, place = 1;
	const char *p = s;
	int digits = 0;
	for (; *p >= '0' && *p <= '9' && digits < 15; p++, digits++)
		x = x * 10 + (*p - '0');
	if (*p == '.')
		for (p++; *p >= '0' && *p <= '9' && digits < 15; p++, digits++)
			x += (*p - '0') * (place /= 10);
	*ret_end = p;
	*ret = x;
	return digits > 0;
}

int conf_row_double(
	struct conf_ctx *cx, const struct ynode *v, void *dst, const struct conf_row *row)
{
	const char *end;
	double x;
	int rc = scalar(cx, v);
	if (rc)
		return rc;
	if (!plain_number(v->text, &end, &x) || *end)
		return conf_bad(cx, v, "'%.40s' is not a number such as 100 or 0.5", v->text);
	if (row->max && (x < (double)row->min || x > (double)row->max))
		return conf_bad(cx, v, "'%.40s' is not a number from %lld to %lld", v->text,
			(long long)row->min, (long long)row->max);
	*(double *)dst = x;
	return 0;
}

int conf_row_share(
	struct conf_ctx *cx, const struct ynode *v, void *dst, const struct conf_row *row)
{
	const char *end;
	double x;
	UNUSED(row);
	int rc = scalar(cx, v);
	if (rc)
		return rc;
	bool number = plain_number(v->text, &end, &x);
	if (number && !strcmp(end, "%"))
		x /= 100;
	else if (!number || *end)
		return conf_bad(cx, v, "'%.40s' is not a share such as 80%% or 0.8", v->text);
	if (x < 0 || x > 1)
		return conf_bad(cx, v, "'%.40s' is not between 0%% and 100%%", v->text);
	*(double *)dst = x;
	return 0;
}

int conf_row_duration(
	struct conf_ctx *cx, const struct ynode *v, void *dst, const struct conf_row *row)
{
	struct err why;
	int64_t ms;
	int rc = scalar(cx, v);
	if (rc)
		return rc;
	if (when_parse_duration(str_of(v->text), &ms, &why))
		return conf_bad(
			cx, v, "'%.40s' is not a duration such as 10s, 20m, 12h or 2d", v->text);
	if ((row->min || row->max) && (ms < row->min || ms > row->max))
		return conf_bad(cx, v, "'%.40s' is outside %lld to %lld seconds", v->text,
			(long long)(row->min / 1000), (long long)(row->max / 1000));
	*(int64_t *)dst = ms;
	return 0;
}

int conf_row_size(struct conf_ctx *cx, const struct ynode *v, void *dst, const struct conf_row *row)
{
	static const struct {
		const char *unit;
		int shift;
	} units[] = { { "", 0 }, { "B", 0 }, { "KB", 10 }, { "MB", 20 }, { "GB", 30 },
		{ "KiB", 10 }, { "MiB", 20 }, { "GiB", 30 } };
	const char *end;
	double x;
	int rc = scalar(cx, v);
	if (rc)
		return rc;
	if (plain_number(v->text, &end, &x)) {
		while (*end == ' ')
			end++;
		for (size_t i = 0; i < ARRAY_LEN(units); i++) {
			/* 512 that was meant as megabytes would be no floor at all */
			if (strcmp(end, units[i].unit) != 0 || (!*end && x > 0))
				continue;
			x *= (double)(INT64_C(1) << units[i].shift);
			if (x > 9e15 ||
				((row->min || row->max) &&
					(x < (double)row->min || x > (double)row->max)))
				return conf_bad(cx, v, "'%.40s' is outside %lld to %lld bytes",
					v->text, (long long)row->min, (long long)row->max);
			*(int64_t *)dst = (int64_t)x;
			return 0;
		}
	}
	return conf_bad(cx, v, "'%.40s' is not a size such as 512MB or 64KB", v->text);
}

int conf_row_rate(struct conf_ctx *cx, const struct ynode *v, void *dst, const struct conf_row *row)
{
	static const struct {
		const char *unit;
		double s;
	} units[] = { { "/s", 1 }, { "/min", 60 }, { "/h", 3600 }, { "/d", 86400 } };
	const char *end;
	double x;
	UNUSED(row);
	int rc = scalar(cx, v);
	if (rc)
		return rc;
	if (plain_number(v->text, &end, &x))
		for (size_t i = 0; i < ARRAY_LEN(units); i++)
			if (!strcmp(end, units[i].unit)) {
				if (x <= 0)
					return conf_bad(cx, v,
						"'%.40s' would be no limit; leave the key out for none, and stop what shall not go by `lantoa hold`",
						v->text);
				*(double *)dst = x / units[i].s;
				return 0;
			}
	return conf_bad(
		cx, v, "'%.40s' is not a rate such as 50/s, 600/min, 1000/h or 5000/d", v->text);
}

static int read_clock(struct str s, uint16_t *ret)
{
	struct str h, m;
	int64_t hh, mm;
	if (!str_next(&s, ':', &h) || !str_next(&s, ':', &m) || s.n || m.n != 2 || h.n > 2)
		return -EINVAL;
	if (str_i64(h, 0, 24, &hh) || str_i64(m, 0, 59, &mm) || hh * 60 + mm > 1440)
		return -EINVAL;
	*ret = (uint16_t)(hh * 60 + mm);
	return 0;
}

static int read_days(struct str s, uint8_t *ret)
{
	static const char *const day[] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" };
	struct str from, to;
	int a = -1, b = -1;
	if (!str_next(&s, '-', &from))
		return -EINVAL;
	to = s.n ? s : from;
	for (int i = 0; i < 7; i++) {
		a = str_ieqz(from, day[i]) ? i : a;
		b = str_ieqz(to, day[i]) ? i : b;
	}
	if (a < 0 || b < a)
		return -EINVAL;
	*ret = 0;
	for (int i = a; i <= b; i++)
		*ret = (uint8_t)(*ret | BIT(i));
	return 0;
}

/* "07:00-20:00" or "mon-fri 07:00-20:00". */
static int read_span(struct str s, struct conf_hours_span *ret)
{
	struct str first, from, to;
	struct conf_hours_span h = { .days = 0x7f };
	s = str_trim(s);
	if (memchr(s.p, ' ', s.n)) {
		if (!str_next(&s, ' ', &first) || read_days(first, &h.days))
			return -EINVAL;
		s = str_trim(s);
	}
	if (!str_next(&s, '-', &from) || !str_next(&s, '-', &to) || s.n)
		return -EINVAL;
	if (read_clock(str_trim(from), &h.from_min) || read_clock(str_trim(to), &h.to_min) ||
		h.to_min <= h.from_min)
		return -EINVAL;
	*ret = h;
	return 0;
}

int conf_row_hours(
	struct conf_ctx *cx, const struct ynode *v, void *dst, const struct conf_row *row)
{
	struct conf_hours *h = dst;
	UNUSED(row);
	if (v->kind == YN_MAP)
		return conf_bad(cx, v,
			"a map where hours such as \"07:00-20:00\" or [\"mon-fri 07:00-20:00\", \"sat 08:00-11:00\"] belong");
	h->n = 0;
	size_t n = v->kind == YN_LIST ? v->n : 1;
	if (!n) /* it might be meant as never, and would be always */
		return conf_bad(
			cx, v, "is empty; leave the key out, or say \"00:00-24:00\" for always");
	for (size_t i = 0; i < n; i++) {
		const struct ynode *s = v->kind == YN_LIST ? v->child[i] : v;
		if (h->n == ARRAY_LEN(h->span))
			return conf_bad(cx, v, "more than 16 spans");
		if (s->kind != YN_SCALAR || !s->text[0] ||
			read_span(str_of(s->text), &h->span[h->n]))
			return conf_bad(cx, v,
				"'%.40s' is not hours such as 07:00-20:00 or mon-fri 07:00-20:00 (from before to, up to 24:00)",
				s->kind == YN_SCALAR ? s->text : "");
		h->n++;
	}
	return 0;
}

int conf_row_strv(struct conf_ctx *cx, const struct ynode *v, void *dst, const struct conf_row *row)
{
	struct conf_strv *out = dst;
	UNUSED(row);
	if (v->kind == YN_MAP || v->n > LIST_MAX)
		return conf_bad(cx, v, "a list of at most 10,000 texts belongs here");
	size_t n = v->kind == YN_LIST ? v->n : 1;
	conf_strv_done(out);
	out->v = x_calloc(n + 1, sizeof(char *));
	for (size_t i = 0; i < n; i++) {
		const struct ynode *s = v->kind == YN_LIST ? v->child[i] : v;
		int rc = conf_row_str(cx, s, &out->v[i], row);
		if (rc)
			return rc;
		out->n = i + 1;
	}
	return 0;
}

int conf_row_backoff(
	struct conf_ctx *cx, const struct ynode *v, void *dst, const struct conf_row *row)
{
	int64_t *ms = dst;
	size_t *n = (size_t *)(void *)((char *)dst - row->at + row->at_n);
	static const struct conf_row each = { .key = "", .min = 100, .max = 7 * WHEN_DAY_MS };
	if (v->kind == YN_MAP || v->n > 16)
		return conf_bad(cx, v,
			"a list of at most 16 durations belongs here, such as [5m, 15m, 1h]");
	*n = v->kind == YN_LIST ? v->n : 1;
	if (!*n)
		return conf_bad(cx, v, "is empty; at least one duration");
	for (size_t i = 0; i < *n; i++) {
		int rc = conf_row_duration(cx, v->kind == YN_LIST ? v->child[i] : v, &ms[i], &each);
		if (rc)
			return rc;
	}
	return 0;
}

static int read_pairs(struct conf_ctx *cx, const struct ynode *v, void *dst,
	const struct conf_row *row, bool paths)
{
	struct conf_pair **out = dst;
	size_t *n = (size_t *)(void *)((char *)dst - row->at + row->at_n);
	if (v->kind != YN_MAP || v->n > 200)
		return conf_bad(cx, v, "a map of at most 200 keys belongs here");
	conf_pairs_free(*out, *n);
	*out = x_calloc(v->n + 1, sizeof(**out));
	*n = 0;
	for (size_t i = 0; i < v->n; i++) {
		const struct ynode *c = v->child[i];
		struct conf_pair *p = &(*out)[i];
		int rc = paths ? conf_row_path(cx, c, &p->value, row) : scalar(cx, c);
		if (!rc && !paths)
			rc = take_nfc(cx, c, &p->value);
		if (rc)
			return rc;
		p->name = x_strdup(c->key);
		p->line = c->line;
		*n = i + 1;
	}
	return 0;
}

int conf_row_pairs(
	struct conf_ctx *cx, const struct ynode *v, void *dst, const struct conf_row *row)
{
	return read_pairs(cx, v, dst, row, false);
}

int conf_row_files(
	struct conf_ctx *cx, const struct ynode *v, void *dst, const struct conf_row *row)
{
	return read_pairs(cx, v, dst, row, true);
}

/* password: {file: /etc/lantoa/relay.password}  or  {credential: relay-password} */
static int read_secret(struct conf_ctx *cx, const struct ynode *v, struct conf_secret *s)
{
	const struct ynode *file = ynode_get(v, "file"), *cred = ynode_get(v, "credential");
	if (v->kind != YN_MAP || v->n != 1 || (!file && !cred))
		return conf_bad(cx, v,
			"a secret is never written here; say {file: PATH} or {credential: NAME}");
	s->name = x_strdup(v->key);
	s->credential = cred != NULL;
	s->line = v->line;
	static const struct conf_row none = { .key = "" };
	int rc = cred ? conf_row_str(cx, cred, &s->file, &none)
		      : conf_row_path(cx, file, &s->file, &none);
	if (!rc && cred && strchr(s->file, '/'))
		rc = conf_bad(cx, cred, "'%.60s' is a path; a credential is a plain name", s->file);
	return rc;
}

int conf_row_secrets(
	struct conf_ctx *cx, const struct ynode *v, void *dst, const struct conf_row *row)
{
	struct conf_secret **out = dst;
	size_t *n = (size_t *)(void *)((char *)dst - row->at + row->at_n);
	if (v->kind != YN_MAP || v->n > 50)
		return conf_bad(cx, v, "a map of at most 50 secrets belongs here");
	*out = x_calloc(v->n + 1, sizeof(**out));
	for (size_t i = 0; i < v->n; i++) {
		*n = i + 1;
		int rc = read_secret(cx, v->child[i], &(*out)[i]);
		if (rc)
			return rc;
	}
	return 0;
}

int conf_row_secret(
	struct conf_ctx *cx, const struct ynode *v, void *dst, const struct conf_row *row)
{
	UNUSED(row);
	return read_secret(cx, v, dst);
}
