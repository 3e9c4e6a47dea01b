/* diff.c - shortest edit of lines by Myers' greedy method, with a cap on edits; hunks in unified style. Pure.
 * Memory: the way back needs one number per round and diagonal, at most (DIFF_EDITS_MAX + 1)^2 of them, 9 MB, touched only
 * as far as the texts differ. */
#include "content/diff.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/err.h"
#include "base/fault.h"

struct lines {
	struct str *v;
	size_t n;
};
enum op_kind { OP_SAME = ' ', OP_DEL = '-', OP_INS = '+' };
struct diff {
	struct lines a, b;
	char *ops; /* owned: op_kind of each step, in order */
	size_t n_ops;
	size_t head, tail; /* equal lines at both ends, not among the steps of the search */
};

static int split(struct str text, struct lines *ret)
{
	struct str rest = text, line;
	size_t n = 1;
	for (size_t i = 0; i < text.n; i++)
		n += text.p[i] == '\n';
	ret->v = FAULT("diff.alloc") ? NULL : calloc(n, sizeof(*ret->v));
	if (ret->v == NULL)
		return -ENOMEM;
	while (ret->n < n && str_line(&rest, &line))
		ret->v[ret->n++] = line;
	return 0;
}

static void trim_ends(struct diff *d)
{
	size_t n = d->a.n < d->b.n ? d->a.n : d->b.n;
	while (d->head < n && str_eq(d->a.v[d->head], d->b.v[d->head]))
		d->head++;
	while (d->tail < n - d->head &&
		str_eq(d->a.v[d->a.n - 1 - d->tail], d->b.v[d->b.n - 1 - d->tail]))
		d->tail++;
}

/* Numbers of round r lie behind those of the rounds before it, which hold 1 + 3 + 5 + ... ; [0] is diagonal 0. */
static int *round_of(int *trace, int r)
{
	return trace + (size_t)r * (size_t)r + (size_t)r;
}

static bool goes_down(const int *v, int k, int r)
{
	return k == -r || (k != r && v[k - 1] < v[k + 1]);
}

/* Furthest points per diagonal, round by round; the number of edits, or -1 over the cap. */
static int search(const struct diff *d, int *trace, int n, int m, int max)
{
	const struct str *a = d->a.v + d->head, *b = d->b.v + d->head;
	for (int r = 0; r <= max; r++) {
		int *now = round_of(trace, r);
		const int *v = r == 0 ? NULL : round_of(trace, r - 1);
		for (int k = -r; k <= r; k += 2) {
			int x = v == NULL ? 0 : goes_down(v, k, r) ? v[k + 1] : v[k - 1] + 1;
			int y = x - k;
			while (x < n && y < m && str_eq(a[x], b[y])) {
				x++;
				y++;
			}
			now[k] = x;
			if (x >= n && y >= m)
				return r;
		}
	}
	return -1;
}

/* Steps from the end to the beginning into ops, then turned round. */
static void walk_back(struct diff *d, int *trace, int rounds, int n, int m)
{
	int x = n, y = m;
	for (int r = rounds; r > 0; r--) {
		const int *v = round_of(trace, r - 1);
		int k = x - y;
		bool down = goes_down(v, k, r);
		int from_x = down ? v[k + 1] : v[k - 1];
		int from_y = from_x - (down ? k + 1 : k - 1);
		while (x > from_x && y > from_y) {
			d->ops[d->n_ops++] = OP_SAME;
			x--;
			y--;
		}
		d->ops[d->n_ops++] = (char)(down ? OP_INS : OP_DEL);
		x = from_x;
		y = from_y;
	}
	for (; x > 0; x--)
		d->ops[d->n_ops++] = OP_SAME;
	for (size_t i = 0, j = d->n_ops; i + 1 < j; i++) {
		char c = d->ops[i];
		d->ops[i] = d->ops[--j];
		d->ops[j] = c;
	}
}

static void replace_all(struct diff *d, size_t n, size_t m)
{
	memset(d->ops, OP_DEL, n);
	memset(d->ops + n, OP_INS, m);
	d->n_ops = n + m;
}

