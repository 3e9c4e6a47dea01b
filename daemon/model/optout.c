/* optout.c - see optout.h. Pure. Failures: a text that is no UTF-8 says nothing. */
#include "model/optout.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>
#include "base/buf.h"
#include "base/utf8.h"

#define TEXT_MAX 1000 /* of the text; an opt-out stands at its beginning */

const char *const optout_words_default[] = { "TC", "TU CHOI", "STOP", "HUY", "HUY DK", "UNSUB",
	"UNSUBSCRIBE", "END", "QUIT", "CANCEL" };
const size_t optout_n_words_default = sizeof(optout_words_default) / sizeof(char *);

/* Lower case, no marks, one space between words, none at the ends, no quotes or full stops. */
static int plain(struct str s, struct buf *b)
{
	int32_t cp, parts[8];
	bool gap = false;
	int bound = 0;
	while (utf8_next(&s, &cp)) {
		utf8proc_ssize_t n = utf8proc_decompose_char(cp, parts, 8,
			UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD |
				UTF8PROC_STRIPMARK | UTF8PROC_IGNORE,
			&bound);
		for (utf8proc_ssize_t i = 0; i < n && i < 8; i++) {
			int32_t c = parts[i] == 0x111 ? 'd' : parts[i];
			bool word = c > 0x7f || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
				c == '-' || c == '_';
			if (word && gap && b->n)
				(void)buf_addz(b, " ");
			gap = word ? false : true;
			if (word && utf8_put(b, c))
				return -1;
		}
	}
	return s.n ? -1 : 0;
}

static void list_of(struct str rest, char ret[OPTOUT_LIST_MAX])
{
	if (!ret)
		return;
	ret[0] = 0;
	if (rest.n && !memchr(rest.p, ' ', rest.n) && !str_copy(ret, OPTOUT_LIST_MAX, rest))
		ret[0] = 0;
}

bool optout_read(struct str text, const char *const *words, size_t n, bool by_sms,
	char ret_list[OPTOUT_LIST_MAX])
{
	struct buf said CLEANUP_BUF, word CLEANUP_BUF;
	size_t best = 0;
	buf_init(&said, TEXT_MAX * 4);
	buf_init(&word, TEXT_MAX);
	if (ret_list)
		ret_list[0] = 0;
	if (!words) {
		words = optout_words_default;
		n = optout_n_words_default;
	}
	if (plain(utf8_cut(text, TEXT_MAX), &said))
		return false;
	struct str s = buf_str(&said);
	for (size_t i = 0; i < n; i++) {
		buf_reset(&word);
		if (plain(str_of(words[i]), &word))
			continue;
		struct str w = buf_str(&word);
		if (w.n && w.n > best && s.n >= w.n && memcmp(s.p, w.p, w.n) == 0 &&
			(s.n == w.n || (by_sms && s.p[w.n] == ' ')))
			best = w.n;
	}
	if (!best)
		return false;
	list_of(s.n > best ? (struct str){ s.p + best + 1, s.n - best - 1 } : (struct str){ 0 },
		ret_list);
	return true;
}

static const char *const optin_clear[] = { "DK QC", "DKQC", "DK QUANG CAO", "DANG KY QC",
	"DANG KY QUANG CAO", "DONG Y QC", "DONG Y QUANG CAO" };
static const char *const optin_bare[] = { "DK", "DANG KY", "DONG Y", "Y", "YES", "OK", "CO" };

int optin_read(struct str text, const char *const *words, size_t n)
{
	if (optout_read(text, optin_clear, sizeof(optin_clear) / sizeof(char *), false, NULL))
		return OPTIN_CLEAR;
	if (!words) {
		words = optin_bare;
		n = sizeof(optin_bare) / sizeof(char *);
	}
	return optout_read(text, words, n, false, NULL) ? OPTIN_BARE : OPTIN_NONE;
}
