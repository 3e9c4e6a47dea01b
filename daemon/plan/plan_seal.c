/* plan_seal.c - when a part or release is done, its attempts are sealed: a digest over them, named in the audit, chunk after chunk.
 * Thread: loop. A crash in between loses nothing: the next seal of the release takes what was not sealed yet.
 */
#include <stdlib.h>
#include "base/assert.h"
#include "base/log.h"
#include "plan/plan_internal.h"
#include "store/store_seal.h"

struct seal_do {
	struct store_seal cmd;
	struct plan *p;
};

static void seal_next(struct seal_do *s);

static void seal_done(struct store_cmd *cmd)
{
	struct seal_do *s = CONTAINER_OF(cmd, struct seal_do, cmd.cmd);
	struct plan *p = s->p;
	if (cmd->rc < 0)
		log_line(LOG_WARN, "ev=seal.failed release=%lld error=%d continuing",
			(long long)s->cmd.release_id, cmd->rc);
	if (cmd->rc == 0 && s->cmd.more && !p->stopping)
		seal_next(s);
	else
		free(s);
	plan_idle(p);
}

static void seal_next(struct seal_do *s)
{
	plan_busy(s->p);
	if (store_submit(s->p->store, &s->cmd.cmd) < 0) {
		struct plan *p = s->p;
		free(s);
		plan_idle(p);
	}
}

void plan_seal(struct plan *p, int64_t release_id)
{
	struct seal_do *s = x_calloc(1, sizeof(*s));
	s->p = p;
	store_seal_init(&s->cmd, release_id);
	s->cmd.cmd.done = seal_done;
	seal_next(s);
}
