/* facebook_video.c - a video by chunked upload: start, the pieces that the API asks for, finish; then its state until it is live.
 * Only finish publishes, and its lost answer is unknown: questions read the state of the video. An upload that broke off goes
 * on where the API says. A try that finds that an earlier one was about to finish looks first: it begins at all because nothing
 * was published, and a session makes one video, however often it is finished.
 * Thread: loop. Owns: nothing beyond its job. */
#include <stdio.h>
#include <string.h>
#include "facebook_step.h"

static int video_call(struct fb_job *j, const struct lt_field *f, size_t n, uint32_t body,
	uint32_t flags, int64_t ms)
{
	const struct fb_conf *c = fb_conf_of(j);
	char path[64];

	(void)snprintf(path, sizeof(path), "%.*s/videos", (int)c->page.n, c->page.p);
	struct fb_send s = { .method = "POST",
		.path = path,
		.body_kind = body,
		.flags = flags,
		.fields = f,
		.n_fields = n,
		.total_ms = ms,
		.video = true };
	return fb_send(j, &s);
}

static struct lt_field text_field(const char *name, struct lt_str v)
{
	return (struct lt_field){ .name = ltc_z(name), .src = { .bytes = v } };
}

static int start_send(struct fb_job *j)
{
	char size[24];

	(void)snprintf(size, sizeof(size), "%llu", (unsigned long long)j->doc.video_bytes);
	struct lt_field f[] = { text_field("upload_phase", LTC_LIT("start")),
		text_field("file_size", ltc_z(size)) };
	return video_call(j, f, 2, LT_BODY_FORM, 0, fb_conf_of(j)->post_ms);
}

/* False: the answer does not say which piece comes next. */
static bool keep_offsets(struct fb_job *j, const struct ltc_json *body)
{
	char value[48];
	int64_t from, to;

	if (!ltc_json_i64(ltc_json_get(body, "start_offset"), &from) ||
		!ltc_json_i64(ltc_json_get(body, "end_offset"), &to))
		return false;
	j->video_from = from;
	j->video_to = to;
	(void)snprintf(value, sizeof(value), "%lld %lld", (long long)j->video_from,
		(long long)j->video_to);
	fb_save(j, "sent", value);
	return true;
}

static void try_keep(struct fb_job *j)
{
	char value[64];

	fb_text_print(j->doc.message, j->print);
	j->try_at = fb_there(j);
	(void)snprintf(value, sizeof(value), "%lld %s", (long long)j->try_at, j->print);
	fb_save(j, "try", value);
}

static void upload_next(struct fb_job *j)
{
	int64_t all = (int64_t)j->doc.video_bytes;
	bool sane = j->video_from >= 0 && j->video_from <= j->video_to && j->video_to <= all &&
		(j->video_from < j->video_to || j->video_to == all);

	if (!sane || j->waits++ > 100000) {
		fb_save(j, "video", ""); /* the next try begins another upload */
		fb_save(j, "sent", "");
		fb_end(j, LT_DEFERRED, LT_SCOPE_LANE, 0, "video",
			"the upload asks for what is not there");
		return;
	}
	if (j->video_from < j->video_to) {
		fb_then(j, FBS_VIDEO_CHUNK);
		return;
	}
	try_keep(j);
	char value[24];
	(void)snprintf(value, sizeof(value), "%lld", (long long)fb_now(j));
	fb_save(j, "done", value); /* from here on it may be public */
	fb_then(j, FBS_VIDEO_FINISH);
}

/* Nothing of it can be used, nothing of it is public: from the start. */
static void video_anew(struct fb_job *j)
{
	fb_save(j, "video", "");
	fb_save(j, "sent", "");
	fb_save(j, "done", "");
	j->done_at = j->video_from = j->video_to = 0;
	fb_then(j, FBS_VIDEO_START);
}

void fb_video_begin(struct fb_job *j)
{
	if (j->video[0] == '\0' || j->video_to <= 0)
		fb_go(j, FBS_VIDEO_START);
	else if (j->done_at > 0)
		fb_go(j, FBS_VIDEO_STATUS);
	else
		upload_next(j);
}

static void start_done(struct fb_job *j, const struct fb_verdict *v)
{
	char value[2 * FB_ID_MAX];

	if (v->class != FB_OK) {
		fb_fail(j, v);
		return;
	}
	if (!fb_copy_id(j->video, ltc_json_str(v->body, "video_id")) ||
		!fb_copy_id(j->video_session, ltc_json_str(v->body, "upload_session_id"))) {
		fb_end(j, LT_DEFERRED, LT_SCOPE_LANE, 0, "video",
			"an answer without the ids of the upload");
		return;
	}
	(void)snprintf(value, sizeof(value), "%s %s", j->video, j->video_session);
	if (!keep_offsets(j, v->body)) {
		fb_end(j, LT_DEFERRED, LT_SCOPE_LANE, 0, "video",
			"an answer without the first piece of the upload");
		return;
	}
	fb_keep_of(j);
	fb_save(j, "video", value);
	upload_next(j);
}

