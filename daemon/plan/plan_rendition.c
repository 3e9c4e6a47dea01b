/* plan_rendition.c - prepares with renditions: what is at hand is found under the lock, what is not is made without it, and then
 * all is prepared again. Thread: worker. A check keeps what it makes in the folder of its bundle, and only a submission moves it
 * to the assets; everything else stores at once, because its picture is stored already.
 * Failures: a refused picture is a problem with its reason; a helper that fails is an error, and says nothing about the picture.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/assert.h"
#include "base/file.h"
#include "base/log.h"
#include "content/image_head.h"
#include "content/rendition.h"
#include "plan/plan_internal.h"
#include "store/store_asset.h"
#include "store/store_rendition.h"

#define ROUNDS_MAX \
	24 /* an adapter that gives up at the first miss asks for its pictures one by one */

enum rend_state { REND_WANTED = 0, REND_READY = 1, REND_REFUSED = 2 };
struct rend {
	enum rend_state state;
	struct rendition_row row; /* its spec with the version, once that is known */
	char spec[RENDITION_SPEC_MAX + 1];
	int frames;   /* of the picture; 0: not known, -1: several */
	char *why;    /* owned; refused */
	char *staged; /* owned path in the bundle's folder; NULL: in the store */
};
struct ask {
	struct plan *p;
	struct store_reader *r;
	const struct checked *c; /* NULL: of a stored release */
	struct rend_set *set;
};

void rend_set_done(struct rend_set *s)
{
	for (size_t i = 0; i < s->n; i++) {
		xfree(s->v[i].why);
		xfree(s->v[i].staged);
	}
	free(s->v);
	*s = (struct rend_set){ 0 };
}

static struct rend *set_find(struct rend_set *s, const struct hash *asset, struct str spec)
{
	for (size_t i = 0; i < s->n; i++)
		if (hash_cmp(&s->v[i].row.asset, asset) == 0 && str_eqz(spec, s->v[i].spec))
			return &s->v[i];
	return NULL;
}

static struct rend *set_add(struct rend_set *s, const struct hash *asset, struct str spec)
{
	if (s->n == REND_SET_MAX)
		return NULL;
	if ((s->n & (s->n - 1)) == 0)
		s->v = x_realloc(s->v, s->n ? 2 * s->n : 1, sizeof(*s->v));
	struct rend *x = &s->v[s->n++];
	*x = (struct rend){ .row.asset = *asset };
	(void)str_copy(x->spec, sizeof(x->spec), spec);
	return x;
}

/* --- the store --------------------------------------------------------------------------------------------------------------- */
static bool file_is_there(const struct store *s, const struct asset_id *id)
{
	char path[4096];
	struct stat st;
	asset_path(path, sizeof(path), store_assets_dir(s), &id->hash);
	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && (uint64_t)st.st_size == id->bytes;
}

/* 1: the store has it. */
static int stored(const struct ask *a, struct rend *x, const char *version)
{
	(void)snprintf(x->row.spec, sizeof(x->row.spec), "%s %s", version, x->spec);
	int rc = rendition_get(reader_db(a->r), &x->row.asset, x->row.spec, &x->row.id);
	if (rc == 1 && !file_is_there(a->p->store, &x->row.id))
		return 0; /* lost: made again, and compared by its hash like everything */
	if (rc == 1)
		x->state = REND_READY;
	return rc;
}

static int source_open(const struct ask *a, const struct hash *asset, int *ret_fd, struct err *e);

/* Of a rendition that was at hand: whoever reviews is told as well that the others of its frames are not shown. */
static int source_frames(const struct ask *a, const struct hash *asset)
{
	struct buf head CLEANUP_BUF;
	char piece[65536];
	int fd = -1;
	buf_init(&head, IMAGE_HEAD_BYTES);
	if (source_open(a, asset, &fd, NULL))
		return 1;
	for (ssize_t n; head.n < head.max && (n = read(fd, piece, sizeof(piece))) > 0;) {
		size_t room = head.max - head.n;
		(void)buf_add(&head, piece, (size_t)n < room ? (size_t)n : room);
	}
	(void)close(fd);
	return image_head_moves(buf_str(&head)) ? -1 : 1;
}

/* --- finding, under the lock --------------------------------------------------------------------------------------------------- */
static int find(
	void *ctx, struct str asset, struct str spec, char id[static ASSET_ID_MAX], struct err *e)
{
	struct ask *a = ctx;
	struct rendition_spec parsed;
	struct asset_id from;
	char version[RENDITION_VERSION_MAX];
	if (!a->p->o.renditions)
		return err_set(e, -EBADMSG, "cannot be fitted: there is no image helper here");
	if (asset_id_read(asset, &from))
		return err_set(e, -EINVAL, "is asked for by a name that is none");
	int rc = rendition_spec_parse(spec, &parsed, e);
	if (rc)
		return rc;
	struct rend *x = set_find(a->set, &from.hash, spec);
	if (!x)
		x = set_add(a->set, &from.hash, spec);
	if (!x)
		return err_set(e, -E2BIG, "more than %d pictures have to be fitted", REND_SET_MAX);
	if (x->state == REND_REFUSED)
		return err_set(e, -EBADMSG, "%s", x->why);
	if (x->state == REND_WANTED && renditions_version_known(a->p->o.renditions, version)) {
		rc = stored(a, x, version);
		if (rc < 0)
			return err_set(e, rc, "the renditions could not be read");
	}
	if (x->state == REND_WANTED)
		return -EAGAIN;
	(void)asset_id_write(&x->row.id, id);
	if (x->frames == 0 && a->c)
		x->frames = source_frames(a, &from.hash);
	if (x->frames > 1)
		(void)err_set(e, 0, "has %d frames: only the first is shown", x->frames);
	else if (x->frames < 0)
		(void)err_set(e, 0, "has several frames: only the first is shown");
	return 0;
}

