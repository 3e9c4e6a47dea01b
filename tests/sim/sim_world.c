/* sim_world.c - the world before the first day: offices, contacts, targets and audiences, drawn from the seed and written by SQL.
 * Owns: nothing. Failures: a statement that does not run ends the seed.
 */
#include <stdio.h>
#include <string.h>
#include "base/assert.h"
#include "base/crypt.h"
#include "sim.h"

static void exec(const char *fmt, ...) PRINTF_LIKE(1, 2);
static void exec(const char *fmt, ...)
{
	char sql[4000];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(sql, sizeof(sql), fmt, ap);
	va_end(ap);
	if (teststore_exec(&N.ts, sql))
		sim_fail("%s: %s", sql, N.ts.err.text);
}

static void office(int id, int parent, int depth, const char *code)
{
	char json[200], hex[HASH_HEX], up[20];
	struct hash h;
	(void)snprintf(
		json, sizeof(json), "{\"name\":\"Office %s\",\"hotline\":\"0200 %d\"}", code, id);
	hash_bytes(&h, json, strlen(json));
	hash_hex(&h, hex);
	(void)snprintf(up, sizeof(up), "%d", parent);
	exec("INSERT INTO vars VALUES(X'%s', '%s') ON CONFLICT DO NOTHING", hex, json);
	exec("INSERT INTO office(id, code, parent_id, depth, ord, region, lang, vars_hash) VALUES(%d, '%s', %s, %d, '%02d', 'bac', 'vi', X'%s')",
		id, code, parent ? up : "NULL", depth, id, hex);
}

static void contact(int id)
{
	static const char *const words[] = { "steps", "defer-2", "refuse", "slow-700", "bounce",
		"refuse-suppress", "defer-lane-2", "steps" };
	const char *word = "ok";
	if (sim_chance(S->p.word_mix))
		word = words[sim_below((int)ARRAY_LEN(words))];
	int lane = sim_chance(300) ? 1 : 0, at = 1 + sim_below(4);
	exec("INSERT INTO contact(id, kind, address, form, class) VALUES(%d, %d, '%s+%d@loop', 'mailbox', '')",
		id, lane ? KIND_SMS : KIND_EMAIL, word, id);
	exec("INSERT INTO target(id, contact_id, lane_id, office_id, lang, flags, seen_import) VALUES(%d, %d, %lld, %d, 'vi', 0, 1)",
		id, id, (long long)S->lane_id[lane], at);
	if (sim_chance(200) && at < 4) /* another office has the same contact */
		exec("INSERT INTO target(id, contact_id, lane_id, office_id, lang, flags, seen_import) VALUES(%d, %d, %lld, %d, 'vi', 0, 1)",
			SIM_CONTACTS + id, id, (long long)S->lane_id[lane], at + 1);
	for (int tag = 1; tag <= 2; tag++)
		if (sim_chance(600))
			exec("INSERT INTO target_tag SELECT %d, id FROM target WHERE contact_id=%d",
				tag, id);
}

void people_setup_rows(void)
{
	office(1, 0, 0, "trung-uong");
	office(2, 1, 1, "ha-noi");
	office(3, 1, 1, "dien-bien");
	office(4, 3, 2, "muong-ang");
	S->lane_id[0] = teststore_i64(&N.ts,
		"SELECT n.id FROM lane n JOIN account a ON a.id=n.account_id JOIN channel c ON c.id=a.channel_id WHERE c.name='mail' AND n.class=''");
	S->lane_id[1] = teststore_i64(&N.ts,
		"SELECT n.id FROM lane n JOIN account a ON a.id=n.account_id JOIN channel c ON c.id=a.channel_id WHERE c.name='gate' AND n.class=''");
	S->lane_channel[0] = teststore_i64(&N.ts, "SELECT id FROM channel WHERE name='mail'");
	S->lane_channel[1] = teststore_i64(&N.ts, "SELECT id FROM channel WHERE name='gate'");
	S->n_lanes = 2;
	if (S->lane_id[0] <= 0 || S->lane_id[1] <= 0)
		sim_fail("the lanes were not made");
	exec("INSERT INTO tag(id, name) VALUES(1, 'press'), (2, 'office')");
	exec("INSERT INTO audience(name, title, rule) VALUES('press', '', '{\"any\":[{\"tag\":[\"press\"]}],\"not\":[],\"broad\":false}'),"
	     "('offices', '', '{\"any\":[{\"tag\":[\"office\"]}],\"not\":[],\"broad\":false}'),"
	     "('all', '', '{\"any\":[],\"not\":[],\"broad\":true}')");
	for (int i = 1; i <= S->p.contacts; i++)
		contact(i);
	S->n_contacts = S->p.contacts;
}
