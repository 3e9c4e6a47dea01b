/* plan_call.c - an act of a person on its way through worker and store; answered exactly once, on the loop.
 * Owns: copies of everything that the caller borrowed to it.
 */
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "plan/plan_internal.h"

static const char *dup_or_null(const char *z)
{
	return z ? x_strdup(z) : NULL;
}

struct plan_call *call_new(struct plan *p, const cJSON *params, const struct staged *s,
	const struct actor *who, plan_done_fn *done, void *ctx)
{
	CHECK_OBJ(p, PLAN_MAGIC);
	struct plan_call *c = x_calloc(1, sizeof(*c));
	c->p = p;
	c->done = done;
	c->ctx = ctx;
	c->who = (struct actor){ dup_or_null(who->person), dup_or_null(who->via),
		dup_or_null(who->office), who->roles };
	c->params = params ? cJSON_Duplicate(params, true) : NULL;
	if (s)
		c->staged = (struct staged){ .path = dup_or_null(s->path),
			.name = dup_or_null(s->name) };
	plan_busy(p);
	return c;
}

void call_answer(struct plan_call *c)
{
	struct plan *p = c->p;
	if (c->rc < 0 && !*c->err.text)
		err_set(&c->err, c->rc, "it could not be stored (%d)", c->rc);
	c->done(c->ctx, c->rc, c->rc < 0 ? &c->err : NULL, MOVE(c->json));
	check_done(&c->checked);
	conf_unref(c->conf);
	xfree(c->who.person);
	xfree(c->who.via);
	xfree(c->who.office);
	xfree(c->staged.path);
	xfree(c->staged.name);
	cJSON_Delete(c->params);
	free(c->parts);
	free(c->assets);
	free(c->rends);
	free(c->contacts);
	free(c->front);
	free(c->body);
	free(c->bodies);
	free(c);
	plan_idle(p);
}

bool call_is_long(const struct plan_call *c)
{
	return work_is_long(&c->work);
}

/* As it came: it begins anew, where it may take its time. */
static void begin_anew(struct plan_call *c)
{
	check_done(&c->checked);
	cJSON_Delete(MOVE(c->json));
	c->err = (struct err){ 0 };
	c->work.longer = WORK_LOOK;
}

static void work_fn(struct work *w)
{
	struct plan_call *c = CONTAINER_OF(w, struct plan_call, work);
	struct store_reader *r;
	c->rc = store_reader_open(c->p->store, &r);
	if (c->rc)
		return;
	c->rc = c->fn(c, r);
	store_reader_close(r);
	if (c->rc == -EOVERFLOW && !call_is_long(c))
		begin_anew(c);
}

static void work_done(struct work *w)
{
	struct plan_call *c = CONTAINER_OF(w, struct plan_call, work);
	if (c->rc < 0 && c->failed)
		c->failed(c);
	else if (c->rc < 0)
		call_answer(c);
	else
		c->next(c);
}

void call_work(struct plan_call *c, int (*fn)(struct plan_call *c, struct store_reader *r),
	void (*next)(struct plan_call *c))
{
	c->fn = fn;
	c->next = next;
	c->work.fn = work_fn;
	c->work.done = work_done;
	env_work(c->p->env, &c->work);
}

void call_submit(struct plan_call *c, struct store_cmd *cmd)
{
	int rc = store_submit(c->p->store, cmd);
	if (rc == 0)
		return;
	c->rc = err_set(&c->err, rc, "the store takes nothing now; try again");
	call_answer(c);
}
