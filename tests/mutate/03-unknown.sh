PROMISE=3 WHAT="an unknown outcome is sent again"
FILE=daemon/model/outcome.c
FROM='	o->to = DLV_UNKNOWN;
	o->due_ms = in->now_ms + in->ask_every_ms;'
TO='	o->to = DLV_WAITING;
	o->due_ms = in->now_ms + in->ask_every_ms;'
CATCH="tests/unit/model/test_outcome"
