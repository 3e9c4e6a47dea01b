/* main_key.c - keys of the daemon: the master key, and the key that seals credentials, which `lantoa key rotate` makes anew.
 * The master key signs approvals and the audit for good. Credentials are sealed by the key in secret_key_file; while there is no such
 * file, by the master key.
 * A rotation: FILE.next is written durably; the store seals every credential under it in one transaction; FILE becomes FILE.KEYID,
 * which only a backup from before still needs; FILE.next becomes FILE. A kill between any two leaves a start that knows from the
 * boxes themselves which key is in force (app_keys_settle).
 * Threads: loop; files on a worker. Owns: every keyring until the store is closed, at most KEYS_MAX of them.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/assert.h"
#include "base/file.h"
#include "base/log.h"
#include "main_app.h"
#include "store/store_secret.h"

#define KEY_ID_LEN 8 /* hex digits behind the dot of a former key */

struct key_rotation {
	struct app *app;
	struct work work;
	struct keyring *fresh;
	struct store_secret_rotate seal;
	char *file, *next, *former; /* former: NULL where the master key sealed until now */
	char *person, *via;
	int rc;
	struct err err;
	ctl_key_rotated_fn *done;
	void *ctx;
};

static int load_master(struct app *a, struct err *e)
{
	const struct conf *c = a->conf;
	const char *dir = secure_getenv("CREDENTIALS_DIRECTORY");
	if (a->args.key)
		return keyring_load(a->args.key, &a->keys, e);
	if (c->key_file)
		return keyring_load(c->key_file, &a->keys, e);
	if (!dir)
		return err_set(e, -ENOENT,
			"%s: key_credential: the service was started without credentials; add LoadCredential=master-key:PATH to its unit, or say --key PATH by hand",
			c->path);
	char *path = x_asprintf("%s/master-key", dir);
	int rc = keyring_load(path, &a->keys, e);
	free(path);
	return rc;
}

bool app_keys_elsewhere(const struct app *a)
{
	return !a->args.key && !a->conf->key_file && !secure_getenv("CREDENTIALS_DIRECTORY");
}

/* A missing file is no key. */
static int load_some(const char *path, struct keyring **ret, struct err *e)
{
	if (access(path, F_OK) < 0 && errno == ENOENT)
		return 0;
	return keyring_load(path, ret, e);
}

static int keep(struct app *a, struct keyring *k, struct err *e)
{
	struct secret_keys *s = &a->secret_keys;
	if (s->n == KEYS_MAX) {
		keyring_free(k);
		return err_set(e, -E2BIG,
			"%s: more than %d keys; remove the former ones (FILE.KEYID) that no backup needs any more",
			a->conf->secret_key_file, KEYS_MAX);
	}
	s->all[s->n++] = k;
	return 0;
}

static bool is_former(const char *name, const char *file)
{
	size_t n = strlen(file);
	return !strncmp(name, file, n) && name[n] == '.' &&
		strspn(name + n + 1, "0123456789abcdef") == KEY_ID_LEN && !name[n + 1 + KEY_ID_LEN];
}

/* With its slash; owned. */
static char *folder_of(const char *file)
{
	const char *slash = strrchr(file, '/');
	return slash ? x_strndup(file, (size_t)(slash - file) + 1) : x_strdup("./");
}

static int load_former(struct app *a, const char *file, struct err *e)
{
	const char *slash = strrchr(file, '/');
	char *dir = folder_of(file);
	DIR *d = opendir(dir);
	int rc = d || errno == ENOENT
		? 0
		: err_set(e, -errno, "%s: %s; keys of former rotations are looked for there", dir,
			  strerror(errno));
	for (const struct dirent *it; d && !rc && (it = readdir(d)) != NULL;) {
		struct keyring *k = NULL;
		if (!is_former(it->d_name, slash ? slash + 1 : file))
			continue;
		char *path = x_asprintf("%s%s", dir, it->d_name);
		rc = keyring_load(path, &k, e);
		free(path);
		if (!rc)
			rc = keep(a, k, e);
	}
	if (d)
		(void)closedir(d);
	free(dir);
	return rc;
}

int app_keys_load(struct app *a, struct err *e)
{
	const char *file = a->conf->secret_key_file;
	struct secret_keys *s = &a->secret_keys;
	bool by_hand = a->args.check || a->args.restore_confirm;
	/* --key names a file of root's; all others are the service's */
	int rc = a->args.key ? load_master(a, e) : 0;
	if (!rc && by_hand && (rc = app_become_owner(a->conf->state_dir, e)) > 0)
		rc = 0;
	if (!rc && !a->args.key)
		rc = load_master(a, e);
	if (rc || !file)
		return rc;
	char *next = x_asprintf("%s.next", file);
	rc = load_some(file, &s->now, e);
	if (!rc && s->now)
		rc = keep(a, s->now, e);
	if (!rc)
		rc = load_some(next, &s->next, e);
	if (!rc && s->next)
		rc = keep(a, s->next, e);
	if (!rc)
		rc = load_former(a, file, e);
	free(next);
	return rc;
}

void app_keys_opts(const struct app *a, struct store_opts *o)
{
	o->keys = a->keys;
	o->secret_keys = a->secret_keys.now;
	o->secret_next = a->secret_keys.next;
	o->secret_known = (const struct keyring *const *)a->secret_keys.all;
	o->n_secret_known = a->secret_keys.n;
}

