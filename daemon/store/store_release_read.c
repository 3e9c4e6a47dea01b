/* store_release_read.c - releases, revisions, parts, manifests, prepared rows and approvals as they stand.
 * Thread: whoever holds the connection. Results are copies. Failures: -ENOENT, or what the store says.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "store/store_internal.h"
#include "store/store_release.h"

#define RELEASE_COLUMNS                                                                                                         \
	"id, year, code, state, rev_newest, ifnull(rev_approved,0), ifnull(campaign_id,0), prio, category, kind, title, owed, " \
	"ifnull(approved_at,0), ifnull(note,'')"

static void read_release(sqlite3_stmt *st, struct release_row *r)
{
	*r = (struct release_row){ .id = col_i64(st, 0),
		.year = col_i64(st, 1),
		.state = (int)col_i64(st, 3),
		.rev_newest = col_i64(st, 4),
		.rev_approved = col_i64(st, 5),
		.campaign_id = col_i64(st, 6),
		.prio = (int)col_i64(st, 7),
		.category = (int)col_i64(st, 8),
		.kind = (int)col_i64(st, 9),
		.owed = (int)col_i64(st, 11),
		.approved_at = col_i64(st, 12) };
	struct str note = col_str(st, 13);
	if (str_starts(note, "corrects:"))
		(void)str_i64((struct str){ note.p + 9, note.n - 9 }, 1, INT64_MAX, &r->corrects);
	str_copy(r->code, sizeof(r->code), col_str(st, 2));
	str_copy(r->title, sizeof(r->title), col_str(st, 10));
}

/* "CODE@2026": the year behind the last @, if it is one. */
static struct str split_ref(struct str ref, int64_t *ret_year)
{
	*ret_year = 0;
	for (size_t i = ref.n; i-- > 0;) {
		if (ref.p[i] != '@')
			continue;
		struct str year = { ref.p + i + 1, ref.n - i - 1 };
		if (str_i64(year, 1970, 9999, ret_year) == 0)
			ref.n = i;
		break;
	}
	return ref;
}

static int release_missing(struct db *db, struct str ref, struct err *e)
{
	sqlite3_stmt *st;
	int64_t year;
	struct str code_part = split_ref(ref, &year);
	char best[90] = "";
	if (e &&
		db_query(db, &st, "SELECT code, year FROM release ORDER BY id DESC LIMIT 500",
			"") == 0) {
		while (db_row(db, st) == 1) {
			const char *code = col_z(st, 0);
			if (year && str_eqz(code_part, code)) {
				snprintf(best, sizeof(best), "%.64s@%lld", code,
					(long long)col_i64(st, 1));
				year = 0; /* the newest one of that code is named */
			} else if (!*best && str_nearest(code_part, &code, 1)) {
				str_copy(best, sizeof(best), str_of(code));
			}
		}
	}
	if (*best)
		return err_set(e, -ENOENT, "there is no release '" STR_FMT "'; did you mean '%s'?",
			STR_ARG(ref), best);
	return err_set(e, -ENOENT,
		"there is no release '" STR_FMT "'; `lantoa releases` lists them", STR_ARG(ref));
}

int release_find(struct db *db, struct str ref, struct release_row *ret, struct err *e)
{
	sqlite3_stmt *st;
	int64_t year;
	struct str code = split_ref(str_trim(ref), &year);
	int rc = db_query(db, &st,
		"SELECT " RELEASE_COLUMNS
		" FROM release WHERE code=?1 AND (?2=0 OR year=?2) ORDER BY year DESC LIMIT 1",
		"si", code.p ? code : STR(""), year);
	if (rc == 0)
		rc = db_row(db, st);
	if (rc < 0)
		return err_set(e, rc, "the store could not be read");
	if (rc == 0)
		return release_missing(db, str_trim(ref), e);
	read_release(st, ret);
	db_reset(st);
	return 0;
}

int release_get(struct db *db, int64_t id, struct release_row *ret)
{
	sqlite3_stmt *st;
	int rc = db_query(db, &st, "SELECT " RELEASE_COLUMNS " FROM release WHERE id=?", "i", id);
	if (rc == 0)
		rc = db_row(db, st);
	if (rc <= 0)
		return rc < 0 ? rc : -ENOENT;
	read_release(st, ret);
	db_reset(st);
	return 0;
}

const char *release_ref(const struct release_row *r, char *dst, size_t size)
{
	snprintf(dst, size, "%s@%lld", r->code, (long long)r->year);
	return dst;
}

