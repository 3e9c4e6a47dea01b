/* test_metrics.c - series, labels, bounds and the text that Prometheus reads. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "base/metrics.h"
#include "base/utf8.h"

static struct buf out;

static int set_up(void **state)
{
	(void)state;
	buf_init(&out, METRICS_TEXT_MAX);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	metrics_reset();
	buf_done(&out);
	return 0;
}

static void the_same_name_and_labels_are_the_same_series(void **state)
{
	(void)state;
	struct metric_label a[] = { { "channel", STR("relay") } },
			    b[] = { { "channel", STR("other") } };
	struct metric *m = metric_get(METRIC_COUNTER, "x_total", "X.", a, 1);
	assert_ptr_equal(metric_get(METRIC_COUNTER, "x_total", "X.", a, 1), m);
	assert_ptr_not_equal(metric_get(METRIC_COUNTER, "x_total", "X.", b, 1), m);
	metric_add(m, 2);
	metric_add(m, 3);
	assert_int_equal(metric_value(m), 5);
}

static void families_are_printed_in_order_with_one_head_each(void **state)
{
	(void)state;
	struct metric_label b[] = { { "lane", STR("b\"\\\n") } }, a[] = { { "lane", STR("a") } };
	metric_set(metric_gauge("z_depth", "Depth."), -4);
	metric_add(metric_get(METRIC_COUNTER, "a_total", "All.", b, 1), 7);
	metric_add(metric_get(METRIC_COUNTER, "a_total", "All.", a, 1), 1);
	assert_int_equal(metrics_print(&out), 0);
	assert_string_equal(buf_z(&out),
		"# HELP a_total All.\n# TYPE a_total counter\na_total{lane=\"a\"} 1\n"
		"a_total{lane=\"b\\\"\\\\\\n\"} 7\n"
		"# HELP z_depth Depth.\n# TYPE z_depth gauge\nz_depth -4\n"
		"# HELP lantoa_metrics_refused_total Series that found no room.\n"
		"# TYPE lantoa_metrics_refused_total counter\nlantoa_metrics_refused_total 0\n");
}

static void a_histogram_counts_up_and_sums_seconds(void **state)
{
	(void)state;
	struct metric *m = metric_histogram("t_seconds", "Time.");
	metric_observe_us(m, 40);
	metric_observe_us(m, 50);
	metric_observe_us(m, 900);
	metric_observe_us(m, 90000000);
	assert_int_equal(metrics_print(&out), 0);
	assert_non_null(strstr(buf_z(&out), "t_seconds_bucket{le=\"0.00005\"} 2\n"));
	assert_non_null(strstr(buf_z(&out), "t_seconds_bucket{le=\"0.0005\"} 2\n"));
	assert_non_null(strstr(buf_z(&out), "t_seconds_bucket{le=\"0.001\"} 3\n"));
	assert_non_null(strstr(buf_z(&out), "t_seconds_bucket{le=\"60\"} 3\n"));
	assert_non_null(strstr(buf_z(&out), "t_seconds_bucket{le=\"+Inf\"} 4\n"));
	assert_non_null(strstr(buf_z(&out), "t_seconds_sum 90.000990\nt_seconds_count 4\n"));
}

static void one_series_too_many_is_counted_and_harmless(void **state)
{
	(void)state;
	char v[32];
	for (unsigned i = 0; i < METRICS_MAX + 5; i++) {
		(void)snprintf(v, sizeof(v), "%u", i);
		struct metric_label l = { "n", str_of(v) };
		metric_add(metric_get(METRIC_COUNTER, "many_total", "Many.", &l, 1), 1);
	}
	assert_int_equal(metrics_print(&out), 0);
	assert_non_null(strstr(buf_z(&out), "lantoa_metrics_refused_total 5\n"));
	(void)snprintf(v, sizeof(v), "{n=\"%u\"} 1\n", METRICS_MAX - 1);
	assert_non_null(strstr(buf_z(&out), v));
	(void)snprintf(v, sizeof(v), "{n=\"%u\"}", METRICS_MAX);
	assert_null(strstr(buf_z(&out), v));
}

/* One bad byte and Prometheus takes nothing of the whole page. */
static void a_long_label_is_cut_between_letters(void **state)
{
	(void)state;
	char name[400];
	for (size_t at = 90; at <= METRICS_VALUE_MAX + 2; at++) {
		memset(name, 'a', at);
		(void)snprintf(name + at, sizeof(name) - at, "ếếế/%zu", at);
		struct metric_label l = { "lane", str_of(name) };
		metric_set(metric_get(METRIC_GAUGE, "lane_depth", "Depth.", &l, 1), 1);
	}
	struct metric_label bad = { "lane", STR("no \xff letters") };
	metric_set(metric_get(METRIC_GAUGE, "lane_depth", "Depth.", &bad, 1), 1);
	assert_int_equal(metrics_print(&out), 0);
	assert_true(utf8_valid(buf_str(&out), NULL));
}

static void lanes_that_differ_at_the_end_are_two_series(void **state)
{
	(void)state;
	struct metric_label a = { "lane",
		STR("facebook-cac-tinh/Trang thông tin điện tử Bảo hiểm xã hội Thành phố Hồ Chí Minh và vùng phụ cận/feed") },
			    b = a;
	b.value.n--;
	assert_true(b.value.n > 100);
	assert_ptr_not_equal(metric_get(METRIC_GAUGE, "depth", "Depth.", &a, 1),
		metric_get(METRIC_GAUGE, "depth", "Depth.", &b, 1));
}

static void *adder(void *arg)
{
	struct metric *m = metric_counter("threads_total", "Threads.");
	for (int i = 0; i < 20000; i++) {
		metric_add(m, 1);
		metric_observe_us(arg, (uint64_t)i);
	}
	return NULL;
}

static void threads_lose_no_count(void **state)
{
	(void)state;
	pthread_t t[4];
	struct metric *h = metric_histogram("threads_seconds", "Time.");
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&t[i], NULL, adder, h), 0);
	for (int i = 0; i < 20; i++) {
		buf_reset(&out);
		assert_int_equal(metrics_print(&out), 0);
	}
	for (int i = 0; i < 4; i++)
		(void)pthread_join(t[i], NULL);
	assert_int_equal(metric_value(metric_counter("threads_total", "Threads.")), 80000);
	assert_int_equal(metric_value(h), 80000);
}

static void a_full_buffer_is_an_error(void **state)
{
	(void)state;
	struct buf small CLEANUP_BUF;
	buf_init(&small, 40);
	metric_add(metric_counter("a_total", "All."), 1);
	assert_int_equal(metrics_print(&small), -E2BIG);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(the_same_name_and_labels_are_the_same_series),
		T(families_are_printed_in_order_with_one_head_each),
		T(a_histogram_counts_up_and_sums_seconds),
		T(one_series_too_many_is_counted_and_harmless),
		T(a_long_label_is_cut_between_letters),
		T(lanes_that_differ_at_the_end_are_two_series),
		T(threads_lose_no_count),
		T(a_full_buffer_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
