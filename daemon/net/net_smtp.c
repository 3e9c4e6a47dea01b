/* net_smtp.c - reply groups of an SMTP opening: "250-...", "250-...", "250 ..." belong together; and what libcurl reads of them. Pure. */
#include <string.h>
#include "base/assert.h"
#include "net/net_smtp.h"

static bool smtp_code(struct str line, int *ret)
{
	if (line.n < 3)
		return false;
	for (int i = 0; i < 3; i++)
		if (line.p[i] < '0' || line.p[i] > '9')
			return false;
	*ret = (line.p[0] - '0') * 100 + (line.p[1] - '0') * 10 + (line.p[2] - '0');
	return true;
}

void smtp_opening_parse(struct str said, struct smtp_opening *ret)
{
	struct str rest = said, line;
	const char *begin = NULL;
	*ret = (struct smtp_opening){ .ehlo = STR(""), .last = STR("") };
	while (str_line(&rest, &line)) {
		int code = 0;
		if (begin == NULL)
			begin = line.p;
		if (!smtp_code(line, &code) || (line.n > 3 && line.p[3] == '-'))
			continue;
		const char *end = rest.n > 0 ? rest.p : said.p + said.n;
		ret->last = (struct str){ begin, (size_t)(end - begin) };
		if (code == 250)
			ret->ehlo = ret->last;
		if (code == 235)
			ret->logged_in = true;
		begin = NULL;
	}
}

static size_t smtp_word(const char *p, size_t n)
{
	size_t i = 0;
	while (i < n && p[i] != ' ' && p[i] != '\t' && p[i] != '=' && p[i] != '\r' && p[i] != '\n')
		i++;
	return i;
}

static void smtp_capitals(char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] >= 'a' && p[i] <= 'z')
			p[i] = (char)(p[i] - 'a' + 'A');
}

static bool smtp_is(const char *p, size_t n, const char *const *words)
{
	for (; *words != NULL; words++)
		if (str_eqz((struct str){ p, n }, *words))
			return true;
	return false;
}

/* Names of mechanisms, in capitals. What is struck out becomes blanks. */
static void smtp_choose(char *p, size_t n, bool tls)
{
	static const char *const plain[] = { "PLAIN", "LOGIN", NULL },
				 *const ticket[] = { "GSSAPI", "GSS-SPNEGO", "NTLM", NULL };
	bool only_plain = false;
	size_t k;
	for (size_t i = 0; tls && i < n; i += k + 1) {
		k = smtp_word(p + i, n - i);
		only_plain |= smtp_is(p + i, k, plain);
	}
	for (size_t i = 0; i < n; i += k + 1) {
		k = smtp_word(p + i, n - i);
		if (smtp_is(p + i, k, ticket) || (only_plain && !smtp_is(p + i, k, plain)))
			memset(p + i, ' ', k);
	}
}

void smtp_ehlo_mend(char *line, size_t n, bool tls, bool choose)
{
	int code = 0;
	if (!smtp_code((struct str){ line, n }, &code) || code != 250 || n < 5)
		return;
	char *word = line + 4;
	size_t rest = n - 4, k = smtp_word(word, rest);
	bool auth = str_ieqz((struct str){ word, k }, "AUTH");
	if (!auth && !str_ieqz((struct str){ word, k }, "STARTTLS"))
		return;
	smtp_capitals(word, auth ? rest : k);
	if (!auth || k == rest)
		return;
	if (word[k] == '=')
		word[k] = ' ';
	if (choose)
		smtp_choose(word + k, rest - k, tls);
}
