/* sms_rules.c - wording and links that a public body does not send.
 * Phrases are compared as words, in lower case and without diacritics, so that "Mật  Khẩu" and "mat khau" are one.
 * Thread: any, pure. Owns: buffers until it returns. Failures: a text too large for the buffers counts as harmless: it is refused
 * elsewhere for its length. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "sms_rules.h"
#include "sms_tsv.h"

static const char header[] = "kind\tword\tas\tnote";

static bool is_word_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* " word word ": lower case, no diacritics, one space between words and at both ends. */
static void fold(struct lt_str s, struct ltc_buf *tmp, struct ltc_buf *out)
{
	if (sms_nfc(s, out) < 0 || sms_plain(ltc_buf_str(out), NULL, SMS_DROP, tmp, NULL) < 0)
		ltc_buf_reset(tmp);
	ltc_buf_reset(out);
	ltc_addc(out, ' ');
	for (size_t i = 0; i < tmp->n; i++) {
		char c = tmp->p[i];
		c = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
		if (is_word_char(c))
			ltc_addc(out, c);
		else if (out->n > 0 && out->p[out->n - 1] != ' ')
			ltc_addc(out, ' ');
	}
	if (out->n > 0 && out->p[out->n - 1] != ' ')
		ltc_addc(out, ' ');
}

/* Does an `allow` phrase of the table cover [at, at + n) of the folded text? */
static bool allowed(struct lt_str table, struct lt_str text, size_t at, size_t n)
{
	struct sms_rows r = sms_rows_of(table);
	struct ltc_buf tmp LTC_CLEANUP_BUF, phrase LTC_CLEANUP_BUF;
	bool yes = false;

	ltc_buf_init(&tmp, 4000);
	ltc_buf_init(&phrase, 4000);
	while (!yes && sms_rows_next(&r)) {
		if (!ltc_eqz(r.col[0], "allow"))
			continue;
		fold(r.col[1], &tmp, &phrase);
		struct lt_str p = ltc_buf_str(&phrase), rest = text;
		const char *hit;
		while (!yes && p.n > 2 && (hit = ltc_find(rest, p, false)) != NULL) {
			size_t from = (size_t)(hit - text.p);
			yes = from <= at && at + n <= from + p.n;
			rest = ltc_from(text, from + 1);
		}
	}
	return yes;
}

bool sms_rules_wording(
	struct lt_str table, struct lt_str text, struct lt_str *ret_phrase, struct lt_str *ret_why)
{
	struct sms_rows r = sms_rows_of(table);
	struct ltc_buf tmp LTC_CLEANUP_BUF, folded LTC_CLEANUP_BUF, phrase LTC_CLEANUP_BUF;
	bool found = false;

	ltc_buf_init(&tmp, SMS_TEXT_MAX * 2);
	ltc_buf_init(&folded, SMS_TEXT_MAX * 2);
	ltc_buf_init(&phrase, SMS_TEXT_MAX);
	fold(text, &tmp, &folded);
	struct lt_str whole = ltc_buf_str(&folded);
	while (!found && sms_rows_next(&r)) {
		if (!ltc_eqz(r.col[0], "refuse"))
			continue;
		fold(r.col[1], &tmp, &phrase);
		struct lt_str p = ltc_buf_str(&phrase), rest = whole;
		const char *hit;
		while (!found && p.n > 2 && (hit = ltc_find(rest, p, false)) != NULL) {
			size_t at = (size_t)(hit - whole.p);
			found = !allowed(table, whole, at, p.n);
			rest = ltc_from(whole, at + 1);
		}
		*ret_phrase = r.col[1];
		*ret_why = r.col[2];
	}
	return found;
}

/* --- links ----------------------------------------------------------------------------------------------------------------- */
static bool known_ending(struct lt_str host)
{
	static const char *const endings[] = { "vn", "com", "net", "org", "info", "gov", "edu",
		"io", "me", "ly", "gl", "to", "cc", "co", "xyz", "top", "online", "site", "shop",
		"club", "vip", "app", "link", "click", "live", "asia", "biz", "gg", "gd", "page",
		"dev", "cn", "ru", "tk", "ml", "work", "icu", "fun", "win", "loan", "store", "tech",
		"space", "website", "pro", "mobi", "us", "uk", "eu", "in", "pw", "ws" };
	const char *dot = host.n > 0 ? memrchr(host.p, '.', host.n) : NULL;

	if (dot == NULL || dot == host.p)
		return false;
	struct lt_str last = ltc_from(host, (size_t)(dot - host.p) + 1);
	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++)
		if (ltc_ieqz(last, endings[i]))
			return true;
	return false;
}

static bool is_address(struct lt_str host)
{
	int dots = 0;

	for (size_t i = 0; i < host.n; i++) {
		if (host.p[i] == '.')
			dots++;
		else if (host.p[i] < '0' || host.p[i] > '9')
			return false;
	}
	return dots == 3 && host.n >= 7;
}

static struct lt_str cut_at(struct lt_str s, const char *stops)
{
	size_t n = 0;

