PROMISE=9 WHAT="what a person does to a delivery is not audited"
FILE=daemon/store/store_queue_act.c
FROM='	return store_audit(tx, &ev);
}

static int act_write('
TO='	return ev.person && tx ? 0 : 0;
}

static int act_write('
CATCH="tests/unit/store/test_queue tests/unit/dispatch/test_settle tests/system/test_release.sh"