static int find_steps(struct diff *d)
{
	size_t n = d->a.n - d->head - d->tail, m = d->b.n - d->head - d->tail;
	size_t max = n + m < DIFF_EDITS_MAX ? n + m : DIFF_EDITS_MAX;
	d->ops = calloc(n + m + 1, 1);
	if (d->ops == NULL)
		return -ENOMEM;
	if (n > DIFF_LINES_MAX || m > DIFF_LINES_MAX) {
		replace_all(d, n, m);
		return 0;
	}
	int *trace = FAULT("diff.alloc") ? NULL : malloc((max + 1) * (max + 1) * sizeof(*trace));
	if (trace == NULL)
		return -ENOMEM;
	int rounds = search(d, trace, (int)n, (int)m, (int)max);
	if (rounds < 0)
		replace_all(d, n, m);
	else
		walk_back(d, trace, rounds, (int)n, (int)m);
	free(trace);
	return 0;
}

/* --- hunks ------------------------------------------------------------------------------------------------------------------ */

struct hunk {
	size_t from, to; /* steps */
	size_t a, b, n_a, n_b;
};

static void add_line(struct buf *b, char sign, struct str s)
{
	(void)buf_addc(b, sign);
	(void)buf_add_str(b, s);
	(void)buf_addc(b, '\n');
}

static void print_hunk(struct buf *out, const struct diff *d, const struct hunk *h)
{
	size_t before = h->a < DIFF_CONTEXT ? h->a : DIFF_CONTEXT;
	size_t left = d->a.n - (h->a + h->n_a), after = left < DIFF_CONTEXT ? left : DIFF_CONTEXT;
	size_t a = h->a, b = h->b, n_a = h->n_a + before + after, n_b = h->n_b + before + after;
	(void)buf_addf(out, "@@ -%zu,%zu +%zu,%zu @@\n", a - before + (n_a > 0), n_a,
		b - before + (n_b > 0), n_b);
	for (size_t i = before; i > 0; i--)
		add_line(out, ' ', d->a.v[a - i]);
	for (size_t i = h->from; i < h->to; i++) {
		char op = d->ops[i];
		add_line(out, op, op == OP_INS ? d->b.v[b] : d->a.v[a]);
		a += op != OP_INS;
		b += op != OP_DEL;
	}
	for (size_t i = 0; i < after; i++)
		add_line(out, ' ', d->a.v[a + i]);
}

/* Changes with at most two contexts of equal lines between them share a hunk. */
static void print_hunks(struct buf *out, const struct diff *d)
{
	struct hunk h = { 0 };
	size_t a = d->head, b = a, last = 0;
	bool open = false;
	for (size_t i = 0; i < d->n_ops; i++) {
		char op = d->ops[i];
		if (op != OP_SAME) {
			if (open && i - last > 2 * DIFF_CONTEXT) {
				print_hunk(out, d, &h);
				open = false;
			}
			if (!open)
				h = (struct hunk){ i, i, a, b, 0, 0 };
			open = true;
		}
		a += op != OP_INS;
		b += op != OP_DEL;
		if (op != OP_SAME) {
			h.to = last = i + 1;
			h.n_a = a - h.a;
			h.n_b = b - h.b;
		}
	}
	if (open)
		print_hunk(out, d, &h);
}

int diff_unified(
	struct buf *out, const char *name_a, struct str a, const char *name_b, struct str b)
{
	struct diff d = { 0 };
	if (str_eq(a, b))
		return 0;
	int r = split(a, &d.a);
	if (r == 0)
		r = split(b, &d.b);
	if (r == 0) {
		trim_ends(&d);
		r = find_steps(&d);
	}
	if (r == 0) {
		(void)buf_addf(out, "--- %s\n+++ %s\n", name_a, name_b);
		print_hunks(out, &d);
		r = out->failed ? -E2BIG : 0;
	}
	free(d.a.v);
	free(d.b.v);
	free(d.ops);
	return r;
}
