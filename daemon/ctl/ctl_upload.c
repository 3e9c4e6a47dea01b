/* ctl_upload.c - files on their way in: begun, sent in chunks, checked by SHA-256, taken by a method of the same connection.
 * Threads: loop; decoding and every write to disk run on a worker, one at a time an upload. Owns: files "up-N" in the staging
 * folder.
 * Failures: an abandoned or broken upload is removed; nothing of it is ever looked at.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include "ctl/ctl_internal.h"
#include "base/crypt.h"
#include "base/file.h"
#include "base/utf8.h"

#define UP_LONG_BYTES (INT64_C(1) << 20)

enum up_do { UP_BEGIN, UP_CHUNK, UP_END };

struct ctl_upload {
	struct list node;
	struct ctl *ctl;
	const struct ctl_conn *conn; /* NULL: its connection is gone */
	char id[32], name[200], person[128];
	char *path;
	int fd;
	int64_t bytes, received, touched_ms;
	struct hasher hash;
	unsigned pins; /* calls that use the finished file */
	bool list;     /* for an import */
	bool done, busy, doomed,
		refused; /* refused: the chunk at work was no good, the next may be */
	/* the step at work */
	struct work work;
	struct ctl_call *call;
	enum up_do what;
	size_t n;
	struct hash want, got; /* got: of a finished file */
	int rc;
	struct err err;
};

/* A list takes the room of four gigabytes: who may import none need not take it. */
static const struct kind {
	const char *what;
	int64_t max;
	unsigned roles; /* any of these; 0: whoever may upload */
} kinds[] = { { "bundle", INT64_C(256) << 20, 0 }, { "document", INT64_C(64) << 20, 0 },
	{ "import", INT64_C(4) << 30, ROLE_OPERATOR | ROLE_ADMIN } };

static void up_remove_run(struct work *w)
{
	struct ctl_upload *u = CONTAINER_OF(w, struct ctl_upload, work);
	if (u->fd >= 0)
		(void)close(u->fd);
	(void)unlink(u->path);
}

static void up_remove_done(struct work *w)
{
	struct ctl_upload *u = CONTAINER_OF(w, struct ctl_upload, work);
	free(u->path);
	free(u);
}

/* Out of the list at once; the file goes on a worker. */
static void up_drop(struct ctl_upload *u)
{
	list_del(&u->node);
	u->ctl->n_uploads--;
	u->work = (struct work){ .fn = up_remove_run, .done = up_remove_done };
	env_work(u->ctl->o.deps.env, &u->work);
}

static void up_doom(struct ctl_upload *u)
{
	u->conn = NULL;
	u->doomed = true;
	if (!u->busy && !u->pins)
		up_drop(u);
}

static void uploads_on_timer(struct timer *t)
{
	struct ctl *c = CONTAINER_OF(t, struct ctl, upload_timer);
	struct env *env = c->o.deps.env;
	LIST_FOR_SAFE(&c->uploads, it, nx)
	{
		struct ctl_upload *u = CONTAINER_OF(it, struct ctl_upload, node);
		if (!u->busy && !u->pins && env_mono(env) - u->touched_ms > CTL_UPLOAD_MS)
			up_doom(u);
	}
	timer_set(env, t, env_mono(env) + CTL_UPLOAD_MS / 10);
}

void ctl_uploads_open(struct ctl *c)
{
	struct env *env = c->o.deps.env;
	timer_init(&c->upload_timer, uploads_on_timer);
	timer_set(env, &c->upload_timer, env_mono(env) + CTL_UPLOAD_MS / 10);
}

void ctl_uploads_forget(struct ctl *c, const struct ctl_conn *conn)
{
	LIST_FOR_SAFE(&c->uploads, it, nx)
	{
		struct ctl_upload *u = CONTAINER_OF(it, struct ctl_upload, node);
		if (u->conn == conn)
			up_doom(u);
	}
}

void ctl_uploads_close(struct ctl *c)
{
	timer_stop(c->o.deps.env, &c->upload_timer);
	LIST_FOR_SAFE(&c->uploads, it, nx)
	up_doom(CONTAINER_OF(it, struct ctl_upload, node));
}

static struct ctl_conn *call_conn(struct ctl_call *call)
{
	return CONTAINER_OF(call, struct ctl_rpc, c)->conn;
}

static struct ctl_upload *up_find(struct ctl_call *call, struct str id)
{
	struct ctl_conn *conn = call_conn(call);
	LIST_FOR(&conn->ctl->uploads, it)
	{
		struct ctl_upload *u = CONTAINER_OF(it, struct ctl_upload, node);
		if (u->conn == conn && str_eqz(id, u->id))
			return u;
	}
	return NULL;
}

