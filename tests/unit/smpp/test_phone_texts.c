/* test_phone_texts.c - texts that come from phones: in one piece, in parts, in the alphabet of the server. */
#include "smpp/smpp.h"
#include "smpp_play.h"

static void a_text_from_a_phone_is_handed_on_in_one_piece(void **state)
{
	struct play *p = play_bound();
	char b[500];
	struct pdu d;

	(void)state;
	sh_data_n(p->h, 0, b, play_deliver(b, 1, 0, "84912345678", "TU CHOI", 7, NULL, 0));
	assert_string_equal(sh_last_note(p->h, "inbound")->text, "+84912345678");
	assert_int_equal(play_want(p, 0, SMPP_DELIVER_SM | SMPP_RESP).seq, 1);
	sh_data_n(
		p->h, 0, b, play_deliver(b, 2, 0x40, "84912345678", "\5\0\3\7\2\2roi", 9, NULL, 0));
	assert_false(play_next(p, 0, &d)); /* half of it: not acknowledged yet */
	sh_data_n(p->h, 0, b,
		play_deliver(b, 3, 0x40, "84912345678", "\5\0\3\7\2\1xong ", 11, NULL, 0));
	d = play_want(p, 0, SMPP_DELIVER_SM | SMPP_RESP);
	struct pdu e = play_want(p, 0, SMPP_DELIVER_SM | SMPP_RESP);
	assert_true((d.seq == 2 && e.seq == 3) || (d.seq == 3 && e.seq == 2));
	sh_data_n(p->h, 0, b,
		play_deliver(b, 4, 0x40, "84912345678", "\5\0\3\x8\2\1mot nua", 13, NULL, 0));
	assert_false(play_next(p, 0, &d));
	sh_advance(p->h, 5500); /* the other half does not come */
	assert_int_equal(play_want(p, 0, SMPP_DELIVER_SM | SMPP_RESP).seq, 4);
	play_free(p);
}

/* A server may wait for the answer to a part before it sends the next one, and a part alone is answered when it is stored. */
static void parts_that_come_one_by_one_are_joined_all_the_same(void **state)
{
	struct play *p = play_bound();
	char b[500];
	struct pdu d;

	(void)state;
	for (int i = 0; i < 3; i++) {
		static const char *const part[] = { "\5\0\3\7\3\1mot ", "\5\0\3\7\3\2hai ",
			"\5\0\3\7\3\3ba" };
		static const char *const told[] = { "mot ", "hai ", "mot hai ba" };
		sh_data_n(p->h, 0, b,
			play_deliver(b, (uint32_t)i + 1, 0x40, "84912345678", part[i],
				i < 2 ? 10 : 8, NULL, 0));
		if (i < 2)
			sh_advance(p->h, 5500);
		assert_string_equal(p->h->inbound_text, told[i]);
		assert_int_equal(play_want(p, 0, SMPP_DELIVER_SM | SMPP_RESP).seq, i + 1);
		assert_false(play_next(p, 0, &d)); /* each once */
	}
	sh_data_n(p->h, 0, b, /* the same reference, a new text */
		play_deliver(b, 4, 0x40, "84912345678", "\5\0\3\7\3\1lai ", 10, NULL, 0));
	sh_advance(p->h, 5500);
	assert_string_equal(p->h->inbound_text, "lai ");
	(void)play_want(p, 0, SMPP_DELIVER_SM | SMPP_RESP);
	for (int t = 0; t < 610; t++) { /* what is missing never comes: it is forgotten */
		sh_advance(p->h, 1000);
		if (play_next(p, 0, &d) && d.id == SMPP_ENQUIRE_LINK)
			play_say(p, 0, SMPP_ENQUIRE_LINK | SMPP_RESP, 0, d.seq, "", 0);
	}
	sh_data_n(p->h, 0, b,
		play_deliver(b, 5, 0x40, "84912345678", "\5\0\3\7\3\2hai ", 10, NULL, 0));
	sh_data_n(
		p->h, 0, b, play_deliver(b, 6, 0x40, "84912345678", "\5\0\3\7\3\3ba", 8, NULL, 0));
	sh_advance(p->h, 5500);
	assert_string_equal(p->h->inbound_text, "hai ba");
	play_free(p);
}

/* What it is told apart by. */
static void said(struct play *p, size_t link, uint32_t seq, const char *phone, const char *text,
	char dst[static 100])
{
	char b[500];

	sh_data_n(p->h, link, b, play_deliver(b, seq, 0, phone, text, strlen(text), NULL, 0));
	(void)snprintf(dst, 100, "%s", sh_last_note(p->h, "inbound.dedupe")->text);
}

/* The last word of a person counts, though he had said the same before; what a server sends again is no new word. */
static void a_no_behind_a_yes_is_no_repetition_of_the_no_before_it(void **state)
{
	struct play *p = play_bound();
	char no[100], yes[100], other[100], again[100];

	(void)state;
	said(p, 0, 1, "84912345678", "HUY", no);
	said(p, 0, 2, "84912345678", "HUY", again);
	assert_string_equal(again, no);
	said(p, 0, 3, "84912345678", "DK", yes);
	assert_string_not_equal(yes, no);
	said(p, 0, 4, "84912345679", "HUY", other);
	said(p, 0, 5, "84912345678", "HUY", again);
	assert_string_not_equal(again, no);
	assert_string_not_equal(again, other);
	(void)snprintf(no, sizeof(no), "%s", again);
	sh_closed(p->h, 0, -104, "", "reset"); /* the answer was lost: it comes again */
	sh_advance(p->h, 1500);
	sh_opened(p->h, 1, "");
	play_say(p, 1, SMPP_BIND_TRX | SMPP_RESP, 0, play_want(p, 1, SMPP_BIND_TRX).seq, "smsc", 5);
	said(p, 1, 1, "84912345678", "HUY", again);
	assert_string_equal(again, no);
	play_free(p);
}

static void a_text_from_a_phone_is_read_in_the_alphabet_of_the_server(void **state)
{
	static const struct {
		const char *charset, *octets, *want;
	} rows[] = { { "gsm0338", "T\x05", "T\xc3\xa9" }, { "latin1", "T\xe9", "T\xc3\xa9" },
		{ "ascii", "T@_", "T@_" }, { "gsm0338", "T\x11", "T_" } };
	char b[500];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct play *p = play_new();
		sh_conf(p->h, "dcs0_charset", rows[i].charset);
		play_bind(p);
		sh_data_n(p->h, 0, b,
			play_deliver(b, 1, 0, "84912345678", rows[i].octets, strlen(rows[i].octets),
				NULL, 0));
		assert_string_equal(p->h->inbound_text, rows[i].want);
		play_free(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_text_from_a_phone_is_handed_on_in_one_piece),
		cmocka_unit_test(parts_that_come_one_by_one_are_joined_all_the_same),
		cmocka_unit_test(a_no_behind_a_yes_is_no_repetition_of_the_no_before_it),
		cmocka_unit_test(a_text_from_a_phone_is_read_in_the_alphabet_of_the_server),
	};
	return cmocka_run_group_tests_name("smpp/receipt", tests, NULL, NULL);
}
