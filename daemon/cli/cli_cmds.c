/* cli_cmds.c - every command as a row: words, arguments, method, help, options, columns. */
#include "cli/cli.h"

#define WHY                                                        \
	{                                                          \
		"-m", "why", OPT_TEXT, "the reason, for the audit" \
	}
#define PAGE                                                            \
	{ "--limit", "limit", OPT_NUMBER, "at most N rows" },           \
	{                                                               \
		"--after", "after", OPT_TEXT, "go on after this cursor" \
	}
#define FILTERS                                                                                                                              \
	{ "--release", "release", OPT_TEXT, "of this release" },                                                                             \
		{ "--part", "part", OPT_TEXT, "of this part" },                                                                              \
		{ "--office", "office", OPT_TEXT, "of this office" },                                                                        \
		{ "--channel", "channel", OPT_TEXT, "on this channel" },                                                                     \
	{                                                                                                                                    \
		"--state", "state", OPT_TEXT,                                                                                                \
			"in this state: waiting, sending, accepted, delivered, failed, expired, cancelled, suppressed, unknown, held, doubt" \
	}
#define SCOPE                                                                       \
	{ "--release", "release", OPT_TEXT, "this release" },                       \
		{ "--part", "part", OPT_TEXT, "this part of it" },                  \
		{ "--office", "office", OPT_TEXT, "this office and all below" },    \
		{ "--campaign", "campaign", OPT_TEXT, "this campaign" },            \
		{ "--lane", "lane", OPT_TEXT, "this lane: channel/account/class" }, \
		{ "--channel", "channel", OPT_TEXT, "this channel" },               \
		{ "--kind", "kind", OPT_TEXT, "this kind of channel" },             \
		{ "--all", "all", OPT_FLAG, "everything" },                         \
		{ "--until", "until", OPT_TEXT, "goes on by itself at this time" }, \
	{                                                                           \
		"--except", "except", OPT_TEXT, "urgent: urgent releases go on"     \
	}
#define DELIVERY_COLUMNS \
	"delivery|Delivery|n,release|Release,part|Part,office|Office,channel|Channel,address|Address,state|State,tries|Tries|n,due_at|Due|t,why|Why"
#define REL "R=release"

