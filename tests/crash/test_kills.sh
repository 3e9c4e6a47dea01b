#!/usr/bin/env bash
# test_kills.sh - the short set of kills for every commit; `make check-long` does 200.
exec "$(dirname "${BASH_SOURCE[0]}")/kills.sh" "${KILLS:-6}" "${LIST:-3000}"
