/* zalo_message.c - broadcasts, messages to groups and users, uploads, template messages, quotas, the profile. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "zalo.h"

#define TEXT_MAX 2000
#define CAST_MAX 5 /* articles of one broadcast */

/* --- broadcast ---------------------------------------------------------------------------------------------------------------- */
static const cJSON *elements_of(const struct sb_req *q)
{
	const cJSON *p = json_get(json_get(json_get(q->json, "message"), "attachment"), "payload");

	return json_get(p, "elements");
}

/* One to five articles of this OA, each of them shown; the first is what the broadcast is about. */
static bool articles_good(
	struct zalo_sb *z, struct zl_oa *oa, const cJSON *els, struct zl_article *ret[CAST_MAX])
{
	const cJSON *el;
	size_t n = 0;

	cJSON_ArrayForEach(el, els)
	{
		struct zl_article *a = zl_article_find(z, oa, json_z(el, "attachment_id", ""));
		if (n == CAST_MAX || !a || !a->shown ||
			strcmp(json_z(el, "media_type", ""), "article") != 0)
			return false;
		ret[n++] = a;
	}
	return n > 0;
}

static void broadcast_kept(
	struct zalo_sb *z, struct zl_oa *oa, struct sb_req *q, struct zl_article *const *a, int n)
{
	char id[40];
	cJSON *o = zl_ledger(oa, "broadcast"), *d = json_obj(), *titles = json_arr();

	oa->casts_left--;
	oa->casts_day_left--;
	z->casts++;
	zl_id(z, "b", id, sizeof(id));
	json_put_z(o, "id", a[0]->id);
	json_put_z(o, "title", a[0]->title);
	for (int i = 0; i < n; i++)
		json_add_str(titles, str_of(a[i]->title));
	json_put(o, "titles", titles);
	json_put(o, "target",
		cJSON_Duplicate(json_get(json_get(q->json, "recipient"), "target"), true));
	zl_ledger_end(z, o);
	if (a[0]->broadcasts++ > 0)
		zl_violation(z, oa, "second broadcast", a[0]->title);
	json_put_z(d, "message_id", id);
	zl_say(z, q, 0, NULL, d);
}

static void broadcast(struct zalo_sb *z, struct zl_oa *oa, struct sb_req *q)
{
	const cJSON *els = elements_of(q);
	struct zl_article *a[CAST_MAX];

	if (oa->no_right)
		zl_say(z, q, -223, "The application has not been granted this permission", NULL);
	else if (oa->unverified)
		zl_say(z, q, -221, "Official Account must be verified", NULL);
	else if (z->night)
		zl_say(z, q, -234, "Not allowed at this time", NULL);
	else if (!articles_good(z, oa, els, a))
		zl_say(z, q, -201, "attachment_id is invalid", NULL);
	else if (oa->casts_left <= 0 || oa->casts_day_left <= 0)
		zl_say(z, q, -211, "Out of quota", NULL);
	else
		broadcast_kept(z, oa, q, a, cJSON_GetArraySize(els));
}

/* --- messages ----------------------------------------------------------------------------------------------------------------- */
static bool uploaded(const struct zalo_sb *z, const char *id, bool file)
{
	for (size_t i = 0; i < z->n_upload; i++)
		if (!strcmp(z->upload[i].id, id) && z->upload[i].file == file)
			return zl_now(z) - z->upload[i].at_ms < z->upload_life_ms;
	return false;
}

