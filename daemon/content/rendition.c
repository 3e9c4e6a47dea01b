/* rendition.c - runs lantoa-image and believes nothing that it says: the result is looked at by its header and its size.
 * Threads: workers, blocking; a lock bounds how many helpers run. Owns: nothing beyond a call.
 * Failures: a refusal is the picture's fault and has its reason; the helper's own death, too, where a signal says which limit it met.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "base/child.h"
#include "content/image_head.h"
#include "content/rendition.h"

#define HELPER_USAGE   2
#define HELPER_TROUBLE 15
#define HELPER_CPU_S   "20"
#define VERSION_MS     10000

struct renditions {
	pthread_mutex_t mu;
	pthread_cond_t freed;
	int running;
	char *helper;
	char version[RENDITION_VERSION_MAX]; /* "" not asked yet */
};

struct renditions *renditions_new(const char *helper)
{
	struct renditions *r = x_calloc(1, sizeof(*r));
	(void)pthread_mutex_init(&r->mu, NULL);
	(void)pthread_cond_init(&r->freed, NULL);
	r->helper = x_strdup(helper);
	return r;
}

void renditions_free(struct renditions *r)
{
	if (!r)
		return;
	(void)pthread_mutex_destroy(&r->mu);
	(void)pthread_cond_destroy(&r->freed);
	xfree(r->helper);
	xfree(r);
}

static void slot_take(struct renditions *r)
{
	(void)pthread_mutex_lock(&r->mu);
	while (r->running >= RENDITION_HELPERS_MAX)
		(void)pthread_cond_wait(&r->freed, &r->mu);
	r->running++;
	(void)pthread_mutex_unlock(&r->mu);
}

static void slot_give(struct renditions *r)
{
	(void)pthread_mutex_lock(&r->mu);
	r->running--;
	(void)pthread_cond_signal(&r->freed);
	(void)pthread_mutex_unlock(&r->mu);
}

static int helper_run(struct renditions *r, struct child *c, struct err *e)
{
	slot_take(r);
	int rc = child_run(c, e);
	slot_give(r);
	return rc;
}

/* --- version --------------------------------------------------------------------------------------------------------------- */
bool renditions_version_known(struct renditions *r, char ret[static RENDITION_VERSION_MAX])
{
	(void)pthread_mutex_lock(&r->mu);
	bool known = r->version[0] != 0;
	memcpy(ret, r->version, RENDITION_VERSION_MAX);
	(void)pthread_mutex_unlock(&r->mu);
	return known;
}

int renditions_version(struct renditions *r, char ret[static RENDITION_VERSION_MAX], struct err *e)
{
	const char *argv[] = { r->helper, "version", NULL };
	struct buf out CLEANUP_BUF;
	struct child c = { .argv = argv, .fd_in = -1, .deadline_ms = VERSION_MS, .out = &out };
	buf_init(&out, RENDITION_VERSION_MAX);
	if (renditions_version_known(r, ret))
		return 0;
	int rc = helper_run(r, &c, e);
	struct str v = str_trim(buf_str(&out));
	if (rc)
		return rc;
	if (c.status || c.signo || !v.n || v.n >= RENDITION_VERSION_MAX || str_has_control(v))
		return err_set(e, -EIO, "%s: it does not say its version: %s", r->helper,
			c.said[0] ? c.said : "no output");
	(void)pthread_mutex_lock(&r->mu);
	(void)str_copy(r->version, sizeof(r->version), v);
	memcpy(ret, r->version, RENDITION_VERSION_MAX);
	(void)pthread_mutex_unlock(&r->mu);
	return 0;
}

/* --- one rendition --------------------------------------------------------------------------------------------------------- */
static const char *death(int signo)
{
	switch (signo) {
	case SIGXCPU:
	case SIGKILL: return "takes too long to decode";
	case SIGXFSZ: return "becomes too large";
	case SIGABRT:
	case SIGTRAP: return "needs more memory than a picture may have";
	case SIGSYS: return "made the decoder do what it may not: treat the file as hostile";
	default: return "made the decoder fail: it is broken, or hostile";
	}
}