static int chunk_send(struct fb_job *j)
{
	char from[24];

	(void)snprintf(from, sizeof(from), "%lld", (long long)j->video_from);
	struct lt_field f[] = { text_field("upload_phase", LTC_LIT("transfer")),
		text_field("upload_session_id", ltc_z(j->video_session)),
		text_field("start_offset", ltc_z(from)),
		{ .name = LTC_LIT("video_file_chunk"),
			.filename = LTC_LIT("chunk"),
			.content_type = LTC_LIT("application/octet-stream"),
			.src = *j->doc.video.src } };
	f[3].src.offset = (uint64_t)j->video_from;
	f[3].src.length = (uint64_t)(j->video_to - j->video_from);
	return video_call(j, f, 4, LT_BODY_MULTIPART, 0, fb_conf_of(j)->chunk_ms);
}

/* Where an upload that broke off goes on: error_data is an object, or JSON in a text, with the offsets that are wanted. */
static bool offsets_said(struct fb_job *j, const struct fb_verdict *v)
{
	const struct ltc_json *data = ltc_json_get(ltc_json_get(v->body, "error"), "error_data");
	struct ltc_json *inner = ltc_json_text(data).n > 0
		? ltc_json_parse(ltc_json_text(data), LTC_JSON_ANSWER, NULL)
		: NULL;
	const struct ltc_json *o = inner != NULL ? inner : data;
	int64_t from = ltc_json_int(o, "start_offset", -1), to = ltc_json_int(o, "end_offset", -1);
	bool said = from >= 0 && to > from && to <= (int64_t)j->doc.video_bytes &&
		from != j->video_from && keep_offsets(j, o);

	ltc_json_free(inner);
	return said;
}

/* The piece is sent again, or the one that is asked for; also when an answer does not say which: a film is finished when all of it is
 * there, and not for want of a word. A session that is over, or whose trouble stays, is begun anew at the
 * next try: nothing of it is public. */
static void chunk_done(struct fb_job *j, const struct fb_verdict *v)
{
	bool hollow = v->class == FB_OK && !keep_offsets(j, v->body);

	if (v->class == FB_OK && !hollow) {
		upload_next(j);
		return;
	}
	if (v->class == FB_RETRY && offsets_said(j, v)) {
		upload_next(j);
		return;
	}
	if ((v->class == FB_RETRY || hollow) && !j->cancelled &&
		(int64_t)j->tries < fb_conf_of(j)->retries) {
		fb_wait(j, fb_pause(j, j->tries++));
		return;
	}
	if (hollow) {
		fb_end(j, LT_DEFERRED, LT_SCOPE_LANE, 0, "video",
			"the upload does not say which piece comes next");
		return;
	}
	if (v->class == FB_GONE || (v->class == FB_SAID && v->outcome == LT_REFUSED) ||
		(v->class == FB_RETRY && strstr(v->code, "1363") != NULL)) {
		fb_save(j, "video", "");
		fb_save(j, "sent", "");
	}
	fb_fail(j, v);
}

static int finish_send(struct fb_job *j)
{
	struct lt_field f[] = { text_field("upload_phase", LTC_LIT("finish")),
		text_field("upload_session_id", ltc_z(j->video_session)),
		text_field("title", j->doc.title), text_field("description", j->doc.message),
		text_field("published", LTC_LIT("true")) };

	return video_call(j, f, 5, LT_BODY_FORM, LT_PUBLISHES, fb_conf_of(j)->post_ms);
}

static void video_unknown(struct fb_job *j, const char *code, const char *text)
{
	struct lt_id ids[] = { { 0, LT_UNKNOWN, ltc_z(j->video) } };
	struct lt_result r = { .outcome = LT_UNKNOWN,
		.code = ltc_z(code),
		.text = ltc_z(text),
		.ids = ids,
		.n_ids = 1 };

	fb_end_result(j, &r);
}

static void finish_done(struct fb_job *j, const struct fb_verdict *v)
{
	if (v->class == FB_RETRY || v->class == FB_GONE) {
		video_unknown(j, v->code, v->text); /* "unsupported" was said of what appeared */
	} else if (v->class == FB_DUP) {
		fb_go(j, FBS_LOOK_DUP);
	} else if (v->class != FB_OK) {
		fb_save(j, "done", "");
		fb_fail(j, v);
	} else {
		j->tried_live = true;
		j->done_at = fb_now(j);
		j->step = FBS_VIDEO_STATUS;
		j->tries = 0;
		fb_wait(j, fb_conf_of(j)->video_poll_ms);
	}
}

/* Not every version may know each of them, and one bad field fails the whole call: the rarest is left out first. */
static int status_send(struct fb_job *j)
{
	return fb_get(j, j->video,
		j->few_fields           ? "status"
			: j->no_post_id ? "status,permalink_url"
					: "status,permalink_url,post_id");
}

static void link_of(struct fb_job *j, struct lt_str url)
{
	if (url.n == 0 || url.n > 300 || ltc_has_control(url))
		return;
	if (ltc_starts(url, "http"))
		(void)snprintf(j->url, sizeof(j->url), "%.*s", (int)url.n, url.p);
	else if (url.p[0] == '/')
		(void)snprintf(
			j->url, sizeof(j->url), "https://www.facebook.com%.*s", (int)url.n, url.p);
}