static void chunk_write(struct ctl_upload *u)
{
	struct str text = json_str(u->call->params, "data");
	size_t room = text.n / 4 * 3 + 4; /* the caller has bounded the text */
	uint8_t *data = malloc(room);
	u->n = 0;
	u->refused = !data || base64_decode(text, data, room, &u->n) < 0 || u->n > CTL_CHUNK_MAX ||
		u->received + (int64_t)u->n > u->bytes;
	if (u->refused)
		u->rc = err_set(&u->err, -EINVAL,
			"the chunk is no base64, over 512 KiB, or longer than the file was said to be");
	else if ((u->rc = fd_write_all(u->fd, data, u->n)) < 0)
		(void)err_set(&u->err, u->rc, "staging: %s", strerror(-u->rc));
	else
		hasher_add(&u->hash, data, u->n);
	free(data);
	/* Up to 700 KB that nobody reads again: given back here, which takes longer than all that the loop does with it. */
	cJSON_DeleteItemFromObjectCaseSensitive((cJSON *)(uintptr_t)u->call->params, "data");
}

/* The room is taken before the first byte comes, and the floor stays free: a list of gigabytes must not take it from outcomes. */
static int take_room(struct ctl_upload *u)
{
	struct statvfs v;
	int64_t floor = u->call->conf->free_floor_bytes;
	if (fstatvfs(u->fd, &v))
		return 0; /* not known: the writes themselves will tell */
	int64_t room = (int64_t)v.f_bavail * (int64_t)v.f_frsize - floor;
	bool fits = u->bytes <= room;
	if (fits && u->bytes > 0 && fallocate(u->fd, FALLOC_FL_KEEP_SIZE, 0, u->bytes) != 0)
		fits = errno != ENOSPC; /* not every file system can */
	if (fits)
		return 0;
	return err_set(&u->err, -ENOSPC,
		"the file has %" PRId64 " MB, and the disk has room for %" PRId64
		" MB above free_floor: make room first",
		(u->bytes + (1 << 20) - 1) >> 20, room > 0 ? room >> 20 : 0);
}