const char *release_subject(const struct release_row *r, char *dst, size_t size)
{
	snprintf(dst, size, "release:%s@%lld", r->code, (long long)r->year);
	return dst;
}

int revision_get(struct db *db, int64_t release_id, int64_t rev, struct revision_text *ret)
{
	sqlite3_stmt *st;
	int rc = db_query(db, &st,
		"SELECT front, body, bodies, person, at FROM revision WHERE release_id=? AND rev=?",
		"ii", release_id, rev);
	if (rc == 0)
		rc = db_row(db, st);
	if (rc <= 0)
		return rc < 0 ? rc : -ENOENT;
	*ret = (struct revision_text){ .front = col_dup(st, 0),
		.body = col_dup(st, 1),
		.bodies = col_dup(st, 2),
		.person = col_dup(st, 3),
		.at = col_i64(st, 4) };
	db_reset(st);
	return 0;
}

void revision_text_done(struct revision_text *r)
{
	free(r->front);
	free(r->body);
	free(r->bodies);
	free(r->person);
	*r = (struct revision_text){ 0 };
}

int release_assets_get(struct db *db, int64_t release_id, int64_t rev,
	struct release_asset_row **ret, size_t *ret_n)
{
	sqlite3_stmt *st;
	size_t n = 0;
	int rc = db_query(db, &st,
		"SELECT x.asset, a.bytes, ifnull(a.width,0), ifnull(a.height,0), x.name, x.alt, a.type, ifnull(x.caption,''), "
		"ifnull(x.credit,''), x.role FROM release_asset x JOIN asset a ON a.hash=x.asset "
		"WHERE x.release_id=? AND x.rev=? ORDER BY x.pos LIMIT 64",
		"ii", release_id, rev);
	if (rc < 0)
		return rc;
	struct release_asset_row *all = x_calloc(MANIFEST_ASSETS_MAX, sizeof(*all));
	while ((rc = db_row(db, st)) == 1 && n < MANIFEST_ASSETS_MAX) {
		struct release_asset_row *a = &all[n++];
		if (!col_hash(st, 0, &a->hash))
			rc = -EBADMSG;
		a->bytes = col_i64(st, 1);
		a->width = col_i64(st, 2);
		a->height = col_i64(st, 3);
		a->name = col_dup(st, 4);
		a->alt = col_dup(st, 5);
		a->type = col_dup(st, 6);
		a->caption = col_dup(st, 7);
		a->credit = col_dup(st, 8);
		a->role = (int)col_i64(st, 9);
	}
	db_reset(st);
	if (rc < 0) {
		asset_rows_free(all, n);
		return rc;
	}
	*ret = all;
	*ret_n = n;
	return 0;
}

void asset_rows_free(struct release_asset_row *a, size_t n)
{
	for (size_t i = 0; a && i < n; i++) {
		free(a[i].name);
		free(a[i].alt);
		free(a[i].type);
		free(a[i].caption);
		free(a[i].credit);
	}
	free(a);
}

int part_rows_get(struct db *db, int64_t release_id, int64_t rev, struct part_row *ret, size_t max,
	size_t *ret_n)
{
	sqlite3_stmt *st;
	size_t n = 0;
	int rc = db_query(db, &st,
		"SELECT part, name, state, planned, ifnull(at,0), ifnull(started,0), signal, ifnull(go_at,0), ifnull(after,0), "
		"ifnull(win_from,0), ifnull(win_to,0), ifnull(expires,0), late, ifnull(why,''), slot, spread_ms "
		"FROM part WHERE release_id=? AND rev=? ORDER BY part",
		"ii", release_id, rev);
	if (rc < 0)
		return rc;
	while (n < max && (rc = db_row(db, st)) == 1) {
		struct part_row *p = &ret[n++];
		*p = (struct part_row){ .release_id = release_id,
			.rev = rev,
			.part = (uint32_t)col_i64(st, 0),
			.state = (int)col_i64(st, 2),
			.planned = (int)col_i64(st, 3),
			.at = col_i64(st, 4),
			.started = col_i64(st, 5),
			.signal = (int)col_i64(st, 6),
			.go_at = col_i64(st, 7),
			.after = (uint32_t)col_i64(st, 8),
			.win_from = col_i64(st, 9),
			.win_to = col_i64(st, 10),
			.expires = col_i64(st, 11),
			.late = (int)col_i64(st, 12),
			.slot = (int)col_i64(st, 14),
			.spread_ms = col_i64(st, 15) };
		str_copy(p->name, sizeof(p->name), col_str(st, 1));
		str_copy(p->why, sizeof(p->why), col_str(st, 13));
	}
	db_reset(st);
	*ret_n = n;
	return rc < 0 ? rc : 0;
}