/* The helper's line: "no TEXT". */
static int refusal(const struct child *c, const char *helper, struct err *e)
{
	struct str said = str_trim(str_of(c->said)), line;
	if (c->signo)
		return err_set(e, -EBADMSG, "%s", death(c->signo));
	if (!str_line(&said, &line) || !str_starts(line, "no ") || line.n > 400)
		return err_set(
			e, -EIO, "%s: it ended with status %d and no reason", helper, c->status);
	line = (struct str){ line.p + 3, line.n - 3 };
	if (c->status == HELPER_USAGE || c->status == HELPER_TROUBLE)
		return err_set(e, -EIO, "%s: " STR_FMT, helper, STR_ARG(line));
	return err_set(e, -EBADMSG, STR_FMT, STR_ARG(line));
}

static int said_number(struct str line, const char *key, int *ret)
{
	struct str word, rest = line;
	int64_t v = 0;
	while (str_next(&rest, ' ', &word))
		if (str_starts(word, key) &&
			!str_i64((struct str){ word.p + strlen(key), word.n - strlen(key) }, 0,
				1000000, &v)) {
			*ret = (int)v;
			return 0;
		}
	return -EINVAL;
}

static bool ratio_holds(const struct rendition_spec *s, const struct image_head *h)
{
	double want = (double)h->width * s->ratio_h, have = (double)h->height * s->ratio_w;
	double slack = 0.021 * want + 2.0 * s->ratio_h + 2.0 * s->ratio_w;
	return !s->ratio_w || (have - want < slack && want - have < slack);
}

/* By the first bytes of the result, not by what the helper says of it. */
static int believe(const struct rendition_spec *s, struct rendition_made *m, struct err *e)
{
	struct image_head h;
	image_head_read(buf_str(&m->bytes), &h);
	for (size_t i = 0; i < s->n; i++) {
		const struct rendition_kind *k = &s->kind[i];
		enum media_type want = k->format == RENDITION_PNG ? MEDIA_PNG : MEDIA_JPEG;
		if (h.type != want || h.broken || !h.width || !h.height || h.width > k->width ||
			h.height > k->height || m->bytes.n > k->bytes || !ratio_holds(s, &h))
			continue;
		m->id = (struct asset_id){
			.bytes = m->bytes.n, .width = h.width, .height = h.height
		};
		(void)str_copy(
			m->id.type, sizeof(m->id.type), str_of(rendition_format_name(k->format)));
		hash_bytes(&m->id.hash, m->bytes.p, m->bytes.n);
		return 0;
	}
	return err_set(e, -EIO,
		"the image helper made %zu bytes, %u x %u, which is not what was asked", m->bytes.n,
		h.width, h.height);
}

static size_t bytes_max(const struct rendition_spec *s)
{
	size_t max = 0;
	for (size_t i = 0; i < s->n; i++)
		max = s->kind[i].bytes > max ? s->kind[i].bytes : max;
	return max;
}

int rendition_make(
	struct renditions *r, int fd, const char *spec, struct rendition_made *ret, struct err *e)
{
	char memory[40];
	const char *argv[] = { r->helper, spec, memory, "cpu=" HELPER_CPU_S, NULL };
	struct child c = {
		.argv = argv, .fd_in = fd, .deadline_ms = RENDITION_MS, .out = &ret->bytes
	};
	struct rendition_spec s;
	memset(ret, 0, sizeof(*ret));
	int rc = rendition_spec_parse(str_of(spec), &s, e);
	if (rc)
		return rc;
	buf_init(&ret->bytes, bytes_max(&s));
	(void)snprintf(memory, sizeof(memory), "memory=%llu", RENDITION_MEMORY);
	rc = helper_run(r, &c, e);
	if (rc == -ETIMEDOUT)
		return err_set(e, -EBADMSG, "takes too long to decode");
	if (rc)
		return rc;
	if (c.status || c.signo)
		return refusal(&c, r->helper, e);
	struct str said = str_of(c.said), line = { 0 };
	if (!str_line(&said, &line) || !str_starts(line, "ok ") ||
		said_number(line, "quality=", &ret->facts.quality) ||
		said_number(line, "frames=", &ret->facts.frames))
		return err_set(e, -EIO, "%s: it does not say what it made", r->helper);
	return believe(&s, ret, e);
}
