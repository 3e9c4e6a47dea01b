/* channel_pure.c - the pure side of an adapter behind a bounded sink: prepare and compose. Threads: any worker.
 * Failures: an adapter that adds more than its bounds, or returns an error, fails the call with a text; nothing is kept.
 */
#include <stdlib.h>
#include <string.h>
#include "base/utf8.h"
#include "channel/channel_internal.h"
#include "channel/prepared_arena.h"

#define PREVIEW_MAX (256u << 10)
#define PREVIEW_TEXT   \
	(PREVIEW_MAX - \
		(24u << 10)) /* the rest is for the pictures, and for saying that it was cut */
#define PROBLEMS_MAX 200
#define FACTS_MAX    64
#define HOLE_MAX     65536
#define COMPOSE_MAX  (1u << 20)

static const struct chan_account *account_find(const struct channel *c, const char *name)
{
	for (size_t i = 0; i < c->n_accounts; i++)
		if (!name || !strcmp(c->accounts[i]->conf->name, name))
			return c->accounts[i];
	return NULL;
}

/* --- prepare ------------------------------------------------------------------------------------------------------------- */
struct prepare_sink {
	struct prepared *p;
	struct arena *a;
	const struct lt_content *content;
	const struct chan_renditions *renditions;
	struct buf preview;
	bool full, again, preview_cut; /* again: a rendition is not at hand yet */
	int trouble;
	struct err err; /* of trouble */
};

static int prepare_fail(struct prepare_sink *s)
{
	s->full = true;
	return -LT_E_FULL;
}

static struct lt_src *piece_new(struct prepare_sink *s)
{
	struct prepared *p = s->p;
	if (p->n_pieces == PREPARED_PIECES_MAX || s->a->total > PREPARED_BYTES_MAX)
		return NULL;
	if ((p->n_pieces & (p->n_pieces - 1)) == 0)
		p->pieces = x_realloc(
			p->pieces, p->n_pieces ? p->n_pieces * 2 : 1, sizeof(*p->pieces));
	struct lt_src *src = &p->pieces[p->n_pieces++];
	*src = (struct lt_src){ 0 };
	return src;
}

/* Length 0 is "to the end": said by the id of a rendition, and of an asset by the content. 0: not known. */
static uint64_t slice_length(const struct prepare_sink *s, const struct lt_src *in)
{
	struct asset_id id;
	uint64_t bytes = 0;
	if (in->length || asset_id_read(s_of(in->asset), &id))
		return in->length;
	bytes = id.bytes;
	for (size_t i = 0; i < s->content->n_assets && !bytes; i++)
		if (str_eq(s_of(s->content->assets[i]->id), s_of(in->asset)))
			bytes = s->content->assets[i]->bytes;
	return bytes > in->offset ? bytes - in->offset : 0;
}

static int prepare_add(void *ctx, const struct lt_src *in)
{
	struct prepare_sink *s = ctx;
	uint64_t length = in->asset.p ? slice_length(s, in) : in->length;
	if (in->bytes.n > PREPARED_BYTES_MAX || in->secret.n > 200 || in->asset.n > 200)
		return prepare_fail(s);
	struct lt_src *src = piece_new(s);
	if (!src)
		return prepare_fail(s);
	src->bytes = arena_str(s->a, in->bytes);
	src->secret = arena_str(s->a, in->secret);
	src->asset = arena_str(s->a, in->asset);
	if (in->bytes.p && !src->bytes.p)
		return prepare_fail(s); /* no memory */
	src->offset = in->offset;
	src->length = length;
	src->encode = in->encode;
	s->p->bytes += in->asset.p
		? (in->encode == LT_BASE64_LINES ? base64_lines_len(length) : length)
		: in->bytes.n;
	return 0;
}

