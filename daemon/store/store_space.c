/* store_space.c - free space: a floor that stops what may wait, a ballast file that gives outcomes their room.
 * Thread: store. Owns: the file "ballast".
 * Under the floor intake, imports and intents are refused; when the disk is truly full the ballast is removed and outcomes
 * go on, and so does a start: reports, opt-outs and people need somebody who answers. Both heal by themselves when there is room again.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include "base/fault.h"
#include "store/store_engine.h"

#define START_BYTES (INT64_C(1) << 20) /* the epoch, the log and its index */

static int64_t free_bytes(const struct store *s)
{
	struct statvfs v;

	if (s->o.free_bytes)
		return s->o.free_bytes(s->o.free_ctx);
	if (statvfs(s->dir, &v) < 0)
		return INT64_MAX; /* not known: the writes themselves will tell */
	return (int64_t)v.f_bavail * (int64_t)v.f_frsize;
}

void space_check(struct store *s, bool force)
{
	int64_t now = store_mono_us(s);

	if (!force && s->space_known && !s->st.under_floor && now - s->space_us < SPACE_CHECK_US)
		return;
	int64_t room = free_bytes(s);
	s->space_us = now;
	s->space_known = true;
	pthread_mutex_lock(&s->mu);
	s->st.free_bytes = (uint64_t)(room < 0 ? 0 : room);
	s->st.under_floor = room < s->o.free_floor_bytes;
	pthread_mutex_unlock(&s->mu);
}

bool space_has(const struct store *s, int64_t bytes)
{
	return free_bytes(s) - bytes >= s->o.free_floor_bytes;
}

int space_refuse(struct store *s, struct err *e)
{
	return err_set(e, -ENOSPC,
		"the disk of %s is nearly full: %" PRIu64 " MB are free, %" PRId64
		" MB are needed; free some, it goes on by itself",
		s->dir, s->st.free_bytes >> 20, s->o.free_floor_bytes >> 20);
}

bool ballast_spend(struct store *s)
{
	bool gave = unlink(s->ballast_path) == 0;

	pthread_mutex_lock(&s->mu);
	s->st.ballast_spent = s->o.ballast_bytes > 0;
	s->st.under_floor = s->o.free_floor_bytes > 0; /* until free space is looked at again */
	pthread_mutex_unlock(&s->mu);
	s->space_known = true;
	s->space_us = store_mono_us(s);
	return gave;
}

void space_for_start(struct store *s)
{
	if (s->o.ballast_bytes > 0 && free_bytes(s) < START_BYTES)
		(void)ballast_spend(s);
}

static bool ballast_there(const struct store *s)
{
	struct stat st;

	return stat(s->ballast_path, &st) == 0 && st.st_size == (off_t)s->o.ballast_bytes;
}

void ballast_make(struct store *s)
{
	bool made = false;

	if (s->o.ballast_bytes <= 0 || s->st.under_floor)
		return;
	if (ballast_there(s)) {
		made = true;
	} else if ((int64_t)s->st.free_bytes > s->o.free_floor_bytes + s->o.ballast_bytes) {
		int fd = open(s->ballast_path,
			O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (fd >= 0) {
			made = !FAULT("store.ballast") &&
				posix_fallocate(fd, 0, (off_t)s->o.ballast_bytes) == 0;
			close(fd);
			if (!made)
				(void)unlink(s->ballast_path); /* half of one helps nobody */
		}
	}
	pthread_mutex_lock(&s->mu);
	s->st.ballast_spent = !made;
	pthread_mutex_unlock(&s->mu);
}