/* --- manifests --------------------------------------------------------------------------------------------------------------- */

int manifest_newest(
	struct db *db, int64_t release_id, int64_t rev, struct hash *ret, struct buf *body)
{
	sqlite3_stmt *st;
	int rc = db_query(db, &st,
		"SELECT hash, body FROM manifest WHERE release_id=? AND rev=? ORDER BY made DESC, hash LIMIT 1",
		"ii", release_id, rev);
	if (rc == 0)
		rc = db_row(db, st);
	if (rc <= 0)
		return rc < 0 ? rc : -ENOENT;
	rc = col_hash(st, 0, ret) ? 0 : -EBADMSG;
	if (rc == 0 && body)
		rc = buf_add_str(body, col_blob(st, 1));
	db_reset(st);
	return rc;
}

int manifest_get(struct db *db, const struct hash *h, int64_t *ret_release, int64_t *ret_rev,
	struct buf *body)
{
	sqlite3_stmt *st;
	int rc = db_query(
		db, &st, "SELECT release_id, rev, body FROM manifest WHERE hash=?", "h", h);
	if (rc == 0)
		rc = db_row(db, st);
	if (rc <= 0)
		return rc < 0 ? rc : -ENOENT;
	if (ret_release)
		*ret_release = col_i64(st, 0);
	if (ret_rev)
		*ret_rev = col_i64(st, 1);
	rc = body ? buf_add_str(body, col_blob(st, 2)) : 0;
	db_reset(st);
	return rc;
}

int manifest_planned(struct db *db, int64_t release_id, struct hash *ret)
{
	sqlite3_stmt *st;
	int rc = db_query(
		db, &st, "SELECT arg FROM job WHERE kind=1 AND subject=?", "i", release_id);
	if (rc == 0)
		rc = db_row(db, st);
	if (rc <= 0)
		return rc < 0 ? rc : -ENOENT;
	struct str arg = col_str(st, 0);
	if (arg.n > HASH_HEX - 1)
		arg.n = HASH_HEX - 1;
	rc = hash_from_hex(arg, ret) < 0 ? -EBADMSG : 0;
	db_reset(st);
	return rc;
}

int prepared_rows_get(struct db *db, const struct hash *manifest, int part, int64_t channel_id,
	int64_t office_id, struct prepared_row **ret, size_t *ret_n)
{
	sqlite3_stmt *st;
	struct prepared_row *all = NULL;
	size_t n = 0, cap = 0;
	int rc = db_query(db, &st,
		"SELECT part, channel_id, form, lang, office_id, vars_hash, digest FROM prepared WHERE manifest=?1 AND (?2<0 OR part=?2) "
		"AND (?3=0 OR channel_id=?3) AND (?4=0 OR office_id=?4) ORDER BY manifest, part, channel_id, form, lang, office_id",
		"hiii", manifest, (int64_t)part, channel_id, office_id);
	if (rc < 0)
		return rc;
	while (n < RELEASE_PREPARED_MAX && (rc = db_row(db, st)) == 1) {
		if (n == cap) {
			cap = cap ? 2 * cap : 64;
			all = x_realloc(all, cap, sizeof(*all));
		}
		struct prepared_row *p = &all[n++];
		*p = (struct prepared_row){ .part = (uint32_t)col_i64(st, 0),
			.channel_id = col_i64(st, 1),
			.office_id = col_i64(st, 4) };
		str_copy(p->form, sizeof(p->form), col_str(st, 2));
		str_copy(p->lang, sizeof(p->lang), col_str(st, 3));
		if (!col_hash(st, 5, &p->vars) || !col_hash(st, 6, &p->digest)) {
			rc = -EBADMSG;
			break;
		}
	}
	db_reset(st);
	if (rc < 0) {
		free(all);
		return rc;
	}
	*ret = all;
	*ret_n = n;
	return 0;
}

int prepared_digest_of(struct db *db, const struct hash *manifest, struct hash *ret)
{
	sqlite3_stmt *st;
	struct hasher h;
	hasher_init(&h);
	int rc = db_query(db, &st,
		"SELECT part, channel_id, form, lang, office_id, vars_hash, digest FROM prepared WHERE manifest=? "
		"ORDER BY manifest, part, channel_id, form, lang, office_id",
		"h", manifest);
	if (rc < 0)
		return rc;
	while ((rc = db_row(db, st)) == 1) {
		for (int i = 0; i < 7; i++) {
			struct str s = i < 5 ? col_str(st, i) : col_blob(st, i);
			hasher_field(&h, s.p, s.n);
		}
	}
	hasher_end(&h, ret);
	return rc;
}

