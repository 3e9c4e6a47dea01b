/* scripted_rules.c - what the scripted host refuses as the daemon does: calls of jobs that do not run, publishing bytes without an intent
 * or behind a stop. Each is told as misuse. */
#include "scripted_internal.h"

struct sh_job *shi_running(struct sh *h, struct lt_job *job, const char *what)
{
	struct sh_job *j = shi_job_of(h, job);

	if (j != NULL && j->started && !j->result.done)
		return j;
	shi_misuse(h, what);
	return NULL;
}

bool shi_may_publish(struct sh *h, struct lt_job *const *whose, size_t n)
{
	bool good = n > 0;

	if (n == 0)
		shi_misuse(h, "publishing bytes of nobody");
	for (size_t i = 0; i < n; i++) {
		const struct sh_job *j = shi_running(
			h, whose[i], "publishing bytes for a job that has ended");
		good = good && j != NULL && j->intent_open && !j->cancelled;
		if (j != NULL && j->cancelled)
			shi_misuse(h, "publishing bytes of a job that was stopped");
		else if (j != NULL && !j->intent_open)
			shi_misuse(h, "publishing bytes without an intent");
	}
	return good;
}

bool shi_under_way(const struct sh *h, const struct lt_job *job)
{
	for (size_t i = 0; i < h->n_http; i++)
		for (size_t k = 0; k < h->http[i].n_whose && !h->http[i].answered; k++)
			if (h->http[i].whose[k] == job)
				return true;
	return false;
}
