/* channel_load.c - adapters from their folder: the only place for dlfcn.h. Blocking; start-up or a worker.
 * In-process adapters are trusted code, so the folder and the file must be root's (in a demo: or ours) and writable by nobody else.
 * adapter_probe does everything once in a child first, so that an adapter that crashes while it opens is named, not fatal.
 * Every refusal names the file and the reason.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "channel/channel_internal.h"

#define KEYS_MAX      200
#define PRIV_MAX      (1u << 20)
#define PROBE_SECONDS 10
#define CAPS_KNOWN    0x3ffull /* LT_CAP_INTENT_AT_START ... LT_CAP_SHARED_SESSION */

static int check_owner(const char *path, bool owner_ok, struct err *e)
{
	struct stat st;
	if (stat(path, &st))
		return err_set(e, -errno, "%s: %s", path, strerror(errno));
	if (st.st_uid != 0 && !(owner_ok && st.st_uid == geteuid()))
		return err_set(e, -EPERM,
			"%s: belongs to uid %u; adapters are trusted code and must belong to root",
			path, (unsigned)st.st_uid);
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return err_set(e, -EPERM, "%s: may be written by others (mode %04o); chmod go-w it",
			path, (unsigned)(st.st_mode & 07777));
	return 0;
}

/* Caps promise functions and sizes; what they promise must be there. */
static const char *vtable_fault(const struct lt_adapter *ad)
{
	if (ad->struct_size < offsetof(struct lt_adapter, event) + sizeof(ad->event))
		return "its vtable is too short (struct_size)";
	if (!ad->name || !ad->version || !ad->name[0])
		return "it has no name or version";
	if (!ad->address || !ad->prepare || !ad->compose || !ad->open || !ad->close || !ad->start ||
		!ad->event)
		return "a function is missing";
	if (ad->inst_size > PRIV_MAX || ad->session_size > PRIV_MAX || ad->op_size > PRIV_MAX ||
		ad->other_size > PRIV_MAX)
		return "it asks for more than 1 MB of private memory";
	if (ad->n_keys > KEYS_MAX || (ad->n_keys && !ad->keys))
		return "its table of settings is missing or longer than 200";
	for (uint32_t i = 0; i < ad->n_keys; i++)
		if (!ad->keys[i].name || !ad->keys[i].type)
			return "a row of its table of settings has no name or type";
	if (ad->caps & ~CAPS_KNOWN)
		return "it claims capabilities that this daemon does not know";
	if ((ad->caps & LT_CAP_SHARED_SESSION) && !ad->session_size)
		return "it claims shared sessions and has no memory for one";
	return NULL;
}

static int check_adapter(
	const char *path, const char *name, const struct lt_adapter *ad, struct err *e)
{
	if (ad->abi_major != LT_ABI_MAJOR || ad->abi_minor > LT_ABI_MINOR)
		return err_set(e, -EPROTO,
			"%s: built for adapter ABI %u.%u, this daemon speaks %u.%u; build it again against the installed header",
			path, ad->abi_major, ad->abi_minor, LT_ABI_MAJOR, LT_ABI_MINOR);
	const char *fault = vtable_fault(ad);
	if (fault)
		return err_set(e, -EINVAL, "%s: %s", path, fault);
	if (strcmp(ad->name, name) != 0)
		return err_set(e, -EINVAL,
			"%s: calls itself '%.60s'; an adapter's name is that of its file", path,
			ad->name);
	return 0;
}

int adapter_load(const char *dir, const char *name, bool owner_ok, void **ret_dl,
	const struct lt_adapter **ret, struct err *e)
{
	char path[4096];
	int rc = 0;
	if (snprintf(path, sizeof(path), "%s/%s.so", dir, name) >= (int)sizeof(path))
		return err_set(e, -ENAMETOOLONG, "adapter '%s': the path is too long", name);
	if (access(path, F_OK))
		return err_set(e, -ENOENT, "%s: there is no adapter '%s' there", path, name);
	rc = check_owner(dir, owner_ok, e);
	if (!rc)
		rc = check_owner(path, owner_ok, e);
	if (rc)
		return rc;
	void *dl = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!dl)
		return err_set(e, -ENOEXEC, "%s: cannot be loaded: %.300s", path, dlerror());
	const struct lt_adapter *ad = dlsym(dl, LT_ADAPTER_SYMBOL);
	if (!ad)
		rc = err_set(e, -ENOEXEC, "%s: exports no symbol '%s'", path, LT_ADAPTER_SYMBOL);
	else
		rc = check_adapter(path, name, ad, e);
	if (rc) {
		(void)dlclose(dl);
		return rc;
	}
	*ret_dl = dl;
	*ret = ad;
	return 0;
}

