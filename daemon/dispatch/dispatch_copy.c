/* dispatch_copy.c - the pool of copies in memory.
 * Thread: loop. Owns: free copies, and what a copy points to while it is in use. Failures: none; the pool grows up to
 * D_COPIES_MAX, which its users check before they take. */
#include <stdlib.h>
#include <string.h>
#include "dispatch/dispatch_internal.h"

struct dmem {
	struct list node;
	_Alignas(16) char bytes[];
};

void *d_alloc(struct dispatch *d, size_t n)
{
	struct dmem *m = x_calloc(1, sizeof(*m) + n);

	list_push(&d->mem, &m->node);
	return m->bytes;
}

void d_free(void *p)
{
	if (!p)
		return;
	struct dmem *m = CONTAINER_OF(p, struct dmem, bytes);
	list_del(&m->node);
	free(m);
}

void mem_free(struct dispatch *d)
{
	LIST_FOR_SAFE(&d->mem, n, nx)
	free(CONTAINER_OF(n, struct dmem, node));
	list_init(&d->mem);
}

struct dcopy *copy_take(struct dispatch *d)
{
	struct list *n = list_pop(&d->pool);
	struct dcopy *c;

	if (n) {
		c = CONTAINER_OF(n, struct dcopy, node);
		d->n_pool--;
		memset(c, 0, sizeof(*c));
	} else {
		c = x_calloc(1, sizeof(*c));
	}
	c->magic = COPY_MAGIC;
	c->d = d;
	list_init(&c->node);
	d->n_copies++;
	return c;
}

void copy_free(struct dcopy *c)
{
	struct dispatch *d = c->d;

	CHECK_OBJ(c, COPY_MAGIC);
	list_del(&c->node);
	payload_free(c->op.payload);
	free(c->text);
	free(c->steps);
	free(c->said);
	for (int i = 0; i < 2; i++)
		if (c->trace[i]) {
			buf_done(c->trace[i]);
			free(c->trace[i]);
		}
	money_detach(c);
	if (c->lot)
		lot_unref(c->lot);
	c->magic = 0;
	d->n_copies--;
	if (d->n_pool >= D_COPIES_MAX / 4) {
		free(c);
		return;
	}
	list_push(&d->pool, &c->node);
	d->n_pool++;
}

void pool_free(struct dispatch *d)
{
	struct list *n;

	while ((n = list_pop(&d->pool)) != NULL)
		free(CONTAINER_OF(n, struct dcopy, node));
	d->n_pool = 0;
}