static int prepare_hole(void *ctx, uint32_t id)
{
	struct prepare_sink *s = ctx;
	struct lt_src *src = id < UINT32_MAX - 1 ? piece_new(s) : NULL;
	if (!src)
		return prepare_fail(s);
	src->reserved = id + 1;
	s->p->n_holes++;
	return 0;
}

static int prepare_note(void *ctx, struct lt_str note)
{
	struct prepare_sink *s = ctx;
	if (note.n > HOLE_MAX)
		return prepare_fail(s);
	s->p->note = arena_str(s->a, note);
	return 0;
}

static int prepare_preview(void *ctx, struct lt_str text)
{
	struct prepare_sink *s = ctx;
	struct str fits = utf8_cut(s_of(text), PREVIEW_TEXT - s->preview.n);
	if (s->preview_cut)
		return 0;
	s->preview_cut = fits.n < text.n;
	return buf_add(&s->preview, fits.p, fits.n) ? -LT_E_FULL : 0;
}

static int prepare_problem(void *ctx, int32_t severity, struct lt_str field, struct lt_str text)
{
	struct prepare_sink *s = ctx;
	struct prepared *p = s->p;
	if (p->n_problems == PROBLEMS_MAX)
		return -LT_E_FULL;
	if (!p->problems)
		p->problems = x_calloc(PROBLEMS_MAX, sizeof(*p->problems));
	p->problems[p->n_problems++] = (struct prepared_problem){ .severity = severity,
		.field = arena_copy(s->a, field.p ? field.p : "", field.n),
		.text = arena_copy(s->a, text.p ? text.p : "", text.n > 2000 ? 2000 : text.n) };
	return 0;
}

static int prepare_fact(void *ctx, struct lt_str name, int64_t value)
{
	struct prepare_sink *s = ctx;
	struct prepared *p = s->p;
	if (p->n_facts == FACTS_MAX)
		return -LT_E_FULL;
	if (!p->facts)
		p->facts = x_calloc(FACTS_MAX, sizeof(*p->facts));
	p->facts[p->n_facts].name = arena_copy(s->a, name.p, name.n);
	p->facts[p->n_facts++].value = value;
	return 0;
}

static int prepare_tell(void *ctx, struct lt_str name, struct lt_str value)
{
	struct prepare_sink *s = ctx;
	if (!str_eqz(s_of(name), "asset_url"))
		return 0;
	int rc = prepared_link_add(s->p, s->a, s->content, value);
	return rc == -LT_E_FULL ? prepare_fail(s) : rc;
}

/* --- renditions ---------------------------------------------------------------------------------------------------------- */
static struct str picture_name(const struct prepare_sink *s, struct lt_str asset)
{
	for (size_t i = 0; i < s->content->n_assets; i++)
		if (str_eq(s_of(s->content->assets[i]->id), s_of(asset)))
			return s_of(s->content->assets[i]->filename);
	return STR("?");
}

static void rendition_say(struct prepare_sink *s, int severity, struct lt_str asset,
	struct lt_str spec, const char *text)
{
	struct buf b CLEANUP_BUF;
	buf_init(&b, 2000);
	buf_addf(&b, "picture '" STR_FMT "' %s (asked for as " STR_FMT ")",
		STR_ARG(picture_name(s, asset)), text, STR_ARG(s_of(spec)));
	(void)prepare_problem(s, severity, (struct lt_str){ "assets", 6 }, lt_of(buf_str(&b)));
}

/* For the reader of the preview: what will be sent in the place of the picture. */
static void rendition_tell(struct prepare_sink *s, const struct prepared_rendition *r)
{
	struct asset_id id;
	struct lt_str asset = { r->asset, strlen(r->asset) };
	if (asset_id_read(str_of(r->id), &id))
		return;
	if (s->preview.n)
		(void)buf_addz(&s->preview, s->preview.p[s->preview.n - 1] == '\n' ? "" : "\n");
	(void)buf_addf(&s->preview, "[" STR_FMT ": %s, %u x %u, %llu kB]\n",
		STR_ARG(picture_name(s, asset)), id.type, id.width, id.height,
		(unsigned long long)(id.bytes + 999) / 1000);
}