/* --- approvals ---------------------------------------------------------------------------------------------------------------- */

static int read_approval(sqlite3_stmt *st, struct approval_row *a)
{
	*a = (struct approval_row){ .id = col_i64(st, 0),
		.step = (int)col_i64(st, 2),
		.person = col_dup(st, 3),
		.via = col_dup(st, 4),
		.kind = (int)col_i64(st, 5),
		.for_person = col_dup(st, 6),
		.has_document = col_hash(st, 7, &a->document),
		.why = col_dup(st, 8),
		.at = col_i64(st, 9),
		.voided = col_i64(st, 10) };
	a->has_document = col_hash(st, 7, &a->document);
	return col_hash(st, 1, &a->manifest) && col_hash(st, 11, &a->mac) ? 0 : -EBADMSG;
}

int approval_rows_get(struct db *db, const struct hash *manifest, bool with_void,
	struct approval_row **ret, size_t *ret_n)
{
	enum { max = 64 };
	sqlite3_stmt *st;
	size_t n = 0;
	int rc = db_query(db, &st,
		"SELECT id, manifest, step, person, via, kind, for_person, document, why, at, ifnull(voided,0), mac FROM approval "
		"WHERE manifest=?1 AND (?2 OR voided IS NULL) ORDER BY id LIMIT 64",
		"hi", manifest, (int64_t)with_void);
	if (rc < 0)
		return rc;
	struct approval_row *all = x_calloc(max, sizeof(*all));
	while (n < max && (rc = db_row(db, st)) == 1)
		if ((rc = read_approval(st, &all[n++])) < 0)
			break;
	db_reset(st);
	if (rc < 0) {
		approval_rows_free(all, n);
		return rc;
	}
	*ret = all;
	*ret_n = n;
	return 0;
}

void approval_rows_free(struct approval_row *a, size_t n)
{
	for (size_t i = 0; a && i < n; i++) {
		free(a[i].person);
		free(a[i].via);
		free(a[i].for_person);
		free(a[i].why);
	}
	free(a);
}

static void mac_i64(struct hasher *h, int64_t v)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%lld", (long long)v);
	hasher_field(h, text, (size_t)n);
}

static void mac_z(struct hasher *h, const char *z)
{
	hasher_field(h, z ? z : "", z ? strlen(z) : 0);
}

void approval_mac(const struct keyring *k, const struct approval_row *a,
	const struct hash *prepared, struct hash *ret)
{
	struct hasher h;
	mac_init(&h, k, KEY_APPROVAL);
	mac_z(&h, "lantoa-approval-1");
	mac_i64(&h, MANIFEST_FORMAT);
	hasher_field(&h, a->manifest.b, HASH_LEN);
	hasher_field(&h, prepared->b, HASH_LEN);
	mac_z(&h, a->person);
	mac_i64(&h, a->step);
	mac_i64(&h, a->kind);
	mac_z(&h, a->for_person);
	hasher_field(&h, a->document.b, a->has_document ? HASH_LEN : 0);
	mac_i64(&h, a->at);
	mac_end(&h, ret);
}

int release_authors_get(struct db *db, int64_t release_id, char ***ret, size_t *ret_n)
{
	enum { max = 256 };
	sqlite3_stmt *st;
	size_t n = 0;
	int rc = db_query(db, &st,
		"SELECT DISTINCT person FROM release_author WHERE release_id=? ORDER BY person LIMIT 256",
		"i", release_id);
	if (rc < 0)
		return rc;
	char **all = x_calloc(max, sizeof(*all));
	while (n < max && (rc = db_row(db, st)) == 1)
		all[n++] = col_dup(st, 0);
	db_reset(st);
	if (rc < 0) {
		strings_free(all, n);
		return rc;
	}
	*ret = all;
	*ret_n = n;
	return 0;
}

void strings_free(char **v, size_t n)
{
	for (size_t i = 0; v && i < n; i++)
		free(v[i]);
	free(v);
}

int office_bounds(struct db *db, const char *office)
{
	int64_t top = 0;
	if (!office)
		return 0;
	int rc = db_get_i64(
		db, &top, "SELECT 1 FROM office WHERE code=? AND parent_id IS NULL", "t", office);
	return rc < 0 ? rc : !rc;
}
