/* main_args.c - the daemon's few options. */
#include <getopt.h>
#include <stdio.h>
#include "base/assert.h"
#include "main_app.h"

void args_help(void)
{
	(void)puts(
		"lantoad - queues approved releases and fans them out\n"
		"\n"
		"usage: lantoad [--config FILE] [option]\n"
		"  --config FILE       the configuration (default /etc/lantoa/lantoad.yaml)\n"
		"  --check             read the configuration, load the adapters, say what is wrong, and end\n"
		"  --create            make the database when there is none yet\n"
		"  --demo              make it as a demo database: `--as NAME` works, only loopback providers\n"
		"  --make-key FILE     make a new master key (0600) and end\n"
		"  --restore-confirm   accept a database that was restored from a backup, and end\n"
		"  --key FILE          the master key for --check and --restore-confirm, where the unit's LoadCredential gives it to the service\n"
		"  --version           version and adapter ABI\n"
		"\n"
		"It stays in the foreground and logs to standard error. SIGHUP reloads, SIGTERM drains and ends.\n"
		"Exit: 0 ended in order, 1 failed, 2 usage, 6 a person looks first: the configuration is wrong, or the database was restored, copied or belongs to another key or program;\n"
		"75 the disk cannot be trusted. The unit restarts neither after 6 nor after 75.");
}

int args_read(int argc, char **argv, struct app_args *ret)
{
	enum {
		O_CONFIG = 'c',
		O_CHECK = 1000,
		O_CREATE,
		O_DEMO,
		O_KEY,
		O_RESTORE,
		O_USE_KEY,
		O_VERSION = 'V',
		O_HELP = 'h'
	};
	static const struct option options[] = { { "config", required_argument, NULL, O_CONFIG },
		{ "check", no_argument, NULL, O_CHECK }, { "create", no_argument, NULL, O_CREATE },
		{ "demo", no_argument, NULL, O_DEMO },
		{ "make-key", required_argument, NULL, O_KEY },
		{ "restore-confirm", no_argument, NULL, O_RESTORE },
		{ "key", required_argument, NULL, O_USE_KEY },
		{ "version", no_argument, NULL, O_VERSION }, { "help", no_argument, NULL, O_HELP },
		{ 0 } };
	struct app_args a = { .config = "/etc/lantoa/lantoad.yaml" };
	for (int c; (c = getopt_long(argc, argv, "c:hV", options, NULL)) != -1;) {
		switch (c) {
		case O_CONFIG: a.config = optarg; break;
		case O_CHECK: a.check = true; break;
		case O_CREATE: a.create = true; break;
		case O_DEMO: a.demo = a.create = true; break;
		case O_KEY: a.make_key = optarg; break;
		case O_RESTORE: a.restore_confirm = true; break;
		case O_USE_KEY: a.key = optarg; break;
		case O_VERSION: a.version = true; break;
		case O_HELP: a.help = true; break;
		default: return -EINVAL;
		}
	}
	if (optind != argc) {
		(void)fprintf(stderr, "lantoad: '%s' is no option\n", argv[optind]);
		return -EINVAL;
	}
	if (a.key && !a.check && !a.restore_confirm) {
		(void)fputs(
			"lantoad: --key goes with --check or --restore-confirm; the service has its key from the configuration\n",
			stderr);
		return -EINVAL;
	}
	*ret = a;
	return 0;
}
