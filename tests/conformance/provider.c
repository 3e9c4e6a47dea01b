/* provider.c - see provider.h. */
#include "provider.h"
#include <string.h>
#include "base/file.h"

static void write_file(struct ht *t, const char *name, struct str text)
{
	char to[600], folder[600];
	struct err e = { 0 };

	(void)snprintf(to, sizeof(to), "%s/%s", t->dir, name);
	(void)snprintf(folder, sizeof(folder), "%s", to);
	*strrchr(folder, '/') = 0;
	if (dir_make(folder, 0700, &e) != 0 || file_write_durable(to, text, 0600, &e) != 0)
		(void)fprintf(stderr, "%s\n", e.text);
}

void provider_write(struct ht *t, const char *name, const char *text)
{
	write_file(t, name, str_of(text));
}

void provider_copy(struct ht *t, const char *name)
{
	char from[200];
	struct buf b;
	struct err e = { 0 };

	(void)snprintf(from, sizeof(from), "config/%s", name);
	buf_init(&b, 1u << 20);
	if (file_read(from, &b, &e) == 0)
		write_file(t, name, buf_str(&b));
	else
		(void)fprintf(stderr, "%s\n", e.text);
	buf_done(&b);
}

void provider_answer(
	struct ht *t, enum conf_script script, int status, const char *body, const char *late)
{
	struct fakenet_answer a = { .how = FAKENET_ANSWER, .status = status, .body = body };

	switch (script) {
	case CF_OK: break;
	case CF_SILENT: a.after_ms = 3600000; break;
	case CF_LOST: a.how = FAKENET_LOST_AFTER; break;
	case CF_CUT_EARLY: a.how = FAKENET_REFUSED; break;
	case CF_GARBAGE: a.how = FAKENET_GARBAGE; break;
	case CF_GARBAGE_LATE:
		a.how = late != NULL ? FAKENET_ANSWER : FAKENET_GARBAGE;
		a.body = late != NULL ? late : body;
		break;
	case CF_SLOW: a.after_ms = 1000; break;
	}
	fakenet_script(t->fn, &a);
}

void provider_begin(struct provider *p, struct ht *t, enum conf_script script, uint64_t seed)
{
	memset(p, 0, sizeof(*p));
	p->t = t;
	p->script = script;
	p->seed = seed + 1;
}

void provider_take(struct provider *p, const char *address)
{
	if (p->n_ledger < PROVIDER_LEDGER_MAX)
		(void)snprintf(p->ledger[p->n_ledger++], sizeof(p->ledger[0]), "%s", address);
}

size_t provider_taken(const struct provider *p, const char *address)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n_ledger; i++)
		n += strcmp(p->ledger[i], address) == 0;
	return n;
}

size_t provider_stream(const struct provider *p, const struct fakenet_stream *s)
{
	size_t at = 0;

	while (at < p->t->fn->n_streams && p->t->fn->streams[at] != s)
		at++;
	return at % PROVIDER_STREAMS_MAX;
}

static uint64_t noise(struct provider *p)
{
	p->seed = p->seed * 6364136223846793005u + 1442695040888963407u;
	return p->seed >> 33;
}

void provider_say_garbage(struct provider *p, struct fakenet_stream *s, bool lines)
{
	char bytes[64];
	size_t n = 1 + noise(p) % sizeof(bytes);

	for (size_t i = 0; i < n; i++)
		bytes[i] = (char)noise(p);
	if (lines && noise(p) % 2)
		bytes[n - 1] = '\n';
	fakenet_say_n(s, bytes, n);
	if (noise(p) % 8 == 0)
		fakenet_cut(s, -ECONNRESET, "gone");
}
