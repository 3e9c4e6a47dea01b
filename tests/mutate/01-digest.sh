PROMISE=1 WHAT="the prepared output is not compared with the approved one when a lot opens"
FILE=daemon/plan/plan_prepare.c
FROM='	if (hash_cmp(&made->digest, &row->digest) == 0)
		return 0;'
TO='	if (made && row)
		return 0;'
CATCH="tests/unit/plan/test_approved tests/system/test_approval.sh"
