/* sms_table.h - what is known of a character, in one lookup; the tables are made by sms_table.py.
 * Texts are read in blocks of 64 bytes: a mask says where characters begin, so that the way to the next one needs no branch.
 * Private to the sms_* files. Thread: any; constant. */
#ifndef LANTOA_COMMON_SMS_TABLE_H
#define LANTOA_COMMON_SMS_TABLE_H

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define SMS_PAGES   33
#define SMS_MULTI_N 15
/* Bits 0-7: plain rendering, one of these or an ASCII character or, from 0x80 on, a string of sms_multi. */
#define SMS_P_NONE  0u
#define SMS_P_KEEP  1u
#define SMS_P_DROP  2u
#define SMS_P_MULTI 0x80u
/* Bits 8-15: GSM code, 0x80 | code for the extension table, 0xff when not in the alphabet. */
#define SMS_GSM_NONE 0xffu
/* Bits 16-: */
#define SMS_F_STABLE 0x10000u /* NFC, and no mark */
#define SMS_F_MARK   0x20000u /* belongs to the character before */
#define SMS_F_JOINER 0x40000u /* takes the next one along */
#define SMS_F_EXT    0x80000u /* its plain rendering is in the extension table */

/* Index of pages: character >> 6 for three bytes, 1024 + that for two, 1056 + that for one; 0 is a page of which nothing is
 * known, which is also where overlong and broken sequences end. */
#define SMS_PAGE_INDEX 1088
#pragma GCC visibility push(hidden) /* no way round by the GOT */
extern const char sms_multi[SMS_MULTI_N][5];
extern const uint8_t sms_page[SMS_PAGE_INDEX];
extern const uint32_t sms_char[SMS_PAGES][64];
/* By the first byte: what it adds to the index of the page, length of the sequence (0: cannot begin one). */
extern const uint16_t sms_lead_page[256];
extern const uint8_t sms_lead_len[256], sms_lead_mask[256];
#pragma GCC visibility pop

/* What is known of a character of n bytes at p; p[1] and p[2] may be read whatever n is. */
static inline uint32_t sms_what(const uint8_t *p, size_t n)
{
	uint32_t c = p[0];
	uint32_t page = sms_lead_page[c] + (p[1] & sms_lead_mask[c]);

	return sms_char[sms_page[page]][p[n - 1] & 63];
}

/* Bit i: a character begins at p[i]; 64 bytes are read. */
static inline uint64_t sms_starts(const uint8_t *p)
{
	uint64_t all = 0;

#ifdef __SSE2__
	for (unsigned int i = 0; i < 4; i++) {
		__m128i v;
		memcpy(&v, p + 16 * i, 16);
		/* as signed bytes: continuations are -128 to -65 */
		int m = _mm_movemask_epi8(_mm_cmpgt_epi8(v, _mm_set1_epi8(-65)));
		all |= (uint64_t)(uint32_t)m << (16 * i);
	}
#else
	uint64_t x;
	for (unsigned int i = 0; i < 8; i++) {
		memcpy(&x, p + 8 * i, 8);
		x = le64toh(x);
		x = (~(x >> 7) | x >> 6) & 0x0101010101010101u;
		all |= (x * 0x0102040810204080u >> 56) << (8 * i);
	}
#endif
	return all;
}

/* Reads one character at p < end. 0: broken UTF-8; else its length, with cp and what is known of it. */
static inline size_t sms_next(const uint8_t *p, const uint8_t *end, uint32_t *cp, uint32_t *what)
{
	uint32_t c = p[0];

	if (c < 0x80) {
		*cp = c;
		*what = sms_char[1 + (c >> 6)][c & 63];
		return 1;
	}
	if (c < 0xe0) {
		if (c < 0xc2 || end - p < 2 || (p[1] & 0xc0) != 0x80)
			return 0;
		*cp = (c & 31) << 6 | (p[1] & 63u);
		*what = sms_char[sms_page[1024 + (c & 31)]][p[1] & 63];
		return 2;
	}
	if (c < 0xf0) {
		if (end - p < 3 || (p[1] & 0xc0) != 0x80 || (p[2] & 0xc0) != 0x80)
			return 0;
		uint32_t page = (c & 15) << 6 | (p[1] & 63u);
		if (page < 0x20 || page - 0x360 < 0x20) /* overlong; a surrogate */
			return 0;
		*cp = page << 6 | (p[2] & 63u);
		*what = sms_char[sms_page[page]][p[2] & 63];
		return 3;
	}
	if (c > 0xf4 || end - p < 4 || (p[1] & 0xc0) != 0x80 || (p[2] & 0xc0) != 0x80 ||
		(p[3] & 0xc0) != 0x80)
		return 0;
	*cp = (c & 7) << 18 | (p[1] & 63u) << 12 | (p[2] & 63u) << 6 | (p[3] & 63u);
	*what = SMS_GSM_NONE << 8;
	if (*cp - 0x1f300 <
		0x800) /* pictures: nothing to compose; the five skin tones belong to what stands before */
		*what |= *cp - 0x1f3fb < 5 ? SMS_F_STABLE | SMS_F_MARK : SMS_F_STABLE;
	return *cp < 0x10000 || *cp > 0x10ffff ? 0 : 4;
}

/* What is known of a character by its number. */
static inline uint32_t sms_what_of(uint32_t cp)
{
	uint32_t page = cp < 0x80 ? 1056 + (cp >> 6) : cp < 0x800 ? 1024 + (cp >> 6) : cp >> 6;

	return cp < 0x10000 ? sms_char[sms_page[page]][cp & 63] : SMS_GSM_NONE << 8;
}

/* A text in blocks: each gives the characters that begin in it but the last one, with which the next block starts. The end of
 * the text is read from a padded copy. */
struct sms_block {
	const uint8_t *p; /* current block */
	uint64_t starts;  /* characters left in it, and one bit more behind the last */
	const uint8_t *text, *end, *at;
	uint8_t tail[72];
};

static inline void sms_block_init(struct sms_block *b, const uint8_t *p, size_t n)
{
	b->text = b->at = p;
	b->end = p + n;
	b->p = NULL;
	b->starts = 0;
}

/* False at the end; else at least one character lies in the block. *ret_off: place of the block in the text. */
static inline int sms_block_next(struct sms_block *b, size_t *ret_off)
{
	size_t left = (size_t)(b->end - b->at);

	if (left == 0)
		return 0;
	*ret_off = (size_t)(b->at - b->text);
	b->p = b->at;
	if (left < 68) {
		memset(b->tail, 0, sizeof(b->tail));
		memcpy(b->tail, b->at, left);
		b->p = b->tail;
	}
	b->starts = sms_starts(b->p);
	if (left < 64) {
		b->starts = (b->starts & ((1ull << left) - 1)) | 1ull << left;
		b->at = b->end;
	} else {
		b->at += 63 - __builtin_clzll(b->starts | 1);
	}
	/* No beginning where one must be: a length that no character has, so that the reader refuses it. */
	if ((b->starts & 1) == 0 || b->starts == 1) {
		b->starts = 1 | 1ull << 63;
		b->at = b->end;
	}
	return 1;
}

#endif