/* --- making, without the lock --------------------------------------------------------------------------------------------------- */
static int source_open(const struct ask *a, const struct hash *asset, int *ret_fd, struct err *e)
{
	for (size_t i = 0; a->c && a->c->dir && i < a->c->doc->n_assets; i++) {
		const struct doc_asset *d = &a->c->doc->assets[i];
		if (hash_cmp(&d->hash, asset) != 0)
			continue;
		char *path = x_asprintf("%s/%s", a->c->dir, d->file);
		*ret_fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		int rc = *ret_fd < 0 ? -errno : 0;
		free(path);
		return rc ? err_set(e, rc, "%s: %s", d->file, strerror(-rc)) : 0;
	}
	int rc = store_asset_open(a->p->store, asset, ret_fd, NULL);
	return rc ? err_set(e, rc, "the picture's file cannot be opened: %s", strerror(-rc)) : 0;
}

static int stage(const struct ask *a, struct rend *x, struct str bytes, struct err *e)
{
	char *path = x_asprintf("%s/.rendition-XXXXXX", a->c->dir);
	int fd = mkostemp(path, O_CLOEXEC);
	int rc = fd < 0 ? -errno : fd_write_all(fd, bytes.p, bytes.n);
	if (fd >= 0 && close(fd) < 0 && rc == 0)
		rc = -errno;
	if (rc) {
		err_set(e, rc, "%s: %s", path, strerror(-rc));
		free(path);
		return rc;
	}
	x->staged = path;
	return 0;
}

static int keep(const struct ask *a, struct rend *x, struct str bytes, struct err *e)
{
	if (a->c && a->c->dir)
		return stage(a, x, bytes, e);
	int rc = store_asset_put_bytes(a->p->store, bytes, &x->row.id.hash, e);
	if (rc == 0 && rendition_put_later(a->p->store, &x->row) < 0)
		log_line(LOG_WARN, "ev=rendition.row why=\"the store is busy\" continuing");
	return rc;
}

static int make(const struct ask *a, struct rend *x, struct err *e)
{
	char version[RENDITION_VERSION_MAX];
	struct rendition_made made = { 0 };
	int fd = -1, rc = renditions_version(a->p->o.renditions, version, e);
	if (rc == 0)
		rc = stored(a, x, version);
	if (rc)
		return rc < 0 ? rc : 0;
	rc = source_open(a, &x->row.asset, &fd, e);
	if (rc)
		return rc;
	rc = rendition_make(a->p->o.renditions, fd, x->spec, &made, e);
	(void)close(fd);
	if (rc == -EBADMSG) {
		x->why = x_strdup(e->text);
		x->state = REND_REFUSED;
		rc = 0;
	} else if (rc == 0) {
		x->row.id = made.id;
		x->frames = made.facts.frames;
		rc = keep(a, x, buf_str(&made.bytes), e);
		if (rc == 0)
			x->state = REND_READY;
	}
	buf_done(&made.bytes);
	return rc;
}

/* --- preparing ------------------------------------------------------------------------------------------------------------------ */
static int prepare_once(struct ask *a, const char *channel, const char *account,
	const struct lt_content *content, struct prepared **ret, struct err *e)
{
	const struct chan_renditions rs = { .ctx = a, .find = find };
	struct plan *p = a->p;
	int rc;
	pthread_rwlock_rdlock(&p->lock); /* a reload waits for one prepare at most */
	struct channel *ch = p->channels ? channels_find(p->channels, channel) : NULL;
	if (!ch)
		rc = err_set(e, -ENODEV, "channel '%s' is not configured any more", channel);
	else
		rc = channel_prepare_with(ch, account, content, &rs, ret, e);
	pthread_rwlock_unlock(&p->lock);
	return rc;
}

int plan_channel_prepare(struct plan *p, struct store_reader *r, struct checked *c,
	const char *channel, const char *account, const struct lt_content *content,
	struct prepared **ret, struct err *e)
{
	struct rend_set own = { 0 };
	struct ask a = { .p = p, .r = r, .c = c, .set = c ? &c->rends : &own };
	int rc = -EAGAIN;
	for (int round = 0; rc == -EAGAIN && round < ROUNDS_MAX; round++) {
		rc = prepare_once(&a, channel, account, content, ret, e);
		for (size_t i = 0; i < a.set->n && rc == -EAGAIN; i++) {
			int bad = a.set->v[i].state == REND_WANTED ? make(&a, &a.set->v[i], e) : 0;
			rc = bad ? bad : rc;
		}
	}
	rend_set_done(&own);
	return rc == -EAGAIN
		? err_set(e, -EIO, "channel '%s': it asks for pictures without an end", channel)
		: rc;
}

/* --- submitting ------------------------------------------------------------------------------------------------------------------- */
int rend_set_keep(struct plan *p, struct rend_set *s, struct rendition_row **ret, size_t *ret_n,
	struct err *e)
{
	int rc = 0;
	*ret_n = 0;
	*ret = s->n ? x_calloc(s->n, sizeof(**ret)) : NULL;
	for (size_t i = 0; i < s->n && rc == 0; i++) {
		struct rend *x = &s->v[i];
		if (x->state != REND_READY)
			continue;
		if (x->staged)
			rc = store_asset_put(
				p->store, x->staged, &x->row.id.hash, (int64_t)x->row.id.bytes, e);
		if (rc == 0)
			(*ret)[(*ret_n)++] = x->row;
	}
	return rc;
}
