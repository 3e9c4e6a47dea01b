/* import_target.c - rows of targets and of suppressions: kind, office, canonical address, route, tags, lists, variables.
 * Thread: worker, slice by slice. Owns: offices with their routes, looked up once an office and kind.
 * Kinds that no channel carries yet are taken with their address as written and wait for a route: a warning, no error. Where only the
 * office has no route the address is read all the same: a contact has one form, however many offices name it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "base/utf8.h"
#include "plan/import_internal.h"

#define SLICE_BYTES (1u << 20)
#define NAMES_MAX   64 /* tags or lists of one row */

static const struct column known_target[] = { { "channel", true }, { "address", true },
	{ "office", true }, { "name", false }, { "lang", false }, { "tags", false },
	{ "lists", false }, { "list", false } };
static const struct column known_suppression[] = { { "address", true }, { "kind", true },
	{ "reason", true } };
static const struct column known_register[] = { { "address", true }, { "kind", false },
	{ "reason", false } };

#define CHANGED_TOLD_MAX 50 /* converted numbers that are named one by one */

struct off { /* an office with its ancestors and what was found for it */
	int64_t id;
	bool gone, mine;
	char code[64];
	char up[OFFICE_DEPTH_MAX + 1][64];
	size_t n_up;
	bool looked[KIND_MAX + 1];
	const struct conf_route *route[KIND_MAX + 1];
};
struct target_parse {
	struct off **off;
	size_t n_off;
	struct maps *by_code;
	int channel, address, office, name, lang, tags, lists, kind, reason;
	int cols[CSV_COLUMNS_MAX];
	size_t n_cols;
	int64_t no_route[KIND_MAX + 1], wrong_account, n_changed;
	int wrong_line;
	struct buf tag_buf, list_buf, vars, nfc;
};

#define BAD(im, field, ...)                                                                        \
	problem_add(&(im)->problems, PROBLEM_ERROR, (im)->table->file, (im)->table->line, (field), \
		__VA_ARGS__)

/* --- offices --------------------------------------------------------------------------------------------------------------------- */

struct load {
	struct target_parse *p;
};

static bool office_one(void *ctx, const struct office_row *r)
{
	struct target_parse *p = ((struct load *)ctx)->p;
	struct off *o = x_calloc(1, sizeof(*o));
	*o = (struct off){ .id = r->id, .gone = r->gone };
	(void)str_copy(o->code, sizeof(o->code), str_of(r->code));
	(void)str_copy(o->up[0], sizeof(o->up[0]), str_of(r->parent)); /* the parent for now */
	p->off = x_realloc(p->off, p->n_off + 1, sizeof(struct off *));
	p->off[p->n_off++] = o;
	maps_put(p->by_code, str_of(o->code), o);
	return true;
}

static void chains(struct target_parse *p, const char *bound)
{
	char(*parent)[64] = x_calloc(p->n_off + 1, sizeof(*parent));
	for (size_t i = 0; i < p->n_off; i++)
		memcpy(parent[i], p->off[i]->up[0], 64);
	struct maps *at = maps_new();
	for (size_t i = 0; i < p->n_off; i++)
		maps_put(at, str_of(p->off[i]->code),
			(void *)(uintptr_t)(i + 1)); /* never followed */
	for (size_t i = 0; i < p->n_off; i++) {
		struct off *o = p->off[i];
		size_t k = i;
		o->n_up = 0;
		while (o->n_up < ARRAY_LEN(o->up)) {
			memcpy(o->up[o->n_up++], p->off[k]->code, 64);
			o->mine = o->mine || !bound || !strcmp(bound, p->off[k]->code);
			k = (size_t)(uintptr_t)maps_get(at, str_of(parent[k]));
			if (k-- == 0)
				break;
		}
	}
	maps_free(at);
	free(parent);
}

static int offices_load(struct importer *im)
{
	struct store_reader *r = NULL;
	struct load l = { .p = im->parse };
	int rc = store_reader_get(im->o.store, &r);
	if (rc < 0)
		return rc;
	rc = reader_begin(r);
	if (rc == 0) {
		rc = office_list(reader_db(r), NULL, office_one, &l);
		reader_end(r);
	}
	store_reader_put(im->o.store, r);
	if (rc == 0)
		chains(im->parse, im->office);
	return rc;
}