/* What was mapped stays mapped, and asked for the same path again the loader gives it again: another file there is run by nobody
 * before a restart. Files as they were when they were first loaded; entries are only added, for as long as the process lives. */
struct first {
	struct first *next;
	struct stat st;
	char path[];
};
static struct first *firsts; /* under firsts_mu */
static pthread_mutex_t firsts_mu = PTHREAD_MUTEX_INITIALIZER;

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size &&
		a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* Under firsts_mu. */
static const struct first *file_at_first(const char *path, const struct stat *st)
{
	for (const struct first *f = firsts; f; f = f->next)
		if (!strcmp(f->path, path))
			return f;
	struct first *f = x_calloc(1, sizeof(*f) + strlen(path) + 1);
	f->st = *st;
	f->next = firsts;
	memcpy(f->path, path, strlen(path) + 1);
	firsts = f;
	return f;
}

bool adapter_replaced(const char *dir, const char *name)
{
	struct stat st;
	char path[4096];
	(void)snprintf(path, sizeof(path), "%s/%s.so", dir, name);
	if (stat(path, &st))
		return false; /* gone since it was loaded a moment ago */
	pthread_mutex_lock(&firsts_mu);
	bool same = same_file(&file_at_first(path, &st)->st, &st);
	pthread_mutex_unlock(&firsts_mu);
	return !same;
}

