/* main_confirm.c - `lantoad --restore-confirm`: a person accepts a database that was restored, and the record says who. Before any
 * thread. The person is who runs the command (behind sudo, who called it), by name where the configuration has one.
 */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "main_app.h"
#include "store/store_fence.h"

static void who_runs(const struct conf *conf, char *person, size_t size, char *via, size_t via_size)
{
	const char *sudo = getuid() == 0 ? getenv("SUDO_UID") : NULL;
	int64_t uid = (int64_t)getuid();
	if (sudo && str_i64(str_of(sudo), 0, UINT32_MAX, &uid) != 0)
		sudo = NULL;
	const struct passwd *pw = getpwuid((uid_t)uid);
	const char *login = pw ? pw->pw_name : NULL;
	const struct conf_person *p = conf_person_by_uid(conf, uid, login);
	if (p || login)
		(void)str_copy(person, size, str_of(p ? p->name : login));
	else
		(void)snprintf(person, size, "uid %lld", (long long)uid);
	(void)snprintf(
		via, via_size, "command line, uid:%lld%s", (long long)uid, sudo ? " by sudo" : "");
}

/* Files that root would leave in the state folder are of no use to the service: what is written is written as its owner. */
int app_become_owner(const char *state_dir, struct err *e)
{
	struct stat st;
	if (geteuid() != 0 || stat(state_dir, &st) != 0 || st.st_uid == 0)
		return 0;
	if (setgroups(0, NULL) || setegid(st.st_gid) || seteuid(st.st_uid))
		return err_set(
			e, -errno, "%s: cannot act as its owner: %s", state_dir, strerror(errno));
	return 1;
}

int app_restore_confirm(const struct app *a, const struct store_opts *so, struct err *e)
{
	char person[160], via[80];
	int64_t held = 0;
	who_runs(a->conf, person, sizeof(person), via, sizeof(via));
	int rc = app_become_owner(a->conf->state_dir, e);
	if (rc >= 0)
		rc = store_restore_confirm(so, person, via, "restore-confirm", &held, e);
	if (!rc)
		(void)printf("confirmed by %s; %lld lots are held until a person resumes them\n",
			person, (long long)held);
	return rc;
}
