PROMISE=12 WHAT="accepted by the provider is called delivered"
FILE=daemon/model/outcome.c
FROM='	if (there && from == DLV_UNKNOWN)
		return DLV_ACCEPTED;'
TO='	if (there && from == DLV_UNKNOWN)
		return DLV_DELIVERED;'
CATCH="tests/unit/model/test_outcome"
