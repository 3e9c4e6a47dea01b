#!/usr/bin/env bash
# test_facebook_steps.sh - for every commit: pages killed between every two steps; random kills (facebook_kills.sh) are `make check-long`.
exec "$(dirname "${BASH_SOURCE[0]}")/facebook_steps.sh"