/* What is wrong with a message; its kinds are noted. */
static int64_t message_fault(
	const struct zalo_sb *z, const cJSON *m, struct zl_message *ret, const char **why)
{
	const cJSON *att = json_get(m, "attachment"), *p = json_get(att, "payload");
	const cJSON *els = json_get(p, "elements"), *el = cJSON_GetArrayItem(els, 0);
	const char *text = json_z(m, "text", "");

	*why = "message is invalid";
	if (!json_has(m, "text") && !att)
		return -201;
	if (zl_chars(text) > TEXT_MAX) {
		*why = "text is too long";
		return -201;
	}
	(void)str_copy(ret->text, sizeof(ret->text), str_of(text));
	if (!att)
		return 0;
	if (!strcmp(json_z(att, "type", ""), "file")) {
		ret->file = true;
		return uploaded(z, json_z(p, "token", ""), true) ? 0 : -100;
	}
	ret->image = true;
	if (strcmp(json_z(p, "template_type", ""), "media") != 0 || cJSON_GetArraySize(els) != 1 ||
		strcmp(json_z(el, "media_type", ""), "image") != 0 ||
		json_has(el, "url") == json_has(el, "attachment_id"))
		return -201;
	if (json_has(el, "url"))
		return 0;
	return uploaded(z, json_z(el, "attachment_id", ""), false) ? 0 : -100;
}

static void message_kept(
	struct zalo_sb *z, struct zl_oa *oa, struct sb_req *q, const struct zl_message *m)
{
	struct zl_message *k = z->message[z->n_message++] = x_calloc(1, sizeof(*k));
	cJSON *o = zl_ledger(oa, m->group ? "group" : "user"), *d = json_obj();
	char hex[65], at[24];

	*k = *m;
	k->oa = oa;
	k->at_ms = zl_now(z);
	zl_id(z, "m", k->id, sizeof(k->id));
	zl_hash(str_of(k->text), hex);
	json_put_z(o, "id", k->id);
	json_put_z(o, "to", k->to);
	json_put_z(o, "text", k->text);
	json_put_z(o, "body_hash", hex);
	json_put_bool(o, "image", k->image);
	json_put_bool(o, "file", k->file);
	zl_ledger_end(z, o);
	json_put_z(d, "message_id", k->id);
	json_put_z(d, k->group ? "group_id" : "user_id", k->to);
	(void)snprintf(at, sizeof(at), "%lld", (long long)k->at_ms);
	json_put_z(d, "sent_time", at);
	zl_say(z, q, 0, NULL, d);
}

/* 0, or what the group answers. */
static int64_t group_fault(const struct zalo_sb *z, const struct zl_oa *oa, const char *id)
{
	for (size_t i = 0; i < z->n_group; i++)
		if (!strcmp(z->group[i].id, id) && !strcmp(z->group[i].oa, oa->id))
			return z->group[i].error;
	return -403;
}

/* By the last talk where it is known; else by the end of the id: 0001 blocked, 0002 silent for a week, 0003 no follower, 0004 no id
 * at all. */
static int64_t user_fault(const struct zalo_sb *z, const char *id)
{
	for (size_t i = 0; i < z->n_user; i++)
		if (!strcmp(z->user[i].id, id)) {
			int64_t days = (zl_now(z) - z->user[i].talked_ms) / 86400000;
			return days >= 45 ? -227 : days >= 7 ? -230 : 0;
		}

	size_t n = strlen(id);
	const char *end = n > 4 ? id + n - 4 : "";

	return !strcmp(end, "0001")    ? -217
		: !strcmp(end, "0002") ? -230
		: !strcmp(end, "0003") ? -213
		: !strcmp(end, "0004") ? -201
				       : 0;
}

static void message(struct zalo_sb *z, struct zl_oa *oa, struct sb_req *q, bool group)
{
	struct zl_message m = { .group = group };
	const cJSON *to = json_get(q->json, "recipient");
	const char *why = "", *id = json_z(to, group ? "group_id" : "user_id", "");

	(void)str_copy(m.to, sizeof(m.to), str_of(id));
	int64_t bad = message_fault(z, json_get(q->json, "message"), &m, &why);
	int64_t far = group ? group_fault(z, oa, id) : user_fault(z, id);
	if (far)
		zl_say(z, q, far,
			far == -201           ? "user_id is invalid"
				: !group      ? "This user cannot be reached"
				: far == -403 ? "OA is not in this group"
					      : "This group takes no messages",
			NULL);
	else if (bad || z->n_message == ZL_MESSAGES_MAX)
		zl_say(z, q, bad ? bad : -211, why, NULL);
	else
		message_kept(z, oa, q, &m);
}

