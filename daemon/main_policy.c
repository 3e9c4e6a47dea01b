/* main_policy.c - notes for the audit: a reload with its author, and the rules in force where they are others than before.
 * Thread: loop. A note that cannot be written is a line of the log: the configuration is in force anyhow, and the next start or
 * reload compares again.
 */
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/utf8.h"
#include "main_app.h"
#include "store/store_policy.h"

#define TEXT_MAX 3900

struct policy_note {
	struct store_policy_cmd cmd;
	char *person, *via, *text, *why;
};

static void noted(struct store_cmd *cmd)
{
	struct policy_note *n = CONTAINER_OF(cmd, struct policy_note, cmd.cmd);
	if (cmd->rc)
		log_line(LOG_WARN, "ev=policy.note_failed rc=%d continuing", cmd->rc);
	else if (n->cmd.changed)
		log_line(LOG_INFO, "ev=policy.change now=%s", LOG_Q(str_of(n->text)));
	free(n->person);
	free(n->via);
	free(n->text);
	free(n->why);
	free(n);
}

/* The audit takes only whole letters from a person; what was cut by bytes on its way here would leave no note of what he did. */
static char *whole_letters(const char *z)
{
	char *text = x_calloc(1, strlen(z) + 1);
	text[utf8_mend(text, utf8_cut(str_of(z), TEXT_MAX))] = '\0';
	return text;
}

void app_policy_note(
	struct app *a, const char *person, const char *via, const char *act, const char *refused)
{
	struct policy_note *n = x_calloc(1, sizeof(*n));
	struct buf b CLEANUP_BUF;
	buf_init(&b, TEXT_MAX);
	if (!refused)
		conf_policy_text(a->conf, &b);
	n->person = x_strdup(person);
	n->via = x_strdup(via);
	n->text = refused ? NULL : whole_letters(buf_z(&b));
	n->why = refused ? whole_letters(refused) : NULL;
	n->cmd = (struct store_policy_cmd){ .person = n->person,
		.via = n->via,
		.text = n->text,
		.act = act,
		.why = n->why,
		.cmd.done = noted };
	store_policy_prepare(&n->cmd);
	store_submit_or_done(a->store, &n->cmd.cmd);
}