static int rendition_keep(struct prepare_sink *s, struct lt_str asset, struct lt_str spec,
	const char *id, struct lt_str *ret)
{
	struct prepared *p = s->p;
	if (p->n_renditions == RENDITIONS_MAX)
		return prepare_fail(s);
	if (!p->renditions)
		p->renditions = x_calloc(RENDITIONS_MAX, sizeof(*p->renditions));
	struct prepared_rendition r = { .asset = arena_copy(s->a, asset.p, asset.n),
		.spec = arena_copy(s->a, spec.p, spec.n),
		.id = arena_copy(s->a, id, strlen(id)) };
	if (!r.asset || !r.spec || !r.id)
		return prepare_fail(s);
	p->renditions[p->n_renditions++] = r;
	*ret = (struct lt_str){ r.id, strlen(r.id) };
	return 0;
}

static int prepare_rendition(void *ctx, struct lt_str asset, struct lt_str spec, struct lt_str *ret)
{
	struct prepare_sink *s = ctx;
	char id[ASSET_ID_MAX];
	struct err e = { 0 };
	for (size_t i = 0; i < s->p->n_renditions; i++)
		if (str_eqz(s_of(asset), s->p->renditions[i].asset) &&
			str_eqz(s_of(spec), s->p->renditions[i].spec)) {
			*ret = (struct lt_str){ s->p->renditions[i].id,
				strlen(s->p->renditions[i].id) };
			return 0;
		}
	int rc = s->renditions
		? s->renditions->find(s->renditions->ctx, s_of(asset), s_of(spec), id, &e)
		: err_set(&e, -EBADMSG, "cannot be fitted here");
	if (rc == 0 && e.text[0])
		rendition_say(s, 1, asset, spec, e.text);
	if (rc == 0)
		return rendition_keep(s, asset, spec, id, ret);
	if (rc == -EBADMSG || rc == -EINVAL)
		return rendition_say(s, 2, asset, spec, e.text), -LT_E_INVALID;
	s->again = s->again || rc == -EAGAIN;
	if (rc != -EAGAIN && !s->trouble) {
		s->trouble = rc;
		s->err = e;
	}
	return -LT_E_AGAIN;
}

static void digest_number(struct hasher *h, uint64_t n)
{
	uint8_t be[8];
	for (size_t k = 0; k < 8; k++)
		be[k] = (uint8_t)(n >> (56 - 8 * k));
	hasher_field(h, be, sizeof(be));
}

/* Over every piece, hole, note and fact in order; the preview is made of them. batch_key is derived, not content. */
static void digest_make(struct prepared *p)
{
	struct hasher h;
	hasher_init(&h);
	hasher_field(&h, "lantoa-prepared-1", 17);
	digest_number(&h, p->n_pieces);
	for (size_t i = 0; i < p->n_pieces; i++) {
		const struct lt_src *s = &p->pieces[i];
		digest_number(&h, s->offset);
		digest_number(&h, s->length);
		digest_number(&h, s->encode);
		digest_number(&h, s->reserved);
		hasher_field(&h, s->bytes.p, s->bytes.n);
		hasher_field(&h, s->secret.p, s->secret.n);
		hasher_field(&h, s->asset.p, s->asset.n);
	}
	hasher_field(&h, p->note.p, p->note.n);
	for (size_t i = 0; i < p->n_facts; i++) {
		if (!strcmp(p->facts[i].name, "batch_key"))
			continue;
		hasher_field(&h, p->facts[i].name, strlen(p->facts[i].name));
		digest_number(&h, (uint64_t)p->facts[i].value);
	}
	for (size_t i = 0; i < p->n_renditions;
		i++) { /* also those that go by link: their id holds their hash */
		hasher_field(&h, "rendition", 9);
		hasher_field(&h, p->renditions[i].asset, strlen(p->renditions[i].asset));
		hasher_field(&h, p->renditions[i].spec, strlen(p->renditions[i].spec));
		hasher_field(&h, p->renditions[i].id, strlen(p->renditions[i].id));
	}
	for (size_t i = 0; i < p->n_links; i++) { /* which file; its address is a hole */
		hasher_field(&h, "link", 4);
		hasher_field(&h, p->links[i].var, strlen(p->links[i].var));
	}
	hasher_end(&h, &p->digest);
}

