/* sim_world.c - the world before the first day: offices, contacts, targets and audiences, drawn from the seed and written by SQL.
 * Owns: nothing. Failures: a statement that does not run ends the seed.
 */
#include <stdio.h>
#include <string.h>
#include "base/assert.h"
#include "base/crypt.h"
#include "sim_provider.h"

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
	char to[100];
	int slot = sim_chance(300) ? 1 : 0, at = 1 + sim_below(4);
	bool page =
		provider_of(0)
			->per_office; /* one address an office, and it has an account of its own */
	if (page && (id <= 4 || !provider_of(0)->people))
		slot = id > 4;
	if (page && id <= 4)
		at = id;
	const struct sim_provider *p = provider_of(slot);
	const char *form = p->form_of && slot == 0 ? p->form_of(id) : p->form;
	S->contact_slot[id] = (uint8_t)slot;
	int lane = page ? (slot ? 4 : at - 1) : slot;
	p->address(id, at, to, sizeof(to));
	exec("INSERT INTO contact(id, kind, address, form, class) VALUES(%d, %d, '%s', '%s', '')",
		id, p->chan_kind, to, form);
	exec("INSERT INTO target(id, contact_id, lane_id, office_id, lang, flags, seen_import) VALUES(%d, %d, %lld, %d, 'vi', 0, 1)",
		id, id, (long long)S->lane[lane].id, at);
	if (sim_chance(200) && at < 4 &&
		!(page && slot == 0)) /* another office has the same contact */
		exec("INSERT INTO target(id, contact_id, lane_id, office_id, lang, flags, seen_import) VALUES(%d, %d, %lld, %d, 'vi', 0, 1)",
			SIM_CONTACTS + id, id, (long long)S->lane[lane].id, at + 1);
	for (int tag = 1; tag <= 2; tag++)
		if (sim_chance(600))
			exec("INSERT INTO target_tag SELECT %d, id FROM target WHERE contact_id=%d",
				tag, id);
}

static void lane_find(int slot, const char *account)
{
	char sql[300];
	struct sim_lane *l = &S->lane[S->n_lanes++];
	REQUIRE(S->n_lanes <= SIM_LANES);
	(void)snprintf(sql, sizeof(sql),
		"SELECT n.id FROM lane n JOIN account a ON a.id=n.account_id JOIN channel c ON c.id=a.channel_id "
		"WHERE c.name='%s' AND a.name='%s' AND n.class=''",
		slot ? "gate" : "mail", account);
	l->slot = slot;
	l->id = teststore_i64(&N.ts, sql);
	l->channel = teststore_i64(&N.ts,
		slot ? "SELECT id FROM channel WHERE name='gate'"
		     : "SELECT id FROM channel WHERE name='mail'");
	if (l->id <= 0 || l->channel <= 0)
		sim_fail("the lane of %s was not made", account);
}

void people_setup_rows(void)
{
	office(1, 0, 0, sim_offices[0]);
	office(2, 1, 1, sim_offices[1]);
	office(3, 1, 1, sim_offices[2]);
	office(4, 3, 2, sim_offices[3]);
	for (int slot = 0; slot < SIM_SLOTS; slot++)
		for (int at = 0; at < (provider_of(slot)->per_office ? 4 : 1); at++)
			lane_find(slot, provider_of(slot)->per_office ? sim_offices[at] : "relay");
	if (S->p.spare) {
		S->spare_lane = teststore_i64(&N.ts,
			"SELECT n.id FROM lane n JOIN account a ON a.id=n.account_id JOIN channel c ON c.id=a.channel_id "
			"WHERE c.name='spare' AND n.class=''");
		S->lane[S->n_lanes++] = (struct sim_lane){ .id = S->spare_lane,
			.slot = 1,
			.channel = teststore_i64(
				&N.ts, "SELECT id FROM channel WHERE name='spare'") };
		REQUIRE(S->n_lanes <= SIM_LANES && S->spare_lane > 0);
	}
	exec("INSERT INTO tag(id, name) VALUES(1, 'press'), (2, 'office')");
	exec("INSERT INTO audience(name, title, rule) VALUES('press', '', '{\"any\":[{\"tag\":[\"press\"]}],\"not\":[],\"broad\":false}'),"
	     "('offices', '', '{\"any\":[{\"tag\":[\"office\"]}],\"not\":[],\"broad\":false}'),"
	     "('all', '', '{\"any\":[],\"not\":[],\"broad\":true}')");
	for (int i = 1; i <= S->p.contacts; i++)
		contact(i);
	S->n_contacts = S->p.contacts;
}
