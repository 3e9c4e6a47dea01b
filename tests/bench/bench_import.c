/* bench_import.c - contacts a second through the import, from CSV to the last commit, with the store on its own thread; prints
 * the rate and the store's transaction times. Usage: bench_import [CONTACTS]. The address is checked by a stand-in, not by the
 * mail adapter: what is measured is reading, staging, checking and the store. */
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include "base/assert.h"
#include "base/json.h"
#include "lib/testenv.h"
#include "lib/teststore.h"
#include "plan/import.h"

static int answers, answer_rc;
static struct err answer_err;

static int address(void *ctx, struct channels *cs, const char *channel, struct str in,
	struct addr_out *ret, struct err *e)
{
	UNUSED(ctx);
	UNUSED(cs);
	UNUSED(channel);
	*ret = (struct addr_out){ .class = "other", .form = "mailbox" };
	if (!memchr(in.p, '@', in.n))
		return err_set(e, -EINVAL, "no @ in the address");
	(void)str_copy(ret->canonical, sizeof(ret->canonical), in);
	return 0;
}

static void on_done(void *ctx, int rc, const struct err *e, cJSON *result)
{
	UNUSED(ctx);
	answers++;
	answer_rc = rc;
	answer_err = *e;
	cJSON_Delete(result);
}

static double now_s(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void write_csv(const char *path, long n)
{
	FILE *f = fopen(path, "we");
	REQUIRE(f != NULL);
	(void)fprintf(f, "channel,address,office,name,lang,tags\n");
	uint64_t x = 88172645463325252u;
	for (long i = 0; i < n; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		(void)fprintf(f,
			"email,u%08llx.%ld@mail%llu.example,o%llu,Nguyễn Văn %ld,,list\r\n",
			(unsigned long long)(x & 0xffffffff), i, (unsigned long long)(x >> 40) % 50,
			(unsigned long long)(x >> 50) % 34, i);
	}
	REQUIRE(fclose(f) == 0);
}

static struct testenv te;
static struct teststore ts;

static void wait_answer(void)
{
	const struct timespec pause = { .tv_nsec = 100000 };
	while (answers == 0) {
		testenv_settle(&te);
		if (store_complete(ts.s) == 0 && te.done.next == &te.done && answers == 0) {
			(void)nanosleep(&pause, NULL);
			te.mono++;
		}
	}
	if (answer_rc < 0) {
		(void)fprintf(stderr, "%s\n", answer_err.text);
		exit(1);
	}
}

static void wake(void *ctx)
{
	UNUSED(ctx);
}

static double run(
	const struct conf *conf, enum import_what what, const char *path, const char *name)
{
	const struct import_opts o = {
		.env = &te.env, .store = ts.s, .conf = conf, .address = address
	};
	const struct staged s = { .path = path, .name = name };
	const struct actor who = { .person = "bench", .via = "bench" };
	double from = now_s();
	answers = 0;
	import_run(&o, what, &s, &who, false, on_done, NULL);
	wait_answer();
	return now_s() - from;
}

static void tell(const char *what, long n, double s)
{
	struct store_stats st;
	store_stats_get(ts.s, &st);
	uint64_t total = 0, seen = 0;
	for (size_t i = 0; i < ARRAY_LEN(st.tx_us_hist); i++)
		total += st.tx_us_hist[i];
	size_t p999 = 0;
	for (; p999 < ARRAY_LEN(st.tx_us_hist) - 1 &&
		(seen += st.tx_us_hist[p999]) * 1000 < total * 999;
		p999++)
		continue;
	struct rusage ru;
	(void)getrusage(RUSAGE_SELF, &ru);
	double cpu = (double)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) +
		(double)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) / 1e6;
	(void)printf(
		"%-16s %8ld rows %7.2f s %9.0f rows/s   cpu %.1f s since the start, tx %llu, p99.9 under %.0f ms, longest %.1f ms, commit at most %.1f ms, rss %ld MB\n",
		what, n, s, (double)n / s, cpu, (unsigned long long)st.transactions,
		(double)(64u << p999) / 1000.0, (double)st.tx_us_max / 1000.0,
		(double)st.commit_us_max / 1000.0, ru.ru_maxrss / 1024);
}

int main(int argc, char **argv)
{
	long n = argc > 1 ? strtol(argv[1], NULL, 10) : 1000000;
	char csv[300], offices[300], account_name[] = "relay", channel_name[] = "mail",
				     adapter[] = "email";
	struct conf_account relay = { .name = account_name }, *accounts[] = { &relay };
	struct conf_channel mail = { .name = channel_name,
		.adapter = adapter,
		.kind = KIND_EMAIL,
		.accounts = accounts,
		.n_accounts = 1 },
			    *channels[] = { &mail };
	struct conf_route route = {
		.kind = KIND_EMAIL, .channel = channel_name, .account = account_name
	};
	struct conf conf = { .magic = 0x434f4e46u,
		.refs = 1000,
		.zone = { .offset_s = 25200 },
		.channels = channels,
		.n_channels = 1,
		.routes = &route,
		.n_routes = 1 };
	testenv_init(&te, 1);
	ts.real_time = true;
	REQUIRE(teststore_open(&ts) == 0);
	(void)snprintf(csv, sizeof(csv), "%s/many.csv", store_staging_dir(ts.s));
	(void)snprintf(offices, sizeof(offices), "%s/offices.csv", store_staging_dir(ts.s));
	FILE *f = fopen(offices, "we");
	REQUIRE(f != NULL);
	(void)fprintf(f, "code,parent,order,name,region\nroot,,0,Root,tw\n");
	for (int i = 0; i < 34; i++)
		(void)fprintf(f, "o%d,root,%d,Office %d,bac\n", i, i, i);
	REQUIRE(fclose(f) == 0);
	write_csv(csv, n);
	REQUIRE(store_thread_start(ts.s, wake, NULL) == 0);
	(void)run(&conf, IMPORT_WHAT_OFFICES, offices, "offices.csv");
	double first = run(&conf, IMPORT_WHAT_TARGETS, csv, "many.csv");
	tell("import", n, first);
	double again = run(&conf, IMPORT_WHAT_TARGETS, csv, "many.csv");
	tell("import again", n, again);
	store_thread_stop(ts.s);
	teststore_close(&ts);
	testenv_done(&te);
	return 0;
}
