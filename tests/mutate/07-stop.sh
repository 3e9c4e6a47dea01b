PROMISE=7 WHAT="a stop leaves committed intents alone"
FILE=daemon/dispatch/dispatch_stop.c
FROM='			if (!c->revoke)
				continue;'
TO='			if (!c->revoke || c->d)
				continue;'
CATCH="tests/unit/dispatch/test_stop"
