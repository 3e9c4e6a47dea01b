/* channel_asset.c - public addresses of assets for adapters whose provider fetches by itself. Loop thread, never waits.
 * Failures: -LT_E_AGAIN: its address is being made (push), ask again in some seconds; -LT_E_INVALID: there is none to be had.
 */
#include "channel/channel_internal.h"

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
