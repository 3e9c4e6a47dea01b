/* facebook_find.c - listings of a page and what stands in them: our own post, somebody else's, an orphan.
 * A listing is followed by its `after` cursor, never by the link in `next`, which holds the token.
 * Thread: loop. Owns: nothing. Failures: an entry that cannot be read is passed over. */
#include <stdio.h>
#include <string.h>
#include "facebook_step.h"

#define RICH                                                                                                         \
	"id,created_time,is_published,message,permalink_url,application,attachments{target{id},title,unshimmed_url," \
	"subattachments{target{id}}}"
#define SLACK_MS 120000 /* between our word that it is tried and Facebook's of when it was made */
#define PLAIN                                                                                    \
	"id,created_time,is_published,message,permalink_url,application,attachments{target{id}," \
	"subattachments{target{id}}}"

int fb_list_send(struct fb_job *j, const char *edge, int64_t since_ms)
{
	const struct fb_conf *c = fb_conf_of(j);
	const struct fb_inst *fi = j->inst->priv;
	char path[160], since[24];

	(void)snprintf(path, sizeof(path), "%.*s/%s", (int)c->page.n, c->page.p, edge);
	(void)snprintf(since, sizeof(since), "%lld", (long long)(since_ms / 1000));
	struct lt_pair query[] = {
		{ LTC_LIT("fields"), fi->plain_fields ? LTC_LIT(PLAIN) : LTC_LIT(RICH),
			{ NULL, 0 } },
		{ LTC_LIT("since"), ltc_z(since), { NULL, 0 } },
		{ LTC_LIT("limit"), LTC_LIT("50"), { NULL, 0 } },
		{ LTC_LIT("after"), ltc_z(j->list.after), { NULL, 0 } },
	};
	struct fb_send s = { .method = "GET",
		.path = path,
		.query = query,
		.n_query = j->list.after[0] != '\0' ? 4 : 3,
		.total_ms = c->get_ms };
	return fb_send(j, &s);
}

/* What every listing survives: a cursor that went stale (it begins anew), a field that this version of the API does not know,
 * which fails the whole call (the richer ones are left out from now on). */
bool fb_list_again(struct fb_job *j, const struct fb_verdict *v)
{
	struct fb_inst *fi = j->inst->priv;

	if (j->cancelled)
		return false;
	if (v->class == FB_CURSOR && j->restarts < 3) {
		j->restarts++;
		j->list = (struct fb_list){ .after = "" };
	} else if (v->class == FB_SAID && v->outcome == LT_REFUSED && !fi->plain_fields) {
		fi->plain_fields = true;
		j->inst->host->log(j->inst->host->ctx, j->job, 4,
			LTC_LIT("this version of the API does not tell titles and links of cards: posts made by hand are known by their text alone"));
	} else {
		return false;
	}
	fb_go(j, j->step);
	return true;
}

bool fb_list_more(struct fb_job *j, const struct ltc_json *body)
{
	const struct ltc_json *paging = ltc_json_get(body, "paging");
	struct lt_str after = ltc_json_str(ltc_json_get(paging, "cursors"), "after");

	if (!ltc_json_has(paging, "next") || after.n == 0 || after.n >= sizeof(j->list.after) ||
		++j->list.pages >= FB_PAGES_MAX) {
		j->list = (struct fb_list){ .after = "" };
		return false;
	}
	memcpy(j->list.after, after.p, after.n);
	j->list.after[after.n] = '\0';
	return true;
}

