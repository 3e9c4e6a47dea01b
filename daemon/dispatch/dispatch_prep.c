/* dispatch_prep.c - skeletons at hand: what plan prepared again and found equal, by manifest, part, channel and office.
 * Thread: loop; workers get references. Owns: one reference each, least recently used out first over 8 MB or 4,096.
 * A manifest is part of the key, so a new revision can never meet an old skeleton; a reload empties it, and what is not sent by then
 * is made and compared once more. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "dispatch/dispatch_internal.h"

static void key_text(const struct prep_key *k, char *dst, size_t size)
{
	char hex[HASH_HEX];

	hash_hex(&k->manifest, hex);
	hex[32] = 0; /* half a digest is enough to tell manifests of one machine apart */
	snprintf(dst, size, "%s/%u/%lld/%lld", hex, k->part, (long long)k->channel_id,
		(long long)k->office_id);
}

static void prep_drop(struct dispatch *d, struct dprep *p)
{
	struct dpgroup *g = p->group;
	struct dprep **at = &g->first;

	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	list_del(&p->lru);
	prepared_unref(p->p);
	d->prep_bytes -= p->cost;
	d->prep_n--;
	free(p);
	if (!g->first) {
		(void)maps_del(d->prep_groups, str_of(g->key));
		free(g);
	}
}

void prep_known(struct dispatch *d, const struct prep_key *k, struct fill_lot *f)
{
	char key[96];

	key_text(k, key, sizeof(key));
	struct dpgroup *g = maps_get(d->prep_groups, str_of(key));
	for (struct dprep *p = g ? g->first : NULL; p && f->n_prep < D_PREPS_PER_LOT; p = p->next) {
		struct fill_prep *fp = &f->prep[f->n_prep++];
		memset(fp, 0, sizeof(*fp));
		(void)str_copy(fp->form, sizeof(fp->form), str_of(p->form));
		(void)str_copy(fp->lang, sizeof(fp->lang), str_of(p->lang));
		fp->p = prepared_ref(p->p);
		list_del(&p->lru);
		list_push(&d->prep_lru, &p->lru);
	}
}

void prep_put(struct dispatch *d, const struct prep_key *k, struct str form, struct str lang,
	struct prepared *made)
{
	char key[96];

	key_text(k, key, sizeof(key));
	struct dpgroup *g = maps_get(d->prep_groups, str_of(key));
	for (struct dprep *p = g ? g->first : NULL; p; p = p->next)
		if (str_eqz(form, p->form) && str_eqz(lang, p->lang))
			return; /* another worker was first */
	if (!g) {
		g = x_calloc(1, sizeof(*g));
		(void)str_copy(g->key, sizeof(g->key), str_of(key));
		(void)maps_put(d->prep_groups, str_of(key), g);
	}
	struct dprep *p = x_calloc(1, sizeof(*p));
	p->group = g;
	p->p = prepared_ref(made);
	p->cost = 512 + prepared_memory(made);
	(void)str_copy(p->form, sizeof(p->form), form);
	(void)str_copy(p->lang, sizeof(p->lang), lang);
	p->next = g->first;
	g->first = p;
	list_push(&d->prep_lru, &p->lru);
	d->prep_n++;
	d->prep_bytes += p->cost;
	while ((d->prep_bytes > D_PREP_BYTES_MAX || d->prep_n > D_PREP_MAX) && d->prep_n > 1)
		prep_drop(d, CONTAINER_OF(d->prep_lru.next, struct dprep, lru));
}

void dispatch_prepared(struct dispatch *d, const struct prep_key *k, struct prepared *p)
{
	CHECK_OBJ(d, D_MAGIC);
	prep_put(d, k, str_of(k->form), str_of(k->lang), p);
}

void prep_forget(struct dispatch *d)
{
	d->prep_generation++;
	while (!list_empty(&d->prep_lru))
		prep_drop(d, CONTAINER_OF(d->prep_lru.next, struct dprep, lru));
}

void prep_free(struct dispatch *d)
{
	prep_forget(d);
	maps_free(d->prep_groups);
	d->prep_groups = NULL;
}
