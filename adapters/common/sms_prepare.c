/* sms_prepare.c - a release as a short message: the text in the form of the lane, its checks, its price, the payload.
 * Deterministic: the same content, settings and tables give the same bytes and facts, because an approval covers them. What is
 * too long is refused, never cut.
 * Thread: any, pure. Owns: its buffers until it returns. Failures: problems for the person, -EINVAL; -ENOMEM. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "sms_conf.h"
#include "sms_phone.h"
#include "sms_price.h"
#include "sms_rules.h"
#include "sms_table.h"
#include "sms_template.h"

enum { INFO = 0, WARNING = 1, ERROR = 2 };
enum { CATEGORY_ADVERTISING = 4 };
#define CLASSES_MAX 40
#define RENEW_MS    (INT64_C(60) * 86400000)

struct prep {
	struct sms_conf conf;
	const struct lt_content *content;
	struct lt_sink *sink;
	struct ltc_buf raw, text, tmp; /* as written; as it goes out; for rendering */
	struct sms_size size;
	struct sms_template_hit hit;
	uint32_t reserved;
	int64_t price_min, price_max; /* đồng a recipient; -1: no price */
	bool bad;
};

static void problem(struct prep *p, int severity, const char *field, const char *text)
{
	if (severity == ERROR)
		p->bad = true;
	(void)p->sink->problem(p->sink->ctx, severity, ltc_z(field), ltc_z(text));
}

/* A piece of text inside a problem, cut where it is long. */
static int shown(struct lt_str s)
{
	return (int)ltc_utf8_cut(s, 80).n;
}

static bool is_ad(const struct prep *p)
{
	return p->content->category == CATEGORY_ADVERTISING;
}

static struct lt_str category_word(const struct prep *p)
{
	static const char *const words[] = { "-", "emergency", "public_notice", "internal",
		"advertising" };
	uint32_t c = p->content->category;

	return ltc_z(words[c < sizeof(words) / sizeof(words[0]) ? c : 0]);
}

/* --- the text as written --------------------------------------------------------------------------------------------------- */
/* Line ends as LF, tabs as spaces. */
static void add_clean(struct ltc_buf *out, struct lt_str s)
{
	s = ltc_trim(s);
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\r')
			continue;
		ltc_addc(out, s.p[i] == '\t' ? ' ' : s.p[i]);
	}
}

static bool link_is_ours(const struct prep *p)
{
	struct lt_str link;
	size_t at = 0;

	return p->content->link.n > 0 &&
		!sms_rules_link(p->content->link, p->conf.links, &at, &link);
}

static bool has_label(struct lt_str text)
{
	return ltc_istarts(text, "[QC]") || ltc_istarts(text, "[AD]") ||
		ltc_istarts(text, "[DKQC]");
}

static void make_raw(struct prep *p)
{
	const struct lt_content *c = p->content;
	struct lt_str own = ltc_trim(c->text);

	if (is_ad(p) && p->conf.ad_label.n > 0 && !has_label(own)) {
		add_clean(&p->raw, p->conf.ad_label);
		ltc_addc(&p->raw, ' ');
	}
	if (own.n > 0)
		add_clean(&p->raw, own);
	else {
		add_clean(&p->raw, c->title);
		if (link_is_ours(p)) {
			ltc_addc(&p->raw, ' ');
			add_clean(&p->raw, c->link);
		}
	}
	if (is_ad(p) && p->conf.ad_refusal.n > 0 &&
		ltc_find(own, p->conf.ad_refusal, false) == NULL) {
		ltc_addc(&p->raw, ' ');
		add_clean(&p->raw, p->conf.ad_refusal);
	}
}

static void check_raw(struct prep *p)
{
	struct lt_str s = ltc_buf_str(&p->raw);

	if (ltc_trim(p->content->text).n == 0 && ltc_trim(p->content->title).n == 0)
		problem(p, ERROR, "text.sms",
			"there is no text for short messages: write text.sms or a title");
	for (size_t i = 0; i < s.n; i++)
		if (((unsigned char)s.p[i] < 0x20 && s.p[i] != '\n') || s.p[i] == 0x7f) {
			problem(p, ERROR, "text.sms", "there is a control character in the text");
			return;
		}
	if (!ltc_utf8_valid(s))
		problem(p, ERROR, "text.sms", "the text is not UTF-8");
	if (!is_ad(p))
		return;
	if (!p->conf.is_brandname)
		problem(p, ERROR, "category",
			"advertising goes out under a brandname only, and this sender is a number");
	if (p->conf.ad_refusal.n == 0 && p->conf.reserved_ad == 0)
		problem(p, ERROR, "category",
			"an advertising text ends with how to refuse more: set ad_refusal, or reserved_chars_ad "
			"where the operator adds it");
}