const struct cli_cmd cli_cmds[] = {
	{ "submit", "PATH=path", "release.submit",
		"hand over a bundle (folder, zip, .md file, or - for standard input)", cmd_submit,
		NULL, { { 0 } } },
	{ "check", "PATH=path", "release.check", "what submit would say, without storing anything",
		cmd_check, NULL, { { 0 } } },
	{ "preview", REL, "release.preview", "how it will look on a channel, for an office",
		cmd_preview, NULL,
		{ { "--part", "part", OPT_TEXT, "this part" },
			{ "--channel", "channel", OPT_TEXT, "this kind of channel" },
			{ "--office", "office", OPT_TEXT, "for this office" },
			{ "--lang", "lang", OPT_TEXT, "in this language" } } },
	{ "diff", REL, "release.diff", "what changed between two revisions", cmd_text, NULL,
		{ { "--from", "from", OPT_NUMBER, "revision (default: the one before)" },
			{ "--to", "to", OPT_NUMBER, "revision (default: the newest)" } } },
	{ "review", REL, "release.review",
		"everything an approver must see, and the hash to approve", cmd_review, NULL,
		{ { 0 } } },
	{ "sheet", REL, "release.review",
		"a sheet to print and sign: what goes out, when, to how many, and the short code",
		cmd_sheet, NULL, { { 0 } } },
	{ "approve", REL, "release.approve", "approve exactly what --hash names", cmd_approve, NULL,
		{ { "--hash", "hash", OPT_TEXT, "the hash shown by review" },
			{ "--emergency", "emergency", OPT_FLAG,
				"send after this one approval; the others are owed" },
			{ "--diff", "diff", OPT_FLAG,
				"approve what differs from the approved form (growth, changed office values)" },
			{ "--code", "code", OPT_TEXT, "short code, for an approval on paper" },
			{ "--for", "for", OPT_TEXT, "who signed on paper" },
			{ "--document", "document", OPT_TEXT, "scan of the signed sheet" }, WHY } },
	{ "return", REL, "release.return", "back to the editor, with a note", NULL, NULL, { WHY } },
	{ "go", REL, "release.go", "give the signal for a part that waits for one", NULL, NULL,
		{ { "--part", "part", OPT_TEXT, "the part" } } },
	{ "move", REL, "release.move", "another time for a part, inside its approved window", NULL,
		NULL,
		{ { "--part", "part", OPT_TEXT, "the part" },
			{ "--at", "at", OPT_TEXT, "the time" } } },
	{ "cancel", "R|D...=things", NULL, "cancel a release, or deliveries by number or filter",
		cmd_act, NULL,
		{ FILTERS, WHY, { "--dry", "dry", OPT_FLAG, "only say what would be touched" } } },
	{ "correct", "R=release PATH=path", "release.correct",
		"a correction for exactly those that were reached or may have been", cmd_submit,
		NULL, { WHY } },
	{ "recall", REL, "release.recall",
		"take back what can be taken back; says honestly what cannot", NULL, NULL,
		{ { "--part", "part", OPT_TEXT, "only this part" },
			{ "--office", "office", OPT_TEXT, "only this office and all below" }, WHY } },
	{ "recalls", REL, "release.recalls", "what came of a recall, delivery by delivery", NULL,
		"delivery|Delivery|n,office|Office,channel|Channel,address|Address,state|Taken back,at|When|t,tries|Tries|n,said|Answer",
		{ PAGE } },
	{ "local set", "R=release FILE=path", "local.set", "an office's own paragraph",
		cmd_local_set, NULL, { { "--office", "office", OPT_TEXT, "the office" } } },
	{ "local approve", REL, "local.approve", "approve an office's own paragraph", NULL, NULL,
		{ { "--office", "office", OPT_TEXT, "the office" },
			{ "--hash", "hash", OPT_TEXT, "as local set printed it" } } },
	{ "releases", NULL, "release.list", "all releases, newest first", NULL,
		"release|Release,title|Title,state|State,category|Category,submitted_at|Submitted|t,counts|Deliveries|c",
		{ { "--state", "state", OPT_TEXT, "only in this state" }, PAGE } },
	{ "show", REL, "release.show", "one release in full", cmd_show, NULL, { { 0 } } },
	{ "watch", REL, "release.watch", "progress of a release until it is done", cmd_watch, NULL,
		{ { "--timeout", "timeout", OPT_NUMBER, "give up after N seconds (exit 1)" } } },
	{ "report", REL, "release.report", "who got what, when, with links", cmd_report, NULL,
		{ { "--state", "state", OPT_TEXT, "only in this state" } } },
	{ "calendar", NULL, "release.calendar", "what goes out on which day", NULL,
		"at|When|t,release|Release,part|Part,channels|Channels|l,state|State",
		{ { "--days", "days", OPT_NUMBER, "so many days from today (default 14)" } } },
	{ "queue", NULL, "queue.show", "what is queued, sending, stuck, and why", cmd_queue, NULL,
		{ { 0 } } },
	{ "deliveries", NULL, "delivery.list", "single deliveries", NULL, DELIVERY_COLUMNS,
		{ FILTERS, PAGE } },
	{ "delivery", "D=delivery", "delivery.show", "one delivery with every try", cmd_delivery,
		NULL, { { 0 } } },
	{ "retry", "[D...]=deliveries", "delivery.retry", "try failed or held deliveries again",
		cmd_act, NULL,
		{ FILTERS, WHY, { "--dry", "dry", OPT_FLAG, "only say what would be touched" } } },
	{ "resolve", "HOW=how D...=deliveries", "delivery.resolve",
		"settle an unknown outcome: sent, absent or drop", cmd_act, NULL,
		{ { "--link", "link", OPT_TEXT, "where it stands (with sent)" }, WHY } },
	{ "hold", NULL, "queue.hold",
		"stop a scope until it is resumed; says how many are already on the wire", cmd_stop,
		NULL, { SCOPE, WHY } },
	{ "resume", NULL, "queue.resume", "let a held scope go on", cmd_stop, NULL,
		{ SCOPE, WHY } },
	{ "channels", NULL, "channel.list", "channels, accounts and lanes, and why each waits",
		cmd_channels, NULL,
		{ { "--by-office", "by_office", OPT_FLAG,
			"which office goes over which channel" } } },
	{ "channel check", "[CHANNEL]=channel", "channel.check",
		"ask the provider whether each account works: token, package, quota, followers; exit 1 when one does not",
		cmd_channel_check, NULL,
		{ { "--account", "account", OPT_TEXT, "only this account" },
			{ "--all", "all", OPT_FLAG, "all accounts (unless --account is said)" } } },
	{ "channel login", "CHANNEL=channel", "channel.login",
		"connect an account: prints the consent page, takes the code", cmd_channel_login,
		NULL,
		{ { "--office", "office", OPT_TEXT, "the account that serves this office" },
			{ "--account", "account", OPT_TEXT, "this account" },
			{ "--code-stdin", "code_stdin", OPT_FLAG,
				"read the code from standard input" },
			{ "--code", "code", OPT_TEXT,
				"the code (seen in the list of processes; better --code-stdin)" } } },
	{ "channel pause", "CHANNEL=channel", "channel.pause", "stop a channel or lane", cmd_stop,
		NULL, { WHY } },
	{ "channel resume", "CHANNEL=channel", "channel.resume", "let it go on", cmd_stop, NULL,
		{ WHY } },
	{ "offices", NULL, "offices.list", "offices in official order", NULL,
		"code|Code,name|Name,parent|Under,region|Region,lang|Language,targets|Targets|n",
		{ PAGE } },
	{ "offices import", "FILE=path", "offices.import",
		"offices from CSV or YAML, whole or not at all", cmd_import, NULL,
		{ { "--dry", "dry", OPT_FLAG, "only say what would change" } } },
	{ "offices show", "CODE=code", "office.show", "one office with its variables and targets",
		NULL, NULL, { { 0 } } },
	{ "offices merge", "OLD=old into=word NEW=into", "offices.merge",
		"an office is merged into another on a date", NULL, NULL,
		{ { "--on", "on", OPT_TEXT, "the date" } } },
	{ "targets", NULL, "targets.list", "where releases go", NULL,
		"channel|Channel,address|Address,office|Office,name|Name,lang|Language,tags|Tags|l,lane|Lane",
		{ { "--office", "office", OPT_TEXT, "of this office" },
			{ "--channel", "channel", OPT_TEXT, "of this kind" },
			{ "--tag", "tag", OPT_TEXT, "with this tag" }, PAGE } },
	{ "targets import", "FILE=path", "targets.import",
		"targets from CSV or YAML, whole or not at all", cmd_import, NULL,
		{ { "--dry", "dry", OPT_FLAG, "only say what would change" } } },
	{ "targets show", "ADDRESS=address", "targets.show", "what is known of an address", NULL,
		NULL, { { 0 } } },
	{ "targets forget", "ADDRESS=address", "targets.forget", "erase an address everywhere",
		NULL, NULL, { WHY } },
	{ "audiences", NULL, "audiences.list", "named rules of who receives", NULL,
		"name|Name,title|Title,rule|Rule", { PAGE } },
	{ "audiences import", "FILE=path", "audiences.import", "audiences from YAML", cmd_import,
		NULL, { { "--dry", "dry", OPT_FLAG, "only say what would change" } } },
	{ "audiences show", "NAME=name", "audience.show", "one rule, resolved now", NULL,
		"channel|Channel,address|Address,office|Office,name|Name", { PAGE } },
	{ "campaigns", NULL, "campaigns.list", "campaigns and their dates", NULL,
		"name|Name,title|Title,from|From|t,to|To|t,priority|Priority", { PAGE } },
	{ "campaigns import", "FILE=path", "campaigns.import", "campaigns from YAML", cmd_import,
		NULL, { { "--dry", "dry", OPT_FLAG, "only say what would change" } } },
	{ "suppression import", "FILE=path", "suppression.import",
		"addresses that must not be contacted", cmd_import, NULL,
		{ { "--dry", "dry", OPT_FLAG, "only say what would change" } } },
	{ "deputy add", "PERSON=deputy", "deputy.add",
		"somebody approves in your place for a while", NULL, NULL,
		{ { "--from", "from", OPT_TEXT, "first day" },
			{ "--to", "to", OPT_TEXT, "last day" } } },
	{ "deputy list", NULL, "deputy.list", "who stands in for whom", NULL,
		"person|Person,deputy|Deputy,from|From|t,to|To|t", { { 0 } } },
	{ "status", NULL, "status", "is it well?", cmd_status, NULL, { { 0 } } },
	{ "fsck", NULL, "fsck", "checks every promise that the database can show", cmd_verdict,
		NULL, { { "--deep", "deep", OPT_FLAG, "read every asset too" } } },
	{ "audit", NULL, "audit.list", "who did what, when, from where and why", NULL,
		"seq|No|n,at|When|t,person|Who,what|What,subject|Subject,was|Was,now|Now,why|Why",
		{ PAGE } },
	{ "audit verify", NULL, "audit.verify", "has the record been changed, cut or broken?",
		cmd_verdict, NULL, { { "--head", "head", OPT_TEXT, "SEQ:HASH noted earlier" } } },
	{ "log", NULL, "audit.list", "acts as they happen", cmd_audit_follow, NULL,
		{ { "-f", "follow", OPT_FLAG, "go on until stopped" } } },
	{ "config check", NULL, "config.check", "is the configuration on disk good?", cmd_verdict,
		NULL, { { 0 } } },
	{ "reload", NULL, "reload", "apply the configuration, whole or not at all", NULL, NULL,
		{ { 0 } } },
	{ "backup", "DIR=dir", "backup", "database and assets into an empty folder, never the key",
		NULL, NULL, { { 0 } } },
	{ "key rotate", "NEW_KEY_FILE=new_key_file", "key.rotate",
		"re-encrypt every credential under a new master key", NULL, NULL, { { 0 } } },
	{ "version", NULL, "version", "of the daemon", NULL, NULL, { { 0 } } },
};
const size_t cli_n_cmds = sizeof(cli_cmds) / sizeof(cli_cmds[0]);