/* A probe has neither loop nor clock of its own: these three are all that open() may ask for. */
static int64_t probe_ms(clockid_t which)
{
	struct timespec t;
	(void)clock_gettime(which, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}
static int64_t probe_wall(void *ctx)
{
	UNUSED(ctx);
	return probe_ms(CLOCK_REALTIME);
}
static int64_t probe_mono(void *ctx)
{
	UNUSED(ctx);
	return probe_ms(CLOCK_MONOTONIC);
}
static void probe_random(void *ctx, void *buf, size_t n)
{
	UNUSED(ctx);
	memset(buf, 0x5a, n);
}

static int line_among(const struct conf_pair *p, size_t n, struct str name)
{
	for (size_t i = 0; i < n; i++)
		if (str_eqz(name, p[i].name))
			return p[i].line;
	return 0;
}

/* An adapter that refuses a setting begins with its name ("port: ..."): then the line where it stands is said, too. */
int account_refused(const struct chan_account *a, struct err *e)
{
	const struct conf_channel *ch = a->ch->conf;
	struct str said = str_of(a->said), name;
	char at[16] = "";
	(void)str_next(&said, ':', &name);
	int line = line_among(a->conf->settings, a->conf->n_settings, name);
	if (!line)
		line = line_among(ch->settings, ch->n_settings, name);
	if (line)
		(void)snprintf(at, sizeof(at), ":%d", line);
	return err_set(e, -EINVAL, "%s%s: account '%s': adapter '%s' refuses its settings: %s",
		ch->file, at, a->conf->name, a->ch->ad->name,
		a->said[0] ? a->said : "it gives no reason");
}

static int try_account(struct chan_account *a, struct err *e)
{
	const struct lt_adapter *ad = a->ch->ad;
	host_fill(a);
	a->host.wall_ms = probe_wall;
	a->host.mono_ms = probe_mono;
	a->host.random = probe_random;
	a->inst = (struct lt_inst){ .struct_size = sizeof(a->inst),
		.host = &a->host,
		.conf = &a->settings.conf,
		.priv = x_calloc(1, ad->inst_size + 1) };
	int rc = ad->open(&a->inst);
	if (rc >= 0)
		ad->close(&a->inst);
	free(a->inst.priv);
	return rc >= 0 ? 0 : account_refused(a, e);
}

/* Settings, secrets and open() of every account, then close(): no I/O by contract. */
static int try_open(const struct lt_adapter *ad, const struct conf_channel *ch, struct err *e)
{
	struct channel jobs = { .conf = ch, .ad = ad };
	int rc = webhook_secret_read(&jobs, e);
	secret_free(jobs.hook_secret);
	for (size_t i = 0; i < ch->n_accounts && !rc; i++) {
		struct chan_account *a = x_calloc(1, sizeof(*a));
		struct channels *cs = x_calloc(1, sizeof(*cs));
		struct channel c = { .cs = cs, .conf = ch, .ad = ad };
		a->ch = &c;
		a->conf = ch->accounts[i];
		rc = settings_make(ad, ch, a->conf, &a->settings, e);
		if (!rc)
			rc = secrets_read(a, e);
		if (!rc)
			rc = try_account(a, e);
		settings_done(&a->settings);
		for (size_t k = 0; k < a->n_secrets; k++)
			secret_free(a->secrets[k].value);
		free(cs);
		free(a);
	}
	return rc;
}

_Noreturn static void probe_child(
	int fd, const char *dir, const char *name, bool owner_ok, const struct conf_channel *ch)
{
	struct err e = { 0 };
	void *dl = NULL;
	const struct lt_adapter *ad = NULL;
	/* A crash must end this child as a crash: no handler of the parent's may answer it. */
	static const int fatal[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGALRM, SIGTERM };
	for (size_t i = 0; i < ARRAY_LEN(fatal); i++)
		(void)signal(fatal[i], SIG_DFL);
	(void)alarm(PROBE_SECONDS);
	int rc = adapter_load(dir, name, owner_ok, &dl, &ad, &e);
	if (!rc)
		rc = try_open(ad, ch, &e);
	e.code = rc;
	(void)!write(fd, &e, sizeof(e));
	_exit(0);
}

/* -ETIME: its time was over. */
static int probe_once(const char *dir, const char *name, bool owner_ok,
	const struct conf_channel *ch, struct err *e)
{
	int fd[2], status = 0;
	struct err said = { 0 };
	if (pipe(fd))
		return err_set(e, -errno, "adapter '%s': %s", name, strerror(errno));
	pid_t pid = fork();
	if (pid == 0) {
		(void)close(fd[0]);
		probe_child(fd[1], dir, name, owner_ok, ch);
	}
	(void)close(fd[1]);
	ssize_t n = pid > 0 ? read(fd[0], &said, sizeof(said)) : 0;
	(void)close(fd[0]);
	if (pid < 0)
		return err_set(e, -errno, "adapter '%s': %s", name, strerror(errno));
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (n != (ssize_t)sizeof(said)) {
		if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
			return err_set(e, -ETIME,
				"%s/%s.so: did not come to an end within %d s while it was opened for channel '%s'; the daemon goes on without loading it",
				dir, name, PROBE_SECONDS, ch->name);
		if (WIFSIGNALED(status))
			return err_set(e, -ENOEXEC,
				"%s/%s.so: crashed while it was opened for channel '%s' (signal %d: %s); the daemon goes on without loading it",
				dir, name, ch->name, WTERMSIG(status), strsignal(WTERMSIG(status)));
		return err_set(e, -ENOEXEC, "%s/%s.so: ended while it was opened for channel '%s'",
			dir, name, ch->name);
	}
	if (said.code && e) {
		*e = said;
		e->text[sizeof(e->text) - 1] = 0;
	}
	return said.code;
}

/* A child of a process with threads may inherit a lock that one of them held (a sanitizer's allocator has such ones) and wait for
 * ever: what hangs is asked once more before it is the adapter's fault. */
int adapter_probe(const char *dir, const char *name, bool owner_ok, const struct conf_channel *ch,
	struct err *e)
{
	int rc = probe_once(dir, name, owner_ok, ch, e);

	if (rc == -ETIME)
		rc = probe_once(dir, name, owner_ok, ch, e);
	if (rc == -ETIME) {
		rc = -ENOEXEC;
		if (e)
			e->code = rc;
	}
	return rc;
}