/* The file of the key in force gets its name; the one before keeps its id as its name. Blocking. */
static int take_place(const char *file, const char *next, const char *former, struct err *e)
{
	char *dir = folder_of(file);
	int rc = former && rename(file, former) < 0 && errno != ENOENT ? -errno : 0;
	if (!rc && rename(next, file) < 0)
		rc = -errno;
	if (!rc)
		rc = dir_sync(dir);
	free(dir);
	return rc
		? err_set(e, rc,
			  "%s: %s; credentials are sealed by the key in %s, which the next start puts in place",
			  file, strerror(-rc), next)
		: 0;
}

static char *former_of(const char *file, const struct keyring *k)
{
	return k ? x_asprintf("%s.%08x", file, (unsigned)keyring_id(k)) : NULL;
}

int app_keys_settle(struct app *a, struct err *e)
{
	struct secret_keys *s = &a->secret_keys;
	const char *file = a->conf->secret_key_file;
	if (!s->next)
		return 0;
	char *next = x_asprintf("%s.next", file);
	char *former = former_of(file, s->now);
	int rc = 0;
	if (store_secret_key(a->store) == s->next) {
		rc = take_place(file, next, former, e);
		s->now = s->next;
	} else if (unlink(next) < 0) { /* made, and never sealed anything */
		rc = err_set(e, -errno, "%s: %s", next, strerror(errno));
	}
	s->next = NULL;
	free(next);
	free(former);
	return rc;
}

void app_keys_free(struct app *a)
{
	for (size_t i = 0; i < a->secret_keys.n; i++)
		keyring_free(a->secret_keys.all[i]);
	a->secret_keys = (struct secret_keys){ 0 };
}

/* --- lantoa key rotate ---------------------------------------------------------------------------------------------------- */

static void rotation_end(struct key_rotation *r)
{
	struct app *a = r->app;
	struct ctl_key_rotated said = { .file = r->file,
		.former = r->former,
		.sealed = r->seal.sealed,
		.key_id = r->fresh ? keyring_id(r->fresh) : 0 };
	if (r->rc)
		log_line(LOG_ERROR, "ev=key.rotate.failed why=%s", LOG_Q(str_of(r->err.text)));
	a->rotation = NULL;
	r->done(r->ctx, r->rc, &r->err, &said);
	free(r->file);
	free(r->next);
	free(r->former);
	free(r->person);
	free(r->via);
	free(r);
}

static void on_placed(struct work *w)
{
	rotation_end(CONTAINER_OF(w, struct key_rotation, work));
}

/* The store has said yes or no: the new file takes its place, or goes. A disk that fails under the commit, so that nobody knows whether
 * it was taken, ends the process before this: then the file stays, and the next start knows from the boxes. */
static void place_run(struct work *w)
{
	struct key_rotation *r = CONTAINER_OF(w, struct key_rotation, work);
	if (!r->rc)
		r->rc = take_place(r->file, r->next, r->former, &r->err);
	else
		(void)unlink(r->next);
}

static void place(struct key_rotation *r)
{
	r->work = (struct work){ .fn = place_run, .done = on_placed };
	env_work(r->app->env, &r->work);
}

static void on_sealed(struct store_cmd *cmd)
{
	struct key_rotation *r = CONTAINER_OF(cmd, struct key_rotation, seal.cmd);
	r->rc = cmd->rc;
	r->err = cmd->err;
	if (!r->rc)
		r->app->secret_keys.now = r->fresh;
	place(r);
}

static void on_made(struct work *w)
{
	struct key_rotation *r = CONTAINER_OF(w, struct key_rotation, work);
	struct app *a = r->app;
	if (r->rc) { /* not our FILE.next, or none: it stays as it is */
		rotation_end(r);
		return;
	}
	r->rc = keep(a, r->fresh, &r->err);
	if (r->rc) {
		r->fresh = NULL;
		place(r);
		return;
	}
	store_secret_rotate_init(&r->seal, r->fresh);
	r->seal.person = r->person;
	r->seal.via = r->via;
	r->seal.why = "lantoa key rotate";
	r->seal.cmd.done = on_sealed;
	r->rc = store_submit(a->store, &r->seal.cmd);
	if (r->rc) {
		(void)err_set(&r->err, r->rc, "the store takes no commands now; try again");
		place(r);
	}
}

static void make_run(struct work *w)
{
	struct key_rotation *r = CONTAINER_OF(w, struct key_rotation, work);
	r->rc = keyring_create(r->next, &r->err);
	if (!r->rc)
		r->rc = keyring_load(r->next, &r->fresh, &r->err);
}

void app_ctl_key_rotate(void *app, const struct actor *who, ctl_key_rotated_fn *done, void *ctx)
{
	struct app *a = app;
	const char *file = a->conf->secret_key_file;
	struct err e = { 0 };
	if (!file)
		(void)err_set(&e, -EBADMSG,
			"%s: name the file of the key that seals credentials first, outside of the state folder: 'secret_key_file: PATH'; then restart",
			a->conf->path);
	else if (a->rotation)
		(void)err_set(&e, -EBUSY, "a rotation is under way");
	if (e.code) {
		done(ctx, e.code, &e, NULL);
		return;
	}
	struct key_rotation *r = a->rotation = x_calloc(1, sizeof(*r));
	r->app = a;
	r->file = x_strdup(file);
	r->next = x_asprintf("%s.next", file);
	r->former = former_of(file, a->secret_keys.now);
	r->person = x_strdup(who->person);
	r->via = x_strdup(who->via);
	r->done = done;
	r->ctx = ctx;
	r->work = (struct work){ .fn = make_run, .done = on_made };
	env_work(a->env, &r->work);
}
