/* store_queue_secret.c - the sets of values of rotating credentials, kept as one sealed secret (store_secret.h) each.
 * Thread: store for the command, worker for reading. Owns: nothing. Must not know: what a credential opens.
 * Failures: a row that was changed or moved does not open: -EBADMSG, never a wrong secret. */
#include <string.h>
#include "store/store_internal.h"
#include "store/store_queue_secret.h"
#include "store/store_secret.h"

static int secret_run(struct store_tx *tx, struct store_cmd *cmd)
{
	struct sq_secret *c = CONTAINER_OF(cmd, struct sq_secret, cmd);
	struct store_secret_put put;

	store_secret_put_init(&put, STORE_OUTCOME);
	put.channel = c->channel;
	put.name = c->name;
	put.value = c->plain;
	put.expires = c->expires_ms;
	put.why = "refreshed";
	int rc = store_secret_put_in(tx, &put);
	if (rc == 0)
		c->ret_version = put.info.version;
	else
		cmd->err = put.cmd.err;
	return rc;
}

void sq_secret_init(struct sq_secret *c)
{
	c->cmd.class = STORE_OUTCOME;
	c->cmd.run = secret_run;
}

int sq_read_secret(struct store_reader *r, const char *channel, const char *name, char **ret,
	size_t *ret_n, int64_t *ret_version)
{
	struct secret *secret = NULL;
	struct cred_info info;
	int rc = store_secret_get(reader_store(r), reader_db(r), channel, name, &secret, &info);

	if (rc < 0)
		return rc == -ENOENT ? 0 : rc;
	struct str plain = secret_value(secret);
	*ret = x_calloc(1, plain.n + 1);
	memcpy(*ret, plain.p ? plain.p : "", plain.n);
	*ret_n = plain.n;
	*ret_version = info.version;
	secret_free(secret);
	return 1;
}

struct str sq_secret_value(struct str plain, const char *name)
{
	while (plain.n > 0) {
		struct str part[2];
		for (int i = 0; i < 2; i++) {
			uint32_t n;
			if (plain.n < sizeof(n))
				return (struct str){ NULL, 0 };
			memcpy(&n, plain.p, sizeof(n));
			if (n > plain.n - sizeof(n))
				return (struct str){ NULL, 0 };
			part[i] = (struct str){ plain.p + sizeof(n), n };
			plain.p += sizeof(n) + n;
			plain.n -= sizeof(n) + n;
		}
		if (str_eqz(part[0], name))
			return part[1];
	}
	return (struct str){ NULL, 0 };
}
