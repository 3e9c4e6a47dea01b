/* test_zalo_template.c - template messages: what fills them, for whom, and what of it is approved. */
#include "zalo_content.h"

static void a_template_is_filled_for_each_recipient_or_refused(void **state)
{
	struct sh *h = host_new();
	struct sh_made m;
	struct lt_content in = content("Khai mạc", "S", "x");
	struct lt_pair v = { .name = LTC_LIT("ma"), .value = LTC_LIT("BH 12") };
	struct lt_target t = {
		.struct_size = sizeof(t), .name = LTC_LIT("Nguyễn A"), .vars = &v, .n_vars = 1
	};

	(void)state;
	in.address_kind = LTC_LIT("phone");
	sh_conf(h, "zns_data", "ten={name};ma={ma};tin={title}");
	assert_int_equal(made_by(h, &m, &in), 0);
	char *all = sh_compose(&m, &t, NULL);
	assert_non_null(all);
	assert_non_null(
		strstr(all, "{\"ten\":\"Nguyễn A\",\"ma\":\"BH 12\",\"tin\":\"Khai mạc\"}"));
	free(all);
	t.n_vars = 0;
	assert_null(sh_compose(&m, &t, NULL));
	assert_non_null(strstr(m.problems.p, "'ma' has no value for {ma}"));
	sh_made_done(&m);
	sh_free(h);
}

/* What was approved is what goes out: nothing is cut, what is too long is said while it can be changed. */
static void a_template_parameter_goes_out_whole_or_is_refused(void **state)
{
	static const struct {
		const char *max;
		int chars;
		bool good;
	} rows[] = { { NULL, 200, true }, { NULL, 201, false }, { "110", 110, true },
		{ "110", 111, false }, { "1000", 1000, true }, { "1000", 1001, false } };
	char title[4000], want[4200];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sh *h = host_new();
		struct sh_made m;
		repeat(title, "ạ", rows[i].chars);
		struct lt_content in = content(title, "S", "x");
		struct lt_target t = { .struct_size = sizeof(t), .name = S("A") };
		in.address_kind = LTC_LIT("phone");
		if (rows[i].max != NULL)
			sh_conf(h, "zns_param_max", rows[i].max);
		sh_conf(h, "zns_data", "ten={name};tin={title}");
		assert_int_equal(made_by(h, &m, &in), 0);
		if (!rows[i].good) {
			(void)snprintf(want, sizeof(want),
				"2 zns_data: template parameter 'tin' has %d characters; at most %s",
				rows[i].chars, rows[i].max != NULL ? rows[i].max : "200");
			assert_non_null(strstr(m.problems.p, want));
			assert_null(sh_compose(&m, &t, NULL));
		} else {
			assert_int_equal(m.n_problems, 0);
			(void)snprintf(want, sizeof(want), "{\"ten\":\"A\",\"tin\":\"%s\"}", title);
			char *all = sh_compose(&m, &t, NULL);
			assert_non_null(all);
			assert_non_null(strstr(all, want));
			free(all);
		}
		sh_made_done(&m);
		sh_free(h);
	}
}

static void a_template_parameter_that_a_recipient_makes_too_long_refuses_that_recipient(
	void **state)
{
	struct sh *h = host_new();
	struct sh_made m;
	struct lt_content in = content("Khai mạc", "S", "x");
	char name[1000];
	struct lt_target t = { .struct_size = sizeof(t) };

	(void)state;
	in.address_kind = LTC_LIT("phone");
	sh_conf(h, "zns_data", "ten=Kính gửi {name}");
	assert_int_equal(made_by(h, &m, &in), 0);
	assert_int_equal(m.n_problems, 0);
	for (int n = 191; n <= 192; n++) {
		repeat(name, "ễ", n);
		t.name = S(name);
		char *all = sh_compose(&m, &t, NULL);
		assert_int_equal(all != NULL, n == 191);
		free(all);
	}
	assert_non_null(
		strstr(m.problems.p, "2 zns_data: template parameter 'ten' has 201 characters"));
	sh_made_done(&m);
	sh_free(h);
}

/* The same for this recipient, and yet another text than the one that was approved. */
static void what_fills_a_template_is_part_of_what_is_approved(void **state)
{
	static const char *const data[] = { "tin={title}", "tin={summary}" };
	struct lt_content in = content("Khai mạc", "Khai mạc", "x");
	struct lt_target t = { .struct_size = sizeof(t), .name = S("A") };
	char *all[2];

	(void)state;
	in.address_kind = LTC_LIT("phone");
	for (int i = 0; i < 2; i++) {
		struct sh *h = host_new();
		struct sh_made m;
		sh_conf(h, "zns_data", data[i]);
		assert_int_equal(made_by(h, &m, &in), 0);
		all[i] = sh_compose(&m, &t, NULL);
		assert_non_null(all[i]);
		assert_non_null(strstr(all[i], "{\"tin\":\"Khai mạc\"}"));
		sh_made_done(&m);
		sh_free(h);
	}
	assert_string_not_equal(all[0], all[1]);
	free(all[0]);
	free(all[1]);
}

/* Only what differs by recipient stays a name. */
static void the_preview_of_a_template_has_its_parameters_filled(void **state)
{
	struct sh *h = host_new();
	struct sh_made m;
	struct lt_content in = content("Khai  mạc", "S", "x");

	(void)state;
	in.address_kind = LTC_LIT("phone");
	sh_conf(h, "zns_data", "ten=Gửi {name};tin={title} - {link}; ma={ma_so}/{code};le={");
	assert_int_equal(made_by(h, &m, &in), 0);
	assert_string_equal(m.preview.p,
		"Mẫu ZNS 420017:\nten=Gửi {name}\ntin=Khai mạc - https://portal.example/ttbc/112\nma={ma_so}/{code}\nle={\n");
	sh_made_done(&m);
	sh_free(h);
	h = host_new();
	sh_conf(h, "zns_data", "ten={name};tin");
	assert_int_equal(made_by(h, &m, &in), 0);
	assert_non_null(strstr(m.problems.p, "2 zns_data: is written name=text;name=text"));
	sh_made_done(&m);
	sh_free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_template_is_filled_for_each_recipient_or_refused),
		cmocka_unit_test(a_template_parameter_goes_out_whole_or_is_refused),
		cmocka_unit_test(
			a_template_parameter_that_a_recipient_makes_too_long_refuses_that_recipient),
		cmocka_unit_test(what_fills_a_template_is_part_of_what_is_approved),
		cmocka_unit_test(the_preview_of_a_template_has_its_parameters_filled),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