/* --- the form of the lane -------------------------------------------------------------------------------------------------- */
static void render_failed(struct prep *p, int rc, struct lt_str bad)
{
	char text[300];

	if (rc == -EINVAL && bad.n > 0)
		(void)snprintf(text, sizeof(text),
			"the character %.*s %s; take another one, or set %s", (int)bad.n, bad.p,
			p->conf.form == SMS_FORM_ACCENTED
				? "is not in the GSM alphabet, and this gateway takes nothing else"
				: "has no form without diacritics",
			p->conf.form == SMS_FORM_ACCENTED ? "form: plain" : "unmappable");
	else
		(void)snprintf(text, sizeof(text), "%s",
			rc == -E2BIG ? "the text is far too long for a short message"
				     : "the text could not be rendered");
	problem(p, ERROR, "text.sms", text);
}

static void check_length(struct prep *p)
{
	const struct sms_budget *b = &p->conf.budget;
	uint32_t max = p->conf.max_segments;
	uint32_t many = p->size.coding == SMS_GSM ? b->gsm_many : b->ucs2_many;
	uint32_t one = p->size.coding == SMS_GSM ? b->gsm_one : b->ucs2_one;
	uint32_t room = max == 1 ? one : max * many;
	char text[300];

	if (p->size.segments <= max)
		return;
	room = room > p->reserved ? room - p->reserved : 0;
	(void)snprintf(text, sizeof(text),
		"the text has %u segments (%u characters in %s), the lane allows %u, about %u characters: shorten it by "
		"%u%s",
		p->size.segments, p->size.units, p->size.coding == SMS_GSM ? "GSM" : "UCS-2", max,
		room, p->size.units > room ? p->size.units - room : 1,
		p->size.coding == SMS_UCS2 && p->conf.form == SMS_FORM_ACCENTED
			? ", or send it without diacritics (form: plain)"
			: "");
	problem(p, ERROR, "text.sms", text);
}

static void check_forbidden(struct prep *p)
{
	struct lt_str text = ltc_buf_str(&p->text), rest = p->conf.forbidden;
	char words[200];

	while (rest.n > 0) {
		size_t n = 1;
		while (n < rest.n && ((unsigned char)rest.p[n] & 0xc0) == 0x80)
			n++;
		struct lt_str one = { rest.p, n };
		rest = ltc_from(rest, n);
		if (ltc_eqz(one, " ") || ltc_find(text, one, false) == NULL)
			continue;
		(void)snprintf(
			words, sizeof(words), "the gateway refuses texts with %.*s", (int)n, one.p);
		problem(p, ERROR, "text.sms", words);
	}
}

/* The adapter refuses such a text when it goes out, and the release is held then. */
static void check_charset(struct prep *p)
{
	const uint8_t *at = (const uint8_t *)p->text.p, *end = at + p->text.n;
	uint32_t cp, what;
	char words[200];
	size_t n = 0;

	if (p->conf.octet_max == 0 || p->size.coding != SMS_GSM)
		return;
	for (; at < end && (n = sms_next(at, end, &cp, &what)) > 0; at += n) {
		if (cp <= p->conf.octet_max)
			continue;
		(void)snprintf(words, sizeof(words),
			"the server has no %.*s without UCS-2 (dcs0_charset: %s): take another character",
			(int)n, (const char *)at, p->conf.octet_max == 0x7f ? "ascii" : "latin1");
		problem(p, ERROR, "text.sms", words);
		return;
	}
}