/* Equal skeletons without holes may share a transaction: the key is theirs, whatever the adapter said. */
static void batch_key_make(struct prepared *p)
{
	if (p->n_holes)
		return;
	memcpy(&p->batch_key, p->digest.b, sizeof(p->batch_key));
	if (!p->batch_key)
		p->batch_key = 1;
}

static void preview_end(struct prepare_sink *s)
{
	if (s->preview_cut)
		(void)buf_addf(&s->preview, "\n[... the text goes on: these are its first %u KB]\n",
			PREVIEW_TEXT >> 10);
	for (size_t i = 0; i < s->p->n_renditions; i++)
		rendition_tell(s, &s->p->renditions[i]);
	if (s->preview.n)
		s->p->preview = arena_copy(s->a, s->preview.p, s->preview.n);
	buf_done(&s->preview);
}

static int prepare_verdict(
	const struct channel *c, const struct prepare_sink *s, int rc, struct err *e)
{
	const char *name = c->conf->name;
	if (s->again)
		return -EAGAIN;
	if (s->trouble)
		return err_set(e, s->trouble, "channel '%s': %s", name, s->err.text);
	if (s->full)
		return err_set(e, -E2BIG,
			"channel '%s': the prepared text is larger than 8 MB or has too many pieces",
			name);
	if (rc < 0 && !s->p->n_problems)
		return err_set(e, -EIO,
			"channel '%s': adapter '%s' could not prepare the text (%d)", name,
			c->ad->name, rc);
	return 0;
}

int channel_prepare_with(const struct channel *c, const char *account,
	const struct lt_content *content, const struct chan_renditions *renditions,
	struct prepared **ret, struct err *e)
{
	const struct chan_account *a = account_find(c, account);
	CLEANUP(prepared_unref) struct prepared *p = NULL;
	if (!a)
		return err_set(
			e, -ENOENT, "channel '%s' has no account '%s'", c->conf->name, account);
	p = x_calloc(1, sizeof(*p));
	p->refs = 1;
	struct prepare_sink s = { .p = p,
		.a = p->arena = x_calloc(1, sizeof(*s.a)),
		.content = content,
		.renditions = renditions };
	buf_init(&s.preview, PREVIEW_MAX);
	struct lt_sink sink = sink_base(&s);
	sink.add = prepare_add;
	sink.hole = prepare_hole;
	sink.note = prepare_note;
	sink.need_rendition = prepare_rendition;
	sink.preview = prepare_preview;
	sink.problem = prepare_problem;
	sink.tell = prepare_tell;
	sink.fact = prepare_fact;
	int rc = c->ad->prepare(&a->settings.conf, content, &sink);
	if (p->n_links && links_refused(c->cs->conf))
		(void)prepare_problem(&s, 2, (struct lt_str){ "assets", 6 },
			lt_of(str_of(links_refused(c->cs->conf))));
	preview_end(&s);
	rc = prepare_verdict(c, &s, rc, e);
	if (rc)
		return rc;
	digest_make(p);
	batch_key_make(p);
	*ret = MOVE(p);
	return 0;
}

int channel_prepare(const struct channel *c, const char *account, const struct lt_content *content,
	struct prepared **ret, struct err *e)
{
	return channel_prepare_with(c, account, content, NULL, ret, e);
}