static void to_group(struct zalo_sb *z, struct zl_oa *oa, struct sb_req *q)
{
	message(z, oa, q, true);
}

static void to_user(struct zalo_sb *z, struct zl_oa *oa, struct sb_req *q)
{
	message(z, oa, q, false);
}

static void talk(struct zalo_sb *z, struct zl_oa *oa, struct sb_req *q)
{
	bool group = memmem(q->path.p, q->path.n, "/group/", 7) != NULL;
	char to[80] = "", *at;
	cJSON *list = json_arr();
	int n = 0;

	if (group) {
		(void)str_copy(to, sizeof(to), sb_req_field(q, "group_id"));
	} else {
		char data[200];
		(void)str_copy(data, sizeof(data), sb_req_field(q, "data"));
		at = strstr(data, "\"user_id\":");
		if (at)
			(void)str_copy(to, sizeof(to),
				(struct str){ at + 10, strspn(at + 10, "0123456789") });
	}
	for (size_t i = z->n_message; i-- > 0 && n < 10;) {
		const struct zl_message *m = z->message[i];
		if (m->oa != oa || m->group != group || strcmp(m->to, to) != 0)
			continue;
		cJSON *o = json_obj();
		json_put_i64(o, "src", 0);
		json_put_i64(o, "time", m->at_ms);
		json_put_z(o, "type", m->image ? "photo" : m->file ? "file" : "text");
		json_put_z(o, "message", m->text);
		json_put_z(o, "message_id", m->id);
		json_put_z(o, "from_id", oa->id);
		json_put_z(o, "to_id", m->to);
		json_add(list, o);
		n++;
	}
	zl_say(z, q, 0, NULL, list);
}

static void upload(struct zalo_sb *z, struct zl_oa *oa, struct sb_req *q)
{
	bool file = str_ends(q->path, "/file");
	const struct sb_field *f = sb_req_part(q, "file");
	size_t max = file ? 5u << 20 : 1u << 20;

	if (oa->uploads_left <= 0) {
		zl_say(z, q, -211, "Out of quota of uploads today", NULL);
		return;
	}
	if (!f || !f->filename.n || f->value.n == 0 || f->value.n > max) {
		zl_say(z, q, -201, "file invalid, only png/jpeg", NULL);
		return;
	}
	bool good = file
		? f->value.n > 4 && (!memcmp(f->value.p, "%PDF", 4) || !memcmp(f->value.p, "PK", 2))
		: f->value.n > 4 &&
			(!memcmp(f->value.p, "\x89PNG", 4) || !memcmp(f->value.p, "\xff\xd8", 2));
	if (!good || z->n_upload == ZL_UPLOADS_MAX) {
		zl_say(z, q, -201, "file invalid, only png/jpeg", NULL);
		return;
	}
	struct zl_upload *u = &z->upload[z->n_upload++];
	cJSON *d = json_obj();
	zl_id(z, "u", u->id, sizeof(u->id));
	u->file = file;
	u->at_ms = zl_now(z);
	oa->uploads_left--;
	json_put_z(d, file ? "token" : "attachment_id", u->id);
	zl_say(z, q, 0, NULL, d);
}

static void profile(struct zalo_sb *z, struct zl_oa *oa, struct sb_req *q)
{
	cJSON *d = json_obj();

	json_put_z(d, "oaid", oa->id);
	json_put_z(d, "name", "BHXH");
	json_put_i64(d, "oa_type", 4);
	json_put_bool(d, "is_verified", !oa->unverified);
	json_put_i64(d, "num_follower", oa->followers);
	json_put_z(d, "package_name", "Nâng cao");
	json_put_z(d, "package_valid_through_date", "31/12/2027");
	zl_say(z, q, 0, NULL, d);
}