static struct off *office_of(struct importer *im, struct str code)
{
	struct target_parse *p = im->parse;
	struct off *o = maps_get(p->by_code, code);
	if (o && o->mine && !o->gone)
		return o;
	if (o) {
		BAD(im, "office",
			o->gone ? "the office '%s' is no longer in use"
				: "the office '%s' is not yours",
			o->code);
		return NULL;
	}
	const char *near = NULL;
	for (size_t i = 0; i < p->n_off && !near; i++) {
		const char *one = p->off[i]->code;
		near = str_nearest(code, &one, 1);
	}
	BAD(im, "office", "there is no office '" STR_FMT "'%s%s%s", STR_ARG(code),
		near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
	return NULL;
}

static const struct conf_route *route_of(struct importer *im, struct off *o, int kind)
{
	if (!o->looked[kind]) {
		const char *codes[OFFICE_DEPTH_MAX + 1];
		for (size_t i = 0; i < o->n_up; i++)
			codes[i] = o->up[i];
		o->route[kind] = conf_route_find(im->conf, (enum chan_kind)kind, codes, o->n_up);
		o->looked[kind] = true;
	}
	return o->route[kind];
}

/* --- values ------------------------------------------------------------------------------------------------------------------------ */

static int by_str(const void *x, const void *y)
{
	return str_cmp(*(const struct str *)x, *(const struct str *)y);
}

/* "a; b" sorted and joined by IMPORT_SEP. */
static bool names_read(struct importer *im, struct str s, const char *field, struct buf *ret)
{
	struct str v[NAMES_MAX];
	size_t n = 0;
	buf_reset(ret);
	while (s.n > 0) {
		size_t len = 0;
		while (len < s.n && !memchr(";,| \n\t", s.p[len], 6))
			len++;
		if (len > 0 && n == NAMES_MAX) {
			BAD(im, field, "more than %d names", NAMES_MAX);
			return false;
		}
		if (len > 100) {
			BAD(im, field, "a name over 100 bytes");
			return false;
		}
		if (len > 0)
			v[n++] = (struct str){ s.p, len };
		len += len < s.n;
		s = (struct str){ s.p + len, s.n - len };
	}
	if (n > 1)
		qsort(v, n, sizeof(*v), by_str);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || !str_eq(v[i], v[i - 1])) {
			if (ret->n)
				buf_addc(ret, IMPORT_SEP);
			buf_add_str(ret, v[i]);
		}
	return true;
}

static bool has_name(struct str joined, const char *name)
{
	struct str one;
	while (str_next(&joined, IMPORT_SEP, &one))
		if (str_eqz(one, name))
			return true;
	return false;
}

static int kind_read(struct importer *im, struct str s, const char *field)
{
	int kind = chan_kind_parse(s);
	if (kind > 0)
		return kind;
	const char *names[KIND_MAX + 1], *near;
	size_t n = 0;
	for (int k = 1; k <= KIND_MAX; k++)
		if (chan_kind_name(k))
			names[n++] = chan_kind_name(k);
	near = str_nearest(s, names, n);
	BAD(im, field,
		"'" STR_FMT
		"' is no kind of channel%s%s; known are email, sms, facebook, zalo, person, webhook",
		STR_ARG(s), near ? "; did you mean " : "", near ? near : "");
	return -1;
}

/* What no adapter looks at: printable, not empty, in bounds. */
static bool address_plain(struct importer *im, struct str in, struct addr_out *ret)
{
	*ret = (struct addr_out){ .class = "" };
	if (in.n == 0 || in.n >= sizeof(ret->canonical) || str_has_control(in)) {
		BAD(im, "address",
			in.n ? "too long, or with unprintable characters" : "the address is empty");
		return false;
	}
	buf_reset(&im->parse->nfc);
	if (utf8_nfc(&im->parse->nfc, in) < 0 || im->parse->nfc.n >= sizeof(ret->canonical)) {
		BAD(im, "address", "not UTF-8, or too long");
		return false;
	}
	(void)str_copy(ret->canonical, sizeof(ret->canonical), buf_str(&im->parse->nfc));
	return true;
}

static bool address_by(
	struct importer *im, const char *channel, struct str in, struct addr_out *ret)
{
	struct err e = { 0 };
	if (in.n == 0 || str_has_control(in)) {
		BAD(im, "address", in.n ? "a control character" : "the address is empty");
		return false;
	}
	if (import_address(im, channel, in, ret, &e) == 0)
		return true;
	BAD(im, "address", "'" STR_FMT "': %s", STR_ARG(utf8_cut(in, 80)),
		e.text[0] ? e.text : "no such address");
	return false;
}

/* A page or OA goes out under its own account, or waits. */
static bool account_fits(
	struct importer *im, const struct conf_route *route, int kind, const char *address)
{
	const struct conf_channel *ch = conf_channel_find(im->conf, route->channel);
	const struct conf_account *a = ch ? conf_account_find(ch, route->account) : NULL;
	bool page = kind == KIND_FACEBOOK || !strncmp(address, "oa:", 3);
	if (!page || !a || !a->identity || !strcmp(a->identity, address))
		return true;
	if (im->parse->wrong_account++ == 0)
		im->parse->wrong_line = im->table->line;
	return false;
}