/* --- compose ------------------------------------------------------------------------------------------------------------- */
struct compose_sink {
	struct buf own;
	struct lt_src *src;
	size_t n, cap, start;
	bool full;
	char problem[200];
};

static struct lt_src *compose_piece(struct compose_sink *s)
{
	if (s->n == PREPARED_PIECES_MAX)
		return NULL;
	if (s->n == s->cap) {
		s->cap = s->cap * 2 + 8;
		s->src = x_realloc(s->src, s->cap, sizeof(*s->src));
	}
	return &s->src[s->n++];
}

/* Bytes of a hole are collected in `own`; their place is kept as an offset until the end (bytes.p NULL, reserved 1). */
static int compose_add(void *ctx, const struct lt_src *in)
{
	struct compose_sink *s = ctx;
	struct lt_src *src;
	if (in->asset.p || in->secret.p || buf_add(&s->own, in->bytes.p, in->bytes.n))
		return s->full = true, -LT_E_FULL;
	size_t n = in->bytes.n;
	struct lt_src *last = s->n > s->start ? &s->src[s->n - 1] : NULL;
	if (last && last->reserved == 1) {
		last->bytes.n += n;
		return 0;
	}
	src = compose_piece(s);
	if (!src)
		return s->full = true, -LT_E_FULL;
	*src = (struct lt_src){ .bytes = { NULL, n }, .offset = s->own.n - n, .reserved = 1 };
	return 0;
}

static int compose_problem(void *ctx, int32_t severity, struct lt_str field, struct lt_str text)
{
	struct compose_sink *s = ctx;
	UNUSED(severity);
	UNUSED(field);
	(void)str_copy(s->problem, sizeof(s->problem), s_of(text));
	return 0;
}

static void compose_finish(struct compose_sink *s, struct prepared *p, struct payload *out)
{
	size_t n;
	out->own = buf_take(&s->own, &n);
	out->src = s->src;
	out->n = s->n;
	out->skeleton = prepared_ref(p);
	out->bytes = p->bytes;
	for (size_t i = 0; i < s->n; i++) {
		struct lt_src *src = &s->src[i];
		if (src->reserved != 1)
			continue;
		src->bytes.p = out->own ? out->own + src->offset : "";
		src->offset = 0;
		src->reserved = 0;
		out->bytes += src->bytes.n;
	}
}

int channel_compose(const struct channel *c, const char *account, struct prepared *p,
	const struct lt_target *t, struct payload **ret, struct err *e)
{
	const struct chan_account *a = account_find(c, account);
	struct compose_sink s = { 0 };
	struct lt_sink sink = sink_base(&s);
	if (!a)
		return err_set(
			e, -ENOENT, "channel '%s' has no account '%s'", c->conf->name, account);
	sink.add = compose_add;
	sink.problem = compose_problem;
	buf_init(&s.own, COMPOSE_MAX);
	s.cap = p->n_pieces + 1;
	s.src = x_calloc(s.cap, sizeof(*s.src));
	int rc = 0;
	for (size_t i = 0; i < p->n_pieces && rc >= 0; i++) {
		const struct lt_src *piece = &p->pieces[i];
		if (piece->reserved) {
			s.start = s.n;
			rc = c->ad->compose(
				&a->settings.conf, p->note, t, piece->reserved - 1, &sink);
			continue;
		}
		struct lt_src *src = compose_piece(&s);
		if (src)
			*src = *piece;
		else
			s.full = true;
	}
	if (rc < 0 || s.full) {
		buf_done(&s.own);
		free(s.src);
		return err_set(e, s.full ? -E2BIG : -EINVAL, "channel '%s': %s", c->conf->name,
			s.problem[0] ? s.problem : "the text could not be made for this recipient");
	}
	struct payload *out = x_calloc(1, sizeof(*out));
	compose_finish(&s, p, out);
	*ret = out;
	return 0;
}
