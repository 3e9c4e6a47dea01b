/* email_place.c - which file of a release stands in the mail and which one goes as a link, so that the mail fits.
 * Attachments give way first, then pictures, the largest of each first. The order depends on sizes and on the order of the files alone:
 * an approval covers it.
 * Thread: any, pure. Owns: nothing. Failures: what cannot fit stays as it is; the caller measures. */
#include "email_prepare.h"

/* What a link takes in text and HTML, its two holes included. */
#define LINK_BYTES 2048

uint64_t email_place_bytes(const struct email_doc *d)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < d->n_files; i++)
		if (d->files[i].place == EMAIL_LINKED)
			sum += LINK_BYTES;
		else
			sum += ltc_base64_lines_len(d->files[i].a->bytes);
	return sum;
}

static bool better(const struct email_file *f, const struct email_file *best)
{
	if (best == NULL)
		return true;
	if (f->picture != best->picture)
		return !f->picture;
	return f->a->bytes > best->a->bytes;
}

static struct email_file *next_victim(struct email_doc *d)
{
	struct email_file *best = NULL;

	for (size_t i = 0; i < d->n_files; i++) {
		struct email_file *f = &d->files[i];
		if (f->place != EMAIL_LINKED && better(f, best))
			best = f;
	}
	return best;
}

bool email_place_shrink(struct email_doc *d, uint64_t over)
{
	uint64_t before = email_place_bytes(d);
	bool any = false;

	while (before < email_place_bytes(d) + over) {
		struct email_file *f = next_victim(d);
		if (f == NULL || ltc_base64_lines_len(f->a->bytes) <= LINK_BYTES)
			return any;
		f->place = EMAIL_LINKED;
		any = true;
	}
	return any;
}

/* Bytes of files before encoding. */
static uint64_t kept(const struct email_doc *d)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < d->n_files; i++)
		if (d->files[i].place != EMAIL_LINKED)
			sum += d->files[i].a->bytes;
	return sum;
}

bool email_place_fit(struct email_doc *d)
{
	while (kept(d) > d->conf->inline_max_bytes) {
		struct email_file *f = next_victim(d);
		if (f == NULL || !d->conf->links)
			return false;
		f->place = EMAIL_LINKED;
	}
	return true;
}
