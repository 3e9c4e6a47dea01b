#!/usr/bin/env bash
# test_sms_kills.sh - the short set of kills under short messages for every commit; `make check-long` does 100.
exec "$(dirname "${BASH_SOURCE[0]}")/sms_kills.sh" "${SMS_KILLS:-7}"
