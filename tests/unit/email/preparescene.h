/* preparescene.h - a release and its files, as the mail adapter is given them, and what it makes of them. */
#ifndef TESTS_UNIT_EMAIL_PREPARESCENE_H
#define TESTS_UNIT_EMAIL_PREPARESCENE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "mailtest.h"

static char png_bytes[1000], pdf_bytes[3000];

struct fix {
	struct sh *h;
	struct sh_made m;
	struct lt_asset assets[6];
	const struct lt_asset *list[6];
	struct lt_content c;
	struct lt_pair texts[2];
};

static int setup(void **state)
{
	struct fix *f = calloc(1, sizeof(*f));

	memset(png_bytes, 0x5a, sizeof(png_bytes));
	memset(pdf_bytes, 0x2e, sizeof(pdf_bytes)); /* dots */
	f->h = mail_host();
	sh_asset(f->h, "aa11", png_bytes, sizeof(png_bytes));
	sh_asset(f->h, "bb22", pdf_bytes, sizeof(pdf_bytes));
	f->c = (struct lt_content){ .struct_size = sizeof(f->c),
		.title = mt("Năm năm đổi mới truyền thông BHXH, BHYT ở vùng cao"),
		.body_markdown = mt(
			"**Hà Nội** – Tin.\n\n- một\n- hai\n\n"
			"Xem [cổng](https://portal.example/ttbc/112?a=1&b=2).\n\n.dấu chấm\n"),
		.lang = mt("vi"),
		.code = mt("TTBC-2026-112"),
		.link = mt("https://portal.example/ttbc/112"),
		.at_ms = 1795395600000LL };
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fix *f = *state;

	sh_made_done(&f->m);
	sh_free(f->h);
	free(f);
	return 0;
}

static void asset(struct fix *f, uint32_t role, const char *id, const char *type, const char *name,
	uint64_t bytes)
{
	size_t i = f->c.n_assets++;

	f->assets[i] = (struct lt_asset){ .struct_size = sizeof(f->assets[i]),
		.role = role,
		.id = mt(id),
		.content_type = mt(type),
		.filename = mt(name),
		.bytes = bytes,
		.alt = mt("Hình \"1\" <b>"),
		.width = 1200,
		.height = 800 };
	f->list[i] = &f->assets[i];
	f->c.assets = f->list;
}

static int prepare(struct fix *f)
{
	sh_made_done(&f->m);
	sh_made_init(&f->m, f->h);
	return lantoa_adapter.prepare(&f->h->conf, &f->c, &f->m.sink);
}

static const char *text(struct fix *f)
{
	return f->m.text.p;
}

static size_t count(const char *hay, const char *needle)
{
	size_t n = 0;

	for (const char *p = strstr(hay, needle); p != NULL; p = strstr(p + 1, needle))
		n++;
	return n;
}

/* Without soft breaks; the caller frees. */
static char *joined(const char *mail)
{
	char *plain = calloc(1, strlen(mail) + 1), *d = plain;

	for (const char *p = mail; *p != '\0'; p++)
		if (strncmp(p, "=\r\n", 3) == 0)
			p += 2;
		else
			*d++ = *p;
	return plain;
}

#endif