/* 1 live or on its way, 0 not published yet, -1 failed. */
static int state_of(const struct ltc_json *body, struct lt_str *ret_why)
{
	const struct ltc_json *status = ltc_json_get(body, "status");
	const struct ltc_json *publish = ltc_json_get(status, "publishing_phase");
	struct lt_str video = ltc_json_str(status, "video_status"),
		      phase = ltc_json_str(publish, "status");

	*ret_why = ltc_json_str(
		ltc_json_get(ltc_json_get(status, "processing_phase"), "error"), "message");
	if (ltc_eqz(video, "error") || ltc_eqz(video, "upload_failed") ||
		ltc_eqz(video, "expired") || ltc_eqz(phase, "error"))
		return -1;
	if (phase.n == 0) /* it says nothing of publishing */
		return ltc_eqz(video, "ready");
	return ltc_eqz(phase, "complete") || ltc_eqz(phase, "completed") ||
		ltc_eqz(phase, "in_progress");
}

static bool fewer_fields(struct fb_job *j, const struct fb_verdict *v)
{
	if (v->class != FB_SAID || v->outcome != LT_REFUSED || j->few_fields || j->cancelled)
		return false;
	j->few_fields = j->no_post_id;
	j->no_post_id = true;
	fb_go(j, j->step);
	return true;
}

/* It is published. Its post is what people see and what can be edited: "N", or "PAGE_N"; looked at before it is believed. */
static void video_live(struct fb_job *j, const struct ltc_json *body)
{
	struct lt_str post = ltc_json_str(body, "post_id"), page = fb_conf_of(j)->page;
	char id[2 * FB_ID_MAX];

	link_of(j, ltc_json_str(body, "permalink_url"));
	(void)snprintf(id, sizeof(id), "%.*s%s%.*s", (int)page.n, page.p, "_",
		(int)(post.n < FB_ID_MAX ? post.n : 0), post.n > 0 ? post.p : "");
	bool whole = post.n > 0 && memchr(post.p, '_', post.n) != NULL;
	if (post.n > 0 && fb_copy_id(j->draft, whole ? post : ltc_z(id))) {
		fb_go(j, FBS_LINK);
		return;
	}
	fb_video_own(j);
	fb_end_ok(j, j->draft);
}

/* Of a try that has not finished it itself. */
static void early_status(struct fb_job *j, const struct fb_verdict *v, int state)
{
	if (v->class == FB_GONE || state < 0)
		video_anew(j);
	else if (v->class != FB_OK)
		fb_list_failed(j, v); /* looked at again by the next try */
	else
		upload_next(j);
}

/* A video that is worked on may not be there to see yet: only its own word that it failed is one. */
static void status_done(struct fb_job *j, const struct fb_verdict *v)
{
	struct lt_str why = { NULL, 0 };
	int state = v->class == FB_OK ? state_of(v->body, &why) : 0;

	if (fewer_fields(j, v))
		return;
	if (state > 0) {
		video_live(j, v->body);
		return;
	}
	if (!j->tried_live) {
		early_status(j, v, state);
		return;
	}
	if (state < 0) {
		char text[201];
		(void)snprintf(text, sizeof(text), "Facebook could not make a video of it: %.*s",
			(int)(why.n > 120 ? 120 : why.n), why.n > 0 ? why.p : "");
		fb_end(j, LT_REFUSED, LT_SCOPE_TARGET, 0, "video", text);
		return;
	}
	if (j->cancelled || fb_now(j) - j->done_at > fb_conf_of(j)->video_poll_max ||
		v->class == FB_RATE || v->class == FB_TOKEN) {
		video_unknown(j, "video", "the video is being worked on; asked again");
		return;
	}
	fb_wait(j, fb_conf_of(j)->video_poll_ms);
}

static void ask_video_done(struct fb_job *j, const struct fb_verdict *v)
{
	struct lt_str why;
	int state = v->class == FB_OK ? state_of(v->body, &why) : 0;

	if (fewer_fields(j, v))
		return;
	if (v->class != FB_OK) {
		fb_fail(j, v);
		return;
	}
	if (state > 0)
		video_live(j, v->body);
	else if (state < 0)
		fb_end(j, LT_REFUSED, LT_SCOPE_TARGET, 0, "video",
			"Facebook could not make a video of it");
	else
		fb_end(j, LT_UNKNOWN, LT_SCOPE_TARGET, 0, "video",
			"not published yet, as far as can be seen");
}

const struct fb_step fb_step_video_start = { "video", 0, start_send, start_done };
/* "Creates": how it is repeated stands in chunk_done. */
const struct fb_step fb_step_video_chunk = { "video", FB_STEP_CREATES, chunk_send, chunk_done };
const struct fb_step fb_step_video_finish = { "video", FB_STEP_PUBLISHES | FB_STEP_CREATES,
	finish_send, finish_done };
const struct fb_step fb_step_video_status = { "read", 0, status_send, status_done };
const struct fb_step fb_step_ask_video = { "read", 0, status_send, ask_video_done };
