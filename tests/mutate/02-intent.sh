PROMISE=2 WHAT="a publishing step starts before its intent is committed"
FILE=daemon/dispatch/dispatch_pump.c
FROM='	lane_took(l);
	breaker_went(&l->breaker);
	turn_intent(c);'
TO='	lane_took(l);
	breaker_went(&l->breaker);
	turn_intent(c);
	if (c->state != CP_GO && list_empty(&c->node))
		intent_is_committed(c);'
CATCH="tests/unit/dispatch/test_flow tests/unit/dispatch/test_crash tests/sim/test_sim"
