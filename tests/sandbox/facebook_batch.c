/* facebook_batch.c - several questions in one request: POST to the version's root with batch=[...]; answers keep the order, each
 * {"code","body"} with the body as a text. Questions only: a publishing operation is refused, and so is a 51st.
 * How it works: each operation is a request of its own to the same handlers, whose answer is caught instead of sent. */
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "facebook.h"

#define OPS_MAX 50
#define OP_URL  4096

static struct {
	bool open;
	int status;
	char *body; /* owned */
} caught;

/* In place of sb_res_json everywhere in this provider. */
void fbx_reply(struct sb_req *q, int status, cJSON *o)
{
	if (!caught.open) {
		sb_res_json(q, status, o);
		return;
	}
	REQUIRE(caught.body == NULL); /* one answer a question */
	caught.status = status;
	caught.body = json_print(o);
	cJSON_Delete(o);
}

void fbx_header(struct sb_req *q, const char *name, const char *value)
{
	if (!caught.open)
		sb_res_header(q, name, value);
}

static int digit(char c)
{
	return c >= '0' && c <= '9'    ? c - '0'
		: c >= 'a' && c <= 'f' ? c - 'a' + 10
		: c >= 'A' && c <= 'F' ? c - 'A' + 10
				       : -1;
}

static struct str decoded(struct str s, char *dst, size_t *at, size_t size)
{
	size_t from = *at;

	for (size_t i = 0; i < s.n && *at + 1 < size; i++) {
		bool hex = s.p[i] == '%' && i + 2 < s.n && digit(s.p[i + 1]) >= 0 &&
			digit(s.p[i + 2]) >= 0;
		dst[(*at)++] = hex ? (char)(digit(s.p[i + 1]) * 16 + digit(s.p[i + 2])) : s.p[i];
		i += hex ? 2 : 0;
	}
	dst[(*at)++] = '\0';
	return (struct str){ dst + from, *at - 1 - from };
}

static void ask(struct fbx *f, const struct sb_req *q, struct str url, const struct fbx_caller *c)
{
	struct sb_field fields[8];
	char text[OP_URL], path[OP_URL + 8] = "/v25.0/";
	struct sb_req sub = { .s = q->s,
		.method = STR("GET"),
		.headers = q->headers,
		.n_headers = q->n_headers,
		.fields = fields,
		.server = q->server };
	size_t at = 0, n = strlen(path);
	const char *mark = memchr(url.p, '?', url.n);
	struct str bare = { url.p, mark ? (size_t)(mark - url.p) : url.n }, rest = { 0 }, one;

	memcpy(path + n, bare.p, bare.n);
	sub.path = (struct str){ path, n + bare.n };
	if (mark)
		rest = (struct str){ mark + 1, url.n - bare.n - 1 };
	while (rest.n && sub.n_fields < ARRAY_LEN(fields) && str_next(&rest, '&', &one)) {
		const char *eq = memchr(one.p, '=', one.n);
		size_t k = eq ? (size_t)(eq - one.p) : one.n;
		struct sb_field *d = &fields[sub.n_fields++];
		*d = (struct sb_field){ .name = decoded((struct str){ one.p, k }, text, &at,
						sizeof(text)) };
		d->value = decoded(eq ? (struct str){ eq + 1, one.n - k - 1 } : STR(""), text, &at,
			sizeof(text));
	}
	fbx_ask(f, &sub, c);
}

void fbx_batch(struct fbx *f, struct sb_req *q, const struct fbx_caller *c)
{
	struct str text = sb_req_field(q, "batch"), token = sb_req_field(q, "access_token");
	cJSON *ops = NULL, *ret = json_arr();
	const cJSON *op;
	struct err e;

	if (f->no_batch || !token.n) { /* "a top-level access_token (always required)" */
		cJSON_Delete(ret);
		fbx_error(q, 400, 2500, 0,
			f->no_batch ? "Unknown path components: /"
				    : "An active access token must be used to query information");
		return;
	}
	if (json_parse(text, 1 << 20, &ops, &e) != 0 || !cJSON_IsArray(ops) ||
		cJSON_GetArraySize(ops) > OPS_MAX) {
		cJSON_Delete(ops);
		cJSON_Delete(ret);
		fbx_error(q, 400, 100, 0, "(#100) batch: an array of at most 50 operations");
		return;
	}
	cJSON_ArrayForEach(op, ops)
	{
		struct str url = json_str(op, "relative_url");
		cJSON *one = json_obj();
		caught.open = true;
		if (str_eqz(json_str(op, "method"), "GET") && url.n > 0 && url.n < OP_URL - 64)
			ask(f, q, url, c);
		else
			fbx_error(q, 400, 100, 33, "Unsupported operation");
		caught.open = false;
		json_put_i64(one, "code", caught.status);
		json_put_z(one, "body", caught.body ? caught.body : "");
		json_add(ret, one);
		free(caught.body);
		caught.body = NULL;
	}
	cJSON_Delete(ops);
	sb_res_json(q, 200, ret);
}
