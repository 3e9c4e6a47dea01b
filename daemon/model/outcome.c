/* outcome.c - the table of outcome and scope.
 * Thread: any. Owns: nothing. Failures: an outcome or scope out of range reads as unknown of the lane, the careful one. */
#include <lantoa/adapter.h>
#include <string.h>
#include "model/backoff.h"
#include "model/outcome.h"

#define THROTTLE_MS 1000 /* pause of a throttled scope whose provider named none */

static int64_t wait_of(const struct outcome_in *in)
{
	struct backoff b = { .base_ms = in->backoff,
		.n = in->n_backoff,
		.tries = in->tries,
		.wait_ms = in->retry_after_ms,
		.random = in->random };

	return backoff_ms(&b);
}

static void wait_again(const struct outcome_in *in, struct outcome_out *o)
{
	o->to = DLV_WAITING;
	o->due_ms = in->now_ms + wait_of(in);
}

/* Tries and age end a delivery that the provider keeps putting off. */
static bool is_over(const struct outcome_in *in, const struct outcome_out *o, const char **ret_why)
{
	if (in->max_age_ms > 0 && in->now_ms - in->first_ms >= in->max_age_ms) {
		*ret_why = "age: put off for longer than max_age";
		return true;
	}
	if (!o->give_back && in->tries_max > 0 && in->tries >= in->tries_max) {
		*ret_why = "tries: put off tries_max times";
		return true;
	}
	return false;
}

static void wait_or_fail(const struct outcome_in *in, struct outcome_out *o)
{
	const char *why = NULL;

	if (is_over(in, o, &why)) {
		o->to = DLV_FAILED;
		o->why = why;
		o->give_back = false;
		return;
	}
	wait_again(in, o);
}

static void hold(struct outcome_out *o, const char *why)
{
	o->to = DLV_HELD;
	o->why = why;
}

static void on_refused(const struct outcome_in *in, struct outcome_out *o)
{
	if (in->scope == LT_SCOPE_TARGET) {
		o->to = DLV_FAILED;
		o->effects |= OE_GOOD;
	} else if (in->scope == LT_SCOPE_RELEASE) {
		hold(o, "refused: the provider refuses this release");
		o->effects |= OE_HOLD_RELEASE | OE_ALERT | OE_GOOD;
	} else {
		/* Not this recipient's fault: a refused login burns no list. */
		o->give_back = true;
		o->effects |= OE_ALERT;
		o->effects |= (in->flags & LT_R_PERSON) ? OE_HOLD_SCOPE : OE_TROUBLE | OE_OPEN_NOW;
		wait_or_fail(in, o);
	}
}

static void on_deferred_for_person(const struct outcome_in *in, struct outcome_out *o)
{
	o->effects |= OE_ALERT;
	if (in->scope == LT_SCOPE_TARGET) {
		hold(o, "person: the provider wants a person");
		return;
	}
	o->give_back = true;
	o->effects |= in->scope == LT_SCOPE_RELEASE ? OE_HOLD_RELEASE : OE_HOLD_SCOPE;
	wait_again(in, o);
}

static void on_deferred(const struct outcome_in *in, struct outcome_out *o)
{
	o->give_back = (in->flags & LT_R_FREE) != 0;
	if (in->flags & LT_R_PERSON) {
		on_deferred_for_person(in, o);
		return;
	}
	if (in->scope <= LT_SCOPE_RELEASE) {
		o->effects |= OE_GOOD;
	} else if (in->flags & LT_R_FREE) {
		o->effects |= OE_SLOW | OE_PAUSE;
		o->pause_ms = in->retry_after_ms > 0 ? in->retry_after_ms : THROTTLE_MS;
	} else {
		o->effects |= OE_TROUBLE;
		if (in->retry_after_ms > 0) {
			o->effects |= OE_PAUSE;
			o->pause_ms = in->retry_after_ms;
		}
	}
	wait_or_fail(in, o);
}

static void on_unknown(const struct outcome_in *in, struct outcome_out *o)
{
	o->to = DLV_UNKNOWN;
	o->due_ms = in->now_ms + in->ask_every_ms;
	if (in->by_host || in->scope > LT_SCOPE_RELEASE)
		o->effects |= OE_TROUBLE;
}

