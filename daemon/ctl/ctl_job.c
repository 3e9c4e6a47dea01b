/* ctl_job.c - a reader on a worker for methods of the loop, and times in answers. Knows neither dispatch nor plan.
 * Threads: job_run on a worker, the rest on the loop. Owns: nothing. Failures: a store that cannot be read is said in e. */
#include "ctl/ctl_queue.h"

static void job_run(struct work *w)
{
	struct ctl_job *j = CONTAINER_OF(w, struct ctl_job, work);
	struct store_reader *r;

	j->rc = store_reader_open(j->c->deps->store, &r);
	if (j->rc == 0) {
		j->c->reader = r;
		j->rc = j->read(j, r, &j->e);
		j->c->reader = NULL;
		store_reader_close(r);
	}
	if (j->rc && !j->e.text[0])
		(void)err_set(&j->e, j->rc, "the store could not be read (%d)", j->rc);
}

static void job_done(struct work *w)
{
	struct ctl_job *j = CONTAINER_OF(w, struct ctl_job, work);

	j->then(j);
}

void ctl_job_start(struct ctl_job *j)
{
	j->work.fn = job_run;
	j->work.done = job_done;
	env_work(j->c->deps->env, &j->work);
}

void ctl_put_time(cJSON *o, const char *key, int64_t ms)
{
	if (ms > 0)
		json_put_i64(o, key, ms);
	else
		json_put_z(o, key, NULL);
}