static int lane_of(struct importer *im, const struct conf_route *route, const char *class)
{
	const struct conf_channel *ch = conf_channel_find(im->conf, route->channel);
	return stage_lane(im->stage, route->channel, ch ? ch->adapter : "", route->account, class);
}

static void name_check(struct importer *im, struct str name, struct str lang)
{
	if (lang.n && !import_lang_ok(lang))
		BAD(im, "lang", "'" STR_FMT "' is no language; write for example vi or en",
			STR_ARG(utf8_cut(lang, 40)));
	if (name.n > IMPORT_TEXT_MAX || str_has_control(name))
		BAD(im, "name", "over %d bytes, or with unprintable characters", IMPORT_TEXT_MAX);
}

/* An adapter gave the address another form than the file has, because numbers were changed since: said, since it may be
 * somebody else's today. */
static void changed_note(struct importer *im, const struct addr_out *a)
{
	if (im->parse->n_changed++ < CHANGED_TOLD_MAX)
		problem_add(&im->problems, PROBLEM_WARNING, im->table->file, im->table->line,
			"address",
			"%s is a number of before 2018 and became %s; it may belong to somebody else today",
			a->changed, a->canonical);
}

/* Who reads addresses of a kind that belong to no office, or to one without a route: its default, else whichever channel there is, since
 * all of them agree. */
static const char *channel_of_kind(const struct conf *conf, int kind)
{
	const struct conf_route *route = conf_route_find(conf, (enum chan_kind)kind, NULL, 0);
	if (route)
		return route->channel;
	for (size_t i = 0; i < conf->n_channels; i++)
		if ((int)conf->channels[i]->kind == kind)
			return conf->channels[i]->name;
	return NULL;
}

static int target_row_read(struct importer *im, struct import_row *row, struct addr_out *a)
{
	struct target_parse *p = im->parse;
	struct table *t = im->table;
	size_t before = im->problems.errors;
	*row = (struct import_row){ .line = t->line,
		.lane = -1,
		.name = table_get(t, p->name),
		.lang = table_get(t, p->lang) };
	row->kind = kind_read(im, table_get(t, p->channel), "channel");
	struct off *o = office_of(im, table_get(t, p->office));
	name_check(im, row->name, row->lang);
	if (names_read(im, table_get(t, p->tags), "tags", &p->tag_buf))
		row->tags = buf_str(&p->tag_buf);
	if (names_read(im, table_get(t, p->lists), "lists", &p->list_buf))
		row->lists = buf_str(&p->list_buf);
	if (row->kind < 0 || !o)
		return 0;
	const struct conf_route *route = route_of(im, o, row->kind);
	const char *channel = route ? route->channel : channel_of_kind(im->conf, row->kind);
	struct str in = table_get(t, p->address);
	if (!(channel ? address_by(im, channel, in, a) : address_plain(im, in, a)) ||
		im->problems.errors > before)
		return 0;
	if (a->changed[0])
		changed_note(im, a);
	if (!route)
		p->no_route[row->kind]++;
	else if (account_fits(im, route, row->kind, a->canonical))
		row->lane = lane_of(im, route, a->class);
	if (row->lane < -1)
		return err_set(&im->err, -E2BIG, "too many different lanes");
	row->office_id = o->id;
	row->flags = has_name(row->tags, "internal") ? TARGET_INTERNAL : 0;
	row->address = str_of(a->canonical);
	row->form = str_of(a->form);
	row->class = str_of(a->class);
	buf_reset(&p->vars);
	if (import_vars(&p->vars, t, p->cols, p->n_cols) < 0)
		BAD(im, "", "the variables are over 64 KB");
	else if (p->vars.n > 2)
		row->vars = buf_str(&p->vars);
	return im->problems.errors == before;
}

static int suppression_row_read(struct importer *im, struct import_row *row, struct hash *who)
{
	static const struct {
		const char *name;
		int reason;
	} reasons[] = { { "hard", SUP_HARD }, { "soft", SUP_SOFT }, { "opt_out", SUP_OPT_OUT },
		{ "complaint", SUP_COMPLAINT }, { "person", SUP_PERSON },
		{ "do_not_call", SUP_DO_NOT_CALL } };
	struct target_parse *p = im->parse;
	struct table *t = im->table;
	struct addr_out a;
	bool reg = im->what == IMPORT_WHAT_DO_NOT_CALL;
	struct str kind_word = table_get(t, p->kind);
	int kind = reg && !kind_word.n ? (int)KIND_SMS : kind_read(im, kind_word, "kind");
	struct str reason = table_get(t, p->reason), in = table_get(t, p->address);
	if (reg && !reason.n)
		reason = STR("do_not_call");
	*row = (struct import_row){ .line = t->line, .lane = -1, .kind = kind };
	for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
		if (str_eqz(reason, reasons[i].name))
			row->reason = reasons[i].reason;
	if (!row->reason)
		BAD(im, "reason",
			"'" STR_FMT
			"' is no reason; known are hard, soft, opt_out, complaint, person, do_not_call",
			STR_ARG(utf8_cut(reason, 40)));
	if (kind < 0 || !row->reason)
		return 0;
	const char *channel = channel_of_kind(im->conf, kind);
	if (!(channel ? address_by(im, channel, in, &a) : address_plain(im, in, &a)))
		return 0;
	p->no_route[kind] += !channel;
	store_who(im->o.store, kind, str_of(a.canonical), who);
	row->address = (struct str){ (const char *)who->b, sizeof(who->b) };
	return 1;
}

