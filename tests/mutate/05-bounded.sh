PROMISE=5 WHAT="a lane takes rows into memory as long as there are any"
FILE=daemon/dispatch/dispatch_fill.c
FROM='!list_empty(&lane->want[kind]) && lane->n_ready_of[kind] < target &&'
TO='!list_empty(&lane->want[kind]) && target > 0 &&'
CATCH="tests/unit/dispatch/test_memory"
