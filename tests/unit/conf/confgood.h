/* confgood.h - a configuration in which all is right, with one channel: tests change what they are about. */
#ifndef LANTOA_TESTS_CONF_CONFGOOD_H
#define LANTOA_TESTS_CONF_CONFGOOD_H

#include "confscene.h"

static const char top_good[] =
	"timezone: Asia/Ho_Chi_Minh\n"
	"key_file: master.key\n"
	"mode: trial\n"
	"allow_only: [\"@a.example\", \".b.example\", x@y.example, \"+8491*\"]\n"
	"people:\n"
	"  - {name: Biên, user: bien, roles: [editor, viewer]}\n"
	"  - {name: Duyệt, uid: 1002, roles: approver, office: ha-noi}\n"
	"categories: {advertising: {hours: [\"mon-fri 07:00-20:00\", \"sat 08:00-11:30\"]}}\n"
	"routes: {email: {default: mail/relay, offices: {ha-noi: mail/hn}}}\n"
	"channels_dir: ch\n";
static const char mail_good[] =
	"name: mail\n"
	"kind: email\n"
	"adapter: email\n"
	"settings: {host: 127.0.0.1, port: 2525}\n"
	"accounts: [{name: relay}, {name: hn, identity: hn@x.example, limit_groups: [relay]}]\n"
	"limit_groups: {relay: {rate: 600/min, burst: 20}}\n"
	"lane: {rate: 50/s, backoff: [5m, 15m, 1h], tries: 7, hours: \"06:00-22:00\"}\n"
	"classes: {gmail: {rate: 1/s, concurrency: 2}}\n";

static inline int setup_good(void **state)
{
	(void)setup(state);
	put("lantoad.yaml", top_good);
	put("ch/mail.yaml", mail_good);
	return 0;
}

#endif