static void on_duplicate(const struct outcome_in *in, struct outcome_out *o)
{
	o->effects |= OE_GOOD;
	if (in->was_unknown || in->outcome == LT_ACCEPTED) {
		o->to = DLV_ACCEPTED;
		if (!in->was_unknown)
			o->effects |= OE_ALERT;
		return;
	}
	hold(o, "duplicate: the provider says that it already had this");
	o->effects |= OE_ALERT;
}

/* Marks against the address are believed only where the provider spoke of the address. A delivery that is put off and tried again is
 * one mark, at its end: a mailbox that is full for a day is no dead one. */
static void mark_address(const struct outcome_in *in, struct outcome_out *o)
{
	bool put_off = in->outcome == LT_DEFERRED;

	if (in->revoked || in->scope != LT_SCOPE_TARGET || (in->outcome != LT_REFUSED && !put_off))
		return;
	if (in->flags & LT_R_SUPPRESS)
		o->effects |= OE_SUPPRESS;
	else if (put_off && o->to != DLV_FAILED)
		return;
	else if (in->flags & LT_R_STRIKE)
		o->effects |= OE_STRIKE;
	else if (put_off)
		o->effects |= OE_EXPIRED;
}

void outcome_decide(const struct outcome_in *in, struct outcome_out *ret)
{
	struct outcome_out o = { .to = DLV_UNKNOWN, .due_ms = -1, .attempt = true };

	if (in->revoked) {
		o.to = DLV_WAITING;
		o.give_back = true;
		o.attempt = false;
	} else if (in->outcome != LT_UNKNOWN && (in->flags & LT_R_DUPLICATE)) {
		on_duplicate(in, &o);
	} else if (in->outcome == LT_ACCEPTED) {
		o.to = DLV_ACCEPTED;
		o.effects = OE_GOOD;
	} else if (in->outcome == LT_REFUSED) {
		on_refused(in, &o);
	} else if (in->outcome == LT_DEFERRED) {
		on_deferred(in, &o);
	} else {
		on_unknown(in, &o);
	}
	mark_address(in, &o);
	*ret = o;
}

void settle_decide(const struct settle_in *in, struct settle_out *ret)
{
	struct settle_out o = { .to = -1 };
	int64_t age = in->now_ms - in->since_ms;

	if (in->outcome == LT_ACCEPTED) {
		o.to = DLV_ACCEPTED;
	} else if (in->outcome == LT_DEFERRED) {
		o.to = DLV_WAITING;
	} else if (in->outcome == LT_REFUSED) {
		o.to = DLV_FAILED;
	} else if (age >= in->unknown_max_ms) {
		o.to = in->assume_accepted ? DLV_ACCEPTED : DLV_DOUBT;
		o.by_policy = true;
	} else {
		/* Waiting as long again as it is old doubles the pause without a counter. */
		int64_t wait = age > in->ask_every_ms ? age : in->ask_every_ms;
		int64_t left = in->unknown_max_ms - age;
		if (in->outcome < 0 || wait > left)
			wait = left; /* nobody to ask: the policy decides when the time is over */
		o.next_ms = in->now_ms + (wait > 1 ? wait : 1);
	}
	*ret = o;
}

int receipt_decide(enum dlv_state from, int receipt_state)
{
	bool yes = receipt_state == LT_RC_DELIVERED || receipt_state == LT_RC_SEEN;
	bool no = receipt_state == LT_RC_FAILED || receipt_state == LT_REFUSED;
	bool there = receipt_state == LT_RC_TRANSIT || receipt_state == LT_ACCEPTED;

	if (yes && dlv_may_move(from, DLV_DELIVERED) && from != DLV_SENDING)
		return DLV_DELIVERED;
	if (no && (from == DLV_ACCEPTED || from == DLV_UNKNOWN))
		return DLV_FAILED;
	if (there && from == DLV_UNKNOWN)
		return DLV_ACCEPTED;
	if (receipt_state == LT_DEFERRED && from == DLV_UNKNOWN)
		return DLV_WAITING;
	return -1;
}