/* --- slices -------------------------------------------------------------------------------------------------------------------------- */

int import_targets_open(struct importer *im)
{
	bool targets = im->what == IMPORT_WHAT_TARGETS;
	const struct column *known = targets          ? known_target
		: im->what == IMPORT_WHAT_DO_NOT_CALL ? known_register
						      : known_suppression;
	size_t n = targets ? ARRAY_LEN(known_target) : ARRAY_LEN(known_suppression);
	const struct staged s = { .path = im->path, .name = im->name };
	int rc = table_open(&s, "address", known, n, targets, &im->problems, &im->table, &im->err);
	if (rc < 0)
		return rc;
	struct target_parse *p = im->parse = x_calloc(1, sizeof(*p));
	p->by_code = maps_new();
	buf_init(&p->tag_buf, 16384);
	buf_init(&p->list_buf, 16384);
	buf_init(&p->vars, CSV_RECORD_MAX);
	buf_init(&p->nfc, 4096);
	struct {
		int *at;
		const char *name;
	} cols[] = { { &p->channel, "channel" }, { &p->address, "address" },
		{ &p->office, "office" }, { &p->name, "name" }, { &p->lang, "lang" },
		{ &p->tags, "tags" }, { &p->lists, "lists" }, { &p->kind, "kind" },
		{ &p->reason, "reason" } };
	for (size_t i = 0; i < ARRAY_LEN(cols); i++)
		*cols[i].at = table_col(im->table, cols[i].name);
	if (p->lists < 0)
		p->lists = table_col(im->table, "list");
	p->n_cols = import_var_cols(im->table, known, n, p->cols);
	if (targets)
		rc = offices_load(im);
	if (rc == 0)
		rc = stage_new(im->o.store, targets ? IMPORT_TARGETS : IMPORT_SUPPRESSION,
			&im->stage, &im->err);
	return rc;
}

int import_targets_slice(struct importer *im)
{
	struct import_row row;
	struct addr_out a;
	struct hash who;
	int rc = 0;
	buf_reset(&im->block);
	for (uint32_t n = 1; rc == 0 && im->block.n < SLICE_BYTES; n++) {
		if (n % GIVE_WAY_ROWS == 0)
			work_give_way();
		rc = table_next(im->table, &im->problems, &im->err);
		im->end = rc == 0;
		if (rc <= 0)
			break;
		rc = im->what == IMPORT_WHAT_TARGETS ? target_row_read(im, &row, &a)
						     : suppression_row_read(im, &row, &who);
		if (rc == 1)
			rc = import_pack(&im->block, &row);
	}
	return rc;
}

void import_targets_close(struct importer *im)
{
	struct target_parse *p = im->parse;
	if (!p)
		return;
	for (int k = 1; k <= KIND_MAX && im->table; k++)
		if (p->no_route[k])
			problem_add(&im->problems, PROBLEM_WARNING, im->table->file, 0, "channel",
				im->what != IMPORT_WHAT_TARGETS
					? "no channel for %s yet: %lld addresses are kept as they are written; import them again when there is one"
					: channel_of_kind(im->conf, k)
					? "no route for %s leads from their office: %lld targets wait for one"
					: "no channel for %s yet: %lld targets wait for a route",
				chan_kind_name(k), (long long)p->no_route[k]);
	if (p->n_changed > CHANGED_TOLD_MAX && im->table)
		problem_add(&im->problems, PROBLEM_WARNING, im->table->file, 0, "address",
			"%lld numbers of before 2018 in all became their successors",
			(long long)p->n_changed);
	if (p->wrong_account && im->table)
		problem_add(&im->problems, PROBLEM_WARNING, im->table->file, p->wrong_line,
			"address",
			"%lld pages are not the account that their route leads to; they wait for a route of their own",
			(long long)p->wrong_account);
	for (size_t i = 0; i < p->n_off; i++)
		free(p->off[i]);
	free(p->off);
	maps_free(p->by_code);
	buf_done(&p->tag_buf);
	buf_done(&p->list_buf);
	buf_done(&p->vars);
	buf_done(&p->nfc);
	free(p);
	im->parse = NULL;
}
