/* smpp_ids.c - the ways in which a report may write the id that the answer gave: as it came, in the other base, with other letters, without
 * its zeros or with more of them (contract sms.md 1.4).
 * Thread: any, pure. Owns: nothing. Failures: none; what does not fit the list is left out, the verbatim one never. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "smpp.h"

static char low(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static void ids_add(struct smpp_ids *ids, struct lt_str s)
{
	if (s.n == 0 || s.n >= sizeof(ids->text[0]) || ids->n == SMPP_IDS_MAX)
		return;
	for (size_t i = 0; i < ids->n; i++)
		if (ltc_eq(ids->list[i], s))
			return;
	memcpy(ids->text[ids->n], s.p, s.n);
	ids->list[ids->n] = (struct lt_str){ ids->text[ids->n], s.n };
	ids->n++;
}

static bool all_in(struct lt_str s, const char *set)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == 0 || strchr(set, s.p[i]) == NULL)
			return false;
	return s.n > 0;
}

static bool number_of(struct lt_str s, int base, uint64_t *ret)
{
	char z[24];

	if (s.n >= sizeof(z) || !all_in(s, base == 10 ? "0123456789" : "0123456789abcdefABCDEF"))
		return false;
	memcpy(z, s.p, s.n);
	z[s.n] = 0;
	errno = 0;
	*ret = strtoull(z, NULL, base);
	return errno == 0;
}

static void in_hex(struct smpp_ids *ids, uint64_t v)
{
	char z[24];

	(void)snprintf(z, sizeof(z), "%llx", (unsigned long long)v);
	ids_add(ids, ltc_z(z));
	(void)snprintf(z, sizeof(z), "%llX", (unsigned long long)v);
	ids_add(ids, ltc_z(z));
	(void)snprintf(z, sizeof(z), "%08llx", (unsigned long long)v);
	ids_add(ids, ltc_z(z));
	(void)snprintf(z, sizeof(z), "%08llX", (unsigned long long)v);
	ids_add(ids, ltc_z(z));
}

static void in_dec(struct smpp_ids *ids, uint64_t v)
{
	char z[24];

	(void)snprintf(z, sizeof(z), "%llu", (unsigned long long)v);
	ids_add(ids, ltc_z(z));
	(void)snprintf(z, sizeof(z), "%010llu", (unsigned long long)v);
	ids_add(ids, ltc_z(z));
}

static void cases(struct smpp_ids *ids, struct lt_str id)
{
	char z[72];

	for (int upper = 0; upper < 2 && id.n < sizeof(z); upper++) {
		for (size_t i = 0; i < id.n; i++)
			z[i] = !upper                              ? low(id.p[i])
				: id.p[i] >= 'a' && id.p[i] <= 'z' ? (char)(id.p[i] - 32)
								   : id.p[i];
		ids_add(ids, (struct lt_str){ z, id.n });
	}
}

static struct lt_str without_zeros(struct lt_str id)
{
	while (id.n > 1 && id.p[0] == '0')
		id = ltc_from(id, 1);
	return id;
}

void smpp_ids_near(struct lt_str id, struct smpp_ids *ret)
{
	ret->n = 0;
	ids_add(ret, id);
	cases(ret, id);
	ids_add(ret, without_zeros(id));
}

void smpp_receipt_ids(enum smpp_dlr_id how, struct lt_str id, struct smpp_ids *ret)
{
	uint64_t v;

	ret->n = 0;
	if (how == SMPP_DLR_AUTO || how == SMPP_DLR_EXACT)
		ids_add(ret, id);
	if (how == SMPP_DLR_EXACT)
		return;
	if (how != SMPP_DLR_DEC_HEX && number_of(id, 10, &v))
		in_hex(ret, v);
	if (how != SMPP_DLR_HEX_DEC && number_of(id, 16, &v))
		in_dec(ret, v);
	if (how != SMPP_DLR_AUTO) {
		ids_add(ret, id); /* a setting that is wrong should not lose reports */
		return;
	}
	cases(ret, id);
	ids_add(ret, without_zeros(id));
	if (number_of(id, 10, &v))
		in_dec(ret, v);
}

/* With zeros in front, as long as the ids that the server gave with zeros (bit n: n octets); before it gave one, the usual lengths. */
void smpp_receipt_pad(uint64_t lens, struct lt_str id, struct smpp_ids *ret)
{
	uint64_t usual = UINT64_C(1) << 8 | UINT64_C(1) << 10 | UINT64_C(1) << 12 |
		UINT64_C(1) << 16 | UINT64_C(1) << 20;
	char z[64];

	if (!all_in(id, "0123456789abcdefABCDEF"))
		return;
	id = without_zeros(id); /* it may have more of them, too */
	for (size_t n = id.n + 1; n < sizeof(z); n++) {
		if (((lens != 0 ? lens : usual) >> n & 1) == 0)
			continue;
		memset(z, '0', n - id.n);
		memcpy(z + n - id.n, id.p, id.n);
		ids_add(ret, (struct lt_str){ z, n });
	}
}

void smpp_receipt_pad_all(
	enum smpp_dlr_id how, uint64_t lens, struct lt_str id, struct smpp_ids *ret)
{
	uint64_t v;
	char z[24];

	if (how == SMPP_DLR_EXACT)
		return;
	if (how == SMPP_DLR_AUTO)
		smpp_receipt_pad(lens, id, ret);
	if (how != SMPP_DLR_DEC_HEX && number_of(id, 10, &v)) {
		(void)snprintf(z, sizeof(z), "%llx", (unsigned long long)v);
		smpp_receipt_pad(lens, ltc_z(z), ret);
		(void)snprintf(z, sizeof(z), "%llX", (unsigned long long)v);
		smpp_receipt_pad(lens, ltc_z(z), ret);
	}
	if (how != SMPP_DLR_HEX_DEC && number_of(id, 16, &v)) {
		(void)snprintf(z, sizeof(z), "%llu", (unsigned long long)v);
		smpp_receipt_pad(lens, ltc_z(z), ret);
	}
}

static bool same_letters(struct lt_str a, struct lt_str b)
{
	for (size_t i = 0; i < a.n && a.n == b.n; i++)
		if (low(a.p[i]) != low(b.p[i]))
			return false;
	return a.n == b.n;
}

enum smpp_form smpp_ids_form(struct lt_str report, struct lt_str answer)
{
	uint64_t a, b;

	if (ltc_eq(report, answer))
		return SMPP_FORM_EXACT;
	if (same_letters(without_zeros(report), without_zeros(answer)))
		return SMPP_FORM_CLOSE;
	if (number_of(report, 10, &a) && number_of(answer, 16, &b) && a == b)
		return SMPP_FORM_HEX_DEC;
	if (number_of(report, 16, &a) && number_of(answer, 10, &b) && a == b)
		return SMPP_FORM_DEC_HEX;
	return SMPP_FORM_NONE;
}

bool smpp_ids_two_ways(struct lt_str id)
{
	uint64_t v;

	return number_of(id, 16, &v);
}