static void up_run(struct work *w)
{
	struct ctl_upload *u = CONTAINER_OF(w, struct ctl_upload, work);
	u->rc = 0;
	u->refused = false;
	switch (u->what) {
	case UP_BEGIN:
		u->fd = open(u->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (u->fd < 0)
			u->rc = err_set(&u->err, -errno, "staging: %s", strerror(errno));
		else
			u->rc = take_room(u);
		break;
	case UP_CHUNK: chunk_write(u); break;
	case UP_END:
		(void)close(u->fd);
		u->fd = -1;
		hasher_end(&u->hash, &u->got);
		if (hash_cmp(&u->got, &u->want) != 0)
			u->rc = err_set(&u->err, -EBADMSG,
				"the file arrived damaged: its SHA-256 differs from the one that was sent with it");
		break;
	}
}

static cJSON *up_result(const struct ctl_upload *u)
{
	cJSON *r = json_obj();
	if (u->what == UP_BEGIN)
		json_put_z(r, "id", u->id);
	json_put_i64(r, u->what == UP_CHUNK ? "received" : "bytes", u->received);
	return r;
}

static void up_done(struct work *w)
{
	struct ctl_upload *u = CONTAINER_OF(w, struct ctl_upload, work);
	struct ctl_call *call = MOVE(u->call);
	struct err err = u->err;
	int rc = u->rc;
	u->busy = false;
	u->touched_ms = env_mono(u->ctl->o.deps.env);
	if (!rc && u->what == UP_CHUNK)
		u->received += (int64_t)u->n;
	if (!rc && u->what == UP_END)
		u->done = true;
	cJSON *result = rc ? NULL : up_result(u);
	if ((rc && !u->refused) || u->doomed)
		up_drop(u);
	ctl_answer(call, rc, &err, result);
}

static int up_start(struct ctl_upload *u, struct ctl_call *call, enum up_do what)
{
	u->what = what;
	u->call = call;
	u->busy = true;
	/* A long list is sent as fast as its chunks are answered: it stands behind what is to go out. No release does. */
	u->work = (struct work){ .fn = up_run,
		.done = up_done,
		.weight = u->list && u->bytes > UP_LONG_BYTES ? WORK_BULK : WORK_SHORT };
	env_work(u->ctl->o.deps.env, &u->work);
	return 0;
}

static int answer_bad(struct ctl_call *call, int rc, const char *text)
{
	struct err e;
	(void)err_set(&e, rc, "%s", text);
	ctl_answer(call, rc, &e, NULL);
	return 0;
}

static unsigned uploads_of(const struct ctl *ctl, const char *person)
{
	unsigned n = 0;
	LIST_FOR(&ctl->uploads, it)
	n += !strcmp(CONTAINER_OF(it, struct ctl_upload, node)->person, person);
	return n;
}

static int upload_begin(struct ctl_call *call, cJSON **ret, struct err *e)
{
	struct ctl *ctl = call_conn(call)->ctl;
	int64_t bytes = json_i64(call->params, "bytes", -1);
	const struct kind *kind = NULL;
	struct str name = json_str(call->params, "name"), what = json_str(call->params, "what");
	UNUSED(ret);
	UNUSED(e);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		kind = str_eqz(what, kinds[i].what) ? &kinds[i] : kind;
	if (!kind || bytes < 0 || !name.p)
		return answer_bad(call, -EINVAL,
			"an upload has name, bytes, and what: bundle, document or import");
	if (kind->roles && !(call->who.roles & kind->roles))
		return answer_bad(call, -EPERM,
			"only an operator or an admin imports lists, and may upload one");
	if (bytes > kind->max)
		return answer_bad(call, -EFBIG,
			"the file is too large: a bundle has at most 256 MB, a document 64 MB, an import 4 GB");
	if (ctl->n_uploads >= CTL_UPLOADS_MAX)
		return answer_bad(call, -EBUSY, "16 uploads are under way; try again");
	if (uploads_of(ctl, call->who.person) >= CTL_UPLOADS_OF_ONE)
		return answer_bad(call, -EBUSY, "8 uploads of yours are under way; try again");
	struct store_stats st;
	store_stats_get(call->deps->store, &st);
	if (st.under_floor)
		return answer_bad(call, -ENOSPC,
			"the disk is nearly full: intake is closed until there is room again");
	struct ctl_upload *u = x_calloc(1, sizeof(*u));
	u->ctl = ctl;
	u->conn = call_conn(call);
	u->fd = -1;
	u->bytes = bytes;
	u->list = str_eqz(what, "import");
	uint8_t rnd[10];
	env_random(call->deps->env, rnd, sizeof(rnd));
	hex_encode(u->id, rnd, sizeof(rnd));
	(void)str_copy(u->name, sizeof(u->name), utf8_cut(name, sizeof(u->name) - 1));
	(void)str_copy(u->person, sizeof(u->person), str_of(call->who.person));
	u->path = x_asprintf("%s/up-%s", ctl->o.staging_dir, u->id);
	hasher_init(&u->hash);
	list_push(&ctl->uploads, &u->node);
	ctl->n_uploads++;
	return up_start(u, call, UP_BEGIN);
}

static int upload_chunk(struct ctl_call *call, cJSON **ret, struct err *e)
{
	struct ctl_upload *u = up_find(call, json_str(call->params, "id"));
	struct str data = json_str(call->params, "data");
	UNUSED(ret);
	UNUSED(e);
	if (!u || u->done)
		return answer_bad(
			call, -ENOENT, "no such upload on this connection; begin it again");
	if (u->busy || json_i64(call->params, "offset", -1) != u->received)
		return answer_bad(call, -EINVAL,
			"chunks come one after the other, each at the offset that was received last");
	if (!data.p || data.n > CTL_CHUNK_MAX * 4 / 3 + 4)
		return answer_bad(call, -EINVAL, "a chunk carries data in base64, at most 512 KiB");
	return up_start(u, call, UP_CHUNK);
}

static int upload_end(struct ctl_call *call, cJSON **ret, struct err *e)
{
	struct ctl_upload *u = up_find(call, json_str(call->params, "id"));
	UNUSED(ret);
	UNUSED(e);
	if (!u || u->done || u->busy)
		return answer_bad(
			call, -ENOENT, "no such upload on this connection; begin it again");
	if (hash_from_hex(json_str(call->params, "sha256"), &u->want))
		return answer_bad(call, -EINVAL, "sha256 has 64 hexadecimal digits");
	if (u->received != u->bytes)
		return answer_bad(call, -EINVAL, "the file is not whole yet");
	return up_start(u, call, UP_END);
}

int ctl_upload_pin(struct ctl_rpc *r, struct str id, struct err *e)
{
	struct ctl_upload *u = up_find(&r->c, id);
	if (!u || !u->done || u->busy)
		return err_set(e, -ENOENT, "no finished upload '%.40s' on this connection",
			id.p ? id.p : "");
	u->pins++;
	r->upload = u;
	return 0;
}

void ctl_upload_unpin(struct ctl_upload *u)
{
	if (!u)
		return;
	REQUIRE(u->pins > 0);
	u->touched_ms = env_mono(u->ctl->o.deps.env);
	if (--u->pins == 0 && u->doomed)
		up_drop(u);
}

int ctl_upload_take(struct ctl_call *call, struct staged *ret, struct err *e)
{
	const struct ctl_upload *u = CONTAINER_OF(call, struct ctl_rpc, c)->upload;
	if (!u)
		return err_set(e, -EINVAL,
			"this needs a file: send it by upload.begin, upload.chunk, upload.end and name its id in 'upload'");
	*ret = (struct staged){ .path = u->path, .name = u->name, .hash = &u->got };
	return 0;
}

const struct ctl_method ctl_upload_methods[] = {
	{ "upload.begin", CTL_WRITE, ROLE_VIEWER, upload_begin },
	{ "upload.chunk", CTL_WRITE, ROLE_VIEWER, upload_chunk },
	{ "upload.end", CTL_WRITE, ROLE_VIEWER, upload_end },
	{ 0 },
};