static void oa_quota(struct zalo_sb *z, struct zl_oa *oa, struct sb_req *q)
{
	cJSON *a = json_arr(), *o = json_obj();

	(void)oa;
	json_put_z(o, "quota_type", "sub_quota");
	json_put_z(o, "remain", "4997");
	json_put_z(o, "total", "5000");
	json_add(a, o);
	zl_say(z, q, 0, NULL, a);
}

static void groups(struct zalo_sb *z, struct zl_oa *oa, struct sb_req *q)
{
	cJSON *d = json_obj(), *list = json_arr();

	for (size_t i = 0; i < z->n_group; i++)
		if (!strcmp(z->group[i].oa, oa->id)) {
			cJSON *o = json_obj();
			json_put_z(o, "group_id", z->group[i].id);
			json_put_z(o, "name", "Báo chí tỉnh");
			json_put_z(o, "status", z->group[i].error ? "disabled" : "enabled");
			json_add(list, o);
		}
	json_put(d, "groups", list);
	zl_say(z, q, 0, NULL, d);
}

static void off(struct zalo_sb *z, struct zl_oa *oa, struct sb_req *q)
{
	(void)oa;
	zl_say(z, q, -240, "This api was discontinued", NULL);
}

typedef void call_fn(struct zalo_sb *z, struct zl_oa *oa, struct sb_req *q);
struct call {
	const char *method, *path;
	call_fn *fn;
};

static bool run(
	const struct call *c, size_t n, struct zalo_sb *z, struct zl_oa *oa, struct sb_req *q)
{
	for (size_t i = 0; i < n; i++)
		if (sb_path_is(q, c[i].method, c[i].path)) {
			c[i].fn(z, oa, q);
			return true;
		}
	return false;
}

bool zl_messages(struct zalo_sb *z, struct zl_oa *oa, struct sb_req *q)
{
	static const struct call calls[] = { { "POST", "/v2.0/oa/message", broadcast },
		{ "POST", "/v3.0/oa/group/message", to_group },
		{ "POST", "/v3.0/oa/message/cs", to_user },
		{ "GET", "/v3.0/oa/group/conversation", talk },
		{ "GET", "/v2.0/oa/conversation", talk },
		{ "POST", "/v2.0/oa/upload/image", upload },
		{ "POST", "/v2.0/oa/upload/file", upload }, { "GET", "/v2.0/oa/getoa", profile },
		{ "POST", "/v3.0/oa/quota/message", oa_quota },
		{ "GET", "/v3.0/oa/group/getgroupsofoa", groups },
		{ "POST", "/v3.0/oa/message/transaction", off },
		{ "POST", "/v3.0/oa/message/promotion", off } };

	return run(calls, sizeof(calls) / sizeof(calls[0]), z, oa, q);
}

/* --- template messages -------------------------------------------------------------------------------------------------------- */
static int64_t phone_fault(const char *phone)
{
	size_t n = strlen(phone);
	const char *end = n > 4 ? phone + n - 4 : "";

	if (strncmp(phone, "84", 2) != 0 || n < 11 || n > 12)
		return -108;
	return !strcmp(end, "0001")    ? -118
		: !strcmp(end, "0002") ? -139
		: !strcmp(end, "0003") ? -1471
				       : 0;
}