/* --- rules ------------------------------------------------------------------------------------------------------------------ */
static void check_links(struct prep *p, struct lt_str s)
{
	struct lt_str link;
	char text[400], where[120];
	size_t at = 0;

	if (!sms_rules_link(s, p->conf.links, &at, &link))
		return;
	if (p->conf.links.n > 0)
		(void)snprintf(where, sizeof(where), "links lead to %.*s only",
			shown(p->conf.links), p->conf.links.p);
	else
		(void)snprintf(where, sizeof(where),
			"no domain is named under links, so there may be none");
	(void)snprintf(text, sizeof(text),
		"'%.*s' is a link, or a phone makes it one: %s. Where none is meant, put a space behind the full stop",
		shown(link), link.p, where);
	problem(p, ERROR, "text.sms", text);
}

static void check_rules(struct prep *p)
{
	struct lt_str phrase, why;
	char text[300];
	bool was_bad = p->bad;

	check_links(p, ltc_buf_str(&p->raw));
	if (p->bad == was_bad)
		check_links(p, ltc_buf_str(&p->text));
	if (!sms_rules_wording(p->conf.words, ltc_buf_str(&p->raw), &phrase, &why))
		return;
	(void)snprintf(text, sizeof(text), "'%.*s': a public body %.*s in no short message",
		shown(phrase), phrase.p, shown(why), why.p);
	problem(p, ERROR, "text.sms", text);
}

static void template_problem(struct prep *p, size_t n)
{
	int severity = p->conf.templates_must ? ERROR : p->conf.templates_warn ? WARNING : INFO;
	const struct sms_template_hit *h = &p->hit;
	char text[500];

	if (n == 0)
		(void)snprintf(text, sizeof(text), "no template is registered for %.*s",
			shown(p->conf.sender), p->conf.sender.p);
	else if (h->matched)
		(void)snprintf(text, sizeof(text),
			"the text matches template %.*s, which is %.*s (valid to %.*s)",
			shown(h->id), h->id.p, shown(h->status), h->status.p, shown(h->valid_to),
			h->valid_to.p);
	else
		(void)snprintf(text, sizeof(text),
			"the text matches no registered template; nearest is %.*s: it has '%.*s' where the text has "
			"'%.*s'",
			shown(h->id), h->id.p, shown(h->want), h->want.n > 0 ? h->want.p : "",
			shown(h->got), h->got.n > 0 ? h->got.p : "");
	problem(p, severity, "template", text);
}

/* The day in Vietnam (UTC+7, no daylight saving) on which it would go out, as the table writes days; empty where it is not known. */
static struct lt_str day_of(int64_t at_ms, char dst[static 16])
{
	time_t t = (time_t)(at_ms / 1000 + 7 * 3600);
	struct tm tm;

	if (at_ms <= 0 || gmtime_r(&t, &tm) == NULL)
		return (struct lt_str){ NULL, 0 };
	return (struct lt_str){ dst, strftime(dst, 16, "%Y-%m-%d", &tm) };
}

/* A brandname is registered for three years (Decree 91/2020, Art. 23). */
static void check_sender(struct prep *p)
{
	struct lt_str until = p->conf.sender_until;
	char day[16], soon[16], text[200];
	struct lt_str then = day_of(p->content->at_ms, day);
	struct lt_str later = day_of(p->content->at_ms + RENEW_MS, soon);

	if (until.n != 10 || then.n != 10 || later.n != 10 || memcmp(later.p, until.p, 10) <= 0)
		return;
	bool over = memcmp(then.p, until.p, 10) > 0;
	(void)snprintf(text, sizeof(text), "the brandname %.*s is registered until %.*s: %s",
		(int)p->conf.sender.n, p->conf.sender.p, (int)until.n, until.p,
		over ? "it is over by the day this goes out"
		     : "renew it, less than 60 days are left");
	problem(p, over ? ERROR : WARNING, "sender", text);
}

static void check_template(struct prep *p)
{
	char day[16];

	if (p->conf.templates.p == NULL)
		return;
	size_t n = sms_template_match(p->conf.templates, p->conf.gateway, p->conf.sender,
		day_of(p->content->at_ms, day), ltc_buf_str(&p->text), &p->hit);
	if (!p->hit.in_force)
		template_problem(p, n);
}

/* --- money ------------------------------------------------------------------------------------------------------------------ */
/* đồng for one recipient of this operator; -1: no price. */
static int64_t cost_of(const struct prep *p, struct lt_str class)
{
	struct sms_price_of of = { p->conf.gateway, class, category_word(p), p->size.coding };
	int64_t price = sms_price(p->conf.prices, &of);

	return price < 0 ? -1 : (price * p->size.segments + 999) / 1000;
}

