PROMISE=7 WHAT="a stop is answered, and what is on its way to the wire goes on"
FILE=daemon/dispatch/dispatch_stop.c
FROM='	s->on_wire = copies_stop(d, &s->gate);
	go_stop(d);
	lots_regate(d);'
TO='	s->on_wire = 0;
	if (d->stopping) {
		s->on_wire = copies_stop(d, &s->gate);
		go_stop(d);
		lots_regate(d);
	}'
CATCH="tests/unit/dispatch/test_stop"