	while (n < s.n && (s.p[n] == '\0' || strchr(stops, s.p[n]) == NULL))
		n++;
	return (struct lt_str){ s.p, n };
}

/* Host of a word that is a link; false when it is none. */
static bool host_of(struct lt_str w, struct lt_str *ret)
{
	const char *scheme = ltc_find(w, LTC_LIT("://"), false);
	struct lt_str rest = scheme == NULL ? w : ltc_from(w, (size_t)(scheme - w.p) + 3);
	struct lt_str host = cut_at(rest, "/\\?#");
	const char *at = host.n > 0 ? memrchr(host.p, '@', host.n) : NULL;

	if (at != NULL && scheme == NULL && host.n == rest.n)
		return false; /* a mail address */
	if (at != NULL)
		host = ltc_from(host, (size_t)(at - host.p) + 1);
	bool path = host.p + host.n < w.p + w.n;
	host = cut_at(host, ":");
	while (host.n > 0 && host.p[host.n - 1] == '.')
		host.n--;
	*ret = host;
	return scheme != NULL || ltc_istarts(w, "www.") || known_ending(host) ||
		(path && is_address(host));
}

static bool is_ours(struct lt_str host, struct lt_str domains)
{
	struct lt_str d;

	while (ltc_next(&domains, ' ', &d)) {
		if (d.n == 0 || d.n > host.n)
			continue;
		struct lt_str tail = ltc_from(host, host.n - d.n);
		if (ltc_find(tail, d, true) == tail.p &&
			(tail.n == host.n || host.p[host.n - d.n - 1] == '.'))
			return true;
	}
	return false;
}

bool sms_rules_link(struct lt_str text, struct lt_str domains, size_t *at, struct lt_str *ret_link)
{
	static const char ends[] = " \t\r\n<>\"'(){}[],;|";

	while (*at < text.n) {
		if (text.p[*at] == '\0' || strchr(ends, text.p[*at]) != NULL) {
			++*at;
			continue;
		}
		struct lt_str w = cut_at(ltc_from(text, *at), ends), host;
		*at += w.n;
		while (w.n > 0 && strchr(".!?:", w.p[w.n - 1]) != NULL)
			w.n--;
		if (w.n == 0 || !host_of(w, &host) || is_ours(host, domains))
			continue;
		*ret_link = w;
		return true;
	}
	return false;
}

/* --- words that a rendering protects ----------------------------------------------------------------------------------------- */
int sms_rules_words(struct lt_str table, struct sms_word **ret, size_t *ret_n)
{
	struct sms_rows r = sms_rows_of(table);
	struct sms_word *list = NULL;
	size_t n = 0, cap = 0;

	while (n < SMS_WORDS_MAX && sms_rows_next(&r)) {
		bool keep = ltc_eqz(r.col[0], "keep");
		if (!keep && !ltc_eqz(r.col[0], "as"))
			continue;
		if (n == cap) {
			cap = cap * 2 + 16;
			struct sms_word *more = realloc(list, cap * sizeof(*list));
			if (more == NULL) {
				free(list);
				return -ENOMEM;
			}
			list = more;
		}
		list[n++] = (struct sms_word){ r.col[1], keep ? r.col[1] : r.col[2] };
	}
	*ret = list;
	*ret_n = n;
	return 0;
}

static bool all_gsm(struct lt_str s)
{
	const struct sms_budget budget = SMS_BUDGET_UDH8;
	struct sms_size size;

	return sms_measure(s, &budget, 0, &size) == 0 && size.coding == SMS_GSM;
}

int sms_words_check(struct lt_str table, char *err, size_t err_size)
{
	struct sms_rows r = sms_rows_of(table);
	struct ltc_buf nfc LTC_CLEANUP_BUF;
	size_t n = 0;

	ltc_buf_init(&nfc, 4000);
	if (sms_rows_check(table, header, err, err_size) < 0)
		return -EINVAL;
	while (sms_rows_next(&r)) {
		bool keep = ltc_eqz(r.col[0], "keep"), as = ltc_eqz(r.col[0], "as");
		if (!keep && !as && !ltc_eqz(r.col[0], "refuse") && !ltc_eqz(r.col[0], "allow"))
			return sms_rows_bad(
				&r, err, err_size, "kind", r.col[0], "refuse, allow, as or keep");
		if (r.col[1].n == 0 || r.col[1].n > 200 || sms_nfc(r.col[1], &nfc) < 0 ||
			!ltc_eq(ltc_buf_str(&nfc), r.col[1]))
			return sms_rows_bad(&r, err, err_size, "word", r.col[1],
				"a word or phrase in composed Unicode (NFC), at most 200 bytes");
		if ((keep || as) && !all_gsm(keep ? r.col[1] : r.col[2]))
			return sms_rows_bad(&r, err, err_size, keep ? "word" : "as",
				keep ? r.col[1] : r.col[2],
				"letters and signs of the GSM alphabet");
		n += keep || as;
	}
	if (n <= SMS_WORDS_MAX)
		return 0;
	(void)snprintf(err, err_size, "more than %d words of kind as and keep", SMS_WORDS_MAX);
	return -EINVAL;
}