static int add_cost(struct prep *p, struct lt_str class)
{
	char name[64];
	int64_t cost = cost_of(p, class);

	if (cost < 0) {
		(void)snprintf(name, sizeof(name), "no price for %.*s",
			(int)(class.n > 30 ? 30 : class.n), class.p);
		problem(p, WARNING, "cost", name);
		return 0;
	}
	p->price_min = p->price_min < 0 || cost < p->price_min ? cost : p->price_min;
	p->price_max = cost > p->price_max ? cost : p->price_max;
	(void)snprintf(
		name, sizeof(name), "cost.%.*s", (int)(class.n > 30 ? 30 : class.n), class.p);
	return p->sink->fact(p->sink->ctx, ltc_z(name), cost);
}

/* Is it a country's name? Those have a price only where the gateway serves abroad. */
static bool is_country(struct lt_str ranges, struct lt_str class)
{
	char row[64];

	(void)snprintf(row, sizeof(row), "\t%.*s\t", (int)(class.n > 30 ? 30 : class.n), class.p);
	const char *hit = ltc_find(ranges, ltc_z(row), false);
	while (hit != NULL && hit > ranges.p && hit[-1] != '\n')
		hit--;
	return hit != NULL && ltc_starts(ltc_from(ranges, (size_t)(hit - ranges.p)), "country\t");
}

static int give_costs(struct prep *p)
{
	struct lt_str class;
	int rc = 0;

	p->price_min = p->price_max = -1;
	if (p->conf.prices.p == NULL) {
		problem(p, WARNING, "cost",
			"no table of prices (files: prices): costs are not known");
		return 0;
	}
	for (size_t i = 0; i < CLASSES_MAX && rc >= 0; i++) {
		class = sms_ranges_class(p->conf.ranges, i);
		if (class.n == 0)
			break;
		if (p->conf.foreign.n > 0 || !is_country(p->conf.ranges, class))
			rc = add_cost(p, class);
	}
	if (rc >= 0 && p->conf.foreign.n > 0)
		rc = add_cost(p, LTC_LIT("foreign"));
	return rc < 0
		? rc
		: p->sink->fact(p->sink->ctx, LTC_LIT("cost"), p->price_max < 0 ? 0 : p->price_max);
}

/* --- what comes of it ------------------------------------------------------------------------------------------------------- */
static int give_preview(struct prep *p)
{
	struct ltc_buf out LTC_CLEANUP_BUF;
	bool gsm = p->size.coding == SMS_GSM;
	uint32_t many = gsm ? p->conf.budget.gsm_many : p->conf.budget.ucs2_many;
	uint32_t one = gsm ? p->conf.budget.gsm_one : p->conf.budget.ucs2_one;

	ltc_buf_init(&out, SMS_TEXT_MAX + 4096);
	ltc_addf(&out, "SMS from %.*s: %s, %u segment%s, %u of %u characters",
		(int)p->conf.sender.n, p->conf.sender.p, gsm ? "GSM" : "UCS-2", p->size.segments,
		p->size.segments == 1 ? "" : "s", p->size.units + p->reserved,
		p->size.segments == 1 ? one : p->size.segments * many);
	if (p->reserved > 0)
		ltc_addf(&out, " (%u of them added by the operator)", p->reserved);
	if (p->price_max < 0)
		ltc_addz(&out, "; price not known\n");
	else if (p->price_min == p->price_max)
		ltc_addf(&out, "; %lld đ a recipient\n", (long long)p->price_max);
	else
		ltc_addf(&out, "; %lld to %lld đ a recipient\n", (long long)p->price_min,
			(long long)p->price_max);
	if (p->hit.matched)
		ltc_addf(&out, "template: %.*s (%.*s, valid to %.*s)\n", (int)p->hit.id.n,
			p->hit.id.p, (int)p->hit.status.n, p->hit.status.p, (int)p->hit.valid_to.n,
			p->hit.valid_to.p);
	ltc_addz(&out, "\n");
	ltc_adds(&out, ltc_buf_str(&p->text));
	ltc_addz(&out, "\n");
	return out.failed ? -ENOMEM : p->sink->preview(p->sink->ctx, ltc_buf_str(&out));
}

