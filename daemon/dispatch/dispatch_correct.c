/* dispatch_correct.c - a correction edits what stands: where the channel says `correct: edit` and the adapter can, the copies of a correcting
 * release name what the corrected one made, and run as LT_J_CORRECT instead of as a second post.
 * Thread: worker of a fill. Owns: nothing; the ids lie behind the steps of the copy.
 * Failures: nothing found, no id known, or taken back already: it goes out as a message of its own. */
#include <stdlib.h>
#include <string.h>
#include "dispatch/dispatch_internal.h"
#include "store/store_correct.h"
#include "store/store_recall.h"

size_t copy_ids_attach(struct dcopy *c, const char *text)
{
	size_t pairs = c->op.n_steps * sizeof(*c->steps), n = strlen(text) + 1;
	struct lt_pair *block = x_realloc(c->steps, pairs + n, 1);
	struct str rest, line, effect;
	int64_t e = 0;
	size_t k = 0;

	c->steps = block;
	c->op.steps = c->op.n_steps ? block : NULL;
	char *at = (char *)block + pairs;
	memcpy(at, text, n);
	rest = str_of(at);
	while (k < D_IDS_MAX && str_next(&rest, '\n', &line))
		if (str_next(&line, ':', &effect) && str_i64(effect, 0, 1000, &e) == 0)
			c->ids[k++] = (struct lt_id){ (uint32_t)e, LT_ACCEPTED,
				{ line.p, line.n } };
	c->op.ids = k ? c->ids : NULL;
	c->op.n_ids = k;
	return k;
}

static void edits(struct dcopy *c, const char *ids)
{
	if (copy_ids_attach(c, ids) == 0)
		return;
	c->op.kind = LT_J_CORRECT;
	c->op.batch_key = c->op.delivery; /* alone */
}

int fill_correct(struct dfill *f, struct fill_lot *fl, struct store_reader *r)
{
	const struct conf_channel *conf = channel_conf(f->chan);
	char ids[RECALL_IDS_MAX];
	int64_t old = 0;

	if (!conf->correct_edit || !(channel_caps(f->chan) & LT_CAP_CORRECT) || !fl->n)
		return 0;
	int rc = store_corrects(r, fl->key.release_id, &old);
	for (size_t i = 0; i < fl->n && rc == 0 && old; i++) {
		struct dcopy *c = f->copy[fl->first + i];
		if (c->verdict != FILL_OK)
			continue;
		rc = store_correct_find(
			r, (int64_t)c->op.delivery, old, conf->name, f->account, ids, sizeof(ids));
		if (rc == 1) {
			edits(c, ids);
			rc = 0;
		}
	}
	return rc;
}