static void received(struct zalo_sb *z, const struct zl_message *m)
{
	struct buf b;

	if (!z->hook_url[0] || z->receipts_ms <= 0)
		return;
	buf_init(&b, 2000);
	(void)buf_addf(&b,
		"{\"app_id\":\"%s\",\"event_name\":\"user_received_message\",\"sender\":{\"id\":\"%s\"},\"recipient\":{\"id\":\"%s\"},"
		"\"message\":{\"delivery_time\":\"%lld\",\"msg_id\":\"%s\",\"tracking_id\":\"%s\"},\"timestamp\":\"%lld\"}",
		z->app_id, m->oa->id, m->to, (long long)zl_now(z), m->id, m->tracking,
		(long long)zl_now(z));
	(void)zl_hook_send(z, z->hook_url, buf_str(&b), "", z->receipts_ms);
	buf_done(&b);
}

static void zns(struct zalo_sb *z, struct zl_oa *oa, struct sb_req *q)
{
	const char *phone = json_z(q->json, "phone", "");
	const char *track = json_z(q->json, "tracking_id", "");
	int64_t bad = phone_fault(phone);

	if (bad)
		zl_say(z, q, bad, "Phone number is refused", NULL);
	else if (!json_z(q->json, "template_id", "")[0])
		zl_say(z, q, -109, "Template id is invalid", NULL);
	else if (!cJSON_IsObject(json_get(q->json, "template_data")) || !track[0] ||
		strlen(track) > 48)
		zl_say(z, q, -132, "Parameter is invalid", NULL);
	else if (z->night)
		zl_say(z, q, -133, "Not allowed at night", NULL);
	else if (oa->zns_left <= 0 || z->n_message == ZL_MESSAGES_MAX)
		zl_say(z, q, -144, "OA has reached its daily quota", NULL);
	else {
		struct zl_message *m = z->message[z->n_message++] = x_calloc(1, sizeof(*m));
		cJSON *o = zl_ledger(oa, "zns"), *d = json_obj(), *quota = json_obj();
		char left[24];
		oa->zns_left--;
		m->oa = oa;
		m->at_ms = zl_now(z);
		(void)str_copy(m->to, sizeof(m->to), str_of(phone));
		(void)str_copy(m->tracking, sizeof(m->tracking), str_of(track));
		zl_id(z, "z", m->id, sizeof(m->id));
		json_put_z(o, "id", m->id);
		json_put_z(o, "to", m->to);
		json_put_z(o, "tracking_id", track);
		json_put(o, "data", cJSON_Duplicate(json_get(q->json, "template_data"), true));
		zl_ledger_end(z, o);
		json_put_z(d, "msg_id", m->id);
		(void)snprintf(left, sizeof(left), "%lld", (long long)oa->zns_left);
		json_put_z(quota, "dailyQuota", "1000000");
		json_put_z(quota, "remainingQuota", left);
		json_put(d, "quota", quota);
		zl_say(z, q, 0, NULL, d);
		received(z, m);
	}
}

static void zns_status(struct zalo_sb *z, struct zl_oa *oa, struct sb_req *q)
{
	struct str id = sb_req_field(q, "message_id");
	cJSON *d = json_obj();
	int64_t status = -1;

	for (size_t i = z->n_message; i-- > 0 && status < 0;)
		if (z->message[i]->oa == oa && str_eqz(id, z->message[i]->id))
			status = 1;
	json_put_i64(d, "status", status);
	json_put_z(d, "message", status == 1 ? "delivered" : "not found");
	json_put_i64(d, "delivery_time", zl_now(z));
	zl_say(z, q, 0, NULL, d);
}

static void zns_quota(struct zalo_sb *z, struct zl_oa *oa, struct sb_req *q)
{
	cJSON *d = json_obj();

	json_put_i64(d, "dailyQuota", 1000000);
	json_put_i64(d, "remainingQuota", oa->zns_left);
	zl_say(z, q, 0, NULL, d);
}

bool zl_zns(struct zalo_sb *z, struct zl_oa *oa, struct sb_req *q)
{
	static const struct call calls[] = { { "POST", "/message/template", zns },
		{ "GET", "/message/status", zns_status }, { "GET", "/message/quota", zns_quota } };

	return run(calls, sizeof(calls) / sizeof(calls[0]), z, oa, q);
}