static int give_payload(struct prep *p)
{
	struct ltc_buf out LTC_CLEANUP_BUF;

	ltc_buf_init(&out, SMS_TEXT_MAX * 3);
	ltc_addf(&out, "lantoa-sms 1\ncoding: %s\nsegments: %u\nunits: %u\ncategory: %u\n",
		p->size.coding == SMS_GSM ? "gsm" : "ucs2", p->size.segments, p->size.units,
		p->content->category);
	if (p->hit.matched && p->hit.id.n > 0 && !ltc_eqz(p->hit.id, "-"))
		ltc_addf(&out, "template: %.*s\n", (int)p->hit.id.n, p->hit.id.p);
	for (uint32_t i = 0; p->hit.matched && i < p->hit.n_fields && i < SMS_PARAMS_MAX; i++) {
		ltc_addz(&out, "param: ");
		ltc_adds(&out, p->hit.fields[i]);
		ltc_addc(&out, '\n');
	}
	ltc_addc(&out, '\n');
	ltc_adds(&out, ltc_buf_str(&p->text));
	if (out.failed)
		return -ENOMEM;
	struct lt_src src = { .bytes = ltc_buf_str(&out) };
	return p->sink->add(p->sink->ctx, &src);
}

static int give(struct prep *p)
{
	struct lt_sink *s = p->sink;
	uint32_t units = p->size.units;
	int64_t bytes = p->size.coding == SMS_GSM ? (units * 7ll + 7) / 8 : units * 2ll;
	int rc = give_costs(p);

	if (p->size.segments > 1)
		bytes += 6ll * p->size.segments;
	rc = rc < 0 ? rc : s->fact(s->ctx, LTC_LIT("segments"), p->size.segments);
	rc = rc < 0 ? rc : s->fact(s->ctx, LTC_LIT("bytes"), bytes);
	if (is_ad(p) && ltc_istarts(ltc_buf_str(&p->text), "[DKQC]"))
		rc = rc < 0 ? rc : s->fact(s->ctx, LTC_LIT("asks_consent"), 1);
	rc = rc < 0 ? rc : give_preview(p);
	if (rc >= 0 && p->bad)
		return -EINVAL;
	return rc < 0 ? rc : give_payload(p);
}

static int run(struct prep *p)
{
	struct sms_render r = { .form = p->conf.form,
		.unicode_allowed = p->conf.unicode_allowed,
		.how = p->conf.unmappable,
		.words = &p->conf.protect,
		.budget = p->conf.budget };
	struct lt_str bad = { NULL, 0 };

	p->reserved = r.reserved = is_ad(p) ? p->conf.reserved_ad : p->conf.reserved;
	make_raw(p);
	if (p->raw.failed) {
		render_failed(p, -E2BIG, bad);
		return -EINVAL;
	}
	check_raw(p);
	if (p->bad)
		return -EINVAL;
	int rc = sms_render(ltc_buf_str(&p->raw), &r, &p->text, &p->tmp, &p->size, &bad);
	if (rc < 0) {
		render_failed(p, rc, bad);
		return -EINVAL;
	}
	check_length(p);
	check_forbidden(p);
	check_charset(p);
	check_rules(p);
	check_template(p);
	check_sender(p);
	return give(p);
}

int sms_prepare(const struct lt_conf *c, const struct lt_content *content, struct lt_sink *sink)
{
	struct prep p = { .content = content, .sink = sink };
	char err[300];

	if (sms_conf_read(c, &p.conf, err, sizeof(err)) < 0) {
		problem(&p, ERROR, "channel", err);
		return -EINVAL;
	}
	ltc_buf_init(&p.raw, SMS_TEXT_MAX);
	ltc_buf_init(&p.text, SMS_TEXT_MAX);
	ltc_buf_init(&p.tmp, SMS_TEXT_MAX);
	int rc = run(&p);
	ltc_buf_done(&p.raw);
	ltc_buf_done(&p.text);
	ltc_buf_done(&p.tmp);
	sms_conf_done(&p.conf);
	return rc;
}

int sms_compose(const struct lt_conf *c, struct lt_str note, const struct lt_target *t,
	uint32_t hole, struct lt_sink *sink)
{
	(void)c;
	(void)note;
	(void)t;
	(void)hole;
	(void)sink->problem(
		sink->ctx, ERROR, LTC_LIT("text.sms"), LTC_LIT("a short message has no holes"));
	return -EINVAL;
}
