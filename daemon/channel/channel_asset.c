/* channel_asset.c - public addresses of assets: for adapters whose provider fetches by itself (asset_url: loop thread, never waits),
 * and for files that stand in a prepared text as links (prepared_link_add: any worker), whose addresses compose gets.
 * Failures: -LT_E_AGAIN: its address is being made (push), ask again in some seconds; -LT_E_INVALID: there is none to be had.
 */
#include <string.h>
#include "channel/channel_internal.h"
#include "channel/prepared_arena.h"

#define LIVES_MIN_MS 60000
#define LIVES_MAX_MS (INT64_C(400) * 86400000)

int asset_url(struct chan_account *a, struct job *j, struct lt_str asset, int64_t lives_ms,
	struct lt_str *ret)
{
	struct channels *cs = a->ch->cs;
	struct asset_id id;
	if (!j || !cs->o.asset_url || asset_id_read(s_of(asset), &id))
		return -LT_E_INVALID;
	if (lives_ms < LIVES_MIN_MS)
		lives_ms = LIVES_MIN_MS;
	if (lives_ms > LIVES_MAX_MS)
		lives_ms = LIVES_MAX_MS;
	int rc = cs->o.asset_url(
		cs->o.asset_ctx, &id, lives_ms, cs->asset_url, sizeof(cs->asset_url));
	if (rc == 0)
		*ret = (struct lt_str){ cs->asset_url, strlen(cs->asset_url) };
	return rc == 0 ? 0 : rc == -EAGAIN ? -LT_E_AGAIN : -LT_E_INVALID;
}

/* ".pdf" of "Quyết định.PDF": at most six letters and digits, else nothing. */
static void ending_of(struct str name, char dst[static 8])
{
	size_t at = name.n, n = 0;
	dst[0] = 0;
	while (at && name.p[at - 1] != '.')
		at--;
	if (!at || name.n - at == 0 || name.n - at > 6)
		return;
	for (size_t i = at; i < name.n; i++) {
		char c = name.p[i];
		c = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')))
			return;
		dst[1 + n++] = c;
	}
	dst[0] = '.';
	dst[1 + n] = 0;
}

int prepared_link_add(
	struct prepared *p, struct arena *a, const struct lt_content *content, struct lt_str asset)
{
	static const char prefix[] = "asset.url.";
	char var[sizeof(prefix) + ASSET_ID_MAX];
	struct prepared_link l = { 0 };
	if (asset.n >= ASSET_ID_MAX || asset_id_read(s_of(asset), &l.id))
		return -LT_E_INVALID;
	memcpy(var, prefix, sizeof(prefix) - 1);
	memcpy(var + sizeof(prefix) - 1, asset.p, asset.n);
	size_t n = sizeof(prefix) - 1 + asset.n;
	var[n] = 0;
	for (size_t i = 0; i < p->n_links; i++)
		if (!strcmp(p->links[i].var, var))
			return 0;
	if (p->n_links == LINKS_MAX)
		return -LT_E_FULL;
	for (size_t i = 0; i < content->n_assets; i++)
		if (str_eq(s_of(content->assets[i]->id), s_of(asset)))
			ending_of(s_of(content->assets[i]->filename), l.ending);
	l.var = arena_copy(a, var, n);
	if (!l.var)
		return -LT_E_FULL;
	if (!p->links)
		p->links = x_calloc(LINKS_MAX, sizeof(*p->links));
	p->links[p->n_links++] = l;
	return 0;
}

const char *links_refused(const struct conf *c)
{
	if (c->push_assets)
		return "files cannot go as links with public_assets: push; serve them under public_url, or use smaller ones";
	return c->public_url
		? NULL
		: "files cannot go as links: lantoad.yaml has no public_url under which they are fetched";
}
