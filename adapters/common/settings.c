/* settings.c - see settings.h. The host has checked types before it hands settings over (yes or no, a whole number, a word of the
 * enum); it is asked for again here because tests and other hosts hand over what they like. */
#include <stdio.h>
#include <string.h>
#include "settings.h"

#define SHOWN_MAX 80 /* bytes of a wrong value that an error repeats */

static const struct lt_key *key_of(const struct ltc_settings *s, const char *name)
{
	for (size_t i = 0; i < s->n_keys; i++)
		if (strcmp(s->keys[i].name, name) == 0)
			return &s->keys[i];
	return NULL;
}

void ltc_setting_wrong(
	struct ltc_settings *s, const char *name, struct lt_str value, const char *right)
{
	struct lt_str shown = ltc_utf8_cut(value, SHOWN_MAX);

	if (!s->bad)
		(void)snprintf(s->err, s->err_size, "%s: '%.*s' is wrong; %s", name, (int)shown.n,
			shown.n > 0 ? shown.p : "", right);
	s->bad = true;
}

struct lt_str ltc_setting_value(const struct ltc_settings *s, const char *name)
{
	struct lt_str v = ltc_pair(s->conf->values, s->conf->n_values, name);
	const struct lt_key *k = key_of(s, name);

	if (k != NULL && (v.p == NULL || (v.n == 0 && s->empty_is_default)))
		v = ltc_z(k->default_text);
	return v;
}

struct lt_str ltc_setting_secret(const struct ltc_settings *s, const char *name)
{
	struct lt_str v = ltc_pair_secret(s->conf->values, s->conf->n_values, name);

	return v.n > 0 ? v : ltc_setting_value(s, name);
}

int64_t ltc_setting_number(struct ltc_settings *s, const char *name, int64_t min, int64_t max)
{
	struct lt_str v = ltc_setting_value(s, name);
	int64_t n = min;
	char right[80];

	(void)snprintf(
		right, sizeof(right), "a number from %lld to %lld", (long long)min, (long long)max);
	if (ltc_i64(v, min, max, &n) < 0)
		ltc_setting_wrong(s, name, v, right);
	return n;
}

bool ltc_setting_flag(struct ltc_settings *s, const char *name)
{
	struct lt_str v = ltc_setting_value(s, name);

	if (ltc_eqz(v, "yes") || ltc_eqz(v, "true"))
		return true;
	if (!ltc_eqz(v, "no") && !ltc_eqz(v, "false"))
		ltc_setting_wrong(s, name, v, "yes or no");
	return false;
}

unsigned ltc_setting_word(struct ltc_settings *s, const char *name)
{
	const struct lt_key *k = key_of(s, name);
	struct lt_str v = ltc_setting_value(s, name), one;
	struct lt_str rest = ltc_from(ltc_z(k == NULL ? "" : k->type), sizeof("enum:") - 1);
	char right[200] = "";
	size_t n = 0;

	for (unsigned i = 0; ltc_next(&rest, '|', &one); i++) {
		if (ltc_eq(v, one))
			return i;
		const char *before = i == 0 ? "" : rest.n == 0 ? " or " : ", ";
		(void)snprintf(right + n, sizeof(right) - n, "%s%.*s", before, (int)one.n, one.p);
		n = strlen(right);
	}
	ltc_setting_wrong(s, name, v, right);
	return 0;
}

struct lt_str ltc_setting_text(struct ltc_settings *s, const char *name)
{
	struct lt_str v = ltc_setting_value(s, name);

	if (ltc_has_control(v) || !ltc_utf8_valid(v))
		ltc_setting_wrong(s, name, v, "text without control characters");
	return v;
}

struct lt_str ltc_setting_ascii(struct ltc_settings *s, const char *name, size_t n_max)
{
	struct lt_str v = ltc_setting_value(s, name);
	char right[80];

	(void)snprintf(right, sizeof(right), "at most %zu ASCII characters", n_max);
	if (v.n > n_max || ltc_has_control(v) || !ltc_is_ascii(v))
		ltc_setting_wrong(s, name, v, right);
	return v;
}

struct lt_str ltc_setting_digits(
	struct ltc_settings *s, const char *name, size_t n_min, size_t n_max)
{
	struct lt_str v = ltc_setting_value(s, name);
	bool good = v.n >= n_min && v.n <= n_max;
	char right[80];

	for (size_t i = 0; i < v.n; i++)
		good &= v.p[i] >= '0' && v.p[i] <= '9';
	(void)snprintf(
		right, sizeof(right), "digits only, in quotes, %zu to %zu of them", n_min, n_max);
	if (!good)
		ltc_setting_wrong(s, name, v, right);
	return v;
}

/* The name must end there: http://localhost.example is another machine. */
static bool is_own(struct lt_str url)
{
	static const char *const own[] = { "http://127.0.0.1", "http://localhost", "http://[::1]" };

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		struct lt_str rest = ltc_from(url, strlen(own[i]));
		if (ltc_starts(url, own[i]) &&
			(rest.n == 0 || rest.p[0] == ':' || rest.p[0] == '/'))
			return true;
	}
	return false;
}

struct lt_str ltc_setting_url(struct ltc_settings *s, const char *name, size_t n_max)
{
	struct lt_str v = ltc_setting_text(s, name);
	bool good = (ltc_starts(v, "https://") || is_own(v)) && v.n <= n_max;

	for (size_t i = 0; i < v.n; i++)
		good &= v.p[i] != ' ' && v.p[i] != '?' && v.p[i] != '@';
	if (!good)
		ltc_setting_wrong(s, name, v,
			"an address that begins with https:// (http:// only on this machine)");
	while (v.n > 0 && v.p[v.n - 1] == '/')
		v.n--;
	return v;
}

int ltc_setting_zone(struct ltc_settings *s, const char *name)
{
	struct lt_str v = ltc_setting_value(s, name);
	int minutes = 0;

	if (ltc_zone_offset(v, &minutes) < 0)
		ltc_setting_wrong(s, name, v, "an offset such as +0700, UTC or Asia/Ho_Chi_Minh");
	return minutes;
}
