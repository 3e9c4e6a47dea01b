/* utf8_sort.c - Vietnamese collation: a key of bytes whose plain order is the order of a Vietnamese register.
 * Thread: any, pure. Owns nothing.
 * Three levels one behind the other, each closed by a byte lower than any of its own: letters (a ă â b c d đ e ê ...,
 * where f j w z stand as in Latin), then tones (ngang huyền hỏi ngã sắc nặng), then small before capital.
 */
#include "base/utf8.h"

#include <string.h>
#include <utf8proc.h>

enum { MARK_CIRCUMFLEX = 0x302, MARK_BREVE = 0x306, MARK_HORN = 0x31b };
enum {
	KEY_END = 0x01,
	KEY_SPACE = 0x02,
	KEY_OTHER_ASCII = 0x08,
	KEY_DIGIT = 0x20,
	KEY_LETTER = 0x40,
	KEY_FOREIGN = 0xf0
};
enum { TONE_NONE = 1, TONE_FOREIGN = 7 };

/* Each letter with the place of its plain form; the shaped ones follow it by 1 and 2. */
static const uint8_t letter_place[26] = {
	/* a ă â */ 0,
	/* b */ 3,
	/* c */ 4,
	/* d đ */ 5,
	/* e ê */ 7,
	/* f */ 9,
	/* g */ 10,
	/* h */ 11,
	/* i */ 12,
	/* j */ 13,
	/* k */ 14,
	/* l */ 15,
	/* m */ 16,
	/* n */ 17,
	/* o ô ơ */ 18,
	/* p */ 21,
	/* q */ 22,
	/* r */ 23,
	/* s */ 24,
	/* t */ 25,
	/* u ư */ 26,
	/* v */ 28,
	/* w */ 29,
	/* x */ 30,
	/* y */ 31,
	/* z */ 32,
};

struct sort_item {
	int32_t base;  /* small letter or any other code point; -1: none yet */
	uint8_t shape; /* 0 plain, 1 or 2: the shaped forms of the letter */
	uint8_t tone;
	bool upper;
};

struct sort_key {
	struct buf *primary; /* the caller's */
	struct buf tones, cases;
};

static uint8_t tone_of(int32_t mark)
{
	switch (mark) {
	case 0x300: return 2; /* huyền */
	case 0x309: return 3; /* hỏi */
	case 0x303: return 4; /* ngã */
	case 0x301: return 5; /* sắc */
	case 0x323: return 6; /* nặng */
	default: return TONE_FOREIGN;
	}
}

static uint8_t shape_of(int32_t base, int32_t mark)
{
	if (mark == MARK_BREVE && base == 'a')
		return 1;
	if (mark == MARK_CIRCUMFLEX)
		return base == 'a' ? 2 : base == 'e' || base == 'o' ? 1 : 0;
	if (mark == MARK_HORN)
		return base == 'o' ? 2 : base == 'u' ? 1 : 0;
	return 0;
}

static void item_mark(struct sort_item *it, int32_t mark)
{
	uint8_t shape = shape_of(it->base, mark);

	if (shape)
		it->shape = shape;
	else if (it->tone == TONE_NONE)
		it->tone = tone_of(mark);
}

static void primary_add(struct buf *b, const struct sort_item *it)
{
	int32_t cp = it->base;

	if (cp >= 'a' && cp <= 'z') {
		(void)buf_addc(b, (char)(KEY_LETTER + letter_place[cp - 'a'] + it->shape));
	} else if (cp >= '0' && cp <= '9') {
		(void)buf_addc(b, (char)(KEY_DIGIT + cp - '0'));
	} else if (cp <= ' ' || cp == 0xa0) {
		(void)buf_addc(b, KEY_SPACE);
	} else if (cp < 0x80) {
		(void)buf_addc(b, KEY_OTHER_ASCII);
		(void)buf_addc(b, (char)cp);
	} else {
		const unsigned char bytes[4] = { KEY_FOREIGN, (unsigned char)(cp >> 16),
			(unsigned char)(cp >> 8), (unsigned char)cp };
		(void)buf_add(b, bytes, sizeof(bytes));
	}
}

static void item_end(struct sort_key *k, struct sort_item *it)
{
	if (it->base < 0)
		return;
	primary_add(k->primary, it);
	(void)buf_addc(&k->tones, (char)(KEY_END + it->tone));
	(void)buf_addc(&k->cases, (char)(KEY_END + 1 + it->upper));
	it->base = -1;
}

static void item_start(struct sort_item *it, int32_t cp)
{
	int32_t small = utf8proc_tolower(cp);

	*it = (struct sort_item){ .base = small, .tone = TONE_NONE, .upper = small != cp };
	if (small == 0x111) { /* đ is a letter of its own, not a d with a mark */
		it->base = 'd';
		it->shape = 1;
	}
}

static bool is_mark(int32_t cp)
{
	utf8proc_category_t c = utf8proc_category(cp);

	return c == UTF8PROC_CATEGORY_MN || c == UTF8PROC_CATEGORY_ME || c == UTF8PROC_CATEGORY_MC;
}

static void key_add_cp(struct sort_key *k, struct sort_item *it, int32_t cp)
{
	utf8proc_int32_t parts[16];
	int last_class = 0;
	utf8proc_ssize_t n = utf8proc_decompose_char(
		cp, parts, 16, UTF8PROC_DECOMPOSE, &last_class);

	for (utf8proc_ssize_t i = 0; i < n && i < 16; i++) {
		if (is_mark(parts[i])) {
			if (it->base >= 0)
				item_mark(it, parts[i]);
		} else {
			item_end(k, it);
			item_start(it, parts[i]);
		}
	}
}

int utf8_sort_key(struct buf *b, struct str s)
{
	struct sort_item it = { .base = -1 };
	struct sort_key k = { .primary = b };
	size_t start = b->n;
	bool failed_before = b->failed;
	int32_t cp;

	buf_init(&k.tones, b->max);
	buf_init(&k.cases, b->max);
	b->failed = false;
	while (!b->failed && utf8_next(&s, &cp))
		key_add_cp(&k, &it, cp);
	item_end(&k, &it);
	(void)buf_addc(b, KEY_END);
	(void)buf_add_str(b, buf_str(&k.tones));
	(void)buf_addc(b, KEY_END);
	(void)buf_add_str(b, buf_str(&k.cases));

	int r = b->failed || k.tones.failed || k.cases.failed ? -E2BIG : s.n ? -EILSEQ : 0;
	if (r && b->p) {
		b->n = start;
		b->p[start] = '\0';
	}
	b->failed = failed_before || r == -E2BIG;
	buf_done(&k.tones);
	buf_done(&k.cases);
	return r;
}