/* Days from 1970 of a date of the Gregorian calendar. */
static int64_t days_of(int64_t y, int64_t m, int64_t d)
{
	y -= m <= 2;
	int64_t era = y / 400, yoe = y - era * 400;
	int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;

	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static int64_t part(struct lt_str s, size_t at, size_t n)
{
	int64_t v = 0;

	return ltc_i64((struct lt_str){ s.p + at, n }, 0, 9999, &v) == 0 ? v : -1;
}

/* "2026-04-06T17:50:09+0000", or seconds as a number. */
int64_t fb_time_read(struct lt_str s)
{
	int64_t v;

	if (s.n > 0 && s.n < 12 && ltc_i64(s, 1, INT64_C(99999999999), &v) == 0)
		return v * 1000;
	if (s.n < 24 || s.p[4] != '-' || s.p[10] != 'T')
		return 0;
	int64_t y = part(s, 0, 4), mo = part(s, 5, 2), d = part(s, 8, 2), h = part(s, 11, 2),
		mi = part(s, 14, 2), se = part(s, 17, 2);
	int64_t oh = part(s, 20, 2), om = part(s, 22, 2);
	if (y < 1970 || mo < 1 || mo > 12 || d < 1 || h < 0 || mi < 0 || se < 0 || oh < 0 || om < 0)
		return 0;
	v = days_of(y, mo, d) * 86400 + h * 3600 + mi * 60 + se;
	v += (s.p[19] == '-' ? 1 : -1) * (oh * 3600 + om * 60);
	return v * 1000;
}

/* "Fields typed float may come as Unix numbers" (contract, section 5), with a fraction too. */
static int64_t time_of(const struct ltc_json *n, const char *key)
{
	const struct ltc_json *t = ltc_json_get(n, key);
	int64_t sec = ltc_json_kind(t) == LTC_JSON_NUMBER ? ltc_json_number(t, 0) : -1;

	if (sec < 0)
		return fb_time_read(ltc_json_text(t));
	return sec <= INT64_C(99999999999) ? sec * 1000 : 0;
}

bool fb_post_read(const struct fb_job *j, const struct ltc_json *node, struct fb_post *ret)
{
	struct lt_str app = ltc_json_str(ltc_json_get(node, "application"), "id");
	char id[FB_ID_MAX];

	*ret = (struct fb_post){ .id = ltc_json_str(node, "id"),
		.message = ltc_json_str(node, "message"),
		.url = ltc_json_str(node, "permalink_url"),
		.created_ms = time_of(node, "created_time"),
		.published = !ltc_json_has(node, "is_published") ||
			ltc_json_true(node, "is_published"),
		.node = node };
	ret->ours = app.n > 0 && ltc_eq(app, fb_conf_of(j)->app_id);
	return fb_copy_id(id, ret->id);
}

bool fb_post_has_photo(const struct fb_post *p, struct lt_str id)
{
	const struct ltc_json *data = ltc_json_get(ltc_json_get(p->node, "attachments"), "data");

	if (id.n == 0)
		return false;
	for (const struct ltc_json *a = ltc_json_first(data); a != NULL; a = ltc_json_next(a)) {
		const struct ltc_json *sub = ltc_json_get(
			ltc_json_get(a, "subattachments"), "data");
		if (ltc_eq(ltc_json_str(ltc_json_get(a, "target"), "id"), id))
			return true;
		for (const struct ltc_json *b = ltc_json_first(sub); b != NULL;
			b = ltc_json_next(b))
			if (ltc_eq(ltc_json_str(ltc_json_get(b, "target"), "id"), id))
				return true;
	}
	return false;
}

bool fb_post_is_mine(const struct fb_job *j, const struct fb_post *p)
{
	char print[FB_PRINT_LEN + 1];

	if (j->draft[0] != '\0' && ltc_eqz(p->id, j->draft))
		return true;
	for (size_t i = 0; i < FB_PHOTOS_MAX && j->photos[i][0] != '\0'; i++)
		if (fb_post_has_photo(p, ltc_z(j->photos[i])))
			return true;
	for (uint32_t i = 0; i < j->n_lost; i++)
		if (fb_post_has_photo(p, ltc_z(j->lost[i])))
			return true;
	if (!p->ours || j->try_at == 0 || j->print[0] == '\0' || p->message.n == 0)
		return false;
	fb_text_print(p->message, print);
	return strcmp(print, j->print) == 0 && p->created_ms >= j->try_at - SLACK_MS &&
		p->created_ms <= fb_there(j) + SLACK_MS;
}

static bool link_double(const struct fb_job *j, const struct fb_post *p)
{
	const struct ltc_json *data = ltc_json_get(ltc_json_get(p->node, "attachments"), "data");

	if (j->doc.link.n == 0)
		return false;
	if (fb_text_has_link(p->message, j->doc.link))
		return true;
	for (const struct ltc_json *a = ltc_json_first(data); a != NULL; a = ltc_json_next(a))
		if (fb_link_same(ltc_json_str(a, "unshimmed_url"), j->doc.link))
			return true;
	return false;
}

static bool title_double(const struct fb_job *j, const struct fb_post *p)
{
	const struct ltc_json *data = ltc_json_get(ltc_json_get(p->node, "attachments"), "data");

	if (j->doc.title.n < 12) /* "Thông báo" is no title to go by */
		return false;
	if (fb_text_same_line(fb_text_first_line(p->message), j->doc.title))
		return true;
	for (const struct ltc_json *a = ltc_json_first(data); a != NULL; a = ltc_json_next(a))
		if (fb_text_same_line(ltc_json_str(a, "title"), j->doc.title))
			return true;
	return false;
}

bool fb_post_is_double(const struct fb_job *j, const struct fb_post *p, const char **ret_why)
{
	if (link_double(j, p))
		return *ret_why = "already there: a post of the page has the same link", true;
	if (title_double(j, p))
		return *ret_why = "already there: a post of the page has the same title", true;
	if (p->message.n > 0 &&
		fb_text_near(p->message, j->doc.message) >= (int)fb_conf_of(j)->guard_near)
		return *ret_why = "already there: a post of the page has nearly the same text",
		       true;
	return false;
}
