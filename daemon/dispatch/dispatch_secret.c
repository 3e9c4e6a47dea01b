/* dispatch_secret.c - a rotated credential: stored sealed before anyone may use it.
 * Thread: loop. Owns: the pairs until they are committed, in memory that is wiped. Must not know: SQL.
 * Failures: the host is told, and keeps the old pair in doubt. */
#include <stdlib.h>
#include <string.h>
#include "base/crypt.h"
#include "dispatch/dispatch_internal.h"
#include "store/store_queue_secret.h"

struct secret_cmd {
	struct sq_secret c;
	struct dispatch *d;
	struct dhost *host;
	uint64_t ticket;
	char *plain;
	size_t n;
};

static void on_secret_stored(struct store_cmd *cmd)
{
	struct secret_cmd *s = CONTAINER_OF(cmd, struct secret_cmd, c.cmd);
	struct dispatch *d = s->d;

	channel_saved(s->host->cs, s->ticket, cmd->rc);
	wipe(s->plain, s->n);
	d_free(s->plain);
	d_free(s);
	cmd_end(d);
}

static char *put(char *at, struct lt_str s)
{
	uint32_t n = (uint32_t)s.n;

	memcpy(at, &n, sizeof(n));
	at += sizeof(n);
	if (n)
		memcpy(at, s.p, n);
	return at + n;
}

void secret_put_on(void *ctx, struct channel *c, const char *credential, const struct lt_pair *set,
	size_t n, int64_t expires_ms, uint64_t ticket)
{
	struct dhost *h = ctx;
	struct dispatch *d = h->d;
	struct secret_cmd *s = d_alloc(d, sizeof(*s));

	s->d = d;
	s->host = h;
	s->ticket = ticket;
	for (size_t i = 0; i < n; i++)
		s->n += 2 * sizeof(uint32_t) + set[i].name.n + set[i].value.n;
	s->plain = d_alloc(d, s->n + 1);
	char *at = s->plain;
	for (size_t i = 0; i < n; i++) {
		at = put(at, set[i].name);
		at = put(at, set[i].value);
	}
	(void)str_copy(s->c.channel, sizeof(s->c.channel), str_of(channel_conf(c)->name));
	(void)str_copy(s->c.name, sizeof(s->c.name), str_of(credential));
	s->c.plain = (struct str){ s->plain, s->n };
	s->c.expires_ms = expires_ms;
	sq_secret_init(&s->c);
	s->c.cmd.done = on_secret_stored;
	cmd_begin(d);
	int sent = store_submit(
		d->o.store, &s->c.cmd); /* from here on the command is the store's */
	if (sent) {
		s->c.cmd.rc = sent;
		on_secret_stored(&s->c.cmd);
	}
}
